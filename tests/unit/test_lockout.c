/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "base/clock.h"
#include "rustdesk/session/lockout.h"

/* The first microsecond of some minute. */
#define MINUTE (KA_SEC(60) * 1000)

static struct sockaddr_storage ip(const char *text)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		a.ss_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		a.ss_family = AF_INET6;
	}
	return a;
}

static struct ka_lockout *open_lockout(void)
{
	struct ka_lockout *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	return l;
}

static void fail_often(struct ka_lockout *l, const struct sockaddr_storage *from, int n, int64_t now)
{
	for (int i = 0; i < n; i++)
		ka_lockout_fail(l, from, false, now);
}

static void test_seventh_failure_of_a_minute_locks_until_the_next(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");

	(void)state;
	fail_often(l, &a, 6, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + 1), KA_LOCKOUT_OPEN);
	ka_lockout_fail(l, &a, false, MINUTE + 2);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + 3), KA_LOCKOUT_MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + KA_SEC(60) - 1), KA_LOCKOUT_MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + KA_SEC(60)), KA_LOCKOUT_OPEN);
	/* And counts anew there. */
	fail_often(l, &a, 6, MINUTE + KA_SEC(60));
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + KA_SEC(60)), KA_LOCKOUT_OPEN);
	free(l);
}

static void test_thirty_first_failure_locks_until_a_day_of_quiet(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");
	int64_t end = MINUTE + KA_SEC(60) * 30;

	(void)state;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + KA_SEC(60) * i), KA_LOCKOUT_OPEN);
		ka_lockout_fail(l, &a, false, MINUTE + KA_SEC(60) * i);
	}
	assert_int_equal(ka_lockout_check(l, &a, false, end), KA_LOCKOUT_OPEN);
	ka_lockout_fail(l, &a, false, end);
	assert_int_equal(ka_lockout_check(l, &a, false, end + KA_SEC(60)), KA_LOCKOUT_CLOSED);
	assert_int_equal(ka_lockout_check(l, &a, false, end + KA_SEC(86400)), KA_LOCKOUT_CLOSED);
	assert_int_equal(ka_lockout_check(l, &a, false, end + KA_SEC(86400) + 1), KA_LOCKOUT_OPEN);
	/* And counts from nothing then. */
	ka_lockout_fail(l, &a, false, end + KA_SEC(86402));
	assert_int_equal(ka_lockout_check(l, &a, false, end + KA_SEC(86403)), KA_LOCKOUT_OPEN);
	free(l);
}

static struct sockaddr_storage numbered(uint32_t n)
{
	struct sockaddr_storage a = ip("10.0.0.0");

	((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(0x0a000000 + n);
	return a;
}

/* Each from another address. */
static void fail_spread(struct ka_lockout *l, bool relayed, uint32_t n, int64_t now)
{
	for (uint32_t i = 0; i < n; i++) {
		struct sockaddr_storage a = numbered(i);

		ka_lockout_fail(l, &a, relayed, now);
	}
}

/* n failures, each from another address of the network, a minute apart: only the network counts them together. */
static void fail_around(struct ka_lockout *l, const char *base, size_t byte, int first, int n)
{
	struct sockaddr_storage a = ip(base);

	for (int i = first; i < first + n; i++) {
		((struct sockaddr_in6 *)&a)->sin6_addr.s6_addr[byte] = (uint8_t)i;
		ka_lockout_fail(l, &a, false, MINUTE + KA_SEC(60) * i);
	}
}

static void check_network(const char *base, size_t byte, int limit, const char *inside, const char *outside,
			  enum ka_lockout_verdict verdict)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage in = ip(inside);
	struct sockaddr_storage out = ip(outside);

	fail_around(l, base, byte, 0, limit);
	assert_int_equal(ka_lockout_check(l, &in, false, MINUTE * 2), KA_LOCKOUT_OPEN);
	fail_around(l, base, byte, limit, 1);
	assert_int_equal(ka_lockout_check(l, &in, false, MINUTE * 2), verdict);
	assert_int_equal(ka_lockout_check(l, &out, false, MINUTE * 2), KA_LOCKOUT_OPEN);
	free(l);
}

static void test_ip6_networks_have_limits_of_their_own(void **state)
{
	(void)state;
	check_network("2001:db8:0:1::", 15, 60, "2001:db8:0:1:ffff::1", "2001:db8:0:2::1", KA_LOCKOUT_CLOSED_64);
	check_network("2001:db8::1", 7, 80, "2001:db8:0:ff::1", "2001:db8:0:100::1", KA_LOCKOUT_CLOSED_56);
	check_network("2001:db8::1", 6, 100, "2001:db8:0:ffff::1", "2001:db8:1::1", KA_LOCKOUT_CLOSED_48);
}

static void test_success_takes_back_what_the_address_did_to_its_network(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("2001:db8:0:1::abcd");
	struct sockaddr_storage b = ip("2001:db8:0:1::abce");

	(void)state;
	fail_around(l, "2001:db8:0:1::", 15, 0, 58);
	fail_often(l, &a, 5, MINUTE * 2);
	assert_int_equal(ka_lockout_check(l, &b, false, MINUTE * 2), KA_LOCKOUT_CLOSED_64);
	ka_lockout_success(l, &a, false, MINUTE * 2);
	assert_int_equal(ka_lockout_check(l, &b, false, MINUTE * 2), KA_LOCKOUT_OPEN);
	free(l);
}

static void test_flood_from_everywhere_holds_up_strangers_for_the_minute_only(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage friend = ip("198.51.100.1");
	struct sockaddr_storage stranger = ip("198.51.100.2");

	(void)state;
	ka_lockout_success(l, &friend, false, MINUTE);
	fail_spread(l, false, 59, MINUTE);
	assert_int_equal(ka_lockout_check(l, &stranger, false, MINUTE), KA_LOCKOUT_OPEN);
	fail_spread(l, false, 1, MINUTE);
	assert_int_equal(ka_lockout_check(l, &stranger, false, MINUTE), KA_LOCKOUT_MINUTE);
	assert_int_equal(ka_lockout_check(l, &friend, false, MINUTE), KA_LOCKOUT_OPEN);
	assert_int_equal(ka_lockout_check(l, &stranger, false, MINUTE + KA_SEC(60)), KA_LOCKOUT_OPEN);
	/* A friend has the limits of an address all the same. */
	fail_often(l, &friend, 7, MINUTE);
	assert_int_equal(ka_lockout_check(l, &friend, false, MINUTE), KA_LOCKOUT_MINUTE);
	free(l);
}

static void test_what_a_relay_says_counts_apart(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");
	struct sockaddr_storage b = ip("203.0.113.8");

	(void)state;
	for (int i = 0; i < 31; i++)
		ka_lockout_fail(l, &a, true, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, true, MINUTE), KA_LOCKOUT_CLOSED);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE), KA_LOCKOUT_OPEN);
	/* Who came directly before is not known on a relay: that address is a claim. */
	ka_lockout_success(l, &b, false, MINUTE);
	ka_lockout_success(l, &b, true, MINUTE);
	fail_spread(l, true, 60, MINUTE);
	assert_int_equal(ka_lockout_check(l, &b, true, MINUTE), KA_LOCKOUT_MINUTE);
	assert_int_equal(ka_lockout_check(l, &b, false, MINUTE), KA_LOCKOUT_OPEN);
	free(l);
}

static void test_words_are_those_of_stock(void **state)
{
	(void)state;
	assert_string_equal(ka_lockout_words(KA_LOCKOUT_MINUTE), "Please try 1 minute later");
	assert_string_equal(ka_lockout_words(KA_LOCKOUT_CLOSED), "Too many wrong attempts");
	assert_string_equal(ka_lockout_words(KA_LOCKOUT_CLOSED_56), "Too many wrong attempts for IPv6 prefix /56");
}

static void test_success_forgives(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");

	(void)state;
	ka_lockout_success(l, &a, false, MINUTE); /* unknown: nothing */
	fail_often(l, &a, 6, MINUTE);
	ka_lockout_success(l, &a, false, MINUTE);
	fail_often(l, &a, 6, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE), KA_LOCKOUT_OPEN);
	free(l);
}

static bool same_source(const char *x, const char *y)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip(x);
	struct sockaddr_storage b = ip(y);
	bool same;

	fail_often(l, &a, 7, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE), KA_LOCKOUT_MINUTE);
	same = ka_lockout_check(l, &b, false, MINUTE) == KA_LOCKOUT_MINUTE;
	free(l);
	return same;
}

static void test_a_source_is_an_address(void **state)
{
	(void)state;
	assert_false(same_source("203.0.113.7", "203.0.113.8"));
	assert_true(same_source("203.0.113.7", "::ffff:203.0.113.7"));
	assert_true(same_source("::ffff:203.0.113.7", "203.0.113.7"));
	assert_false(same_source("::ffff:203.0.113.7", "::ffff:203.0.113.8"));
	assert_false(same_source("2001:db8::1", "2001:db8::2"));
	/* Addresses that are all zero, or look like another kind. */
	assert_true(same_source("::", "::"));
	assert_false(same_source("::1", "::2"));
	assert_false(same_source("::1", "0.0.0.0"));
	assert_false(same_source("0.0.0.0", "::"));
	assert_false(same_source("::1", "::ffff:0.0.0.1"));
}

static void test_ports_do_not_matter(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");

	(void)state;
	for (uint16_t port = 1; port <= 7; port++) {
		((struct sockaddr_in *)&a)->sin_port = htons(port);
		ka_lockout_fail(l, &a, false, MINUTE);
	}
	assert_int_equal(ka_lockout_check(l, &a, false, MINUTE), KA_LOCKOUT_MINUTE);
	free(l);
}

static void test_memory_is_bounded_and_the_quietest_is_forgotten(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage busy = ip("203.0.113.7");
	struct sockaddr_storage quiet = ip("203.0.113.8");

	(void)state;
	fail_often(l, &quiet, 7, MINUTE);
	fail_often(l, &busy, 31, MINUTE);
	/* A flood from everywhere; the busy one goes on meanwhile and stays known. */
	for (uint32_t n = 0; n < 10 * KA_LOCKOUT_SOURCES; n++) {
		struct sockaddr_storage a = numbered(n);

		ka_lockout_fail(l, &a, false, MINUTE + 10 + n);
		if (n % 100 == 0)
			ka_lockout_fail(l, &busy, false, MINUTE + 10 + n);
	}
	assert_int_equal(ka_lockout_check(l, &busy, false, MINUTE + 10000), KA_LOCKOUT_CLOSED);
	/* The flood holds everybody up until the minute is over. */
	assert_int_equal(ka_lockout_check(l, &quiet, false, MINUTE + KA_SEC(60)), KA_LOCKOUT_OPEN);
	/* The last ones that failed are all known: seven in all is one too many. */
	for (uint32_t n = 10 * KA_LOCKOUT_SOURCES - 500; n < 10 * KA_LOCKOUT_SOURCES; n++) {
		struct sockaddr_storage a = numbered(n);

		fail_often(l, &a, 6, MINUTE + 20000);
		assert_int_equal(ka_lockout_check(l, &a, false, MINUTE + 20000), KA_LOCKOUT_MINUTE);
	}
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seventh_failure_of_a_minute_locks_until_the_next),
		cmocka_unit_test(test_thirty_first_failure_locks_until_a_day_of_quiet),
		cmocka_unit_test(test_ip6_networks_have_limits_of_their_own),
		cmocka_unit_test(test_success_takes_back_what_the_address_did_to_its_network),
		cmocka_unit_test(test_flood_from_everywhere_holds_up_strangers_for_the_minute_only),
		cmocka_unit_test(test_what_a_relay_says_counts_apart),
		cmocka_unit_test(test_words_are_those_of_stock),
		cmocka_unit_test(test_success_forgives),
		cmocka_unit_test(test_a_source_is_an_address),
		cmocka_unit_test(test_ports_do_not_matter),
		cmocka_unit_test(test_memory_is_bounded_and_the_quietest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
