/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>

#include "rustdesk/session/totp.h"

static const uint8_t key[] = "12345678901234567890";

/* RFC 6238 appendix B (eight digits there, the last six here), RFC 4226 appendix D. */
static void test_codes_of_the_rfcs(void **state)
{
	static const struct {
		uint64_t at_s;
		uint32_t code;
	} vectors[] = {{59, 287082},	   {1111111109, 81804},	 {1111111111, 50471},
		       {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};
	static const uint32_t hotp[] = {755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(vectors); i++)
		assert_int_equal(ka_totp_code(key, 20, vectors[i].at_s / 30), vectors[i].code);
	for (size_t i = 0; i < KA_ARRAY_LEN(hotp); i++)
		assert_int_equal(ka_totp_code(key, 20, i), hotp[i]);
}

static void test_what_is_not_six_digits_is_wrong(void **state)
{
	static const char *const bad[] = {"", "87082", "2870820", "28708x", " 87082", "-87082", "28708\xef", "000000"};
	int64_t last = 0;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_false(ka_totp_check(key, 20, bad[i], 59, &last));
	assert_int_equal(last, 0);
	assert_false(ka_totp_check(key, 20, "755224", 0, &last));
	assert_false(ka_totp_check(key, 20, "755224", -59, &last));
}

static void test_one_step_either_way_and_each_code_once(void **state)
{
	int64_t last = -1;

	(void)state;
	/* Step 4 is now: 3, 4 and 5 are good, 2 and 6 are not. */
	assert_false(ka_totp_check(key, 20, "359152", 120, &last));
	assert_false(ka_totp_check(key, 20, "287922", 149, &last));
	assert_true(ka_totp_check(key, 20, "969429", 120, &last));
	assert_int_equal(last, 3);
	assert_false(ka_totp_check(key, 20, "969429", 120, &last));
	assert_true(ka_totp_check(key, 20, "254676", 149, &last));
	assert_int_equal(last, 5);
	/* An older one is spent with it. */
	assert_false(ka_totp_check(key, 20, "338314", 149, &last));
	assert_true(ka_totp_check(key, 20, "287922", 180, &last));
}

static void test_secrets_in_base32(void **state)
{
	static const char *const bad[] = {"",
					  "GEZDGNBVGY3TQOJ",
					  "GEZDGNBVGY3TQOJ1",
					  "GEZDGNBVGY3TQOJ0GEZDGNBV",
					  "GEZDGNBV=GY3TQOJQ",
					  "GEZDGNBV\xc3\xa4GY3TQOJQ"};
	static const char *const good[] = {"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
					   "GEZD GNBV-GY3T QOJQ GEZD GNBV GY3T QOJQ== \n"};
	char much[128];
	uint8_t out[KA_TOTP_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_int_equal(ka_totp_decode_secret(out, bad[i]), -EINVAL);
	for (size_t i = 0; i < KA_ARRAY_LEN(good); i++) {
		assert_int_equal(ka_totp_decode_secret(out, good[i]), 20);
		assert_memory_equal(out, key, 20);
	}
	memset(much, 'A', sizeof(much));
	much[103] = '\0';
	assert_int_equal(ka_totp_decode_secret(out, much), 64);
	much[103] = 'A';
	much[104] = '\0';
	assert_int_equal(ka_totp_decode_secret(out, much), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_of_the_rfcs),
		cmocka_unit_test(test_what_is_not_six_digits_is_wrong),
		cmocka_unit_test(test_one_step_either_way_and_each_code_once),
		cmocka_unit_test(test_secrets_in_base32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
