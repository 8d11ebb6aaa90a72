/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts that users paste into a client. */
#include "tests/check/check.h"

#include <stdio.h>

#include "agent/ways.h"

static const struct ka_rd_identity identity = {.id = "123456789", .sign_sk = {1, 2, 3}};

static void test_direct_addresses_as_typed(void **state)
{
	struct ka_rd_cfg cfg = {.direct_address = "192.0.2.1, 2001:db8::1,[2001:db8::2] ,"};
	char out[16][KA_WAYS_TEXT];

	(void)state;
	assert_int_equal(ka_ways_direct(out, 16, &cfg, 21118), 3);
	assert_string_equal(out[0], "192.0.2.1");
	assert_string_equal(out[1], "[2001:db8::1]");
	assert_string_equal(out[2], "[2001:db8::2]");
	cfg.direct_address = "192.0.2.1,2001:db8::1";
	assert_int_equal(ka_ways_direct(out, 16, &cfg, 5000), 2);
	assert_string_equal(out[0], "192.0.2.1:5000");
	assert_string_equal(out[1], "[2001:db8::1]:5000");
	assert_int_equal(ka_ways_direct(out, 1, &cfg, 5000), 1);
	assert_int_equal(ka_ways_direct(out, 0, &cfg, 5000), 0);
}

static void test_served_strings_carry_id_and_key(void **state)
{
	struct ka_rd_cfg cfg = {.serve = {.address = "192.0.2.1"}};
	char key[KA_RD_KEY_TEXT];
	char want[KA_WAYS_TEXT];
	char out[2][KA_WAYS_TEXT];

	(void)state;
	ka_rd_serve_key(key, &identity);
	snprintf(want, sizeof(want), "123456789@192.0.2.1?key=%s", key);
	assert_int_equal(ka_ways_serve(out, 2, &cfg, &identity, 21116), 1);
	assert_string_equal(out[0], want);
	snprintf(want, sizeof(want), "123456789@192.0.2.1:2000?key=%s", key);
	assert_int_equal(ka_ways_serve(out, 2, &cfg, &identity, 2000), 1);
	assert_string_equal(out[0], want);
}

/* This machine's own addresses, whatever they are: loopback is one and comes last. */
static void test_everywhere_means_each_address_of_this_machine(void **state)
{
	static const char *const anywhere[] = {"", "0.0.0.0", "::"};
	char out[16][KA_WAYS_TEXT];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(anywhere); i++) {
		struct ka_rd_cfg cfg = {.direct_address = anywhere[i]};
		size_t n = ka_ways_direct(out, 16, &cfg, 21118);

		assert_in_range(n, 1, 16);
		if (n < 16)
			assert_int_equal(strncmp(out[n - 1], "127.", 4), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct_addresses_as_typed),
		cmocka_unit_test(test_served_strings_carry_id_and_key),
		cmocka_unit_test(test_everywhere_means_each_address_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
