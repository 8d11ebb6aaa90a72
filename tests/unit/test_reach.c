/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reach/ as a whole on one loop against a tiny server: registration, closing half-way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tests/fake/fake_hbbs.h"
#include "base/err.h"

#define PEER RDV__ENVELOPE__UNION_REGISTER_PEER
#define PK RDV__ENVELOPE__UNION_REGISTER_PK

static void test_registration_and_status(void **state)
{
	struct ka_reach_status st;
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	ka_reach_get_status(b.reach, &st);
	assert_false(st.registered);
	fake_bench_start(&b);
	assert_true(fake_run_until(&b, fake_registered, 3000));
	ka_reach_get_status(b.reach, &st);
	assert_int_equal(strncmp(st.server_state, "registered with 127.0.0.1:", 26), 0);
	const Rdv__RegisterPk *pk = fake_find(&b, PK, 0)->msg->register_pk;

	assert_string_equal(pk->id, "123456789");
	assert_int_equal(pk->uuid.len, 16);
	assert_int_equal(pk->pk.len, 32);
	assert_memory_equal(pk->pk.data, b.who.sign_pk, 32);
	assert_int_equal(fake_find(&b, PEER, 0)->msg->register_peer->serial, 3);
	/* keep-alives from the same port */
	assert_true(fake_wait_count(&b, PEER, 3));
	assert_int_equal(fake_count(&b, PK), 1);
	assert_memory_equal(&fake_find(&b, PEER, 0)->from, &fake_find(&b, PEER, 1)->from, sizeof(struct sockaddr_in));
	fake_bench_fini(&b);
}

static bool socket_replaced(struct fake_bench *b)
{
	uint16_t first = ka_addr_port(&fake_find(b, PEER, 0)->from);

	return ka_addr_port(&b->heard[b->n_heard - 1].from) != first;
}

static bool not_registered(struct fake_bench *b)
{
	return !fake_registered(b);
}

static void test_silent_server_gets_a_new_socket_and_is_found_again(void **state)
{
	struct ka_reach_status st;
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	b.silent = true;
	assert_true(fake_run_until(&b, not_registered, 3000));
	ka_reach_get_status(b.reach, &st);
	assert_int_equal(strncmp(st.server_state, "no answer from server", 21), 0);
	assert_true(fake_run_until(&b, socket_replaced, 3000));
	b.silent = false;
	assert_true(fake_run_until(&b, fake_registered, 3000));
	fake_bench_fini(&b);
}

static void test_restarted_server_asks_for_the_key(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_close_server(&b);
	fake_run(&b, 100);
	fake_open_server(&b);
	b.request_pk = true;
	assert_true(fake_wait_count(&b, PK, 2));
	assert_true(fake_wait_count(&b, PEER, fake_count(&b, PEER) + 1));
	assert_true(fake_run_until(&b, fake_registered, 3000));
	/* RegisterPeer follows the OK at once */
	for (unsigned int i = 1; i + 1 < b.n_heard; i++) {
		if (b.heard[i].msg->union_case == PK)
			assert_int_equal(b.heard[i + 1].msg->union_case, PEER);
	}
	fake_bench_fini(&b);
}

static void test_refused_registration_has_words(void **state)
{
	struct ka_reach_status st;
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	b.pk_result = KA_RDV_UUID_MISMATCH;
	fake_bench_start(&b);
	assert_true(fake_wait_words(&b, "UUID_MISMATCH"));
	ka_reach_get_status(b.reach, &st);
	assert_false(st.registered);
	assert_true(fake_run_until(&b, fake_registered, 3000));
	assert_string_equal(fake_find(&b, PK, 1)->msg->register_pk->id, "123456789");
	fake_bench_fini(&b);
}

static void test_closed_port_has_words(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	fake_close_server(&b);
	fake_bench_start(&b);
	assert_true(fake_wait_words(&b, "unreachable: no server listens at 127.0.0.1"));
	fake_open_server(&b);
	assert_true(fake_run_until(&b, fake_registered, 3000));
	fake_bench_fini(&b);
}

static void test_rejected_key_is_registered_again(void **state)
{
	struct fake_bench b;

	(void)state;
	fake_start_registered(&b, "127.0.0.1");
	fake_run(&b, 50);
	ka_reach_pk_rejected(b.reach);
	assert_true(fake_wait_count(&b, PK, 2));
	fake_bench_fini(&b);
}

static void test_closing_half_way_leaves_nothing(void **state)
{
	(void)state;
	/* Each round a little later: during look-up, registration, NAT test, dialling, listening. */
	for (int ms = 0; ms < 40; ms += 2) {
		struct fake_bench b;
		char relay[64];

		fake_bench_init(&b, ms % 4 ? "127.0.0.1" : "::1");
		fake_bench_start(&b);
		fake_run(&b, ms / 2);
		if (fake_count(&b, PEER)) {
			fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
			fake_push_local(&b, 77);
			snprintf(relay, sizeof(relay), "localhost:%u", b.port + 1);
			fake_push_relay(&b, 78, relay, true);
		}
		fake_run(&b, ms / 3);
		fake_bench_fini(&b);
	}
}

/* Both servers get their turns until the device of b uses the one of `server`. */
static bool comes_to(struct fake_bench *b, struct fake_bench *other, const struct fake_bench *server)
{
	char words[64];
	struct ka_reach_status st;

	snprintf(words, sizeof(words), "registered with 127.0.0.1:%u", server->port);
	for (int i = 0; i < 500; i++) {
		fake_run(b, 5);
		fake_run(other, 5);
		ka_reach_get_status(b->reach, &st);
		if (st.registered && !strncmp(st.server_state, words, strlen(words)))
			return true;
	}
	return false;
}

static void test_next_server_when_one_fails_and_back(void **state)
{
	struct ka_reach_status st;
	struct fake_bench first;
	struct fake_bench b;
	char before[64];

	(void)state;
	fake_bench_init(&first, "127.0.0.1");
	snprintf(before, sizeof(before), "127.0.0.1:%u, ", first.port);
	fake_bench_init_after(&b, "127.0.0.1", before);
	fake_bench_start(&b);
	assert_true(comes_to(&b, &first, &first));
	assert_int_equal(ka_reach_get_env(b.reach)->port, first.port);
	assert_int_equal(fake_count(&b, PK), 0);

	/* silent */
	first.silent = true;
	assert_true(comes_to(&b, &first, &b));
	ka_reach_get_status(b.reach, &st);
	assert_non_null(strstr(st.server_state, "(server 2 of 2)"));
	assert_int_equal(ka_addr_port(&ka_reach_get_env(b.reach)->server), b.port);
	assert_true(fake_run_until(&b, fake_nat_known, 3000));
	/* calls come from the one in use, which is asked on while the first is tried */
	fake_push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	assert_true(fake_wait_count(&b, RDV__ENVELOPE__UNION_PUNCH_HOLE_SENT, 1));
	first.silent = false;
	assert_true(comes_to(&b, &first, &first));

	/* gone */
	fake_close_server(&first);
	assert_true(comes_to(&b, &first, &b));
	/* both gone: each is tried, and the one that comes back is taken */
	fake_close_server(&b);
	assert_true(fake_wait_words(&b, "; trying"));
	fake_open_server(&first);
	assert_true(comes_to(&b, &first, &first));

	/* refused: the id belongs to another device there */
	fake_open_server(&b);
	fake_close_server(&first);
	fake_open_server(&first);
	first.pk_result = KA_RDV_UUID_MISMATCH;
	first.request_pk = true;
	assert_true(comes_to(&b, &first, &b));
	assert_true(comes_to(&b, &first, &first));
	fake_bench_fini(&b);
	fake_bench_fini(&first);
}

static void test_without_a_server(void **state)
{
	struct ka_rd_identity who = {.id = "123456789"};
	struct ka_rd_cfg rd = {.server = "", .relay = "", .key = "", .direct_address = ""};
	struct ka_reach_cfg cfg = {.rd = &rd, .identity = &who};
	struct ka_reach_status st;
	struct ka_reach *r;
	struct ka_errbuf eb;
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	cfg.uv = &uv;
	assert_int_equal(ka_reach_new(&r, &cfg, &eb), 0);
	assert_int_equal(ka_reach_listen(r, &eb), 0);
	assert_int_equal(ka_reach_start(r), 0);
	ka_reach_pk_rejected(r);
	ka_reach_get_status(r, &st);
	assert_string_equal(st.server_state, "no server configured");
	assert_int_equal(st.direct_port, 0);
	ka_reach_close(r);
	ka_reach_close(NULL);
	uv_run(&uv, UV_RUN_DEFAULT);
	ka_reach_free(r);
	ka_reach_free(NULL);
	rd.server = "host:port";
	assert_int_equal(ka_reach_new(&r, &cfg, &eb), -KA_E_CONFIG);
	assert_string_equal(eb.text, "server \"host:port\" is not host or host:port");
	assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registration_and_status),
		cmocka_unit_test(test_silent_server_gets_a_new_socket_and_is_found_again),
		cmocka_unit_test(test_restarted_server_asks_for_the_key),
		cmocka_unit_test(test_refused_registration_has_words),
		cmocka_unit_test(test_closed_port_has_words),
		cmocka_unit_test(test_rejected_key_is_registered_again),
		cmocka_unit_test(test_closing_half_way_leaves_nothing),
		cmocka_unit_test(test_next_server_when_one_fails_and_back),
		cmocka_unit_test(test_without_a_server),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
