/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Failures per source, with the limits and words of stock endpoints: more than 6 from one address in a clock minute,
 * more than 30 in all; from an IPv6 network more than 60 (/64), 80 (/56) or 100 (/48) in all. Beyond stock:
 *
 * - All sources together have 60 failures a minute, so that many addresses do not guess faster than that; but whoever
 *   has logged in from its address before is not held up by what others do, and the limit lasts a minute only.
 * - Addresses of relayed sessions are what a rendezvous server says. They are counted apart from those the kernel saw,
 *   overall too: a server that lies can neither lock a real address out nor pass for a known one.
 * - A source that has not failed for a day is forgotten.
 *
 * Bounded: the source that has been quiet longest goes first. Pure; one owner.
 */
#ifndef KA_LOCKOUT_H
#define KA_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

#define KA_LOCKOUT_PER_MINUTE 6
#define KA_LOCKOUT_TOTAL 30
#define KA_LOCKOUT_OVERALL_PER_MINUTE 60
#define KA_LOCKOUT_FORGET_S 86400
#define KA_LOCKOUT_SOURCES 1024
#define KA_LOCKOUT_KNOWN 64

struct ka_lockout_source {
	uint8_t prefix[16]; /* IPv4 as v4-mapped */
	uint8_t bits;	    /* of prefix that count; 0 = free */
	bool relayed;
	uint32_t minute_failures;
	uint32_t total;
	int64_t minute; /* of the last failure */
	int64_t last_us;
};

struct ka_lockout {
	uint32_t overall_limit; /* 0 = KA_LOCKOUT_OVERALL_PER_MINUTE */
	struct ka_lockout_source sources[KA_LOCKOUT_SOURCES];
	struct {
		int64_t minute;
		uint32_t failures;
	} overall[2]; /* seen by the kernel, relayed */
	struct {
		uint8_t ip[16];
		int64_t last_us;   /* 0 = free */
	} known[KA_LOCKOUT_KNOWN]; /* logged in from here; never relayed ones */
};

enum ka_lockout_verdict {
	KA_LOCKOUT_OPEN,
	KA_LOCKOUT_MINUTE, /* the address, or all together */
	KA_LOCKOUT_CLOSED,
	KA_LOCKOUT_CLOSED_64,
	KA_LOCKOUT_CLOSED_56,
	KA_LOCKOUT_CLOSED_48,
};

/* now_us: ka_clock_us(). */
enum ka_lockout_verdict ka_lockout_check(const struct ka_lockout *l, const struct sockaddr_storage *from, bool relayed,
					 int64_t now_us);
void ka_lockout_fail(struct ka_lockout *l, const struct sockaddr_storage *from, bool relayed, int64_t now_us);
/* The address is forgiven, and so is its part in the networks around it. */
void ka_lockout_success(struct ka_lockout *l, const struct sockaddr_storage *from, bool relayed, int64_t now_us);
/* What controllers are told. */
const char *ka_lockout_words(enum ka_lockout_verdict v);

#endif
