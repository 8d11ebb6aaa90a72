/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One libuv loop of one thread, with the wake-up other threads use. Everything else (timers, sockets, DNS, polls) is
 * libuv's own interface on &loop->uv. Owner: the thread that runs it.
 *
 *   init (any) ─► run (owner, returns after ka_loop_stop) ─► close own handles ─► fini (drains and closes the loop)
 */
#ifndef KA_LOOP_H
#define KA_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "base/attr.h"
#include "base/pulse.h"
#include "base/wake.h"

struct ka_loop {
	uv_loop_t uv;
	uv_async_t async;
	void (*on_wake)(void *arg); /* owner thread, after any number of wakes */
	void *arg;
	atomic_bool stop;
	struct ka_pulse pulse;
	bool open;
};

int ka_loop_init(struct ka_loop *l, void (*on_wake)(void *arg), void *arg) KA_MUST_USE;
/* Owner. Until ka_loop_stop(). */
void ka_loop_run(struct ka_loop *l);
/* Any thread, from init until fini. */
void ka_loop_wake(struct ka_loop *l);
void ka_loop_stop(struct ka_loop *l);
/* One thread alone asks, a few seconds apart, while the loop runs. False: the loop has not come round since the time
 * before. */
bool ka_loop_alive(struct ka_loop *l);
/* ka_loop_wake as a wake. */
struct ka_wake ka_loop_waker(struct ka_loop *l);
/* The thread that ran it, or the holder when it never ran. Runs pending close callbacks; the owner has called
 * uv_close() on every handle of its own before (asserted). No-op when init failed or was not called on zeroed memory.
 */
void ka_loop_fini(struct ka_loop *l);

/* Timer helpers: delay from now in ms, one shot. */
void ka_timer_once(uv_timer_t *t, uv_timer_cb cb, uint64_t ms);

#endif
