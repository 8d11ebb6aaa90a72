/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <sodium.h>

#include "base/err.h"
#include "proto/message.pb-c.h"
#include "rustdesk/wire/keys.h"

#define SIGN_PK "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define BOX_PK "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13"
#define CLIENT_PK "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20"
#define ID_PK "0a0931323334353637383912207b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13"
#define SIGNATURE                                                                                                      \
	"7bf636f3d728c3a7e06faecbfde53e859f6e3907a318d8f5662df236904654862e04afe131a0bb2833a47bd93772caf8f02221d1965e" \
	"7aaf55e95548e8d5ea0a"
#define SYMMETRIC "7e23d90f0c455a0e3e633d6e800f8e6b4717555154619a58b13291dcb98cafaa18a9cc1a883aab54386e39de02b2a5b7"
#define SALT "abcdefghijkmnpqrstuvwxyz23456789"
#define CHALLENGE "k3m9zx"
#define H1 "32312cd2a84a2ea2ee6e439fa1b2b21991fad68e6b7a058bcd5e14bbee3980dd"
#define ANSWER "350aeedcb68dea2f54fae6aa8f8986316c6fd9048d0914d90fc014cc890796fe"
#define ANSWER_OF_EMPTY_DIALOG "d1b18c6f644e193aacf9ddf7ce219600e65f919f299dae664d68b3f76fe788cd"

/* The pair whose secret is 32 times 0x11. */
static struct ka_box_pair device_pair(void)
{
	struct ka_box_pair p;

	memset(p.sk, 0x11, sizeof(p.sk));
	crypto_scalarmult_base(p.pk, p.sk);
	return p;
}

static void test_keys_of_wrong_lengths_are_refused(void **state)
{
	struct ka_box_pair own = device_pair();
	uint8_t pk[64] = {0};
	uint8_t sealed[64] = {0};
	uint8_t key[KA_SEAL_KEY];

	(void)state;
	hex_bytes(pk, sizeof(pk), CLIENT_PK);
	hex_bytes(sealed, sizeof(sealed), SYMMETRIC);
	for (size_t n = 0; n <= sizeof(pk); n++) {
		assert_int_equal(ka_keys_open(key, &own, pk, n, sealed, 48), n == 32 ? 0 : -KA_E_PEER);
		assert_int_equal(ka_keys_open(key, &own, pk, 32, sealed, n), n == 48 ? 0 : -KA_E_PEER);
	}
	assert_int_equal(ka_keys_open(key, &own, NULL, 0, NULL, 0), -KA_E_PEER);
}

static void test_tampered_key_does_not_open(void **state)
{
	struct ka_box_pair own = device_pair();
	uint8_t pk[32];
	uint8_t sealed[48];
	uint8_t key[KA_SEAL_KEY];

	(void)state;
	hex_bytes(pk, sizeof(pk), CLIENT_PK);
	hex_bytes(sealed, sizeof(sealed), SYMMETRIC);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_int_equal(ka_keys_open(key, &own, pk, 32, sealed, 48), -KA_E_AUTH);
		sealed[i] ^= 1;
	}
	pk[0] ^= 1;
	assert_int_equal(ka_keys_open(key, &own, pk, 32, sealed, 48), -KA_E_AUTH);
	/* A point of low order would make the shared secret known to all. */
	memset(pk, 0, sizeof(pk));
	assert_int_equal(ka_keys_open(key, &own, pk, 32, sealed, 48), -KA_E_AUTH);
}

static void test_controllers_key_opens(void **state)
{
	struct ka_box_pair own = device_pair();
	uint8_t pk[32];
	uint8_t sealed[48];
	uint8_t key[KA_SEAL_KEY];
	uint8_t want[KA_SEAL_KEY];

	(void)state;
	assert_hex(own.pk, sizeof(own.pk), BOX_PK);
	hex_bytes(pk, sizeof(pk), CLIENT_PK);
	hex_bytes(sealed, sizeof(sealed), SYMMETRIC);
	memset(want, 0x33, sizeof(want));
	assert_int_equal(ka_keys_open(key, &own, pk, 32, sealed, 48), 0);
	assert_memory_equal(key, want, sizeof(want));
}

static void test_signed_id_is_signature_and_idpk(void **state)
{
	struct ka_box_pair own = device_pair();
	uint8_t seed[32];
	uint8_t pk[32];
	uint8_t sk[64];
	uint8_t out[KA_KEYS_SIGNED_MAX];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	crypto_sign_seed_keypair(pk, sk, seed);
	assert_hex(pk, sizeof(pk), SIGN_PK);
	n = ka_keys_sign_id(out, "123456789", own.pk, sk);
	assert_hex(out, n, SIGNATURE ID_PK);
}

static void test_signed_id_of_the_longest_id_fits_and_verifies(void **state)
{
	uint8_t pk[32];
	uint8_t sk[64];
	uint8_t box[32] = {1};
	uint8_t out[KA_KEYS_SIGNED_MAX];
	uint8_t plain[KA_KEYS_SIGNED_MAX];
	unsigned long long plain_len;
	Rd__IdPk *id;
	size_t n;

	(void)state;
	crypto_sign_keypair(pk, sk);
	n = ka_keys_sign_id(out, "ABCDEFGHIJKLMNOP", box, sk);
	assert_true(n <= sizeof(out));
	assert_int_equal(crypto_sign_open(plain, &plain_len, out, n, pk), 0);
	id = rd__id_pk__unpack(NULL, plain_len, plain);
	assert_non_null(id);
	assert_string_equal(id->id, "ABCDEFGHIJKLMNOP");
	assert_int_equal(id->pk.len, 32);
	assert_memory_equal(id->pk.data, box, 32);
	rd__id_pk__free_unpacked(id, NULL);
}

static void test_wrong_answers_do_not_match(void **state)
{
	uint8_t h1[KA_KEYS_HASH];
	uint8_t answer[KA_KEYS_HASH + 1] = {0};

	(void)state;
	ka_keys_h1(h1, "Passw0rd!", SALT);
	hex_bytes(answer, sizeof(answer), ANSWER);
	for (size_t n = 0; n <= sizeof(answer); n++)
		assert_int_equal(ka_keys_check(h1, CHALLENGE, answer, n), n == KA_KEYS_HASH);
	assert_false(ka_keys_check(h1, CHALLENGE, NULL, 0));
	assert_false(ka_keys_check(h1, "k3m9zy", answer, KA_KEYS_HASH));
	assert_false(ka_keys_check(h1, "", answer, KA_KEYS_HASH));
	for (size_t i = 0; i < KA_KEYS_HASH; i++) {
		answer[i] ^= 0x80;
		assert_false(ka_keys_check(h1, CHALLENGE, answer, KA_KEYS_HASH));
		answer[i] ^= 0x80;
	}
	/* h1 itself is no answer: it may have leaked from a controller's address book, but needs the challenge. */
	assert_false(ka_keys_check(h1, CHALLENGE, h1, KA_KEYS_HASH));
	hex_bytes(answer, sizeof(answer), ANSWER_OF_EMPTY_DIALOG);
	assert_false(ka_keys_check(h1, CHALLENGE, answer, KA_KEYS_HASH));
}

static void test_password_sums_are_as_the_peers_make_them(void **state)
{
	uint8_t h1[KA_KEYS_HASH];
	uint8_t answer[KA_KEYS_HASH];

	(void)state;
	ka_keys_h1(h1, "Passw0rd!", SALT);
	assert_hex(h1, sizeof(h1), H1);
	hex_bytes(answer, sizeof(answer), ANSWER);
	assert_true(ka_keys_check(h1, CHALLENGE, answer, sizeof(answer)));
}

static void test_random_text_uses_the_whole_alphabet_and_nothing_else(void **state)
{
	static const char alphabet[] = "23456789abcdefghijkmnpqrstuvwxyz";
	char text[1001];
	char other[1001];

	(void)state;
	memset(text, '!', sizeof(text));
	ka_keys_random_text(text, 1000);
	assert_int_equal(strlen(text), 1000);
	assert_int_equal(strspn(text, alphabet), 1000);
	/* One of 32 characters missing from 1000 has a chance of 5e-13. */
	for (const char *c = alphabet; *c; c++)
		assert_non_null(strchr(text, *c));
	ka_keys_random_text(other, 1000);
	assert_string_not_equal(text, other);
	ka_keys_random_text(text, 0);
	assert_string_equal(text, "");
}

static void test_pairs_differ_and_are_wiped(void **state)
{
	static const struct ka_box_pair none;
	struct ka_box_pair a;
	struct ka_box_pair b;
	uint8_t pk[32];

	(void)state;
	ka_box_pair_new(&a);
	ka_box_pair_new(&b);
	assert_memory_not_equal(a.sk, b.sk, 32);
	crypto_scalarmult_base(pk, a.sk);
	assert_memory_equal(pk, a.pk, 32);
	ka_box_pair_wipe(&a);
	assert_memory_equal(&a, &none, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_of_wrong_lengths_are_refused),
		cmocka_unit_test(test_tampered_key_does_not_open),
		cmocka_unit_test(test_controllers_key_opens),
		cmocka_unit_test(test_signed_id_is_signature_and_idpk),
		cmocka_unit_test(test_signed_id_of_the_longest_id_fits_and_verifies),
		cmocka_unit_test(test_wrong_answers_do_not_match),
		cmocka_unit_test(test_password_sums_are_as_the_peers_make_them),
		cmocka_unit_test(test_random_text_uses_the_whole_alphabet_and_nothing_else),
		cmocka_unit_test(test_pairs_differ_and_are_wiped),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
