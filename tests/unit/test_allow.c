/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "rustdesk/session/allow.h"

static bool allowed_as(const char *list, const char *ip, bool claimed)
{
	struct sockaddr_storage a = {.ss_family = AF_INET};

	if (inet_pton(AF_INET, ip, &((struct sockaddr_in *)&a)->sin_addr) == 1)
		return ka_allow_address(list, &a, claimed);
	a.ss_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, ip, &((struct sockaddr_in6 *)&a)->sin6_addr), 1);
	return ka_allow_address(list, &a, claimed);
}

static bool allowed(const char *list, const char *ip)
{
	return allowed_as(list, ip, false);
}

/* 127.0.0.1 of a server is not ours. */
static void test_claimed_addresses_that_mean_another_machine_are_on_no_list(void **state)
{
	static const char *const own[] = {"127.0.0.1", "::ffff:127.0.0.1", "169.254.1.1", "0.0.0.0", "::1", "fe80::1"};
	static const char all[] = "127.0.0.0/8, 0.0.0.0/8, 169.254.0.0/16, ::1, fe80::/10, ::ffff:0:0/97";

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(own); i++) {
		assert_true(allowed_as(all, own[i], false));
		assert_false(allowed_as(all, own[i], true));
		assert_true(allowed_as("", own[i], true));
		assert_true(allowed_as("0.0.0.0", own[i], true));
		assert_true(allowed_as("0.0.0.0/0 ::/0", own[i], true));
	}
	assert_true(allowed_as("192.168.0.0/16", "192.168.1.1", true));
	assert_true(allowed_as("fd00::/8", "fd00::1", true));
	assert_false(allowed_as("192.168.0.0/16", "192.169.1.1", true));
}

static void test_lists_that_cannot_be_read_let_nobody_in(void **state)
{
	static const char *const bad[] = {"x",
					  "192.0.2.7/33",
					  "192.0.2.7/",
					  "192.0.2.7/-1",
					  "192.0.2.7/8x",
					  "192.0.2",
					  "192.0.2.7.8",
					  "2001:db8::/129",
					  "2001:db8:::",
					  "/0",
					  "192.0.2.7/0/0",
					  "0.0.0.0.",
					  "192.0.2.7/ 24 1",
					  "[::1]",
					  "192.0.2.7:80",
					  "0000000000000000000000000000000000000000000000000000000000000192.0.2.7"};
	char entry[64];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		assert_false(allowed(bad[i], "192.0.2.7"));
		assert_false(allowed(bad[i], "::"));
		assert_int_equal(ka_allow_check_addresses(bad[i], entry, sizeof(entry)), -EINVAL);
	}
	assert_int_equal(ka_allow_check_addresses("192.0.2.7, nonsense, ::1", entry, sizeof(entry)), -EINVAL);
	assert_string_equal(entry, "nonsense");
	/* A bad entry does not spoil the good one beside it. */
	assert_true(allowed("nonsense 192.0.2.7", "192.0.2.7"));
}

static void test_empty_lists_let_everybody_in(void **state)
{
	static const char *const empty[] = {NULL, "", " ", ",, ,\t\n"};
	char entry[64];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(empty); i++) {
		assert_true(allowed(empty[i], "192.0.2.7"));
		assert_true(allowed(empty[i], "2001:db8::1"));
		assert_true(ka_allow_id(empty[i], "anything"));
	}
	assert_true(allowed("192.0.2.1,0.0.0.0", "2001:db8::1"));
	assert_int_equal(ka_allow_check_addresses(" , ", entry, sizeof(entry)), 0);
}

static void test_networks_end_where_their_bits_end(void **state)
{
	(void)state;
	assert_true(allowed("192.0.2.7", "192.0.2.7"));
	assert_false(allowed("192.0.2.7", "192.0.2.6"));
	assert_true(allowed("192.0.2.7", "::ffff:192.0.2.7"));
	assert_true(allowed("::ffff:192.0.2.7", "192.0.2.7"));
	assert_true(allowed("10.1.2.3/8", "10.255.255.255"));
	assert_false(allowed("10.0.0.0/8", "11.0.0.0"));
	assert_true(allowed("192.168.4.0/22", "192.168.7.255"));
	assert_false(allowed("192.168.4.0/22", "192.168.8.0"));
	assert_true(allowed("192.0.2.128/25", "192.0.2.128"));
	assert_false(allowed("192.0.2.128/25", "192.0.2.127"));
	assert_true(allowed("1.2.3.4/0", "203.0.113.9"));
	assert_false(allowed("1.2.3.4/0", "2001:db8::1"));
	assert_true(allowed("2001:db8::/32", "2001:db8:ffff::1"));
	assert_false(allowed("2001:db8::/32", "2001:db9::1"));
	assert_true(allowed("2001:db8::/127", "2001:db8::1"));
	assert_false(allowed("2001:db8::/127", "2001:db8::2"));
	assert_true(allowed("::/0", "2001:db8::2"));
	assert_true(allowed("::1,10.0.0.0/8 ,  fe80::/10", "fe80::1"));
}

static void test_other_families_never_match(void **state)
{
	struct sockaddr_storage a = {.ss_family = AF_UNIX};

	(void)state;
	assert_false(ka_allow_address("::/0 0.0.0.0/0", &a, false));
	assert_true(ka_allow_address("", &a, false));
}

static void test_ids_match_whole_and_without_their_server(void **state)
{
	(void)state;
	assert_true(ka_allow_id("123456789, 987654321", "987654321"));
	assert_true(ka_allow_id("123456789,987654321", "123456789@hbbs.example.com"));
	assert_false(ka_allow_id("123456789", "12345678"));
	assert_false(ka_allow_id("123456789", "1234567890"));
	assert_false(ka_allow_id("123456789", ""));
	assert_false(ka_allow_id("123456789", "@123456789"));
	assert_false(ka_allow_id("0.0.0.0", "123456789"));
	assert_false(ka_allow_id("123456789 987654321", "123456789 987654321"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claimed_addresses_that_mean_another_machine_are_on_no_list),
		cmocka_unit_test(test_lists_that_cannot_be_read_let_nobody_in),
		cmocka_unit_test(test_empty_lists_let_everybody_in),
		cmocka_unit_test(test_networks_end_where_their_bits_end),
		cmocka_unit_test(test_other_families_never_match),
		cmocka_unit_test(test_ids_match_whole_and_without_their_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
