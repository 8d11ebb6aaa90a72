/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which calls are served, and how. Pure: takes a clock. */
#ifndef KA_CALL_RULES_H
#define KA_CALL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "rustdesk/reach/rendezvous_msg.h"

enum ka_call_way {
	KA_CALL_RELAY_OFFER,  /* the relay is our idea */
	KA_CALL_RELAY_ACCEPT, /* the relay is the controller's idea */
	KA_CALL_PUNCH,
	KA_CALL_LOCAL,
};

enum ka_call_way ka_call_rules_way(const struct ka_rdv_call *call, enum ka_nat own);

/* The relay a controller is told: ours if configured, else what hbbs said, else hbbs' host with the next port.
 * host is what the operator wrote, so that controllers can resolve it too. */
int ka_call_rules_relay(char *dst, size_t dst_size, const char *configured, const char *said, const char *host,
			uint16_t port) KA_MUST_USE;

/* Saved up time; each call costs some. */
struct ka_call_bucket {
	struct sockaddr_storage network; /* family 0: nobody's yet */
	int64_t tokens_us;
	int64_t filled_us;
};

#define KA_CALL_NETWORKS 32
#define KA_CALL_DOUBLE_US 100000
#define KA_CALL_SAVED_US 2000000  /* what a bucket holds */
#define KA_CALL_COST_US 200000	  /* of one network: 5 a second, 10 at once */
#define KA_CALL_COST_ALL_US 50000 /* of all together: 20 a second, 40 at once */

/* Pushes over UDP may be forged, and hbbs passes on whatever strangers ask: doubles are dropped, and the rate is
 * bounded for each network and for all. The network that has been quiet longest is forgotten first. */
struct ka_call_gate {
	struct sockaddr_storage peers[2]; /* of the last punch or local call, and of the last relay call */
	int64_t at_us[2];
	struct ka_call_bucket all;
	struct ka_call_bucket networks[KA_CALL_NETWORKS];
};

void ka_call_gate_init(struct ka_call_gate *g, int64_t now_us);
/* 0: serve it; -EALREADY: a double; -EAGAIN: too many. */
int ka_call_gate_pass(struct ka_call_gate *g, const struct ka_rdv_call *call, int64_t now_us) KA_MUST_USE;

#endif
