/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection through hbbr. We stand at the relay before the controller hears of it from hbbs (RelayResponse): two
 * legs that reach hbbr in the same instant can miss each other there.
 *
 *   ─► hbbr: RequestRelay ┐
 *   ─► hbbs: connected    ┴─► hbbs: RelayResponse ─► hand over
 *
 * The relay never says a word, so the stream may still turn out unpaired: the session sees its end. Owner: ka-net.
 */
#ifndef KA_RELAY_H
#define KA_RELAY_H

#include "base/attr.h"
#include "rustdesk/reach/reach_env.h"

struct ka_relay;

/* status: 0 and *in (its fd owned by the callee), or a negative cause. */
typedef void (*ka_relay_fn)(void *arg, int status, struct ka_incoming *in);

/* offer: relay and uuid are our choice; else those of the call. */
int ka_relay_new(struct ka_relay **out, const struct ka_reach_env *env, const struct ka_rdv_call *call, bool offer,
		 ka_relay_fn done, void *arg) KA_MUST_USE;
/* The callback will not run. NULL is fine; not from within the callback: there it is gone already. */
void ka_relay_free(struct ka_relay *r);

/* Random version 4 UUID in lower case with hyphens. */
#define KA_RELAY_UUID_TEXT 37
void ka_relay_uuid(char dst[static KA_RELAY_UUID_TEXT]);

#endif
