/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where reports go. A backend lives on the hid thread: every call and every event happens there, on its loop. It never
 * blocks on the host, bounds what it queues, and counts what it sends and drops.
 */
#ifndef KA_BACKEND_H
#define KA_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "hid/hid.h"
#include "hid/report.h"

#define KA_BACKEND_ALL ((1u << KA_REPORT_FUNCTIONS) - 1)

/* Called by the backend from within its loop callbacks and from within start() and send(): takers only note them. */
struct ka_backend_events {
	void *arg;
	void (*state)(void *arg, enum ka_usb_state usb, int cause);
	void (*leds)(void *arg, uint8_t leds);
	/* Everything handed to send() for some function has reached the host, or was dropped. */
	void (*drained)(void *arg);
};

struct ka_backend {
	const struct ka_backend_ops *ops;
	struct ka_backend_events events;
	atomic_uint_fast64_t reports; /* any thread reads */
	atomic_uint_fast64_t dropped;
};

/* All mandatory. */
struct ka_backend_ops {
	/* Comes up and stays up on its own: trouble is reported as a state and retried. */
	void (*start)(struct ka_backend *b);
	/* Takes a copy. Dropped when nobody is there to take it. */
	void (*send)(struct ka_backend *b, const struct ka_report *r);
	/* True while reports for any of these functions (bits 1 << enum ka_report_function) are still on their way. */
	bool (*busy)(struct ka_backend *b, unsigned int functions);
	/* Takes everything down and closes its handles on the loop; only free() may follow. Also after no start. */
	void (*stop)(struct ka_backend *b);
	/* After the loop has run the close callbacks. */
	void (*free)(struct ka_backend *b);
};

/* cfg and loop outlive the backend. They touch no device before start(). */
int ka_backend_record_new(struct ka_backend **out, const struct ka_hid_cfg *cfg,
			  const struct ka_backend_events *events) KA_MUST_USE;
int ka_backend_gadget_new(struct ka_backend **out, const struct ka_hid_cfg *cfg, struct ka_loop *loop,
			  const struct ka_backend_events *events) KA_MUST_USE;
int ka_backend_ch9329_new(struct ka_backend **out, const struct ka_hid_cfg *cfg, struct ka_loop *loop,
			  const struct ka_backend_events *events) KA_MUST_USE;
int ka_backend_none_new(struct ka_backend **out, const struct ka_backend_events *events) KA_MUST_USE;

#endif
