/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chat lines of peers, into a space of a size that the first byte chooses: always UTF-8, terminated and disarmed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "rustdesk/session/chat_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ZERO_WIDTH_NON_JOINER 0x200c
#define ZERO_WIDTH_JOINER 0x200d

static void check_line(const char *line, size_t len)
{
	if (strlen(line) != len || !ka_utf8_valid(line, len))
		abort();
	while (len) {
		uint32_t cp = 0;
		size_t n = ka_utf8_decode(line, len, &cp);

		if (cp == '\n' && (n >= len || line[1] != '>'))
			abort();
		if (cp != '\n' && cp != ZERO_WIDTH_JOINER && cp != ZERO_WIDTH_NON_JOINER && ka_utf8_hidden(cp))
			abort();
		line += n;
		len -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size ? data[0] + 8u : 0;
	char *text = malloc(size + 1);
	char *line = malloc(room + 1);

	if (text && line && size) {
		size_t n;

		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		n = ka_chat_text_clean(line, room, text, ">");
		if (n >= room)
			abort();
		check_line(line, n);
		ka_log_escape(line, room, text, size - 1);
		if (strchr(line, '\n'))
			abort();
	}
	free(text);
	free(line);
	return 0;
}
