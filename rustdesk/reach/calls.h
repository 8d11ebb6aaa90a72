/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls being served: at most KA_CALLS_MAX direct ones (punch, same LAN) and KA_CALLS_MAX relays, each with a
 * deadline. When all direct places wait for controllers, the longest waiting one gives way; a relay is refused then.
 * Owner: ka-net.
 */
#ifndef KA_CALLS_H
#define KA_CALLS_H

#include "base/attr.h"
#include "rustdesk/reach/call_rules.h"
#include "rustdesk/reach/reach_env.h"

#define KA_CALLS_MAX 8

struct ka_calls;

/* incoming takes over in->fd. env outlives the object. */
int ka_calls_new(struct ka_calls **out, const struct ka_reach_env *env,
		 void (*incoming)(void *arg, struct ka_incoming *in), void *arg) KA_MUST_USE;
/* Gives up what is under way. */
void ka_calls_free(struct ka_calls *c);
void ka_calls_serve(struct ka_calls *c, const struct ka_rdv_call *call);
unsigned int ka_calls_count(const struct ka_calls *c);

#endif
