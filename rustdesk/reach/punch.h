/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two direct ways in through hbbs. Both connect to hbbs by TCP from a local address L, tell it something, and
 * accept one controller on L:
 *
 *   punch:  L ─► hbbs;  L ─► controller: opens our NAT;  PunchHoleSent;  accept on L, or that connect gets through
 *   local:  L ─► hbbs;  LocalAddr{L};                                    accept on L
 *
 * The connect towards the controller is not given up: a router that follows sequence numbers, as Linux does, lets the
 * answer to the controller's SYN pass only when it comes from the socket whose SYN opened the way (both then connect at
 * the same time, RFC 9293 section 3.5). The listener is for controllers whose port is not the one that hbbs saw.
 *
 * hbbs gives the source address of the connection to the controller: everything has to use one port. L listens before
 * hbbs is told, so the controller cannot be faster. Anyone may connect: the password decides. Owner: ka-net.
 */
#ifndef KA_PUNCH_H
#define KA_PUNCH_H

#include "base/attr.h"
#include "rustdesk/reach/reach_env.h"

struct ka_punch;

/* status: 0 and *in (its fd owned by the callee), or a negative cause: -ETIMEDOUT when nobody came. told: the
 * controller has been answered; if not, another way can still be offered. */
typedef void (*ka_punch_fn)(void *arg, int status, bool told, struct ka_incoming *in);

int ka_punch_new(struct ka_punch **out, const struct ka_reach_env *env, const struct ka_rdv_call *call,
		 ka_punch_fn done, void *arg) KA_MUST_USE;
/* The callback will not run. NULL is fine; not from within the callback: there it is gone already. */
void ka_punch_free(struct ka_punch *p);
/* The controller has been answered and is waited for. */
bool ka_punch_listening(const struct ka_punch *p);

#endif
