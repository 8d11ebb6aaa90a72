/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rustdesk/wire/addr.h"

static struct sockaddr_storage make(const char *ip, uint16_t port)
{
	struct sockaddr_storage a = {0};

	if (strchr(ip, ':')) {
		a.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, ip, &((struct sockaddr_in6 *)&a)->sin6_addr), 1);
	} else {
		a.ss_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, ip, &((struct sockaddr_in *)&a)->sin_addr), 1);
	}
	ka_addr_set_port(&a, port);
	return a;
}

static const struct {
	const char *ip;
	uint16_t port;
	uint32_t stamp;
	const char *text;
	const char *hex;
} vectors[] = {
	{"127.0.0.1", 8080, 0x12345678, "127.0.0.1:8080", "0876f0ac6824eead6826"},
	{"192.168.16.32", 21116, 0xffffffff, "192.168.16.32:21116", "7b52ffffffff7f51214002"},
	{"203.0.113.77", 65535, 0x0001ffff, "203.0.113.77:65535", "feffffff03009401e69a"},
	{"10.0.0.5", 40000, 0, "10.0.0.5:40000", "409c000000001400000a"},
	{"1.0.0.0", 443, 7, "1.0.0.0:443", "c2010e00000010"},
	{"203.0.113.77", 50123, 0x12345678, "203.0.113.77:50123", "431af1ac682486ae4abf"},
	{"2001:db8::1234", 21118, 5, "[2001:db8::1234]:21118", "20010db80000000000000000000012347e52"},
	{"0.0.0.0", 0, 0, "0.0.0.0:0", ""},
	{"255.255.255.255", 65535, 0xffffffff, "255.255.255.255:65535", "fefffffffffffdffffff03"},
};

static void test_encode_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(vectors); i++) {
		struct sockaddr_storage a = make(vectors[i].ip, vectors[i].port);
		uint8_t out[KA_ADDR_BYTES];
		char hex[2 * KA_ADDR_BYTES + 1];
		char text[KA_ADDR_TEXT];

		ka_hex_encode(hex, out, ka_addr_encode(out, &a, vectors[i].stamp));
		assert_string_equal(hex, vectors[i].hex);
		assert_string_equal(ka_addr_text(text, &a), vectors[i].text);
	}
}

static void test_decode_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(vectors); i++) {
		struct sockaddr_storage a;
		uint8_t data[KA_ADDR_BYTES];
		size_t len = strlen(vectors[i].hex) / 2;
		char text[KA_ADDR_TEXT];

		assert_int_equal(ka_hex_decode(data, len, vectors[i].hex), 0);
		assert_int_equal(ka_addr_decode(&a, data, len), 0);
		assert_string_equal(ka_addr_text(text, &a), vectors[i].text);
	}
}

static void test_decode_lengths(void **state)
{
	uint8_t data[64];
	struct sockaddr_storage a;

	(void)state;
	memset(data, 0xff, sizeof(data));
	for (size_t len = 0; len <= sizeof(data); len++)
		assert_int_equal(ka_addr_decode(&a, data, len), len > 16 && len != 18 ? -EINVAL : 0);
	assert_int_equal(ka_addr_decode(&a, NULL, 0), 0);
	assert_int_equal(a.ss_family, AF_INET);
	assert_int_equal(ka_addr_port(&a), 0);
}

static void test_round_trip_any_stamp(void **state)
{
	static const uint32_t stamps[] = {0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	static const char *const ips[] = {"0.0.0.1", "1.2.3.4", "128.0.0.0", "255.255.255.254", "10.0.0.0"};
	static const uint16_t ports[] = {1, 255, 256, 32768, 65535};

	(void)state;
	for (size_t s = 0; s < KA_ARRAY_LEN(stamps); s++) {
		for (size_t i = 0; i < KA_ARRAY_LEN(ips) * KA_ARRAY_LEN(ports); i++) {
			struct sockaddr_storage a = make(ips[i / 5], ports[i % 5]);
			struct sockaddr_storage b;
			uint8_t out[KA_ADDR_BYTES];
			size_t len = ka_addr_encode(out, &a, stamps[s]);

			assert_in_range(len, 0, 16);
			assert_int_equal(ka_addr_decode(&b, out, len), 0);
			assert_true(ka_addr_same_host(&a, &b));
			assert_int_equal(ka_addr_port(&a), ka_addr_port(&b));
		}
	}
}

static void test_embedded_ip4_is_written_as_ip4(void **state)
{
	struct sockaddr_storage v4 = make("192.0.2.7", 1234);
	struct sockaddr_storage mapped = make("::ffff:192.0.2.7", 1234);
	struct sockaddr_storage compatible = make("::192.0.2.7", 1234);
	struct sockaddr_storage loopback = make("::1", 1234);
	uint8_t want[KA_ADDR_BYTES];
	uint8_t got[KA_ADDR_BYTES];
	size_t len = ka_addr_encode(want, &v4, 77);

	(void)state;
	assert_int_equal(ka_addr_encode(got, &mapped, 77), len);
	assert_memory_equal(got, want, len);
	assert_int_equal(ka_addr_encode(got, &compatible, 77), len);
	assert_memory_equal(got, want, len);
	assert_int_equal(ka_addr_encode(got, &loopback, 77), 18);
}

static void test_same_host(void **state)
{
	struct sockaddr_storage v4 = make("192.0.2.7", 1);
	struct sockaddr_storage mapped = make("::ffff:192.0.2.7", 2);
	struct sockaddr_storage other = make("192.0.2.8", 1);
	struct sockaddr_storage v6 = make("2001:db8::1", 1);
	char text[KA_ADDR_TEXT];

	(void)state;
	assert_true(ka_addr_same_host(&v4, &mapped));
	assert_false(ka_addr_same_host(&v4, &other));
	assert_false(ka_addr_same_host(&v4, &v6));
	assert_true(ka_addr_same_host(&v6, &v6));
	assert_string_equal(ka_addr_text(text, &mapped), "192.0.2.7:2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode_vectors),
		cmocka_unit_test(test_decode_vectors),
		cmocka_unit_test(test_decode_lengths),
		cmocka_unit_test(test_round_trip_any_stamp),
		cmocka_unit_test(test_embedded_ip4_is_written_as_ip4),
		cmocka_unit_test(test_same_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
