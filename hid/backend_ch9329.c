/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hands by a CH9329 at a serial line, for boards without a USB device port. ch9329_link.c says what is said; here is
 * the line: opened, read, written, lost and opened again.
 *
 *   line closed: NONE, tried again after 1 s, 2 s, .. 16 s      chip silent: NONE, asked once a second
 *   chip without host: DETACHED                                 chip with host: CONFIGURED
 *
 * The chip does not tell a sleeping host from one that is gone.
 */
#include <errno.h>
#include <string.h>
#include <termios.h>

#include "base/clock.h"
#include "base/log.h"
#include "hid/backend.h"
#include "hid/ch9329_link.h"
#include "hid/tty.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 16000

struct ch9329_backend {
	struct ka_backend base;
	const struct ka_hid_cfg *cfg;
	struct ka_loop *loop;
	bool started;
	int fd;
	uv_poll_t *poll;  /* NULL while closed; frees itself when closed */
	uv_timer_t timer; /* while open: the link's; while closed: the next try */
	unsigned int retry_ms;
	int trouble; /* said last, not to be said again */
	struct ka_ch9329_link link;
	struct ka_ch9329_frame out;
	unsigned int out_pos; /* bytes of out that are written */
	bool owes_drained;
	enum ka_usb_state usb;
	int cause;
	int leds; /* told last; -1: none since the host came */
};

static struct ch9329_backend *self(struct ka_backend *b)
{
	return KA_CONTAINER_OF(b, struct ch9329_backend, base);
}

static void pump(struct ch9329_backend *b);
static void on_timer(uv_timer_t *t);

/* ---- what the rest is told ---- */

static void set_state(struct ch9329_backend *b, enum ka_usb_state usb, int cause)
{
	if (b->usb == usb && b->cause == cause)
		return;
	b->usb = usb;
	b->cause = cause;
	if (usb != KA_USB_CONFIGURED)
		b->leds = -1;
	b->base.events.state(b->base.events.arg, usb, cause);
}

static void tell_state(struct ch9329_backend *b)
{
	static const enum ka_usb_state states[] = {
		[KA_CH9329_SILENT] = KA_USB_NONE,
		[KA_CH9329_NO_HOST] = KA_USB_DETACHED,
		[KA_CH9329_HOST] = KA_USB_CONFIGURED,
	};
	enum ka_usb_state usb = states[b->link.state];
	bool silent = usb == KA_USB_NONE;

	/* Asked, and not answered yet. */
	if (silent && b->usb == KA_USB_NONE && b->link.flight.on)
		return;
	if (silent && b->trouble != -ETIMEDOUT) {
		ka_log(WARN, "ch9329", "silent", "device=%s baud=%u", b->cfg->serial_device, b->cfg->serial_baud);
		b->trouble = -ETIMEDOUT;
	}
	if (!silent && b->usb == KA_USB_NONE)
		ka_log(INFO, "ch9329", "chip", "device=%s version=%#x", b->cfg->serial_device, b->link.version);
	if (!silent && b->usb != usb) {
		ka_log(INFO, "ch9329", "host", "state=%s", ka_usb_state_name(usb));
		b->trouble = 0;
		b->retry_ms = RETRY_FIRST_MS;
	}
	set_state(b, usb, silent ? -ETIMEDOUT : 0);
}

static void tell_leds(struct ch9329_backend *b)
{
	if (b->usb != KA_USB_CONFIGURED || b->leds == b->link.leds)
		return;
	b->leds = b->link.leds;
	b->base.events.leds(b->base.events.arg, b->link.leds);
}

static void tell_drained(struct ch9329_backend *b)
{
	if (!b->owes_drained || ka_ch9329_link_busy(&b->link, KA_BACKEND_ALL))
		return;
	b->owes_drained = false;
	b->base.events.drained(b->base.events.arg);
}

static void tell(struct ch9329_backend *b)
{
	atomic_store_explicit(&b->base.reports, b->link.sent, memory_order_relaxed);
	atomic_store_explicit(&b->base.dropped, b->link.dropped, memory_order_relaxed);
	tell_state(b);
	tell_leds(b);
	tell_drained(b);
}

/* ---- the line ---- */

static void free_poll(uv_handle_t *h)
{
	free(h);
}

static void close_line(struct ch9329_backend *b)
{
	if (!b->poll)
		return;
	uv_close((uv_handle_t *)b->poll, free_poll);
	b->poll = NULL;
	close(b->fd);
	b->fd = -1;
}

static void lose_line(struct ch9329_backend *b, int cause)
{
	if (b->trouble != cause)
		ka_log(WARN, "ch9329", "no_line", "device=%s cause=\"%s\"", b->cfg->serial_device, ka_err_str(cause));
	b->trouble = cause;
	close_line(b);
	ka_ch9329_link_restart(&b->link);
	set_state(b, KA_USB_NONE, cause);
	tell_drained(b);
	ka_timer_once(&b->timer, on_timer, b->retry_ms);
	b->retry_ms = KA_MIN(b->retry_ms * 2, (unsigned int)RETRY_LAST_MS);
}

static void read_line(struct ch9329_backend *b)
{
	uint8_t buf[256];
	ssize_t n = read(b->fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lose_line(b, n < 0 ? -errno : -EIO);
		return;
	}
	ka_ch9329_link_receive(&b->link, buf, (size_t)n);
	pump(b);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct ch9329_backend *b = p->data;

	if (status < 0)
		lose_line(b, status);
	else if (events & UV_READABLE)
		read_line(b);
	else
		pump(b);
}

/* False: the line is lost. */
static bool write_line(struct ch9329_backend *b)
{
	while (b->out_pos < b->out.len) {
		ssize_t n = write(b->fd, b->out.data + b->out_pos, (size_t)(b->out.len - b->out_pos));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			lose_line(b, -errno);
			return false;
		}
		b->out_pos += (unsigned int)n;
	}
	uv_poll_start(b->poll, UV_READABLE | (b->out_pos < b->out.len ? UV_WRITABLE : 0), on_poll);
	return true;
}

/* Says what is to be said, and waits for what is due next. */
static void pump(struct ch9329_backend *b)
{
	int64_t now_us = ka_clock_us();
	int64_t left_us;

	if (!b->poll)
		return;
	if (ka_ch9329_link_take(&b->link, now_us, &b->out)) {
		/* What a stuck line still holds of the last one would only spoil this one. */
		if (b->out_pos < b->out.len && b->out_pos)
			tcflush(b->fd, TCOFLUSH);
		b->out_pos = 0;
	}
	if (!write_line(b))
		return;
	tell(b);
	left_us = KA_MAX(ka_ch9329_link_due_us(&b->link) - now_us, (int64_t)0);
	ka_timer_once(&b->timer, on_timer, (uint64_t)(left_us + 999) / 1000);
}

static int open_line(struct ch9329_backend *b)
{
	int fd = ka_tty_open(b->cfg->serial_device, b->cfg->serial_baud);
	uv_poll_t *p;
	int ret;

	if (fd < 0)
		return fd;
	p = calloc(1, sizeof(*p));
	ret = p ? uv_poll_init(&b->loop->uv, p, fd) : -ENOMEM;
	if (ret < 0) {
		free(p);
		close(fd);
		return ret;
	}
	p->data = b;
	b->poll = p;
	b->fd = fd;
	b->out.len = 0;
	b->out_pos = 0;
	ka_ch9329_link_restart(&b->link);
	ka_log(DEBUG, "ch9329", "open", "device=%s baud=%u", b->cfg->serial_device, b->cfg->serial_baud);
	return 0;
}

static void on_timer(uv_timer_t *t)
{
	struct ch9329_backend *b = KA_CONTAINER_OF(t, struct ch9329_backend, timer);
	int ret = b->poll ? 0 : open_line(b);

	if (ret < 0)
		lose_line(b, ret);
	else
		pump(b);
}

/* ---- the interface ---- */

static void ch9329_start(struct ka_backend *base)
{
	struct ch9329_backend *b = self(base);

	uv_timer_init(&b->loop->uv, &b->timer);
	b->started = true;
	on_timer(&b->timer);
}

static void ch9329_send(struct ka_backend *base, const struct ka_report *r)
{
	struct ch9329_backend *b = self(base);

	ka_ch9329_link_push(&b->link, r);
	b->owes_drained = true;
	if (!b->link.flight.on)
		pump(b);
}

static bool ch9329_busy(struct ka_backend *base, unsigned int functions)
{
	return ka_ch9329_link_busy(&self(base)->link, functions);
}

static void ch9329_stop(struct ka_backend *base)
{
	struct ch9329_backend *b = self(base);

	if (!b->started)
		return;
	close_line(b);
	uv_close((uv_handle_t *)&b->timer, NULL);
	b->started = false;
}

static void ch9329_free(struct ka_backend *base)
{
	free(self(base));
}

int ka_backend_ch9329_new(struct ka_backend **out, const struct ka_hid_cfg *cfg, struct ka_loop *loop,
			  const struct ka_backend_events *events)
{
	static const struct ka_backend_ops ops = {ch9329_start, ch9329_send, ch9329_busy, ch9329_stop, ch9329_free};
	struct ch9329_backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->base.ops = &ops;
	b->base.events = *events;
	b->cfg = cfg;
	b->loop = loop;
	b->fd = -1;
	b->leds = -1;
	b->retry_ms = RETRY_FIRST_MS;
	ka_ch9329_link_init(&b->link, cfg->serial_baud);
	*out = &b->base;
	return 0;
}
