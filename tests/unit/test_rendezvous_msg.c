/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/rendezvous.pb-c.h"
#include "rustdesk/reach/rendezvous_msg.h"

#define PEER "0a0a431af1ac682486ae4abf"			     /* socket_addr = 203.0.113.77:50123, as field 1 */
#define RELAY "686262732e6578616d706c652e636f6d3a3231313137" /* hbbs.example.com:21117 */

static struct ka_pb pb;

static int setup(void **state)
{
	(void)state;
	ka_pb_init(&pb, KA_RDV_BUDGET);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ka_pb_fini(&pb);
	return 0;
}

static int read_hex(struct ka_rdv_in *in, const char *hex)
{
	uint8_t data[4096];
	size_t len = strlen(hex) / 2;

	assert_int_equal(ka_hex_decode(data, len, hex), 0);
	return ka_rdv_read(&pb, in, data, len);
}

static void assert_hex(const struct ka_rdv_buf *b, const char *hex)
{
	char text[2 * KA_RDV_MSG_MAX + 1];

	ka_hex_encode(text, b->data, b->len);
	assert_string_equal(text, hex);
}

static struct ka_rdv_call call_from(const char *hex)
{
	struct ka_rdv_in in;

	assert_int_equal(read_hex(&in, hex), 0);
	return in.call;
}

static void test_read_samples(void **state)
{
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(read_hex(&in, "3a00"), 0);
	assert_int_equal(in.kind, KA_RDV_REGISTER_PEER_RESPONSE);
	assert_false(in.request_pk);
	assert_int_equal(read_hex(&in, "3a021001"), 0);
	assert_true(in.request_pk);
	assert_int_equal(read_hex(&in, "820100"), 0);
	assert_int_equal(in.kind, KA_RDV_REGISTER_PK_RESPONSE);
	assert_int_equal(in.pk_result, KA_RDV_OK);
	assert_int_equal(read_hex(&in, "8201020802"), 0);
	assert_int_equal(in.pk_result, KA_RDV_UUID_MISMATCH);
	assert_string_equal(ka_rdv_result_name(in.pk_result), "UUID_MISMATCH");
}

static void test_read_unknown_result_is_kept(void **state)
{
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(read_hex(&in, "8201020863"), 0);
	assert_int_equal(in.pk_result, 99);
	assert_string_equal(ka_rdv_result_name(99), "?");
	assert_string_equal(ka_rdv_result_name(1), "?");
	assert_string_equal(ka_rdv_result_name(-1), "?");
}

static void test_read_foreign_messages_are_other(void **state)
{
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(read_hex(&in, ""), 0); /* an empty message */
	assert_int_equal(in.kind, KA_RDV_OTHER);
	assert_int_equal(read_hex(&in, "320d0a093132333435363738391003"), 0); /* RegisterPeer */
	assert_int_equal(in.kind, KA_RDV_OTHER);
	assert_int_equal(read_hex(&in, "ca0100"), 0); /* KeyExchange, a member we do not know */
	assert_int_equal(in.kind, KA_RDV_OTHER);
}

static void test_read_punch_hole(void **state)
{
	char text[KA_ADDR_TEXT];
	/* nat_type 2, relay_server, and fields we do not know: control_permissions, controlled_context */
	struct ka_rdv_call call = call_from("4a2a" PEER "1216" RELAY "180242020801");

	(void)state;
	assert_int_equal(call.kind, KA_RDV_PUNCH_HOLE);
	assert_string_equal(ka_addr_text(text, &call.peer), "203.0.113.77:50123");
	assert_int_equal(call.socket_addr_len, 10);
	assert_string_equal(call.relay_server, "hbbs.example.com:21117");
	assert_int_equal(call.nat, KA_NAT_SYMMETRIC);
	assert_false(call.force_relay);
	assert_true(call.secure);
	assert_true(call_from("4a0e" PEER "2801").force_relay);
}

static void test_read_fetch_local_addr(void **state)
{
	struct ka_rdv_call call = call_from("620c" PEER);

	(void)state;
	assert_int_equal(call.kind, KA_RDV_FETCH_LOCAL_ADDR);
	assert_string_equal(call.relay_server, "");
	assert_true(call.secure);
}

static void test_read_request_relay(void **state)
{
	struct ka_rdv_in in;
	/* uuid "abc", socket_addr (field 3), secure */
	struct ka_rdv_call call = call_from("920113"
					    "1203616263"
					    "1a0a431af1ac682486ae4abf"
					    "2801");

	(void)state;
	assert_int_equal(call.kind, KA_RDV_REQUEST_RELAY);
	assert_string_equal(call.uuid, "abc");
	assert_true(call.secure);
	call = call_from("920111"
			 "1203616263"
			 "1a0a431af1ac682486ae4abf");
	assert_false(call.secure);
	/* no uuid */
	assert_int_equal(read_hex(&in, "92010c"
				       "1a0a431af1ac682486ae4abf"),
			 -KA_E_PEER);
}

static void test_read_refuses_odd_addresses(void **state)
{
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(read_hex(&in, "4a00"), -KA_E_PEER);					   /* none */
	assert_int_equal(read_hex(&in, "4a130a1100112233445566778899aabbccddeeff00"), -KA_E_PEER); /* 17 bytes */
	/* [ff02::1]:80, [::]:80 */
	assert_int_equal(read_hex(&in, "4a140a12ff0200000000000000000000000000015000"), -KA_E_PEER);
	assert_int_equal(read_hex(&in, "4a140a12000000000000000000000000000000005000"), -KA_E_PEER);
	assert_int_equal(read_hex(&in, "4a140a1220010db80000000000000000000012347e52"), 0);
	assert_int_equal(in.call.peer.ss_family, AF_INET6);
	assert_int_equal(ka_addr_port(&in.call.peer), 21118);
}

static void put_addr(struct ka_rdv_buf *b, const char *ip, uint16_t port)
{
	Rdv__FetchLocalAddr m;
	Rdv__Envelope e;
	struct sockaddr_storage a = {.ss_family = AF_INET};
	uint8_t mangled[KA_ADDR_BYTES];

	rdv__fetch_local_addr__init(&m);
	rdv__envelope__init(&e);
	inet_pton(AF_INET, ip, &((struct sockaddr_in *)&a)->sin_addr);
	ka_addr_set_port(&a, port);
	m.socket_addr.data = mangled;
	m.socket_addr.len = ka_addr_encode(mangled, &a, 99);
	e.union_case = RDV__ENVELOPE__UNION_FETCH_LOCAL_ADDR;
	e.fetch_local_addr = &m;
	b->len = rdv__envelope__pack(&e, b->data);
}

static void test_read_refuses_addresses_one_cannot_connect_to(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		int want;
	} cases[] = {
		{"10.0.0.1", 40000, 0},		  {"10.0.0.1", 0, -KA_E_PEER},
		{"0.0.0.0", 40000, -KA_E_PEER},	  {"0.1.2.3", 40000, -KA_E_PEER},
		{"224.0.0.1", 40000, -KA_E_PEER}, {"239.255.255.255", 40000, -KA_E_PEER},
		{"240.0.0.1", 40000, -KA_E_PEER}, {"255.255.255.255", 40000, -KA_E_PEER},
		{"223.255.255.255", 65535, 0},
	};
	struct ka_rdv_buf b;
	struct ka_rdv_in in;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(cases); i++) {
		put_addr(&b, cases[i].ip, cases[i].port);
		assert_int_equal(ka_rdv_read(&pb, &in, b.data, b.len), cases[i].want);
	}
}

static int read_relay_request(const char *uuid, size_t uuid_len, const char *relay)
{
	static uint8_t addr[] = {0x43, 0x1a, 0xf1, 0xac, 0x68, 0x24, 0x86, 0xae, 0x4a, 0xbf};
	Rdv__RequestRelay m;
	Rdv__Envelope e;
	char u[4096] = "";
	char r[4096];
	uint8_t out[8192];
	struct ka_rdv_in in;

	rdv__request_relay__init(&m);
	rdv__envelope__init(&e);
	memcpy(u, uuid, uuid_len);
	ka_str_copy(r, sizeof(r), relay);
	m.uuid = u;
	m.relay_server = r;
	m.socket_addr.data = addr;
	m.socket_addr.len = sizeof(addr);
	e.union_case = RDV__ENVELOPE__UNION_REQUEST_RELAY;
	e.request_relay = &m;
	return ka_rdv_read(&pb, &in, out, rdv__envelope__pack(&e, out));
}

static void test_read_refuses_odd_texts(void **state)
{
	char text[1001];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[1000] = '\0';
	assert_int_equal(read_relay_request(text, KA_RDV_UUID_MAX, "relay.example"), 0);
	assert_int_equal(read_relay_request(text, KA_RDV_UUID_MAX + 1, "relay.example"), -KA_E_PEER);
	assert_int_equal(read_relay_request("a b", 3, "relay.example"), -KA_E_PEER);
	assert_int_equal(read_relay_request("a\nb", 3, "relay.example"), -KA_E_PEER);
	assert_int_equal(read_relay_request("abc", 3, "[2001:db8::1]:21117"), 0);
	assert_int_equal(read_relay_request("abc", 3, "relay\"example"), -KA_E_PEER);
	assert_int_equal(read_relay_request("abc", 3, "relay example"), -KA_E_PEER);
	assert_int_equal(read_relay_request("abc", 3, "relay\xc3\xa4"), -KA_E_PEER);
	assert_int_equal(read_relay_request("abc", 3, text), -KA_E_PEER);
	text[KA_RDV_HOST_MAX] = '\0';
	assert_int_equal(read_relay_request("abc", 3, text), 0);
}

static void test_read_every_truncation_is_harmless(void **state)
{
	uint8_t data[64];
	struct ka_rdv_in in;
	const char *hex = "4a2a" PEER "1216" RELAY "180242020801";
	size_t len = strlen(hex) / 2;

	(void)state;
	assert_int_equal(ka_hex_decode(data, len, hex), 0);
	for (size_t n = 1; n < len; n++)
		assert_int_equal(ka_rdv_read(&pb, &in, data, n), -KA_E_PEER);
	assert_int_equal(ka_rdv_read(&pb, &in, data, len), 0);
}

static void test_read_refuses_more_than_a_message(void **state)
{
	uint8_t data[KA_RDV_READ_MAX + 1] = {0};
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(ka_rdv_read(&pb, &in, data, sizeof(data)), -KA_E_PEER);
	/* ConfigureUpdate with very many empty names: small on the wire, large in memory. */
	data[0] = 0x72;
	data[1] = 0xfa;
	data[2] = 0x0f;
	for (size_t i = 3; i + 1 < KA_RDV_READ_MAX; i += 2)
		data[i] = 0x12;
	assert_int_equal(ka_rdv_read(&pb, &in, data, 3 + 2042), -KA_E_PEER);
}

static void test_read_nat_and_configuration(void **state)
{
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(read_hex(&in, "aa010408cb8703"), 0);
	assert_int_equal(in.kind, KA_RDV_TEST_NAT_RESPONSE);
	assert_int_equal(in.test.port, 50123);
	assert_int_equal(in.test.serial, 0);
	assert_int_equal(read_hex(&in, "aa010808cb870312020807"), 0);
	assert_int_equal(in.test.serial, 7);
	assert_int_equal(read_hex(&in, "720508091201"
				       "61"),
			 0);
	assert_int_equal(in.kind, KA_RDV_CONFIGURE_UPDATE);
	assert_int_equal(in.test.serial, 9);
}

static void test_read_ping(void **state)
{
	struct ka_rdv_in in;

	(void)state;
	assert_int_equal(read_hex(&in, "b201060a0470696e67"), 0);
	assert_int_equal(in.kind, KA_RDV_DISCOVERY);
	assert_true(in.discovery.ping);
	assert_string_equal(in.discovery.id, "");
	assert_int_equal(read_hex(&in, "b201090a0470696e671a0141"), 0);
	assert_string_equal(in.discovery.id, "A");
	assert_int_equal(read_hex(&in, "b201060a04706f6e67"), 0);
	assert_false(in.discovery.ping);
}

static void test_build_samples(void **state)
{
	struct ka_rdv_call call = call_from("620c" PEER);
	struct sockaddr_storage local = {.ss_family = AF_INET};
	const char *relay = "hbbs.example.com:21117";
	struct ka_rdv_buf b;

	(void)state;
	assert_int_equal(ka_rdv_register_peer(&b, "123456789", 3), 0);
	assert_hex(&b, "320d0a093132333435363738391003");
	assert_int_equal(ka_rdv_register_peer(&b, "", 0), 0);
	assert_hex(&b, "3200");
	assert_int_equal(ka_rdv_punch_hole_sent(&b, &call, "123456789", relay, KA_NAT_ASYMMETRIC, "1.4.5"), 0);
	assert_hex(&b, "5238" PEER "12093132333435363738391a16" RELAY "20012a05312e342e35");
	inet_pton(AF_INET, "192.168.1.50", &((struct sockaddr_in *)&local)->sin_addr);
	ka_addr_set_port(&local, 41000);
	assert_int_equal(ka_rdv_local_addr(&b, &call, &local, 0x12345679, "123456789", relay, "1.4.5"), 0);
	assert_hex(&b, "6a42" PEER "120aa1f6f2ac682472fe6b881a16" RELAY "22093132333435363738392a05312e342e35");
	assert_int_equal(ka_rdv_relay_accept(&b, &call, "1.4.5"), 0);
	assert_hex(&b, "9a0113" PEER "3a05312e342e35");
}

static void test_build_register_pk(void **state)
{
	static const uint8_t uuid[2] = {0xab, 0xcd};
	static const uint8_t pk[32] = {0x11};
	struct ka_rdv_buf b;

	(void)state;
	assert_int_equal(ka_rdv_register_pk(&b, "123456789", uuid, sizeof(uuid), pk), 0);
	assert_int_equal(b.len, 2 + 11 + 4 + 34);
	assert_memory_equal(b.data,
			    "\x7a\x31\x0a\x09"
			    "123456789\x12\x02\xab\xcd\x1a\x20\x11\x00",
			    21);
}

static void test_build_relay_offer(void **state)
{
	struct ka_rdv_call call = call_from("620c" PEER);
	struct ka_rdv_buf b;

	(void)state;
	assert_int_equal(ka_rdv_relay_offer(&b, &call, "u", "r", "123456789", "1.4.5"), 0);
	assert_hex(&b, "9a0124" PEER "1201751a01722209313233343536373839"
		       "3a05312e342e35");
}

static void test_build_request_relay_framed(void **state)
{
	const char *uuid = "0f0e0d0c-0b0a-4908-8706-050403020100";
	const char *key = "OeVuKk5nlHiXp+APNn0Y3pC1Iwpwn44JGqrQCsWqmBw=";
	struct ka_rdv_buf b;

	(void)state;
	assert_int_equal(ka_rdv_request_relay(&b, uuid, key), 0);
	assert_int_equal(ka_rdv_frame(&b), 0);
	assert_int_equal(b.len, 2 + 3 + 0x54);
	assert_memory_equal(b.data, "\x5d\x01\x92\x01\x54\x12\x24", 7);
	assert_memory_equal(b.data + 7, uuid, 36);
	assert_memory_equal(b.data + 43, "\x32\x2c", 2);
	assert_memory_equal(b.data + 45, key, 44);
	/* without a key the member is left out */
	assert_int_equal(ka_rdv_request_relay(&b, uuid, ""), 0);
	assert_int_equal(b.len, 3 + 38);
}

static void test_build_pong(void **state)
{
	const struct ka_rdv_pong pong = {.mac = "aa:bb:cc:dd:ee:ff",
					 .id = "123456789",
					 .username = "root",
					 .hostname = "kvm",
					 .platform = "Linux"};
	struct ka_rdv_buf b;

	(void)state;
	assert_int_equal(ka_rdv_pong(&b, &pong), 0);
	assert_hex(&b,
		   "b201360a04706f6e67121161613a62623a63633a64643a65653a66661a093132333435363738392204726f6f742a036b76"
		   "6d32054c696e7578");
}

static void test_build_test_nat(void **state)
{
	struct ka_rdv_buf b;

	(void)state;
	assert_int_equal(ka_rdv_test_nat(&b, 3), 0);
	assert_hex(&b, "a201020803");
	assert_int_equal(ka_rdv_frame(&b), 0);
	assert_hex(&b, "14a201020803");
}

static void test_build_too_long_is_refused(void **state)
{
	char text[KA_RDV_MSG_MAX + 1];
	struct ka_rdv_buf b;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[KA_RDV_MSG_MAX] = '\0';
	assert_int_equal(ka_rdv_register_peer(&b, text, 3), -KA_E_TOO_BIG);
	/* The longest that fits also takes its frame. */
	text[KA_RDV_MSG_MAX - 4 - 3 - 3 - 2] = '\0';
	assert_int_equal(ka_rdv_register_peer(&b, text, 3), 0);
	assert_int_equal(b.len, KA_RDV_MSG_MAX - 4);
	assert_int_equal(ka_rdv_frame(&b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_samples),
		cmocka_unit_test(test_read_unknown_result_is_kept),
		cmocka_unit_test(test_read_foreign_messages_are_other),
		cmocka_unit_test(test_read_punch_hole),
		cmocka_unit_test(test_read_fetch_local_addr),
		cmocka_unit_test(test_read_request_relay),
		cmocka_unit_test(test_read_refuses_odd_addresses),
		cmocka_unit_test(test_read_refuses_addresses_one_cannot_connect_to),
		cmocka_unit_test(test_read_refuses_odd_texts),
		cmocka_unit_test(test_read_every_truncation_is_harmless),
		cmocka_unit_test(test_read_refuses_more_than_a_message),
		cmocka_unit_test(test_read_nat_and_configuration),
		cmocka_unit_test(test_read_ping),
		cmocka_unit_test(test_build_samples),
		cmocka_unit_test(test_build_register_pk),
		cmocka_unit_test(test_build_relay_offer),
		cmocka_unit_test(test_build_request_relay_framed),
		cmocka_unit_test(test_build_pong),
		cmocka_unit_test(test_build_test_nat),
		cmocka_unit_test(test_build_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
