/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls and the ways in, on one loop against a tiny server. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "tests/fake/fake_hbbs.h"
#include "rustdesk/reach/calls.h"

#define SENT RDV__ENVELOPE__UNION_PUNCH_HOLE_SENT
#define LOCAL RDV__ENVELOPE__UNION_LOCAL_ADDR
#define RELAY RDV__ENVELOPE__UNION_RELAY_RESPONSE

static bool has_sent(struct fake_bench *b)
{
	return fake_count(b, SENT) > 0;
}

static bool has_local(struct fake_bench *b)
{
	return fake_count(b, LOCAL) > 0;
}

static bool has_relay_answer(struct fake_bench *b)
{
	return fake_count(b, RELAY) > 0;
}

static bool has_incoming(struct fake_bench *b)
{
	return b->n_in > 0;
}

static bool no_calls(struct fake_bench *b)
{
	return ka_reach_count_calls(b->reach) == 0;
}

static void test_punch_gives_a_connection_on_the_port_hbbs_saw(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	assert_true(fake_run_until(&b, has_sent, 3000));
	const struct fake_heard *h = fake_find(&b, SENT, 0);
	const Rdv__PunchHoleSent *m = h->msg->punch_hole_sent;
	char relay[64];

	assert_true(h->tcp);
	assert_string_equal(m->id, "123456789");
	assert_string_equal(m->version, "1.4.5");
	snprintf(relay, sizeof(relay), "127.0.0.1:%u", b.port + 1);
	assert_string_equal(m->relay_server, relay);
	assert_int_equal(m->nat_type, KA_NAT_ASYMMETRIC);
	/* the listener stands already when hbbs hears of it */
	int fd = fake_come(&h->from);

	assert_true(fd >= 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	assert_int_equal(b.in[0].path, KA_PATH_PUNCHED);
	assert_true(b.in[0].secure);
	/* exactly one */
	assert_int_equal(fake_come(&h->from), -ECONNREFUSED);
	assert_int_equal(ka_reach_count_calls(b.reach), 0);
	close(fd);
	fake_bench_fini(&b);
}

/* A machine without a router refuses our SYN as long as it does not connect itself; a router then closes the way. */
static void test_refused_punch_goes_out_again(void **state)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fake_bench b;

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	fake_start_registered(&b, "127.0.0.1");
	fake_push_punch(&b, "127.0.0.1", ka_addr_port(&at), KA_NAT_ASYMMETRIC, false);
	assert_true(fake_run_until(&b, has_sent, 3000));
	assert_int_equal(b.n_in, 0);
	/* from now on it does not refuse */
	assert_int_equal(listen(fd, 1), 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	assert_int_equal(b.in[0].path, KA_PATH_PUNCHED);
	assert_true(b.in[0].secure);
	assert_int_equal(ka_addr_port(&b.in[0].peer), ka_addr_port(&at));
	assert_int_equal(ka_reach_count_calls(b.reach), 0);
	/* from the port that hbbs saw */
	int got = accept(fd, (struct sockaddr *)&at, &len);

	assert_true(got >= 0);
	assert_int_equal(ka_addr_port(&at), ka_addr_port(&fake_find(&b, SENT, 0)->from));
	close(got);
	close(fd);
	fake_bench_fini(&b);
}

static void test_punch_nobody_comes(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	assert_true(fake_run_until(&b, has_sent, 3000));
	assert_int_equal(ka_reach_count_calls(b.reach), 1);
	assert_true(fake_run_until(&b, no_calls, 3000));
	assert_int_equal(fake_come(&fake_find(&b, SENT, 0)->from), -ECONNREFUSED);
	assert_int_equal(fake_count(&b, RELAY), 0); /* the controller has been answered: it asks itself */
	fake_bench_fini(&b);
}

static void local_way(const char *host)
{
	struct fake_bench b;
	struct sockaddr_storage told;

	fake_start_registered(&b, host);
	fake_push_local(&b, 5000);
	assert_true(fake_run_until(&b, has_local, 3000));
	const struct fake_heard *h = fake_find(&b, LOCAL, 0);
	const Rdv__LocalAddr *m = h->msg->local_addr;

	assert_true(h->tcp);
	assert_int_equal(ka_addr_decode(&told, m->local_addr.data, m->local_addr.len), 0);
	assert_true(ka_addr_same_host(&told, &h->from));
	assert_int_equal(ka_addr_port(&told), ka_addr_port(&h->from));
	assert_string_equal(m->version, "1.4.5");
	int fd = fake_come(&told);

	assert_true(fd >= 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	assert_int_equal(b.in[0].path, KA_PATH_LAN);
	assert_true(b.in[0].secure);
	close(fd);
	fake_bench_fini(&b);
}

static void test_local_address_on_ip4(void **state)
{
	(void)state;
	local_way("127.0.0.1");
}

static void test_local_address_on_ip6(void **state)
{
	(void)state;
	local_way("::1");
}

/* What stood at the relay: the preamble, byte for byte. */
static void assert_preamble(const struct fake_bench *b, const char *uuid)
{
	assert_int_equal(b->relay_len, 1 + 3 + 38 + 3);
	assert_memory_equal(b->relay_bytes, "\xb0\x92\x01\x29\x12\x24", 6);
	assert_memory_equal(b->relay_bytes + 6, uuid, 36);
	assert_memory_equal(b->relay_bytes + 42, "\x32\x01k", 3);
}

static void test_symmetric_controller_is_offered_a_relay(void **state)
{
	struct fake_bench b;
	char relay[64];

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_push_punch(&b, "203.0.113.77", 50123, KA_NAT_SYMMETRIC, false);
	assert_true(fake_run_until(&b, has_relay_answer, 3000));
	const Rdv__RelayResponse *m = fake_find(&b, RELAY, 0)->msg->relay_response;

	snprintf(relay, sizeof(relay), "127.0.0.1:%u", b.port + 1);
	assert_string_equal(m->relay_server, relay);
	assert_int_equal(m->union_case, RDV__RELAY_RESPONSE__UNION_ID);
	assert_string_equal(m->id, "123456789");
	assert_string_equal(m->version, "1.4.5");
	assert_int_equal(strlen(m->uuid), 36);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	assert_int_equal(b.in[0].path, KA_PATH_RELAY);
	assert_true(b.in[0].secure);
	assert_int_equal(ka_addr_port(&b.in[0].peer), 50123);
	assert_true(fake_wait_count(&b, RDV__ENVELOPE__UNION_REQUEST_RELAY, 1));
	assert_preamble(&b, m->uuid);
	assert_int_equal(fake_count(&b, SENT), 0);
	fake_bench_fini(&b);
}

static void test_relay_asked_for_by_the_controller(void **state)
{
	struct fake_bench b;
	char relay[64];

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	snprintf(relay, sizeof(relay), "localhost:%u", b.port + 1);
	fake_push_relay(&b, 50123, relay, false);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	assert_true(fake_run_until(&b, has_relay_answer, 3000));
	const Rdv__RelayResponse *m = fake_find(&b, RELAY, 0)->msg->relay_response;

	/* only the address and the version */
	assert_string_equal(m->uuid, "");
	assert_string_equal(m->relay_server, "");
	assert_string_equal(m->refuse_reason, "");
	assert_int_equal(m->union_case, RDV__RELAY_RESPONSE__UNION__NOT_SET);
	assert_string_equal(m->version, "1.4.5");
	assert_false(b.in[0].secure);
	assert_true(fake_wait_count(&b, RDV__ENVELOPE__UNION_REQUEST_RELAY, 1));
	assert_preamble(&b, "0f0e0d0c-0b0a-4908-8706-050403020100");
	fake_bench_fini(&b);
}

static void test_relay_out_of_reach_is_refused_in_words(void **state)
{
	struct fake_bench b;
	char relay[64] = "127.0.0.1:1";

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_push_relay(&b, 50123, relay, true);
	assert_true(fake_run_until(&b, has_relay_answer, 3000));
	assert_string_equal(fake_find(&b, RELAY, 0)->msg->relay_response->refuse_reason,
			    "The device failed to connect to the relay: refused: nothing listens there");
	assert_true(fake_run_until(&b, no_calls, 3000));
	assert_int_equal(b.n_in, 0);
	fake_bench_fini(&b);
}

static void test_forged_and_doubled_calls_are_dropped(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, true);
	fake_run(&b, 100);
	assert_int_equal(fake_count(&b, SENT), 0);
	fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	assert_true(fake_wait_count(&b, SENT, 1));
	fake_run(&b, 100);
	assert_int_equal(fake_count(&b, SENT), 1);
	fake_bench_fini(&b);
}

static void test_calls_in_flight_are_bounded_and_the_latest_is_served(void **state)
{
	struct fake_bench b;
	unsigned int n;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	for (n = 0; n < KA_CALLS_MAX + 4; n++) {
		char from[16];

		snprintf(from, sizeof(from), "127.0.%u.1", n);
		fake_push_punch(&b, from, (uint16_t)(10 + n), KA_NAT_ASYMMETRIC, false);
		assert_true(fake_wait_count(&b, SENT, n + 1));
		assert_true(ka_reach_count_calls(b.reach) <= KA_CALLS_MAX);
	}
	assert_int_equal(fake_come(&fake_find(&b, SENT, 0)->from), -ECONNREFUSED);
	int fd = fake_come(&fake_find(&b, SENT, n - 1)->from);

	assert_true(fd >= 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	close(fd);
	fake_bench_fini(&b);
}

static void test_one_stranger_does_not_crowd_out_others(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	/* The owner's call comes first and stays, whatever the stranger adds. */
	fake_push_punch(&b, "127.0.1.1", 9, KA_NAT_ASYMMETRIC, false);
	assert_true(fake_wait_count(&b, SENT, 1));
	for (unsigned int n = 0; n < 10; n++) {
		fake_push_punch(&b, "127.0.2.1", (uint16_t)(10 + n), KA_NAT_ASYMMETRIC, false);
		assert_true(fake_wait_count(&b, SENT, n + 2));
	}
	int fd = fake_come(&fake_find(&b, SENT, 0)->from);

	assert_true(fd >= 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	close(fd);
	fake_bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_punch_gives_a_connection_on_the_port_hbbs_saw),
		cmocka_unit_test(test_refused_punch_goes_out_again),
		cmocka_unit_test(test_punch_nobody_comes),
		cmocka_unit_test(test_local_address_on_ip4),
		cmocka_unit_test(test_local_address_on_ip6),
		cmocka_unit_test(test_symmetric_controller_is_offered_a_relay),
		cmocka_unit_test(test_relay_asked_for_by_the_controller),
		cmocka_unit_test(test_relay_out_of_reach_is_refused_in_words),
		cmocka_unit_test(test_forged_and_doubled_calls_are_dropped),
		cmocka_unit_test(test_calls_in_flight_are_bounded_and_the_latest_is_served),
		cmocka_unit_test(test_one_stranger_does_not_crowd_out_others),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
