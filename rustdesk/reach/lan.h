/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers to "who is there" on the LAN (UDP): our id, for neighbours only. A ping from outside the subnets of our
 * interfaces, or too many from one source, stay unanswered: the source may be forged. Owner: ka-net.
 */
#ifndef KA_LAN_H
#define KA_LAN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "rustdesk/reach/reach_env.h"

#define KA_LAN_SOURCES 16
#define KA_LAN_BURST 16	 /* pings of one source within KA_LAN_WINDOW_US: clients send one per own address */
#define KA_LAN_TOTAL 128 /* likewise of all sources */
#define KA_LAN_WINDOW_US 1000000

/* Who asked lately. Pure. */
struct ka_lan_limit {
	struct {
		uint32_t ip;
		unsigned int count;
	} sources[KA_LAN_SOURCES];
	unsigned int n;
	unsigned int total;
	int64_t since_us;
};
bool ka_lan_limit_pass(struct ka_lan_limit *l, uint32_t ip, int64_t now_us);

struct ka_lan;

/* Binds env->rd->lan_port. */
int ka_lan_new(struct ka_lan **out, const struct ka_reach_env *env) KA_MUST_USE;
/* The handle closes itself on the loop. NULL is fine. */
void ka_lan_free(struct ka_lan *l);

#endif
