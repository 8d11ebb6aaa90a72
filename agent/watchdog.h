/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells the service manager that the agent works (sd_watchdog_enabled(3)), but only as long as every thread that all
 * controllers depend on gets round: encoders, hands, network; and main, which is the one to tell. Sessions and drivers
 * of capture devices are not asked: one that hangs is no reason to throw the others out. Main thread.
 */
#ifndef KA_WATCHDOG_H
#define KA_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/agent_host.h"
#include "rustdesk/rustdesk.h"

struct ka_watched {
	const char *name;	  /* for the log */
	bool (*alive)(void *arg); /* asked a few seconds apart; false: it has not come round since the time before */
	void *arg;
};

#define KA_WATCHED_MAX 8u

struct ka_watchdog {
	int64_t period_us; /* of telling; 0 = nobody wants to know */
	int64_t next_us;
	struct ka_watched watched[KA_WATCHED_MAX];
	bool stuck[KA_WATCHED_MAX]; /* has been logged */
	size_t n;
};

/* Reads from the environment what the service manager wants. */
void ka_watchdog_init(struct ka_watchdog *w);
/* At most KA_WATCHED_MAX of them. */
void ka_watchdog_add(struct ka_watchdog *w, const char *name, bool (*alive)(void *arg), void *arg);
/* What the agent consists of. */
void ka_watchdog_add_parts(struct ka_watchdog *w, struct ka_agent_parts *parts, struct ka_rd *rd);
/* Once a second or so, from READY=1 until STOPPING=1. */
void ka_watchdog_turn(struct ka_watchdog *w, int64_t now_us);

#endif
