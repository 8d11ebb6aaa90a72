/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rustdesk/reach/serve_gate.h"

/* The first microsecond of some minute. */
#define MINUTE (KA_SEC(60) * 1000)

static struct sockaddr_storage ip(const char *text)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

	a.ss_family = inet_pton(AF_INET, text, &in->sin_addr) == 1 ? AF_INET : AF_INET6;
	if (a.ss_family == AF_INET6)
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	return a;
}

static struct sockaddr_storage numbered(uint32_t n)
{
	struct sockaddr_storage a = ip("10.0.0.0");

	((struct sockaddr_in *)&a)->sin_addr.s_addr = htonl(0x0a000000 + n);
	return a;
}

static unsigned int ask(struct ka_serve_gate *g, const char *from, unsigned int n, int64_t now)
{
	struct sockaddr_storage a = ip(from);
	unsigned int passed = 0;

	for (unsigned int i = 0; i < n; i++)
		passed += ka_serve_gate_pass(g, &a, now);
	return passed;
}

static void test_questions_of_a_network_are_limited_for_the_minute(void **state)
{
	struct ka_serve_gate *g = calloc(1, sizeof(*g));

	(void)state;
	assert_non_null(g);
	assert_int_equal(ask(g, "203.0.113.7", 500, MINUTE), KA_SERVE_QUESTIONS);
	assert_int_equal(ask(g, "::ffff:203.0.113.7", 1, MINUTE + KA_SEC(60) - 1), 0);
	assert_int_equal(ask(g, "203.0.113.8", 1, MINUTE), 1);
	assert_int_equal(ask(g, "203.0.113.7", 1, MINUTE + KA_SEC(60)), 1);
	/* An IPv6 stranger has a whole /64. */
	assert_int_equal(ask(g, "2001:db8:0:1::1", 500, MINUTE), KA_SERVE_QUESTIONS);
	assert_int_equal(ask(g, "2001:db8:0:1:ffff::2", 1, MINUTE), 0);
	assert_int_equal(ask(g, "2001:db8:0:2::1", 1, MINUTE), 1);
	free(g);
}

static void test_key_counts_for_its_network_and_a_day(void **state)
{
	struct ka_serve_gate *g = calloc(1, sizeof(*g));
	struct sockaddr_storage a = ip("2001:db8:0:1::1");
	struct sockaddr_storage near = ip("2001:db8:0:1::2");
	struct sockaddr_storage far = ip("2001:db8:0:2::1");

	(void)state;
	assert_non_null(g);
	/* Never asked: there is nothing to note it with. */
	ka_serve_gate_key_shown(g, &a, MINUTE);
	assert_false(ka_serve_gate_knows(g, &a, MINUTE));
	assert_true(ka_serve_gate_pass(g, &a, MINUTE));
	assert_false(ka_serve_gate_knows(g, &a, MINUTE));
	ka_serve_gate_key_shown(g, &a, MINUTE);
	assert_true(ka_serve_gate_knows(g, &near, MINUTE + KA_SEC(KA_SERVE_KEY_GOOD_S)));
	assert_false(ka_serve_gate_knows(g, &near, MINUTE + KA_SEC(KA_SERVE_KEY_GOOD_S) + 1));
	assert_false(ka_serve_gate_knows(g, &far, MINUTE));
	free(g);
}

static void test_flood_from_everywhere_is_bounded_and_forgets_no_friend(void **state)
{
	struct ka_serve_gate *g = calloc(1, sizeof(*g));
	struct sockaddr_storage friend = ip("198.51.100.1");
	unsigned int passed = 0;

	(void)state;
	assert_non_null(g);
	assert_true(ka_serve_gate_pass(g, &friend, MINUTE));
	ka_serve_gate_key_shown(g, &friend, MINUTE);
	for (uint32_t n = 0; n < 10 * KA_SERVE_GATE_NETWORKS; n++) {
		struct sockaddr_storage a = numbered(n);

		passed += ka_serve_gate_pass(g, &a, MINUTE + n);
	}
	/* One of them went to the friend, who had not shown the key yet. */
	assert_int_equal(passed, KA_SERVE_QUESTIONS_ALL - 1);
	assert_true(ka_serve_gate_knows(g, &friend, MINUTE + 9999));
	assert_true(ka_serve_gate_pass(g, &friend, MINUTE + 9999));
	assert_true(ka_serve_gate_pass(g, &(struct sockaddr_storage){.ss_family = AF_INET}, MINUTE + KA_SEC(60)));
	free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions_of_a_network_are_limited_for_the_minute),
		cmocka_unit_test(test_key_counts_for_its_network_and_a_day),
		cmocka_unit_test(test_flood_from_everywhere_is_bounded_and_forgets_no_friend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
