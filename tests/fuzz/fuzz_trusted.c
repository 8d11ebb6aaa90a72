/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a list of trusted devices: what was read says the same once it has been written and read again. */
#include <stdlib.h>
#include <string.h>

#include "rustdesk/session/trusted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_same(const struct ka_trusted *t, const uint8_t *key, int64_t since_s)
{
	for (size_t i = 0; i < KA_TRUSTED_MAX; i++) {
		if (t->devices[i].since_s == since_s && !memcmp(t->devices[i].key, key, KA_TRUSTED_KEY))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ka_trusted first, second;
	static char written[KA_TRUSTED_TEXT_MAX];
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	ka_trusted_parse(&first, text);
	ka_trusted_format(&first, written);
	if (strlen(written) >= sizeof(written))
		abort();
	ka_trusted_parse(&second, written);
	for (size_t i = 0; i < KA_TRUSTED_MAX; i++) {
		const uint8_t *key = first.devices[i].key;
		int64_t since_s = first.devices[i].since_s;

		if (since_s && (!has_same(&second, key, since_s) || !ka_trusted_has(&first, key, since_s, 1) ||
				ka_trusted_has(&first, key, since_s - 1, 1)))
			abort();
	}
	free(text);
	return 0;
}
