/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The USB gadget as backend: comes up when a controller is there, goes down with it, and tries again.
 *
 *              found, composed, bound                       the host's doing
 *   NONE ─────────────────────────────► DETACHED ◄────────────────────────────► CONFIGURED / SUSPENDED
 *     ▲  1 s, 2 s, .. 16 s between tries     │ controller gone                          │
 *     └──────────────────────────────────────┴──────────────────────────────────────────┘
 *
 * Reports of different functions go through different endpoints, which the host polls as it likes. Presses and releases
 * must arrive in the order they were made all the same (Ctrl, then the click): each waits until earlier ones of other
 * functions have been fetched, but not longer than ORDER_WAIT_US: some firmware polls the keyboard only.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hid/backend.h"
#include "hid/gadget.h"
#include "hid/hidg.h"
#include "hid/udc.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 16000
#define ORDER_WAIT_US 30000
#define WAKE_EVERY_US 1000000

struct gadget_backend {
	struct ka_backend base;
	const struct ka_hid_cfg *cfg;
	struct ka_loop *loop;
	bool started;
	uv_timer_t bring_up_timer;
	uv_timer_t retry_timer;
	unsigned int bring_up_ms; /* next pause */
	char udc_name[KA_UDC_NAME];
	char trouble[sizeof(((struct ka_errbuf *)0)->text)]; /* said last, not to be said again */
	struct ka_gadget *gadget;
	struct ka_udc *udc;
	struct ka_hidg nodes[KA_REPORT_FUNCTIONS];
	enum ka_usb_state usb;
	uint64_t seq;
	int64_t woken_us;
};

static struct gadget_backend *self(struct ka_backend *b)
{
	return KA_CONTAINER_OF(b, struct gadget_backend, base);
}

static void set_state(struct gadget_backend *b, enum ka_usb_state usb, int cause)
{
	b->usb = usb;
	b->base.events.state(b->base.events.arg, usb, cause);
}

/* ---- the nodes' events ---- */

static void on_leds(void *arg, uint8_t leds)
{
	struct gadget_backend *b = arg;

	b->base.events.leds(b->base.events.arg, leds & 0x1f);
}

static void on_settled(void *arg, struct ka_hidg *g)
{
	struct gadget_backend *b = arg;

	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		if (&b->nodes[i] != g)
			ka_hidg_flush(&b->nodes[i]);
	}
	if (!ka_hidg_busy(g))
		b->base.events.drained(b->base.events.arg);
}

static void on_retry_timer(uv_timer_t *t)
{
	struct gadget_backend *b = KA_CONTAINER_OF(t, struct gadget_backend, retry_timer);

	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++)
		ka_hidg_retry(&b->nodes[i]);
}

static void on_retry(void *arg, unsigned int ms)
{
	struct gadget_backend *b = arg;

	if (!uv_is_active((uv_handle_t *)&b->retry_timer))
		ka_timer_once(&b->retry_timer, on_retry_timer, ms);
}

static bool may_send(void *arg, struct ka_hidg *g, uint64_t seq, int64_t queued_us)
{
	struct gadget_backend *b = arg;
	int64_t left_us = queued_us + ORDER_WAIT_US - ka_clock_us();

	if (left_us <= 0)
		return true;
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		if (&b->nodes[i] != g && ka_hidg_edge_before(&b->nodes[i], seq)) {
			on_retry(b, (unsigned int)(left_us / 1000 + 1));
			return false;
		}
	}
	return true;
}

/* ---- up and down ---- */

static void tear_down(struct gadget_backend *b)
{
	ka_udc_free(b->udc);
	b->udc = NULL;
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++)
		ka_hidg_close(&b->nodes[i]);
	ka_gadget_free(b->gadget);
	b->gadget = NULL;
}

static void bring_up(struct gadget_backend *b);

static void on_bring_up_timer(uv_timer_t *t)
{
	bring_up(KA_CONTAINER_OF(t, struct gadget_backend, bring_up_timer));
}

static void fail_and_retry(struct gadget_backend *b, int cause, const char *text)
{
	if (strcmp(b->trouble, text) != 0)
		ka_log(WARN, "gadget", "not_ready", "%s", text);
	strncpy(b->trouble, text, sizeof(b->trouble) - 1);
	tear_down(b);
	set_state(b, KA_USB_NONE, cause);
	ka_timer_once(&b->bring_up_timer, on_bring_up_timer, b->bring_up_ms);
	b->bring_up_ms = KA_MIN(b->bring_up_ms * 2, (unsigned int)RETRY_LAST_MS);
}

static void on_udc_state(void *arg, enum ka_usb_state usb)
{
	struct gadget_backend *b = arg;
	enum ka_usb_state before = b->usb;

	if (usb != before)
		ka_log(INFO, "gadget", "host", "state=%s",
		       usb == KA_USB_CONFIGURED	 ? "configured"
		       : usb == KA_USB_SUSPENDED ? "suspended"
						 : "detached");
	/* Also when nothing changed: the host may have set it up anew between two notices. */
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		if (usb == KA_USB_DETACHED)
			ka_hidg_host(&b->nodes[i], false);
		else if (usb == KA_USB_CONFIGURED)
			ka_hidg_host(&b->nodes[i], true);
	}
	set_state(b, usb, 0);
}

static void on_udc_gone(void *arg)
{
	struct gadget_backend *b = arg;

	b->bring_up_ms = RETRY_FIRST_MS;
	fail_and_retry(b, -ENODEV, "the USB device controller has gone");
}

static int open_nodes(struct gadget_backend *b, struct ka_errbuf *eb)
{
	for (unsigned int i = 0; i < ka_gadget_count(b->gadget); i++) {
		char path[64] = "/dev/hidg?";
		int ret = ka_gadget_node(b->gadget, i, "/dev", path, sizeof(path));

		if (!ret)
			ret = ka_hidg_open(&b->nodes[i], path);
		if (ret < 0) {
			ka_errbuf_set(eb, "no device node for %s in /dev: %s", ka_report_name(i), ka_err_str(ret));
			return ret;
		}
		ka_log(DEBUG, "gadget", "node", "function=%s path=%s", ka_report_name(i), path);
	}
	return 0;
}

static int watch_udc(struct gadget_backend *b, struct ka_errbuf *eb)
{
	struct ka_udc_events events = {.arg = b, .state = on_udc_state, .gone = on_udc_gone};
	int ret = ka_udc_new(&b->udc, &b->loop->uv, b->cfg->udc_class, b->udc_name, &events);

	if (ret < 0)
		ka_errbuf_set(eb, "cannot watch the controller %s: %s", b->udc_name, ka_err_str(ret));
	return ret;
}

static void bring_up(struct gadget_backend *b)
{
	struct ka_errbuf eb = {.text = "no memory"};
	int ret = ka_udc_find(b->cfg->udc_class, b->cfg->udc, b->udc_name, sizeof(b->udc_name));

	if (ret < 0)
		ka_errbuf_set(&eb, "no USB device controller%s%s in %s: is the board's OTG port in device mode?",
			      b->cfg->udc[0] ? " " : "", b->cfg->udc, b->cfg->udc_class);
	if (!ret)
		ret = ka_gadget_new(&b->gadget, b->cfg, b->udc_name, &eb);
	if (!ret)
		ret = open_nodes(b, &eb);
	if (!ret)
		ret = watch_udc(b, &eb);
	if (ret < 0) {
		fail_and_retry(b, ret, eb.text);
		return;
	}
	b->trouble[0] = '\0';
	b->bring_up_ms = RETRY_FIRST_MS;
	set_state(b, KA_USB_DETACHED, 0);
}

/* ---- the interface ---- */

static void gadget_start(struct ka_backend *base)
{
	struct gadget_backend *b = self(base);

	uv_timer_init(&b->loop->uv, &b->bring_up_timer);
	uv_timer_init(&b->loop->uv, &b->retry_timer);
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		struct ka_hidg_events events = {
			.arg = b, .leds = on_leds, .settled = on_settled, .retry = on_retry, .may_send = may_send};

		ka_hidg_init(&b->nodes[i], &b->loop->uv, NULL, &events, base);
	}
	b->started = true;
	bring_up(b);
}

static bool presses(const struct ka_report *r)
{
	bool any = r->function == KA_REPORT_KEYBOARD && r->data[2];

	if (r->function == KA_REPORT_CONTROL)
		return r->data[1] || r->data[2];
	return r->edge && (any || r->data[0]);
}

static void wake_host(struct gadget_backend *b)
{
	int64_t now_us = ka_clock_us();
	int ret;

	/* Once a second at most: each attempt signals on the bus, and some controllers lock up on more. */
	if (b->woken_us && now_us - b->woken_us < WAKE_EVERY_US)
		return;
	b->woken_us = now_us;
	ret = ka_udc_wake_host(b->cfg->udc_class, b->udc_name);
	ka_log(INFO, "gadget", "wake_host", "result=\"%s\"", ret < 0 ? ka_err_str(ret) : "asked");
}

static void gadget_send(struct ka_backend *base, const struct ka_report *r)
{
	struct gadget_backend *b = self(base);

	ka_hidg_push(&b->nodes[r->function], r, ++b->seq);
	if (b->usb == KA_USB_SUSPENDED && presses(r))
		wake_host(b);
}

static bool gadget_busy(struct ka_backend *base, unsigned int functions)
{
	struct gadget_backend *b = self(base);

	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		if ((functions & (1u << i)) && ka_hidg_busy(&b->nodes[i]))
			return true;
	}
	return false;
}

static void gadget_stop(struct ka_backend *base)
{
	struct gadget_backend *b = self(base);

	if (!b->started)
		return;
	tear_down(b);
	uv_close((uv_handle_t *)&b->bring_up_timer, NULL);
	uv_close((uv_handle_t *)&b->retry_timer, NULL);
	b->started = false;
}

static void gadget_free(struct ka_backend *base)
{
	free(self(base));
}

int ka_backend_gadget_new(struct ka_backend **out, const struct ka_hid_cfg *cfg, struct ka_loop *loop,
			  const struct ka_backend_events *events)
{
	static const struct ka_backend_ops ops = {gadget_start, gadget_send, gadget_busy, gadget_stop, gadget_free};
	struct gadget_backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->base.ops = &ops;
	b->base.events = *events;
	b->cfg = cfg;
	b->loop = loop;
	b->bring_up_ms = RETRY_FIRST_MS;
	*out = &b->base;
	return 0;
}
