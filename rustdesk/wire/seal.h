/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a sealed stream: libsodium secretbox (XSalsa20-Poly1305), 16-byte tag then ciphertext, nonce =
 * 64-bit little-endian counter from 1 and 16 zero bytes. Both directions share the key and so the nonces; that is the
 * protocol's and cannot be mended here. One owner. Pure.
 */
#ifndef KA_SEAL_H
#define KA_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define KA_SEAL_KEY 32
#define KA_SEAL_TAG 16

struct ka_seal {
	uint8_t key[KA_SEAL_KEY];
	uint64_t counter; /* messages so far */
};

void ka_seal_init(struct ka_seal *s, const uint8_t key[static KA_SEAL_KEY]);
/* Wipes the key. */
void ka_seal_fini(struct ka_seal *s);
/* In place: plain text of len bytes stands at data + KA_SEAL_TAG; afterwards data holds len + KA_SEAL_TAG sealed bytes.
 */
void ka_seal_close(struct ka_seal *s, uint8_t *data, size_t len);
/* In place: on success *plain, *plain_len point into data. Payloads of 0 or 1 byte pass untouched and uncounted, as the
 * peers do. -KA_E_AUTH: fatal for the stream. */
int ka_seal_open(struct ka_seal *s, uint8_t *data, size_t len, uint8_t **plain, size_t *plain_len) KA_MUST_USE;

#endif
