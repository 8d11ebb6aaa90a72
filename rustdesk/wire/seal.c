/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/wire/seal.h"

#include <sodium.h>
#include <string.h>

#include "base/err.h"

static void next_nonce(struct ka_seal *s, uint8_t nonce[static crypto_secretbox_NONCEBYTES])
{
	s->counter++;
	memset(nonce, 0, crypto_secretbox_NONCEBYTES);
	for (size_t i = 0; i < 8; i++)
		nonce[i] = (uint8_t)(s->counter >> (8 * i));
}

void ka_seal_init(struct ka_seal *s, const uint8_t key[static KA_SEAL_KEY])
{
	memcpy(s->key, key, KA_SEAL_KEY);
	s->counter = 0;
}

void ka_seal_fini(struct ka_seal *s)
{
	sodium_memzero(s, sizeof(*s));
}

void ka_seal_close(struct ka_seal *s, uint8_t *data, size_t len)
{
	uint8_t nonce[crypto_secretbox_NONCEBYTES];

	next_nonce(s, nonce);
	crypto_secretbox_detached(data + KA_SEAL_TAG, data, data + KA_SEAL_TAG, len, nonce, s->key);
}

int ka_seal_open(struct ka_seal *s, uint8_t *data, size_t len, uint8_t **plain, size_t *plain_len)
{
	uint8_t nonce[crypto_secretbox_NONCEBYTES];

	*plain = data;
	*plain_len = len;
	if (len <= 1)
		return 0;
	if (len < KA_SEAL_TAG)
		return -KA_E_AUTH;
	next_nonce(s, nonce);
	if (crypto_secretbox_open_detached(data + KA_SEAL_TAG, data + KA_SEAL_TAG, data, len - KA_SEAL_TAG, nonce,
					   s->key))
		return -KA_E_AUTH;
	*plain = data + KA_SEAL_TAG;
	*plain_len = len - KA_SEAL_TAG;
	return 0;
}
