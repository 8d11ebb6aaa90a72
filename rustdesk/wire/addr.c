/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/wire/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

static uint32_t ip4_le(const struct in_addr *ip)
{
	struct ka_span s = ka_span_make(ip, 4);

	return (uint32_t)ka_span_le(&s, 4);
}

/* The IPv4 address inside an IPv6 one, if any: ::ffff:a.b.c.d, or ::a.b.c.d other than :: and ::1. */
static bool embedded_ip4(const struct in6_addr *ip6, struct in_addr *ip)
{
	if (!IN6_IS_ADDR_V4MAPPED(ip6) && !IN6_IS_ADDR_V4COMPAT(ip6))
		return false;
	memcpy(ip, &ip6->s6_addr[12], 4);
	return true;
}

/* The mangled number has 82 bits: 17 of the port, 32 of the stamp, 33 of the address. In two halves, because 32-bit
 * machines have no integer that takes it. */
static size_t encode_ip4(uint8_t *out, const struct in_addr *ip, uint16_t port, uint32_t stamp)
{
	uint64_t mixed = (uint64_t)ip4_le(ip) + stamp;
	uint64_t low = mixed << 49 | (uint64_t)stamp << 17 | ((uint32_t)port + (stamp & 0xffff));
	uint64_t high = mixed >> 15;
	size_t len = 0;

	for (size_t i = 0; i < 16; i++) {
		out[i] = (uint8_t)((i < 8 ? low : high) >> (8 * (i % 8)));
		if (out[i])
			len = i + 1;
	}
	return len;
}

size_t ka_addr_encode(uint8_t out[static KA_ADDR_BYTES], const struct sockaddr_storage *addr, uint32_t stamp)
{
	uint16_t port = ka_addr_port(addr);
	struct in_addr ip;

	if (addr->ss_family == AF_INET)
		return encode_ip4(out, &((const struct sockaddr_in *)addr)->sin_addr, port, stamp);
	const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;

	if (embedded_ip4(ip6, &ip))
		return encode_ip4(out, &ip, port, stamp);
	memcpy(out, ip6->s6_addr, 16);
	out[16] = (uint8_t)port;
	out[17] = (uint8_t)(port >> 8);
	return 18;
}

int ka_addr_decode(struct sockaddr_storage *out, const uint8_t *data, size_t len)
{
	struct ka_span s = ka_span_make(data, len);

	memset(out, 0, sizeof(*out));
	if (len == 18) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		memcpy(in6->sin6_addr.s6_addr, ka_span_take(&s, 16), 16);
		in6->sin6_port = htons((uint16_t)ka_span_le(&s, 2));
		return 0;
	}
	if (len > 16)
		return -EINVAL;

	struct sockaddr_in *in = (struct sockaddr_in *)out;
	uint64_t low = ka_span_le(&s, KA_MIN(len, (size_t)8));
	uint64_t high = len > 8 ? ka_span_le(&s, len - 8) : 0;
	uint32_t stamp = (uint32_t)(low >> 17);
	uint32_t ip = (uint32_t)(high << 15 | low >> 49) - stamp;
	uint8_t octets[4] = {(uint8_t)ip, (uint8_t)(ip >> 8), (uint8_t)(ip >> 16), (uint8_t)(ip >> 24)};

	in->sin_family = AF_INET;
	memcpy(&in->sin_addr, octets, 4);
	in->sin_port = htons((uint16_t)((uint32_t)(low & 0xffffff) - (stamp & 0xffff)));
	return 0;
}

uint16_t ka_addr_port(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)addr)->sin_port);
	return addr->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)addr)->sin6_port) : 0;
}

void ka_addr_set_port(struct sockaddr_storage *addr, uint16_t port)
{
	if (addr->ss_family == AF_INET)
		((struct sockaddr_in *)addr)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
}

socklen_t ka_addr_len(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static void to_ip6(uint8_t out[static 16], const struct sockaddr_storage *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->ss_family == AF_INET6) {
		memcpy(out, ((const struct sockaddr_in6 *)a)->sin6_addr.s6_addr, 16);
		return;
	}
	memcpy(out, mapped, 12);
	memcpy(out + 12, &((const struct sockaddr_in *)a)->sin_addr, 4);
}

int ka_addr_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	uint8_t x[16];
	uint8_t y[16];

	to_ip6(x, a);
	to_ip6(y, b);
	return !memcmp(x, y, 16);
}

int ka_addr_is_own(const struct sockaddr_storage *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t x[16];

	to_ip6(x, a);
	if (!memcmp(x, mapped, sizeof(mapped)))
		return x[12] == 127 || x[12] == 0 || (x[12] == 169 && x[13] == 254);
	return IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)x) ||
	       (x[0] == 0xfe && (x[1] & 0xc0) == 0x80);
}

int ka_addr_same_network(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t x[16];
	uint8_t y[16];

	to_ip6(x, a);
	to_ip6(y, b);
	return !memcmp(x, y, memcmp(x, mapped, sizeof(mapped)) ? 8 : 16);
}

const char *ka_addr_text(char dst[static KA_ADDR_TEXT], const struct sockaddr_storage *addr)
{
	char host[INET6_ADDRSTRLEN] = "?";
	struct in_addr ip;

	if (addr->ss_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)addr)->sin_addr, host, sizeof(host));
	} else if (addr->ss_family == AF_INET6) {
		const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)addr)->sin6_addr;

		if (!IN6_IS_ADDR_V4MAPPED(ip6)) {
			inet_ntop(AF_INET6, ip6, host, sizeof(host));
			snprintf(dst, KA_ADDR_TEXT, "[%s]:%u", host, ka_addr_port(addr));
			return dst;
		}
		memcpy(&ip, &ip6->s6_addr[12], 4);
		inet_ntop(AF_INET, &ip, host, sizeof(host));
	}
	snprintf(dst, KA_ADDR_TEXT, "%s:%u", host, ka_addr_port(addr));
	return dst;
}
