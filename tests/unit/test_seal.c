/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <sodium.h>

#include "base/err.h"
#include "rustdesk/wire/seal.h"

/* Hash message, sealed as the first and as the second frame of a direction, and an empty TestDelay as the third; the
 * key is 32 times 0x33. */
#define HASH "4a2a0a206162636465666768696a6b6d6e707172737475767778797a323334353637383912066b336d397a78"
static const struct {
	const char *plain;
	const char *sealed;
} vectors[] = {
	{HASH, "9aaf43a1845d5ea566351c1f90e7a4cd6fd813af726b9dfd05e8a46636ace6f5695e00dcfe26d7679aaf8ff0c703de9cae33bf"
	       "cf76793b3761e7b149"},
	{HASH, "31113f369b87c6e204df85d40658e9af931dd2831b8036e4f4cf17e323bbaba74e2236f41679e743bec0ea5d856e63f7823af2"
	       "7016a4e80747694a2b"},
	{"2a00", "f4f55ebeb9f3e96d7118c0921911f9b2754a"},
};

static struct ka_seal vector_seal(void)
{
	struct ka_seal s;
	uint8_t key[KA_SEAL_KEY];

	memset(key, 0x33, sizeof(key));
	ka_seal_init(&s, key);
	return s;
}

static void test_one_changed_bit_anywhere_is_noticed(void **state)
{
	uint8_t good[64];
	size_t n = hex_bytes(good, sizeof(good), vectors[0].sealed);

	(void)state;
	for (size_t bit = 0; bit < 8 * n; bit++) {
		struct ka_seal s = vector_seal();
		uint8_t data[64];
		uint8_t *plain;
		size_t len;

		memcpy(data, good, n);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(ka_seal_open(&s, data, n, &plain, &len), -KA_E_AUTH);
	}
}

static void test_cut_and_short_frames_are_noticed(void **state)
{
	uint8_t good[64];
	size_t n = hex_bytes(good, sizeof(good), vectors[0].sealed);

	(void)state;
	for (size_t cut = 2; cut < n; cut++) {
		struct ka_seal s = vector_seal();
		/* Exactly the size, so that a sanitizer sees a read past it. */
		uint8_t *data = malloc(cut);
		uint8_t *plain;
		size_t len;

		assert_non_null(data);
		memcpy(data, good, cut);
		assert_int_equal(ka_seal_open(&s, data, cut, &plain, &len), -KA_E_AUTH);
		free(data);
	}
}

static void test_frames_out_of_order_or_repeated_are_noticed(void **state)
{
	struct ka_seal s = vector_seal();
	uint8_t data[64];
	uint8_t *plain;
	size_t len;
	size_t n;

	(void)state;
	n = hex_bytes(data, sizeof(data), vectors[1].sealed);
	assert_int_equal(ka_seal_open(&s, data, n, &plain, &len), -KA_E_AUTH);
	s = vector_seal();
	n = hex_bytes(data, sizeof(data), vectors[0].sealed);
	assert_int_equal(ka_seal_open(&s, data, n, &plain, &len), 0);
	n = hex_bytes(data, sizeof(data), vectors[0].sealed);
	assert_int_equal(ka_seal_open(&s, data, n, &plain, &len), -KA_E_AUTH);
}

static void test_frames_of_one_byte_or_none_pass_untouched_and_uncounted(void **state)
{
	struct ka_seal s = vector_seal();
	uint8_t data[64] = {0x5a};
	uint8_t *plain = NULL;
	size_t len = 9;
	size_t n;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ka_seal_open(&s, data, 1, &plain, &len), 0);
		assert_ptr_equal(plain, data);
		assert_int_equal(len, 1);
		assert_int_equal(data[0], 0x5a);
		assert_int_equal(ka_seal_open(&s, data, 0, &plain, &len), 0);
		assert_int_equal(len, 0);
	}
	n = hex_bytes(data, sizeof(data), vectors[0].sealed);
	assert_int_equal(ka_seal_open(&s, data, n, &plain, &len), 0);
	assert_hex(plain, len, HASH);
}

static void test_first_three_frames_are_as_the_peers_make_them(void **state)
{
	struct ka_seal out = vector_seal();
	struct ka_seal in = vector_seal();
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(vectors); i++) {
		size_t n = hex_bytes(data + KA_SEAL_TAG, sizeof(data) - KA_SEAL_TAG, vectors[i].plain);
		uint8_t *plain;
		size_t len;

		ka_seal_close(&out, data, n);
		assert_hex(data, n + KA_SEAL_TAG, vectors[i].sealed);
		assert_int_equal(ka_seal_open(&in, data, n + KA_SEAL_TAG, &plain, &len), 0);
		assert_ptr_equal(plain, data + KA_SEAL_TAG);
		assert_hex(plain, len, vectors[i].plain);
	}
}

static void test_empty_message_is_sixteen_bytes(void **state)
{
	struct ka_seal out = vector_seal();
	struct ka_seal in = vector_seal();
	uint8_t data[KA_SEAL_TAG];
	uint8_t *plain;
	size_t len;

	(void)state;
	ka_seal_close(&out, data, 0);
	assert_int_equal(ka_seal_open(&in, data, sizeof(data), &plain, &len), 0);
	assert_int_equal(len, 0);
	assert_true(in.counter == 1);
}

static void test_nonce_counts_past_one_byte(void **state)
{
	struct ka_seal out = vector_seal();
	struct ka_seal in = vector_seal();
	uint8_t nonce[crypto_secretbox_NONCEBYTES] = {0x2c, 0x01};

	(void)state;
	for (int i = 1; i <= 300; i++) {
		uint8_t data[KA_SEAL_TAG + 5] = {0};
		uint8_t want[KA_SEAL_TAG + 5];
		uint8_t *plain;
		size_t len;

		memcpy(data + KA_SEAL_TAG, "hello", 5);
		ka_seal_close(&out, data, 5);
		if (i == 300) {
			crypto_secretbox_easy(want, (const uint8_t *)"hello", 5, nonce, out.key);
			assert_memory_equal(data, want, sizeof(want));
		}
		assert_int_equal(ka_seal_open(&in, data, sizeof(data), &plain, &len), 0);
	}
}

static void test_fini_wipes_the_key(void **state)
{
	struct ka_seal s = vector_seal();
	static const struct ka_seal none;

	(void)state;
	ka_seal_fini(&s);
	assert_memory_equal(&s, &none, sizeof(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_changed_bit_anywhere_is_noticed),
		cmocka_unit_test(test_cut_and_short_frames_are_noticed),
		cmocka_unit_test(test_frames_out_of_order_or_repeated_are_noticed),
		cmocka_unit_test(test_frames_of_one_byte_or_none_pass_untouched_and_uncounted),
		cmocka_unit_test(test_first_three_frames_are_as_the_peers_make_them),
		cmocka_unit_test(test_empty_message_is_sixteen_bytes),
		cmocka_unit_test(test_nonce_counts_past_one_byte),
		cmocka_unit_test(test_fini_wipes_the_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
