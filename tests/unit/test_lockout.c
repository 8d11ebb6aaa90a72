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
		ka_lockout_fail(l, from, now);
}

static void test_seventh_failure_of_a_minute_locks_until_the_next(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");

	(void)state;
	fail_often(l, &a, 6, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE + 1), KA_LOCKOUT_OPEN);
	ka_lockout_fail(l, &a, MINUTE + 2);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE + 3), KA_LOCKOUT_MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE + KA_SEC(60) - 1), KA_LOCKOUT_MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE + KA_SEC(60)), KA_LOCKOUT_OPEN);
	/* And counts anew there. */
	fail_often(l, &a, 6, MINUTE + KA_SEC(60));
	assert_int_equal(ka_lockout_check(l, &a, MINUTE + KA_SEC(60)), KA_LOCKOUT_OPEN);
	free(l);
}

static void test_thirty_first_failure_locks_for_good(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");

	(void)state;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(ka_lockout_check(l, &a, MINUTE + KA_SEC(60) * i), KA_LOCKOUT_OPEN);
		ka_lockout_fail(l, &a, MINUTE + KA_SEC(60) * i);
	}
	assert_int_equal(ka_lockout_check(l, &a, MINUTE * 2), KA_LOCKOUT_OPEN);
	ka_lockout_fail(l, &a, MINUTE * 2);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE * 3), KA_LOCKOUT_CLOSED);
	free(l);
}

static void test_success_forgives(void **state)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip("203.0.113.7");

	(void)state;
	ka_lockout_success(l, &a); /* unknown: nothing */
	fail_often(l, &a, 6, MINUTE);
	ka_lockout_success(l, &a);
	fail_often(l, &a, 6, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE), KA_LOCKOUT_OPEN);
	free(l);
}

static bool same_source(const char *x, const char *y)
{
	struct ka_lockout *l = open_lockout();
	struct sockaddr_storage a = ip(x);
	struct sockaddr_storage b = ip(y);
	bool same;

	fail_often(l, &a, 7, MINUTE);
	assert_int_equal(ka_lockout_check(l, &a, MINUTE), KA_LOCKOUT_MINUTE);
	same = ka_lockout_check(l, &b, MINUTE) == KA_LOCKOUT_MINUTE;
	free(l);
	return same;
}

static void test_a_source_is_an_ip4_address_or_an_ip6_network(void **state)
{
	(void)state;
	assert_false(same_source("203.0.113.7", "203.0.113.8"));
	assert_true(same_source("203.0.113.7", "::ffff:203.0.113.7"));
	assert_true(same_source("::ffff:203.0.113.7", "203.0.113.7"));
	assert_false(same_source("::ffff:203.0.113.7", "::ffff:203.0.113.8"));
	assert_true(same_source("2001:db8::1", "2001:db8::ffff:1:2:3"));
	assert_false(same_source("2001:db8::1", "2001:db8:0:1::1"));
	/* Prefixes that are all zero, or look like another kind. */
	assert_true(same_source("::1", "::2"));
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
		ka_lockout_fail(l, &a, MINUTE);
	}
	assert_int_equal(ka_lockout_check(l, &a, MINUTE), KA_LOCKOUT_MINUTE);
	free(l);
}

static struct sockaddr_storage numbered(uint32_t n)
{
	struct sockaddr_storage a = ip("10.0.0.0");

	((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(0x0a000000 + n);
	return a;
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

		ka_lockout_fail(l, &a, MINUTE + 10 + n);
		if (n % 100 == 0)
			ka_lockout_fail(l, &busy, MINUTE + 10 + n);
	}
	assert_int_equal(ka_lockout_check(l, &busy, MINUTE + 10000), KA_LOCKOUT_CLOSED);
	assert_int_equal(ka_lockout_check(l, &quiet, MINUTE + 10000), KA_LOCKOUT_OPEN);
	/* The last ones that failed are all known: seven in all is one too many. */
	for (uint32_t n = 10 * KA_LOCKOUT_SOURCES - 500; n < 10 * KA_LOCKOUT_SOURCES; n++) {
		struct sockaddr_storage a = numbered(n);

		fail_often(l, &a, 6, MINUTE + 20000);
		assert_int_equal(ka_lockout_check(l, &a, MINUTE + 20000), KA_LOCKOUT_MINUTE);
	}
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seventh_failure_of_a_minute_locks_until_the_next),
		cmocka_unit_test(test_thirty_first_failure_locks_for_good),
		cmocka_unit_test(test_success_forgives),
		cmocka_unit_test(test_a_source_is_an_ip4_address_or_an_ip6_network),
		cmocka_unit_test(test_ports_do_not_matter),
		cmocka_unit_test(test_memory_is_bounded_and_the_quietest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
