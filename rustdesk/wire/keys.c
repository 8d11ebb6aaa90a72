/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/wire/keys.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/err.h"
#include "proto/message.pb-c.h"

void ka_box_pair_new(struct ka_box_pair *p)
{
	crypto_box_keypair(p->pk, p->sk);
}

void ka_box_pair_wipe(struct ka_box_pair *p)
{
	sodium_memzero(p, sizeof(*p));
}

size_t ka_keys_sign_id(uint8_t out[static KA_KEYS_SIGNED_MAX], const char *id, const uint8_t pk[static 32],
		       const uint8_t sign_sk[static 64])
{
	Rd__IdPk msg = RD__ID_PK__INIT;
	uint8_t plain[KA_KEYS_SIGNED_MAX - crypto_sign_BYTES];
	uint8_t pk_copy[32];
	char name[64];
	unsigned long long len = 0;

	/* protobuf-c's fields are not const. */
	memcpy(pk_copy, pk, sizeof(pk_copy));
	assert(strlen(id) < sizeof(name));
	memcpy(name, id, strlen(id) + 1);
	msg.id = name;
	msg.pk = (ProtobufCBinaryData){.len = sizeof(pk_copy), .data = pk_copy};
	assert(rd__id_pk__get_packed_size(&msg) <= sizeof(plain));
	crypto_sign(out, &len, plain, rd__id_pk__pack(&msg, plain), sign_sk);
	return (size_t)len;
}

void ka_keys_serve_pair(uint8_t pk[static 32], uint8_t sk[static 64], const uint8_t sign_sk[static 64])
{
	static const char purpose[] = "kvmagent rendezvous service";
	uint8_t seed[crypto_sign_SEEDBYTES];

	crypto_generichash(seed, sizeof(seed), (const uint8_t *)purpose, sizeof(purpose) - 1, sign_sk,
			   crypto_sign_SEEDBYTES);
	crypto_sign_seed_keypair(pk, sk, seed);
	sodium_memzero(seed, sizeof(seed));
}

int ka_keys_open(uint8_t key[static KA_SEAL_KEY], const struct ka_box_pair *own, const uint8_t *their_pk,
		 size_t their_pk_len, const uint8_t *sealed, size_t sealed_len)
{
	static const uint8_t zero_nonce[crypto_box_NONCEBYTES];

	if (their_pk_len != 32 || sealed_len != KA_SEAL_KEY + crypto_box_MACBYTES)
		return -KA_E_PEER;
	if (crypto_box_open_easy(key, sealed, sealed_len, zero_nonce, their_pk, own->sk))
		return -KA_E_AUTH;
	return 0;
}

static void hash_two(uint8_t out[static KA_KEYS_HASH], const void *a, size_t a_len, const void *b, size_t b_len)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, a, a_len);
	crypto_hash_sha256_update(&st, b, b_len);
	crypto_hash_sha256_final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

void ka_keys_h1(uint8_t out[static KA_KEYS_HASH], const char *password, const char *salt)
{
	hash_two(out, password, strlen(password), salt, strlen(salt));
}

bool ka_keys_check(const uint8_t h1[static KA_KEYS_HASH], const char *challenge, const uint8_t *answer,
		   size_t answer_len)
{
	uint8_t want[KA_KEYS_HASH];

	hash_two(want, h1, KA_KEYS_HASH, challenge, strlen(challenge));
	return answer_len == sizeof(want) && !sodium_memcmp(want, answer, sizeof(want));
}

void ka_keys_random_text(char *dst, size_t len)
{
	static const char alphabet[] = "23456789abcdefghijkmnpqrstuvwxyz";

	for (size_t i = 0; i < len; i++)
		dst[i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
	dst[len] = '\0';
}
