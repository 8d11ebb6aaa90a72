/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NAT type test: from one local port, ask hbbs on its port and on the port below which source port it sees. Equal:
 * punching can work; different: only a relay. Repeated with growing pauses until there is a result. Owner: ka-net.
 */
#ifndef KA_NAT_H
#define KA_NAT_H

#include "base/attr.h"
#include "rustdesk/reach/reach_env.h"

struct ka_nat_test;

/* result: never KA_NAT_UNKNOWN. serial: of the server's configuration, 0 = not told. */
typedef void (*ka_nat_fn)(void *arg, enum ka_nat result, int32_t serial);

/* env outlives the object. done is called once per (re)start at most. */
int ka_nat_new(struct ka_nat_test **out, const struct ka_reach_env *env, ka_nat_fn done, void *arg) KA_MUST_USE;
/* From the beginning, with env->server of the moment. */
void ka_nat_restart(struct ka_nat_test *t);
/* NULL is fine. */
void ka_nat_free(struct ka_nat_test *t);
/* Pause in ms before attempt n + 1: 1, 3, 7, ... s. Pure. */
unsigned int ka_nat_pause_ms(const struct ka_reach_timing *timing, unsigned int failures);

#endif
