/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operator's door: a unix socket on the agent's loop over which kvmagentctl sends one command and gets one answer
 * (agent/ctl_proto.h). Root, the agent's own user and members of one group may. Slow or hostile clients cost a
 * bounded place for a bounded time and block nobody. Owner: the thread of the loop.
 *
 *   new (makes the file) ─► start ─► close (file and handles) ─► ka_loop_fini() ─► free
 */
#ifndef KA_CTL_H
#define KA_CTL_H

#include <uv.h>

#include "agent/console.h"
#include "base/attr.h"
#include "base/err.h"

struct ka_ctl;

struct ka_ctl_cfg {
	const char *dir;   /* of the socket */
	const char *group; /* "" = none */
	uv_loop_t *uv;
	const struct ka_console *console;
};

/* Strings are looked at here only; console outlives it. eb says what is wrong. */
int ka_ctl_new(struct ka_ctl **out, const struct ka_ctl_cfg *cfg, struct ka_errbuf *eb) KA_MUST_USE;
/* Accepts from now on. */
int ka_ctl_start(struct ka_ctl *c) KA_MUST_USE;
/* Nobody can connect from now on, whoever was is cut off, and the file is gone. NULL, twice: fine. */
void ka_ctl_close(struct ka_ctl *c);
/* Once the loop has run out. NULL is fine. */
void ka_ctl_free(struct ka_ctl *c);

#endif
