/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pure parts around a call: which way, which relay, how often; and how patient the NAT test is. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/err.h"
#include "rustdesk/reach/call_rules.h"
#include "rustdesk/reach/lan.h"
#include "rustdesk/reach/nat.h"
#include "rustdesk/reach/relay.h"

static struct ka_rdv_call make_call(enum ka_rdv_kind kind, uint16_t port)
{
	struct ka_rdv_call call = {.kind = kind, .peer.ss_family = AF_INET, .secure = true};

	inet_pton(AF_INET, "203.0.113.77", &((struct sockaddr_in *)&call.peer)->sin_addr);
	ka_addr_set_port(&call.peer, port);
	return call;
}

static void test_way(void **state)
{
	struct ka_rdv_call punch = make_call(KA_RDV_PUNCH_HOLE, 1);
	struct ka_rdv_call local = make_call(KA_RDV_FETCH_LOCAL_ADDR, 1);
	struct ka_rdv_call relay = make_call(KA_RDV_REQUEST_RELAY, 1);

	(void)state;
	assert_int_equal(ka_call_rules_way(&punch, KA_NAT_UNKNOWN), KA_CALL_PUNCH);
	assert_int_equal(ka_call_rules_way(&punch, KA_NAT_ASYMMETRIC), KA_CALL_PUNCH);
	assert_int_equal(ka_call_rules_way(&punch, KA_NAT_SYMMETRIC), KA_CALL_RELAY_OFFER);
	punch.force_relay = true;
	assert_int_equal(ka_call_rules_way(&punch, KA_NAT_ASYMMETRIC), KA_CALL_RELAY_OFFER);
	punch.force_relay = false;
	punch.nat = KA_NAT_SYMMETRIC;
	assert_int_equal(ka_call_rules_way(&punch, KA_NAT_ASYMMETRIC), KA_CALL_RELAY_OFFER);
	punch.nat = 77;
	assert_int_equal(ka_call_rules_way(&punch, KA_NAT_ASYMMETRIC), KA_CALL_PUNCH);
	/* on one LAN the NAT does not matter */
	assert_int_equal(ka_call_rules_way(&local, KA_NAT_SYMMETRIC), KA_CALL_LOCAL);
	assert_int_equal(ka_call_rules_way(&relay, KA_NAT_ASYMMETRIC), KA_CALL_RELAY_ACCEPT);
}

static void test_relay_server(void **state)
{
	char dst[64];
	char small[8];

	(void)state;
	assert_int_equal(ka_call_rules_relay(dst, sizeof(dst), "mine:1", "theirs", "hbbs.example", 21116), 0);
	assert_string_equal(dst, "mine:1");
	assert_int_equal(ka_call_rules_relay(dst, sizeof(dst), "", "theirs", "hbbs.example", 21116), 0);
	assert_string_equal(dst, "theirs");
	assert_int_equal(ka_call_rules_relay(dst, sizeof(dst), "", "", "hbbs.example", 21116), 0);
	assert_string_equal(dst, "hbbs.example:21117");
	assert_int_equal(ka_call_rules_relay(dst, sizeof(dst), "", "", "2001:db8::1", 4000), 0);
	assert_string_equal(dst, "[2001:db8::1]:4001");
	assert_int_equal(ka_call_rules_relay(small, sizeof(small), "", "", "hbbs.example", 21116), -KA_E_TOO_BIG);
}

static void test_gate_drops_doubles(void **state)
{
	struct ka_rdv_call a = make_call(KA_RDV_PUNCH_HOLE, 1000);
	struct ka_rdv_call b = make_call(KA_RDV_FETCH_LOCAL_ADDR, 1000);
	struct ka_rdv_call c = make_call(KA_RDV_REQUEST_RELAY, 1000);
	struct ka_rdv_call d = make_call(KA_RDV_PUNCH_HOLE, 1001);
	struct ka_call_gate g;

	(void)state;
	ka_call_gate_init(&g, 0);
	assert_int_equal(ka_call_gate_pass(&g, &a, 0), 0);
	assert_int_equal(ka_call_gate_pass(&g, &a, KA_MS(99)), -EALREADY);
	assert_int_equal(ka_call_gate_pass(&g, &b, KA_MS(99)), -EALREADY); /* one memory for both direct ways */
	assert_int_equal(ka_call_gate_pass(&g, &c, KA_MS(99)), 0);	   /* another for relays */
	assert_int_equal(ka_call_gate_pass(&g, &c, KA_MS(99)), -EALREADY);
	assert_int_equal(ka_call_gate_pass(&g, &a, KA_MS(100)), 0);
	assert_int_equal(ka_call_gate_pass(&g, &d, KA_MS(101)), 0);
	assert_int_equal(ka_call_gate_pass(&g, &a, KA_MS(102)), 0); /* only the last one is remembered, as stock does */
}

static void test_gate_bounds_the_rate(void **state)
{
	struct ka_call_gate g;
	unsigned int passed = 0;

	(void)state;
	ka_call_gate_init(&g, 0);
	/* 1000 a second, for ten seconds */
	for (int i = 0; i < 10000; i++) {
		struct ka_rdv_call call = make_call(KA_RDV_PUNCH_HOLE, (uint16_t)(i + 1));

		passed += ka_call_gate_pass(&g, &call, KA_MS(i)) == 0;
	}
	assert_in_range(passed, 58, 60);
	/* Somebody else is not held up by that one. */
	struct ka_rdv_call other = make_call(KA_RDV_PUNCH_HOLE, 1);

	((struct sockaddr_in *)&other.peer)->sin_addr.s_addr = htonl(0x0a000001);
	assert_int_equal(ka_call_gate_pass(&g, &other, KA_MS(10000)), 0);
	/* All together are bounded too. */
	passed = 0;
	for (int i = 0; i < 10000; i++) {
		other.peer.ss_family = AF_INET;
		((struct sockaddr_in *)&other.peer)->sin_addr.s_addr = htonl(0x0b000000 + (uint32_t)i);
		passed += ka_call_gate_pass(&g, &other, KA_MS(20000 + i)) == 0;
	}
	assert_in_range(passed, 235, 240);
}

static void test_lan_limit_per_source_and_in_total(void **state)
{
	struct ka_lan_limit l = {0};
	unsigned int passed = 0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		passed += ka_lan_limit_pass(&l, 1, KA_SEC(1) + i);
	assert_int_equal(passed, KA_LAN_BURST);
	assert_true(ka_lan_limit_pass(&l, 2, KA_SEC(1) + 200));
	for (uint32_t ip = 3; ip < 5000; ip++)
		passed += ka_lan_limit_pass(&l, ip, KA_SEC(1) + 300);
	assert_int_equal(passed, KA_LAN_BURST + KA_LAN_SOURCES - 2);
	assert_true(ka_lan_limit_pass(&l, 1, KA_SEC(2)));
	for (uint32_t ip = 1; ip < 5000; ip++) {
		for (int i = 0; i < 50; i++)
			ka_lan_limit_pass(&l, ip, KA_SEC(2) + 1);
	}
	assert_int_equal(l.total, KA_LAN_TOTAL);
}

static void test_nat_pauses(void **state)
{
	const struct ka_reach_timing t = {.nat_retry_ms = 1000, .nat_retry_max_ms = 300000};
	static const unsigned int want[] = {0, 1000, 3000, 7000, 15000, 31000, 63000, 127000, 255000, 300000, 300000};

	(void)state;
	for (unsigned int i = 0; i < KA_ARRAY_LEN(want); i++)
		assert_int_equal(ka_nat_pause_ms(&t, i), want[i]);
	assert_int_equal(ka_nat_pause_ms(&t, 4000000000u), 300000);
}

static void test_uuid(void **state)
{
	char a[KA_RELAY_UUID_TEXT];
	char b[KA_RELAY_UUID_TEXT];

	(void)state;
	for (int i = 0; i < 100; i++) {
		ka_relay_uuid(a);
		ka_relay_uuid(b);
		assert_string_not_equal(a, b);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_relay_server),
		cmocka_unit_test(test_gate_drops_doubles),
		cmocka_unit_test(test_gate_bounds_the_rate),
		cmocka_unit_test(test_lan_limit_per_source_and_in_total),
		cmocka_unit_test(test_nat_pauses),
		cmocka_unit_test(test_uuid),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
