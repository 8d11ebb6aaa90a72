/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One /dev/hidgN: reports out, LED reports in, never blocking. Owner: hid thread.
 *
 *   push ─► [queue ≤ 256] ─write─► kernel: one report in flight ─host polls─► POLLOUT: the next one
 *
 * Moves fold together in the queue (ka_report_merge). A host that does not poll costs nothing: the queue is bounded,
 * past that only the newest report stays, and when the host comes back, what is older than a second is left out but
 * for the newest. Every report carries the whole state of keys and buttons, so none of them stays down by that.
 *
 * What the kernel does (drivers/usb/gadget/function/f_hid.c, 6.1): write() with one in flight gives EAGAIN, with the
 * function disabled or its endpoint off ESHUTDOWN; in the latter case poll() may still say writable, so that waiting
 * for POLLOUT would spin. With no_out_endpoint read() hands out the last SET_REPORT once, then EAGAIN.
 */
#ifndef KA_HIDG_H
#define KA_HIDG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/attr.h"
#include "hid/backend.h"
#include "hid/report.h"

#define KA_HIDG_QUEUE 256
#define KA_HIDG_STALE_US 1000000
#define KA_HIDG_RETRY_MS 50
#define KA_HIDG_SHUTDOWNS 4 /* failures in a row after which the host counts as gone */

struct ka_hidg;

/* The system calls, for tests to replace. */
struct ka_hidg_io {
	ssize_t (*read)(int fd, void *buf, size_t len);
	ssize_t (*write)(int fd, const void *buf, size_t len);
};

struct ka_hidg_events {
	void *arg;
	void (*leds)(void *arg, uint8_t leds);
	/* A report reached the host, or the queue was emptied. */
	void (*settled)(void *arg, struct ka_hidg *g);
	/* Writing goes on failing with ESHUTDOWN. */
	void (*lost)(void *arg, struct ka_hidg *g);
	/* ka_hidg_retry() is to be called in ms. */
	void (*retry)(void *arg, unsigned int ms);
	/* May the report with this number go now? False: ka_hidg_flush() or ka_hidg_retry() follows later. */
	bool (*may_send)(void *arg, struct ka_hidg *g, uint64_t seq, int64_t queued_us);
};

struct ka_hidg_entry {
	struct ka_report report;
	uint64_t seq;	   /* order among all functions */
	int64_t queued_us; /* when it, or the newest move folded into it, came */
};

struct ka_hidg {
	uv_loop_t *loop;
	const struct ka_hidg_io *io;
	struct ka_hidg_events events;
	struct ka_backend *counters; /* reports and dropped are counted there */
	uv_poll_t *poll;	     /* NULL while closed; frees itself when closed */
	int fd;
	bool host;	   /* somebody is there to take reports */
	bool in_flight;	   /* the kernel holds one the host has not fetched yet */
	bool flight_edge;  /* it carries a press or release */
	bool blocked;	   /* write failed: wait for retry() or host() */
	bool reads_paused; /* readable again and again without anything to read */
	unsigned int empty_reads;
	unsigned int shutdowns; /* in a row */
	uint64_t flight_seq;
	unsigned int head, count;
	struct ka_hidg_entry queue[KA_HIDG_QUEUE];
};

/* io NULL: the real calls. */
void ka_hidg_init(struct ka_hidg *g, uv_loop_t *loop, const struct ka_hidg_io *io, const struct ka_hidg_events *events,
		  struct ka_backend *counters);
/* Opens path; or takes fd over, in any case. */
int ka_hidg_open(struct ka_hidg *g, const char *path) KA_MUST_USE;
int ka_hidg_attach(struct ka_hidg *g, int fd) KA_MUST_USE;
/* Also when not open. */
void ka_hidg_close(struct ka_hidg *g);
void ka_hidg_push(struct ka_hidg *g, const struct ka_report *r, uint64_t seq);
/* present false: the host is gone, and the queue with it. true: write what is queued. */
void ka_hidg_host(struct ka_hidg *g, bool present);
/* Tries one report on a host that is not present. True: somebody takes reports after all. */
bool ka_hidg_probe(struct ka_hidg *g, const struct ka_report *r);
/* Writes what can be written. */
void ka_hidg_flush(struct ka_hidg *g);
/* As asked for by events.retry. */
void ka_hidg_retry(struct ka_hidg *g);
bool ka_hidg_busy(const struct ka_hidg *g);
/* True while a press or release from before `seq` is still on its way to the host. */
bool ka_hidg_edge_before(const struct ka_hidg *g, uint64_t seq);

#endif
