/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/lockout.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"

static const struct {
	uint8_t bits;
	uint32_t total;
	enum ka_lockout_verdict verdict;
} levels[] = {
	{128, KA_LOCKOUT_TOTAL, KA_LOCKOUT_CLOSED},
	{64, 60, KA_LOCKOUT_CLOSED_64},
	{56, 80, KA_LOCKOUT_CLOSED_56},
	{48, 100, KA_LOCKOUT_CLOSED_48},
};

/* Returns how many of the levels count: networks do for IPv6 only. */
static size_t read_ip(uint8_t ip[static 16], const struct sockaddr_storage *from)
{
	memset(ip, 0, 16);
	if (from->ss_family == AF_INET6) {
		const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)from)->sin6_addr;

		memcpy(ip, ip6->s6_addr, 16);
		return IN6_IS_ADDR_V4MAPPED(ip6) ? 1 : KA_ARRAY_LEN(levels);
	}
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	return 1;
}

static void cut(uint8_t prefix[static 16], const uint8_t ip[static 16], uint8_t bits)
{
	memset(prefix, 0, 16);
	memcpy(prefix, ip, bits / 8);
}

static int find(const struct ka_lockout *l, const uint8_t ip[static 16], uint8_t bits, bool relayed)
{
	uint8_t prefix[16];

	cut(prefix, ip, bits);
	for (int i = 0; i < KA_LOCKOUT_SOURCES; i++) {
		const struct ka_lockout_source *s = &l->sources[i];

		if (s->bits == bits && s->relayed == relayed && !memcmp(s->prefix, prefix, 16))
			return i;
	}
	return -1;
}

static bool is_known(const struct ka_lockout *l, const uint8_t ip[static 16], bool relayed)
{
	for (size_t i = 0; !relayed && i < KA_LOCKOUT_KNOWN; i++) {
		if (l->known[i].last_us && !memcmp(l->known[i].ip, ip, 16))
			return true;
	}
	return false;
}

enum ka_lockout_verdict ka_lockout_check(const struct ka_lockout *l, const struct sockaddr_storage *from, bool relayed,
					 int64_t now_us)
{
	uint32_t overall_limit = l->overall_limit ? l->overall_limit : KA_LOCKOUT_OVERALL_PER_MINUTE;
	int64_t minute = now_us / KA_SEC(60);
	uint8_t ip[16];
	size_t n = read_ip(ip, from);

	for (size_t level = n; level-- > 0;) {
		int i = find(l, ip, levels[level].bits, relayed);
		const struct ka_lockout_source *s = i < 0 ? NULL : &l->sources[i];

		if (!s || now_us - s->last_us > KA_SEC(KA_LOCKOUT_FORGET_S))
			continue;
		if (s->total > levels[level].total)
			return levels[level].verdict;
		if (!level && s->minute == minute && s->minute_failures > KA_LOCKOUT_PER_MINUTE)
			return KA_LOCKOUT_MINUTE;
	}
	if (l->overall[relayed].minute == minute && l->overall[relayed].failures >= overall_limit &&
	    !is_known(l, ip, relayed))
		return KA_LOCKOUT_MINUTE;
	return KA_LOCKOUT_OPEN;
}

/* The quietest place; free ones have been quiet for ever. */
static struct ka_lockout_source *take_place(struct ka_lockout *l)
{
	struct ka_lockout_source *best = &l->sources[0];

	for (int i = 0; i < KA_LOCKOUT_SOURCES; i++) {
		if (!l->sources[i].bits)
			return &l->sources[i];
		if (l->sources[i].last_us < best->last_us)
			best = &l->sources[i];
	}
	return best;
}

static void count(struct ka_lockout *l, const uint8_t ip[static 16], uint8_t bits, bool relayed, int64_t now_us)
{
	int64_t minute = now_us / KA_SEC(60);
	int at = find(l, ip, bits, relayed);
	struct ka_lockout_source *s = at < 0 ? take_place(l) : &l->sources[at];

	if (at < 0 || now_us - s->last_us > KA_SEC(KA_LOCKOUT_FORGET_S)) {
		*s = (struct ka_lockout_source){.bits = bits, .relayed = relayed};
		cut(s->prefix, ip, bits);
	}
	if (s->minute != minute) {
		s->minute = minute;
		s->minute_failures = 0;
	}
	s->minute_failures++;
	s->total++;
	s->last_us = now_us;
}

void ka_lockout_fail(struct ka_lockout *l, const struct sockaddr_storage *from, bool relayed, int64_t now_us)
{
	int64_t minute = now_us / KA_SEC(60);
	uint8_t ip[16];
	size_t n = read_ip(ip, from);

	for (size_t level = 0; level < n; level++)
		count(l, ip, levels[level].bits, relayed, now_us);
	if (l->overall[relayed].minute != minute) {
		l->overall[relayed].minute = minute;
		l->overall[relayed].failures = 0;
	}
	l->overall[relayed].failures++;
}

static void remember(struct ka_lockout *l, const uint8_t ip[static 16], int64_t now_us)
{
	size_t at = 0;

	for (size_t i = 0; i < KA_LOCKOUT_KNOWN; i++) {
		if (l->known[i].last_us && !memcmp(l->known[i].ip, ip, 16)) {
			at = i;
			break;
		}
		if (l->known[i].last_us < l->known[at].last_us)
			at = i;
	}
	memcpy(l->known[at].ip, ip, 16);
	l->known[at].last_us = KA_MAX(now_us, (int64_t)1);
}

void ka_lockout_success(struct ka_lockout *l, const struct sockaddr_storage *from, bool relayed, int64_t now_us)
{
	uint8_t ip[16];
	size_t n = read_ip(ip, from);
	int at = find(l, ip, levels[0].bits, relayed);
	uint32_t own = at < 0 ? 0 : l->sources[at].total;

	for (size_t level = 1; level < n; level++) {
		int i = find(l, ip, levels[level].bits, relayed);

		if (i >= 0)
			l->sources[i].total -= KA_MIN(own, l->sources[i].total);
	}
	if (at >= 0)
		l->sources[at] = (struct ka_lockout_source){0};
	if (!relayed)
		remember(l, ip, now_us);
}

const char *ka_lockout_words(enum ka_lockout_verdict v)
{
	switch (v) {
	case KA_LOCKOUT_OPEN:
		break;
	case KA_LOCKOUT_MINUTE:
		return "Please try 1 minute later";
	case KA_LOCKOUT_CLOSED:
		return "Too many wrong attempts";
	case KA_LOCKOUT_CLOSED_64:
		return "Too many wrong attempts for IPv6 prefix /64";
	case KA_LOCKOUT_CLOSED_56:
		return "Too many wrong attempts for IPv6 prefix /56";
	case KA_LOCKOUT_CLOSED_48:
		return "Too many wrong attempts for IPv6 prefix /48";
	}
	return "";
}
