/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hidg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define EMPTY_READS_MAX 8

static const struct ka_hidg_io real_io = {.read = read, .write = write};

void ka_hidg_init(struct ka_hidg *g, uv_loop_t *loop, const struct ka_hidg_io *io, const struct ka_hidg_events *events,
		  struct ka_backend *counters)
{
	memset(g, 0, sizeof(*g));
	g->loop = loop;
	g->io = io ? io : &real_io;
	g->events = *events;
	g->counters = counters;
	g->fd = -1;
}

static void count_dropped(struct ka_hidg *g, unsigned int n)
{
	atomic_fetch_add_explicit(&g->counters->dropped, n, memory_order_relaxed);
}

static struct ka_hidg_entry *entry(struct ka_hidg *g, unsigned int i)
{
	return &g->queue[(g->head + i) % KA_HIDG_QUEUE];
}

static void pop(struct ka_hidg *g)
{
	g->head = (g->head + 1) % KA_HIDG_QUEUE;
	g->count--;
}

static void on_poll(uv_poll_t *p, int status, int events);

static void watch(struct ka_hidg *g)
{
	int events = g->in_flight ? UV_WRITABLE : 0;

	if (!g->poll)
		return;
	if (!g->reads_paused)
		events |= UV_READABLE;
	if (events)
		uv_poll_start(g->poll, events, on_poll);
	else
		uv_poll_stop(g->poll);
}

/* ---- writing ---- */

static void drop_stale(struct ka_hidg *g)
{
	int64_t limit_us = ka_clock_us() - KA_HIDG_STALE_US;

	while (g->count > 1 && entry(g, 0)->queued_us < limit_us) {
		pop(g);
		count_dropped(g, 1);
	}
}

static void note_flight(struct ka_hidg *g, const struct ka_report *r, uint64_t seq)
{
	g->in_flight = true;
	g->flight_edge = r->edge;
	g->flight_seq = seq;
	g->shutdowns = 0;
	atomic_fetch_add_explicit(&g->counters->reports, 1, memory_order_relaxed);
}

static void write_failed(struct ka_hidg *g, const struct ka_report *r, int cause)
{
	if (cause != -ESHUTDOWN)
		ka_log_every(WARN, KA_SEC(10), "hidg", "write_failed", "function=%s cause=\"%s\"",
			     ka_report_name(r->function), ka_err_str(cause));
	g->blocked = true;
	if (++g->shutdowns >= KA_HIDG_SHUTDOWNS)
		g->events.lost(g->events.arg, g);
	else
		g->events.retry(g->events.arg, KA_HIDG_RETRY_MS);
}

/* False when writing has to wait. */
static bool write_head(struct ka_hidg *g)
{
	const struct ka_hidg_entry *e = entry(g, 0);
	ssize_t n;

	if (e->report.edge && !g->events.may_send(g->events.arg, g, e->seq, e->queued_us))
		return false;
	n = g->io->write(g->fd, e->report.data, e->report.len);
	if (n < 0 && errno == EAGAIN) {
		/* The POLLOUT of an earlier one is still to come; what it carried is not known any more. */
		g->in_flight = true;
		g->flight_edge = false;
		return false;
	}
	if (n < 0) {
		write_failed(g, &e->report, -errno);
		return false;
	}
	note_flight(g, &e->report, e->seq);
	pop(g);
	return true;
}

bool ka_hidg_probe(struct ka_hidg *g, const struct ka_report *r)
{
	if (g->fd < 0 || g->io->write(g->fd, r->data, r->len) < 0)
		return false;
	note_flight(g, r, 0);
	return true;
}

void ka_hidg_flush(struct ka_hidg *g)
{
	if (g->fd < 0 || !g->host)
		return;
	drop_stale(g);
	while (g->count && !g->in_flight && !g->blocked) {
		if (!write_head(g))
			break;
	}
	watch(g);
}

void ka_hidg_retry(struct ka_hidg *g)
{
	g->blocked = false;
	if (g->reads_paused) {
		g->reads_paused = false;
		g->empty_reads = 0;
	}
	ka_hidg_flush(g);
	watch(g);
}

void ka_hidg_push(struct ka_hidg *g, const struct ka_report *r, uint64_t seq)
{
	if (g->fd < 0 || !g->host) {
		count_dropped(g, 1);
		return;
	}
	if (g->count && ka_report_merge(&entry(g, g->count - 1)->report, r)) {
		entry(g, g->count - 1)->queued_us = ka_clock_us();
		return;
	}
	if (g->count == KA_HIDG_QUEUE) {
		count_dropped(g, g->count);
		g->count = 0;
	}
	*entry(g, g->count) = (struct ka_hidg_entry){.report = *r, .seq = seq, .queued_us = ka_clock_us()};
	g->count++;
	ka_hidg_flush(g);
}

void ka_hidg_host(struct ka_hidg *g, bool present)
{
	bool was_busy = ka_hidg_busy(g);

	g->host = present;
	g->blocked = false;
	g->shutdowns = 0;
	if (present) {
		ka_hidg_flush(g);
		return;
	}
	/* The kernel has taken back what was in flight, and says nothing about it. */
	g->in_flight = false;
	count_dropped(g, g->count);
	g->count = 0;
	watch(g);
	if (was_busy)
		g->events.settled(g->events.arg, g);
}

bool ka_hidg_busy(const struct ka_hidg *g)
{
	return g->count || g->in_flight;
}

bool ka_hidg_edge_before(const struct ka_hidg *g, uint64_t seq)
{
	if (g->in_flight && g->flight_edge && g->flight_seq < seq)
		return true;
	for (unsigned int i = 0; i < g->count; i++) {
		const struct ka_hidg_entry *e = &g->queue[(g->head + i) % KA_HIDG_QUEUE];

		if (e->seq >= seq)
			return false;
		if (e->report.edge)
			return true;
	}
	return false;
}

/* ---- LEDs and readiness ---- */

static void read_leds(struct ka_hidg *g)
{
	uint8_t buf[KA_REPORT_MAX];
	ssize_t n = g->io->read(g->fd, buf, sizeof(buf));

	if (n > 0) {
		g->empty_reads = 0;
		g->events.leds(g->events.arg, buf[0]);
		return;
	}
	/* Readiness without anything to read must not become a busy loop, whatever the kernel at hand does. */
	if (++g->empty_reads < EMPTY_READS_MAX)
		return;
	g->reads_paused = true;
	watch(g);
	g->events.retry(g->events.arg, KA_HIDG_RETRY_MS);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct ka_hidg *g = p->data;

	if (status < 0) {
		/* libuv has stopped watching. */
		ka_log_every(WARN, KA_SEC(10), "hidg", "poll_failed", "cause=\"%s\"", uv_strerror(status));
		g->reads_paused = true;
		g->blocked = true;
		g->events.retry(g->events.arg, KA_HIDG_RETRY_MS);
		return;
	}
	if (events & UV_READABLE)
		read_leds(g);
	if ((events & UV_WRITABLE) && g->in_flight) {
		g->in_flight = false;
		ka_hidg_flush(g);
		g->events.settled(g->events.arg, g);
	}
}

/* ---- opening and closing ---- */

static void free_poll(uv_handle_t *h)
{
	free(h);
}

int ka_hidg_attach(struct ka_hidg *g, int fd)
{
	uv_poll_t *p = calloc(1, sizeof(*p));
	int ret = p ? uv_poll_init(g->loop, p, fd) : -ENOMEM;

	if (ret < 0) {
		free(p);
		close(fd);
		return ret;
	}
	p->data = g;
	g->poll = p;
	g->fd = fd;
	g->in_flight = false;
	g->blocked = false;
	g->reads_paused = false;
	g->empty_reads = 0;
	g->shutdowns = 0;
	watch(g);
	return 0;
}

int ka_hidg_open(struct ka_hidg *g, const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : ka_hidg_attach(g, fd);
}

void ka_hidg_close(struct ka_hidg *g)
{
	if (!g->poll)
		return;
	uv_close((uv_handle_t *)g->poll, free_poll);
	g->poll = NULL;
	close(g->fd);
	g->fd = -1;
	count_dropped(g, g->count);
	g->count = 0;
	g->in_flight = false;
	g->host = false;
}
