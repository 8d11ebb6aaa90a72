/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <stdio.h>

#include "rustdesk/session/trusted.h"

#define NOW 1700000000
#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const uint8_t *numbered(uint8_t key[32], int n)
{
	memset(key, 0, 32);
	memcpy(key, &n, sizeof(n));
	return key;
}

static void test_damaged_text_is_left_out(void **state)
{
	static const char *const bad[] = {"",
					  "\n\n",
					  "x",
					  HEX64,
					  HEX64 " ",
					  HEX64 " 17",
					  HEX64 " 0 who",
					  HEX64 " -5 who",
					  HEX64 " 99999999999999999999 who",
					  "0" HEX64 " 17 who",
					  "zz 17 who",
					  HEX64 " 17x who"};
	char text[KA_TRUSTED_TEXT_MAX];
	struct ka_trusted t;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		ka_trusted_parse(&t, bad[i]);
		ka_trusted_format(&t, text);
		assert_string_equal(text, "");
	}
	ka_trusted_parse(&t, "rubbish\n" HEX64 " 17 a b\nrubbish");
	ka_trusted_format(&t, text);
	assert_string_equal(text, HEX64 " 17 a b\n");
}

static void test_trust_ends(void **state)
{
	struct ka_trusted t = {0};
	uint8_t key[32];

	(void)state;
	assert_false(ka_trusted_has(&t, numbered(key, 0), NOW, 30));
	ka_trusted_add(&t, numbered(key, 1), "ann", NOW);
	assert_true(ka_trusted_has(&t, key, NOW, 30));
	assert_true(ka_trusted_has(&t, key, NOW + 30 * 86400 - 1, 30));
	assert_false(ka_trusted_has(&t, key, NOW + 30 * 86400, 30));
	assert_false(ka_trusted_has(&t, key, NOW, 0));
	/* A clock that went back proves nothing. */
	assert_false(ka_trusted_has(&t, key, NOW - 1, 30));
	ka_trusted_add(&t, key, "ann", NOW + 86400);
	assert_true(ka_trusted_has(&t, key, NOW + 30 * 86400, 30));
}

static void test_oldest_is_forgotten_and_the_text_holds_all(void **state)
{
	char longest[2 * KA_TRUSTED_WHO];
	char text[KA_TRUSTED_TEXT_MAX];
	struct ka_trusted t = {0};
	struct ka_trusted again;
	uint8_t key[32];

	(void)state;
	memset(longest, 'w', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i <= KA_TRUSTED_MAX; i++)
		ka_trusted_add(&t, numbered(key, i), longest, INT64_MAX - 1000 + i);
	ka_trusted_format(&t, text);
	ka_trusted_parse(&again, text);
	for (int i = 0; i <= KA_TRUSTED_MAX; i++)
		assert_int_equal(ka_trusted_has(&again, numbered(key, i), INT64_MAX - 1, 1), i > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_text_is_left_out),
		cmocka_unit_test(test_trust_ends),
		cmocka_unit_test(test_oldest_is_forgotten_and_the_text_holds_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
