/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Wrong passwords per source: more than 6 in one clock minute or more than 30 in all lock the source out, as stock
 * endpoints do. IPv4 by address, IPv6 by /64. Bounded: the source that has been quiet longest is forgotten first.
 * Pure; one owner.
 */
#ifndef KA_LOCKOUT_H
#define KA_LOCKOUT_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

#define KA_LOCKOUT_PER_MINUTE 6
#define KA_LOCKOUT_TOTAL 30
#define KA_LOCKOUT_SOURCES 512

struct ka_lockout_source {
	uint8_t prefix[16]; /* v4-mapped or the /64; all zero = free */
	uint32_t minute_failures;
	uint32_t total;
	int64_t minute; /* of the last failure */
	int64_t last_us;
};

struct ka_lockout {
	struct ka_lockout_source sources[KA_LOCKOUT_SOURCES];
};

enum ka_lockout_verdict { KA_LOCKOUT_OPEN, KA_LOCKOUT_MINUTE, KA_LOCKOUT_CLOSED };

/* now_us: ka_clock_us(). */
enum ka_lockout_verdict ka_lockout_check(const struct ka_lockout *l, const struct sockaddr_storage *from,
					 int64_t now_us);
void ka_lockout_fail(struct ka_lockout *l, const struct sockaddr_storage *from, int64_t now_us);
void ka_lockout_success(struct ka_lockout *l, const struct sockaddr_storage *from);

#endif
