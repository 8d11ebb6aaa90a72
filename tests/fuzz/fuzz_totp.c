/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as the secret of a second factor, and any as a code: first line the code, then the secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rustdesk/session/totp.h"

#define NOW_S 1750000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void check(const uint8_t *key, size_t len, const char *code)
{
	int64_t last = 0;
	char right[16];
	bool good = ka_totp_check(key, len, code, NOW_S, &last);

	demand(!good || (strlen(code) == 6 && last >= NOW_S / 30 - 1 && last <= NOW_S / 30 + 1));
	/* The right one is taken once. */
	last = 0;
	snprintf(right, sizeof(right), "%06u", ka_totp_code(key, len, NOW_S / 30));
	demand(ka_totp_check(key, len, right, NOW_S, &last));
	demand(last > NOW_S / 30 || !ka_totp_check(key, len, right, NOW_S, &last) || last > NOW_S / 30);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[KA_TOTP_KEY_MAX];
	char *text = malloc(size + 1);
	char *secret;

	demand(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	secret = strchr(text, '\n');
	if (secret) {
		*secret++ = '\0';
		int n = ka_totp_decode_secret(key, secret);

		demand(n < 0 || (n >= KA_TOTP_KEY_MIN && n <= KA_TOTP_KEY_MAX));
		if (n > 0)
			check(key, (size_t)n, text);
	}
	free(text);
	return 0;
}
