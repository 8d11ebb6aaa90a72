/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The NAT type test on its own loop against the tiny server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tests/fake/fake_hbbs.h"
#include "rustdesk/reach/nat.h"

#define ASKED RDV__ENVELOPE__UNION_TEST_NAT_REQUEST

static bool known(struct fake_bench *b)
{
	return ka_reach_get_env(b->reach)->nat != KA_NAT_UNKNOWN;
}

static enum ka_nat test_with(struct fake_bench *b, const char *host, int shift)
{
	fake_bench_init(b, host);
	b->nat_shift = shift;
	fake_bench_start(b);
	assert_true(fake_run_until(b, known, 3000));
	return ka_reach_get_env(b->reach)->nat;
}

static void test_same_port_is_asymmetric(void **state)
{
	struct fake_bench b;

	(void)state;
	assert_int_equal(test_with(&b, "127.0.0.1", 0), KA_NAT_ASYMMETRIC);
	/* both from one local port */
	assert_int_equal(fake_count(&b, ASKED), 2);
	assert_int_equal(ka_addr_port(&fake_find(&b, ASKED, 0)->from), ka_addr_port(&fake_find(&b, ASKED, 1)->from));
	assert_int_equal(fake_find(&b, ASKED, 0)->msg->test_nat_request->serial, 3);
	/* and no more */
	fake_run(&b, 200);
	assert_int_equal(fake_count(&b, ASKED), 2);
	fake_bench_fini(&b);
}

static void test_other_port_is_symmetric(void **state)
{
	struct fake_bench b;

	(void)state;
	assert_int_equal(test_with(&b, "127.0.0.1", 1), KA_NAT_SYMMETRIC);
	fake_bench_fini(&b);
}

static void test_over_ip6(void **state)
{
	struct fake_bench b;

	(void)state;
	assert_int_equal(test_with(&b, "::1", 0), KA_NAT_ASYMMETRIC);
	fake_bench_fini(&b);
}

static void test_nonsense_and_silence_are_tried_again(void **state)
{
	struct ka_reach_timing t;
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	t = ka_reach_get_env(b.reach)->timing;
	t.connect_ms = 60; /* also the patience for an answer */
	ka_reach_set_timing(b.reach, &t);
	b.nat_silent = true;
	fake_bench_start(&b);
	fake_run(&b, 100);
	assert_false(known(&b));
	b.nat_silent = false;
	b.nat_shift = -70000; /* no port at all */
	fake_run(&b, 150);
	assert_false(known(&b));
	b.nat_shift = 0;
	assert_true(fake_run_until(&b, known, 3000));
	fake_bench_fini(&b);
}

static bool given_up_connection(struct fake_bench *b)
{
	return fake_count(b, ASKED) >= 1;
}

static void test_server_that_hangs_up_is_tried_again(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	b.nat_silent = true;
	fake_bench_start(&b);
	assert_true(fake_run_until(&b, given_up_connection, 3000));
	fake_close_server(&b);
	fake_run(&b, 30);
	fake_open_server(&b);
	b.nat_silent = false;
	assert_true(fake_run_until(&b, known, 3000));
	fake_bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_port_is_asymmetric),
		cmocka_unit_test(test_other_port_is_symmetric),
		cmocka_unit_test(test_over_ip6),
		cmocka_unit_test(test_nonsense_and_silence_are_tried_again),
		cmocka_unit_test(test_server_that_hangs_up_is_tried_again),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
