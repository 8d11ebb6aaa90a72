/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reach/ as a whole on one loop against a tiny server: registration, calls, the ways in, closing half-way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "fake_hbbs.h"
#include "base/clock.h"
#include "base/err.h"
#include "rustdesk/reach/calls.h"
#include "rustdesk/reach/dial.h"

#define PEER RDV__ENVELOPE__UNION_REGISTER_PEER
#define PK RDV__ENVELOPE__UNION_REGISTER_PK
#define SENT RDV__ENVELOPE__UNION_PUNCH_HOLE_SENT
#define LOCAL RDV__ENVELOPE__UNION_LOCAL_ADDR
#define RELAY RDV__ENVELOPE__UNION_RELAY_RESPONSE
#define AT_RELAY RDV__ENVELOPE__UNION_REQUEST_RELAY

static bool is_registered(struct fake_bench *b)
{
	struct ka_reach_status st;

	ka_reach_get_status(b->reach, &st);
	return st.registered;
}

static bool nat_known(struct fake_bench *b)
{
	return ka_reach_get_env(b->reach)->nat != KA_NAT_UNKNOWN;
}

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

static void start_registered(struct fake_bench *b, const char *host)
{
	fake_bench_init(b, host);
	fake_bench_start(b);
	assert_true(fake_run_until(b, is_registered, 3000));
	assert_true(fake_run_until(b, nat_known, 3000));
}

static void push_punch(struct fake_bench *b, const char *ip, uint16_t port, enum ka_nat nat, bool forged)
{
	Rdv__PunchHole m;
	Rdv__Envelope e;
	uint8_t addr[KA_ADDR_BYTES];

	rdv__punch_hole__init(&m);
	rdv__envelope__init(&e);
	m.socket_addr.data = addr;
	fake_mangle(&m.socket_addr, ip, port);
	m.nat_type = (Rdv__NatType)nat;
	e.union_case = RDV__ENVELOPE__UNION_PUNCH_HOLE;
	e.punch_hole = &m;
	fake_push(b, &e, forged);
}

static void push_local(struct fake_bench *b, uint16_t port)
{
	Rdv__FetchLocalAddr m;
	Rdv__Envelope e;
	uint8_t addr[KA_ADDR_BYTES];

	rdv__fetch_local_addr__init(&m);
	rdv__envelope__init(&e);
	m.socket_addr.data = addr;
	fake_mangle(&m.socket_addr, "203.0.113.77", port);
	e.union_case = RDV__ENVELOPE__UNION_FETCH_LOCAL_ADDR;
	e.fetch_local_addr = &m;
	fake_push(b, &e, false);
}

static void push_relay(struct fake_bench *b, uint16_t port, char *relay, bool secure)
{
	char uuid[] = "0f0e0d0c-0b0a-4908-8706-050403020100";
	Rdv__RequestRelay m;
	Rdv__Envelope e;
	uint8_t addr[KA_ADDR_BYTES];

	rdv__request_relay__init(&m);
	rdv__envelope__init(&e);
	m.socket_addr.data = addr;
	fake_mangle(&m.socket_addr, "203.0.113.77", port);
	m.uuid = uuid;
	m.relay_server = relay;
	m.secure = secure;
	e.union_case = RDV__ENVELOPE__UNION_REQUEST_RELAY;
	e.request_relay = &m;
	fake_push(b, &e, false);
}

/* Connects to where the device said; the descriptor or a negative cause. */
static int come(const struct sockaddr_storage *to)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)to, ka_addr_len(to)) == 0)
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

static void test_registration_and_status(void **state)
{
	struct ka_reach_status st;
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	ka_reach_get_status(b.reach, &st);
	assert_false(st.registered);
	fake_bench_start(&b);
	assert_true(fake_run_until(&b, is_registered, 3000));
	ka_reach_get_status(b.reach, &st);
	assert_int_equal(strncmp(st.server_state, "registered with 127.0.0.1:", 26), 0);
	const Rdv__RegisterPk *pk = fake_find(&b, PK, 0)->msg->register_pk;

	assert_string_equal(pk->id, "123456789");
	assert_int_equal(pk->uuid.len, 16);
	assert_int_equal(pk->pk.len, 32);
	assert_memory_equal(pk->pk.data, b.who.sign_pk, 32);
	assert_int_equal(fake_find(&b, PEER, 0)->msg->register_peer->serial, 3);
	/* keep-alives from the same port */
	fake_run(&b, 500);
	assert_in_range(fake_count(&b, PEER), 2, 4);
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
	return !is_registered(b);
}

static void test_silent_server_gets_a_new_socket_and_is_found_again(void **state)
{
	struct ka_reach_status st;
	struct fake_bench b;

	(void)state;
	start_registered(&b, "127.0.0.1");
	b.silent = true;
	assert_true(fake_run_until(&b, not_registered, 3000));
	ka_reach_get_status(b.reach, &st);
	assert_int_equal(strncmp(st.server_state, "no answer from server", 21), 0);
	assert_true(fake_run_until(&b, socket_replaced, 3000));
	b.silent = false;
	assert_true(fake_run_until(&b, is_registered, 3000));
	fake_bench_fini(&b);
}

static void test_restarted_server_asks_for_the_key(void **state)
{
	struct fake_bench b;

	(void)state;
	start_registered(&b, "127.0.0.1");
	fake_close_server(&b);
	fake_run(&b, 100);
	fake_open_server(&b);
	b.request_pk = true;
	fake_run(&b, 400);
	assert_int_equal(fake_count(&b, PK), 2);
	assert_true(is_registered(&b));
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
	fake_run(&b, 60);
	ka_reach_get_status(b.reach, &st);
	assert_non_null(strstr(st.server_state, "UUID_MISMATCH"));
	assert_false(st.registered);
	assert_true(fake_run_until(&b, is_registered, 3000));
	assert_string_equal(fake_find(&b, PK, 1)->msg->register_pk->id, "123456789");
	fake_bench_fini(&b);
}

static void test_closed_port_has_words(void **state)
{
	struct ka_reach_status st;
	struct fake_bench b;

	(void)state;
	fake_bench_init(&b, "127.0.0.1");
	fake_close_server(&b);
	fake_bench_start(&b);
	fake_run(&b, 30);
	ka_reach_get_status(b.reach, &st);
	assert_int_equal(strncmp(st.server_state, "unreachable: no server listens at 127.0.0.1", 43), 0);
	fake_open_server(&b);
	assert_true(fake_run_until(&b, is_registered, 3000));
	fake_bench_fini(&b);
}

static void test_rejected_key_is_registered_again(void **state)
{
	struct fake_bench b;

	(void)state;
	start_registered(&b, "127.0.0.1");
	fake_run(&b, 50);
	ka_reach_pk_rejected(b.reach);
	fake_run(&b, 50);
	assert_int_equal(fake_count(&b, PK), 2);
	fake_bench_fini(&b);
}

static void test_punch_gives_a_connection_on_the_port_hbbs_saw(void **state)
{
	struct fake_bench b;

	(void)state;
	start_registered(&b, "127.0.0.1");
	push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
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
	int fd = come(&h->from);

	assert_true(fd >= 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	assert_int_equal(b.in[0].path, KA_PATH_PUNCHED);
	assert_true(b.in[0].secure);
	assert_int_equal(b.in[0].preamble_len, 0);
	/* exactly one */
	assert_int_equal(come(&h->from), -ECONNREFUSED);
	assert_int_equal(ka_reach_count_calls(b.reach), 0);
	close(fd);
	fake_bench_fini(&b);
}

static void test_punch_nobody_comes(void **state)
{
	struct fake_bench b;

	(void)state;
	start_registered(&b, "127.0.0.1");
	push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	assert_true(fake_run_until(&b, has_sent, 3000));
	assert_int_equal(ka_reach_count_calls(b.reach), 1);
	assert_true(fake_run_until(&b, no_calls, 3000));
	assert_int_equal(come(&fake_find(&b, SENT, 0)->from), -ECONNREFUSED);
	assert_int_equal(fake_count(&b, RELAY), 0); /* the controller has been answered: it asks itself */
	fake_bench_fini(&b);
}

static void local_way(const char *host)
{
	struct fake_bench b;
	struct sockaddr_storage told;

	start_registered(&b, host);
	push_local(&b, 5000);
	assert_true(fake_run_until(&b, has_local, 3000));
	const struct fake_heard *h = fake_find(&b, LOCAL, 0);
	const Rdv__LocalAddr *m = h->msg->local_addr;

	assert_true(h->tcp);
	assert_int_equal(ka_addr_decode(&told, m->local_addr.data, m->local_addr.len), 0);
	assert_true(ka_addr_same_host(&told, &h->from));
	assert_int_equal(ka_addr_port(&told), ka_addr_port(&h->from));
	assert_string_equal(m->version, "1.4.5");
	int fd = come(&told);

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
	start_registered(&b, "127.0.0.1");
	push_punch(&b, "203.0.113.77", 50123, KA_NAT_SYMMETRIC, false);
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
	fake_run(&b, 20);
	assert_preamble(&b, m->uuid);
	assert_int_equal(fake_count(&b, SENT), 0);
	fake_bench_fini(&b);
}

static void test_relay_asked_for_by_the_controller(void **state)
{
	struct fake_bench b;
	char relay[64];

	(void)state;
	start_registered(&b, "127.0.0.1");
	snprintf(relay, sizeof(relay), "localhost:%u", b.port + 1);
	push_relay(&b, 50123, relay, false);
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
	fake_run(&b, 20);
	assert_preamble(&b, "0f0e0d0c-0b0a-4908-8706-050403020100");
	fake_bench_fini(&b);
}

static void test_relay_out_of_reach_is_refused_in_words(void **state)
{
	struct fake_bench b;
	char relay[64] = "127.0.0.1:1";

	(void)state;
	start_registered(&b, "127.0.0.1");
	push_relay(&b, 50123, relay, true);
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
	start_registered(&b, "127.0.0.1");
	push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, true);
	fake_run(&b, 100);
	assert_int_equal(fake_count(&b, SENT), 0);
	push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
	fake_run(&b, 150);
	assert_int_equal(fake_count(&b, SENT), 1);
	fake_bench_fini(&b);
}

static void test_calls_in_flight_are_bounded_and_the_latest_is_served(void **state)
{
	struct fake_bench b;
	unsigned int n;

	(void)state;
	start_registered(&b, "127.0.0.1");
	for (n = 0; n < KA_CALLS_MAX + 4; n++) {
		push_punch(&b, "127.0.0.1", (uint16_t)(10 + n), KA_NAT_ASYMMETRIC, false);
		fake_run(&b, 15);
		assert_true(ka_reach_count_calls(b.reach) <= KA_CALLS_MAX);
	}
	fake_run(&b, 50);
	assert_int_equal(fake_count(&b, SENT), n);
	assert_int_equal(come(&fake_find(&b, SENT, 0)->from), -ECONNREFUSED);
	int fd = come(&fake_find(&b, SENT, n - 1)->from);

	assert_true(fd >= 0);
	assert_true(fake_run_until(&b, has_incoming, 3000));
	close(fd);
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
			push_punch(&b, "127.0.0.1", 9, KA_NAT_ASYMMETRIC, false);
			push_local(&b, 77);
			snprintf(relay, sizeof(relay), "localhost:%u", b.port + 1);
			push_relay(&b, 78, relay, true);
		}
		fake_run(&b, ms / 3);
		fake_bench_fini(&b);
	}
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
		cmocka_unit_test(test_punch_gives_a_connection_on_the_port_hbbs_saw),
		cmocka_unit_test(test_punch_nobody_comes),
		cmocka_unit_test(test_local_address_on_ip4),
		cmocka_unit_test(test_local_address_on_ip6),
		cmocka_unit_test(test_symmetric_controller_is_offered_a_relay),
		cmocka_unit_test(test_relay_asked_for_by_the_controller),
		cmocka_unit_test(test_relay_out_of_reach_is_refused_in_words),
		cmocka_unit_test(test_forged_and_doubled_calls_are_dropped),
		cmocka_unit_test(test_calls_in_flight_are_bounded_and_the_latest_is_served),
		cmocka_unit_test(test_closing_half_way_leaves_nothing),
		cmocka_unit_test(test_without_a_server),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
