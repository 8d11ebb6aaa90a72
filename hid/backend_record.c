/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes reports down instead of sending them, for demonstration and tests: one line a report,
 * "<monotonic us> <function> <hex bytes>". The target is always there and sets no LEDs.
 * The file holds keystrokes: it is created for its owner only.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "hid/backend.h"

struct record {
	struct ka_backend base;
	const char *path; /* "" = lines go to the log */
	int fd;
};

static struct record *self(struct ka_backend *b)
{
	return KA_CONTAINER_OF(b, struct record, base);
}

static void record_start(struct ka_backend *b)
{
	struct record *r = self(b);
	int cause = 0;

	if (r->path[0]) {
		/* Non-blocking: a FIFO nobody reads must not hold up the thread. */
		r->fd = open(r->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
			     0600);
		if (r->fd < 0) {
			cause = -errno;
			ka_log(ERROR, "hid", "record_failed", "file=%s cause=\"%s\"", r->path, ka_err_str(cause));
		}
	}
	b->events.state(b->events.arg, cause ? KA_USB_NONE : KA_USB_CONFIGURED, cause);
}

static bool write_line(struct record *r, const struct ka_report *report)
{
	char hex[2 * KA_REPORT_MAX + 1];
	char line[64];
	int64_t now_us = ka_clock_us();

	ka_hex_encode(hex, report->data, report->len);
	if (!r->path[0]) {
		ka_log(INFO, "hid", "report", "at_us=%lld function=%s data=%s", (long long)now_us,
		       ka_report_name(report->function), hex);
		return true;
	}
	if (r->fd < 0 || ka_str_format(line, sizeof(line), "%lld %s %s\n", (long long)now_us,
				       ka_report_name(report->function), hex) < 0)
		return false;
	if (write(r->fd, line, strlen(line)) == (ssize_t)strlen(line))
		return true;
	ka_log_every(WARN, KA_SEC(10), "hid", "record_failed", "file=%s", r->path);
	return false;
}

static void record_send(struct ka_backend *b, const struct ka_report *report)
{
	bool done = write_line(self(b), report);

	atomic_fetch_add_explicit(done ? &b->reports : &b->dropped, 1, memory_order_relaxed);
}

static bool record_busy(struct ka_backend *b, unsigned int functions)
{
	(void)b;
	(void)functions;
	return false;
}

static void record_stop(struct ka_backend *b)
{
	struct record *r = self(b);

	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void record_free(struct ka_backend *b)
{
	free(self(b));
}

int ka_backend_record_new(struct ka_backend **out, const struct ka_hid_cfg *cfg, const struct ka_backend_events *events)
{
	static const struct ka_backend_ops ops = {record_start, record_send, record_busy, record_stop, record_free};
	struct record *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base.ops = &ops;
	r->base.events = *events;
	r->path = cfg->record_file;
	r->fd = -1;
	*out = &r->base;
	return 0;
}
