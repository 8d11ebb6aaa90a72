/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/lockout.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"

static void prefix_of(uint8_t out[static 16], const struct sockaddr_storage *from)
{
	memset(out, 0, 16);
	if (from->ss_family == AF_INET6) {
		const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)from)->sin6_addr;

		memcpy(out, ip6->s6_addr, IN6_IS_ADDR_V4MAPPED(ip6) ? 16 : 8);
		/* Tells the prefix ::/64 (loopback among others) from a free place. */
		if (!IN6_IS_ADDR_V4MAPPED(ip6))
			out[15] = 1;
		return;
	}
	out[10] = out[11] = 0xff;
	memcpy(out + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
}

static int find(const struct ka_lockout *l, const uint8_t prefix[static 16])
{
	for (int i = 0; i < KA_LOCKOUT_SOURCES; i++) {
		if (!memcmp(l->sources[i].prefix, prefix, 16))
			return i;
	}
	return -1;
}

enum ka_lockout_verdict ka_lockout_check(const struct ka_lockout *l, const struct sockaddr_storage *from,
					 int64_t now_us)
{
	uint8_t prefix[16];
	int i;

	prefix_of(prefix, from);
	i = find(l, prefix);
	if (i < 0)
		return KA_LOCKOUT_OPEN;
	if (l->sources[i].total > KA_LOCKOUT_TOTAL)
		return KA_LOCKOUT_CLOSED;
	if (l->sources[i].minute == now_us / KA_SEC(60) && l->sources[i].minute_failures > KA_LOCKOUT_PER_MINUTE)
		return KA_LOCKOUT_MINUTE;
	return KA_LOCKOUT_OPEN;
}

void ka_lockout_fail(struct ka_lockout *l, const struct sockaddr_storage *from, int64_t now_us)
{
	uint8_t prefix[16];
	int at;

	prefix_of(prefix, from);
	at = find(l, prefix);
	if (at < 0) {
		at = 0;
		for (int i = 1; i < KA_LOCKOUT_SOURCES; i++) {
			if (l->sources[i].last_us < l->sources[at].last_us)
				at = i;
		}
		l->sources[at] = (struct ka_lockout_source){.minute = now_us / KA_SEC(60)};
		memcpy(l->sources[at].prefix, prefix, 16);
	}
	if (l->sources[at].minute != now_us / KA_SEC(60)) {
		l->sources[at].minute = now_us / KA_SEC(60);
		l->sources[at].minute_failures = 0;
	}
	l->sources[at].minute_failures++;
	l->sources[at].total++;
	l->sources[at].last_us = now_us;
}

void ka_lockout_success(struct ka_lockout *l, const struct sockaddr_storage *from)
{
	uint8_t prefix[16];
	int i;

	prefix_of(prefix, from);
	i = find(l, prefix);
	if (i >= 0)
		l->sources[i] = (struct ka_lockout_source){0};
}
