/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The device's side of the key exchange and the password arithmetic. Pure (libsodium); call sodium_init() first. */
#ifndef KA_KEYS_H
#define KA_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "rustdesk/wire/seal.h"

#define KA_KEYS_SIGNED_MAX 256 /* signature and IdPk of the longest id */
#define KA_KEYS_HASH 32

/* One Curve25519 pair a connection. */
struct ka_box_pair {
	uint8_t pk[32];
	uint8_t sk[32];
};

void ka_box_pair_new(struct ka_box_pair *p);
void ka_box_pair_wipe(struct ka_box_pair *p);

/* Signature (64 bytes, by an Ed25519 secret) followed by IdPk{id, pk}. Returns its length. */
size_t ka_keys_sign_id(uint8_t out[static KA_KEYS_SIGNED_MAX], const char *id, const uint8_t pk[static 32],
		       const uint8_t sign_sk[static 64]);

/* The key pair of this device's own rendezvous service, from the device's secret. A pair of its own, so that neither
 * signature can be passed off as the other. */
void ka_keys_serve_pair(uint8_t pk[static 32], uint8_t sk[static 64], const uint8_t sign_sk[static 64]);

/* Opens the symmetric key a controller sealed to our box key: box, nonce all zero. -KA_E_PEER on odd lengths,
 * -KA_E_AUTH when it does not open. */
int ka_keys_open(uint8_t key[static KA_SEAL_KEY], const struct ka_box_pair *own, const uint8_t *their_pk,
		 size_t their_pk_len, const uint8_t *sealed, size_t sealed_len) KA_MUST_USE;

/* h1 = SHA-256(password salt); the answer of a controller is SHA-256(h1 challenge). */
void ka_keys_h1(uint8_t out[static KA_KEYS_HASH], const char *password, const char *salt);
/* Constant time in the secret. False for any answer that is not 32 bytes. */
bool ka_keys_check(const uint8_t h1[static KA_KEYS_HASH], const char *challenge, const uint8_t *answer,
		   size_t answer_len);

/* len random characters of the stock alphabet (no look-alikes), terminated: dst needs len + 1 bytes. */
void ka_keys_random_text(char *dst, size_t len);

#endif
