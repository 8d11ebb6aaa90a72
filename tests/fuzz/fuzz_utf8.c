/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as text: decoded, escaped for the log, read as a number and as hex. First byte: size of the escaped text.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void decode(const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t cp = 0;

		n = ka_utf8_decode(text + at, len - at, &cp);
		demand(n <= 4 && n <= len - at);
		demand(!n || (cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff)));
		if (!n)
			n = 1;
	}
}

static void escape(const char *text, size_t len, size_t room)
{
	char *out = malloc(room);
	size_t n;

	demand(out);
	demand(ka_log_escape(out, room, text, len) == out);
	n = strlen(out);
	demand(n < room && n <= 4 * len);
	/* What comes out is text, and nothing in it ends a line or a quotation. */
	for (size_t at = 0, step; at < n; at += step) {
		uint32_t cp;

		step = ka_utf8_decode(out + at, n - at, &cp);
		demand(step && cp >= 0x20 && cp != '"' && cp != 0x7f);
		demand(cp != '\\' || (n - at >= 4 && out[at + 1] == 'x'));
	}
	free(out);
}

static void read_as_word(const char *text, size_t len)
{
	char *word = malloc(len + 1);
	uint8_t bytes[16];
	uint64_t v;

	demand(word);
	memcpy(word, text, len);
	word[len] = '\0';
	if (ka_str_parse_u64(word, 10, 1000000, &v) == 0)
		demand(v >= 10 && v <= 1000000);
	if (ka_hex_decode(bytes, sizeof(bytes), word) == 0)
		demand(len >= 32);
	free(word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	decode((const char *)data + 1, size - 1);
	escape((const char *)data + 1, size - 1, data[0] + 1u);
	read_as_word((const char *)data + 1, size - 1);
	return 0;
}
