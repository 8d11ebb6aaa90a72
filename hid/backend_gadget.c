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
#include "hid/uevent.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 16000
#define SETTLE_MS 50 /* between the notice of a controller and its use */
#define ORDER_WAIT_US 30000
#define WAKE_EVERY_US 1000000
#define PROBE_EVERY_US 250000

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
	struct ka_uevent *uevent; /* NULL where the kernel's notices are not to be had */
	int cause;		  /* of state NONE */
	struct ka_hidg nodes[KA_REPORT_FUNCTIONS];
	enum ka_usb_state usb;
	bool lost;	   /* the controller did not say so, but nobody takes reports */
	int64_t probed_us; /* while lost */
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
	b->cause = cause;
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

static void set_host(struct gadget_backend *b, bool present)
{
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++)
		ka_hidg_host(&b->nodes[i], present);
}

/* Some controllers keep saying "configured" after the cable was pulled. */
static void on_lost(void *arg, struct ka_hidg *g)
{
	struct gadget_backend *b = arg;

	(void)g;
	if (b->usb != KA_USB_CONFIGURED)
		return;
	ka_log(INFO, "gadget", "host", "state=lost");
	b->lost = true;
	b->probed_us = ka_clock_us();
	set_host(b, false);
	set_state(b, KA_USB_DETACHED, 0);
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
		ka_log(INFO, "gadget", "host", "state=%s", ka_usb_state_name(usb));
	b->lost = false;
	/* Also when nothing changed: the host may have set it up anew between two notices. */
	if (usb != KA_USB_SUSPENDED)
		set_host(b, usb == KA_USB_CONFIGURED);
	set_state(b, usb, 0);
}

static void on_udc_gone(void *arg)
{
	struct gadget_backend *b = arg;

	b->bring_up_ms = RETRY_FIRST_MS;
	fail_and_retry(b, -ENODEV, "the USB device controller has gone, or somebody unbound the gadget");
}

/* A lost host that comes back is announced by the controller; but if it only paused, nobody tells. True when
 * it took the report. */
static bool probe_lost(struct gadget_backend *b, const struct ka_report *r)
{
	int64_t now_us = ka_clock_us();

	if (now_us - b->probed_us < PROBE_EVERY_US)
		return false;
	b->probed_us = now_us;
	if (!ka_gadget_bound(b->gadget)) {
		on_udc_gone(b);
		return false;
	}
	if (!ka_hidg_probe(&b->nodes[r->function], r))
		return false;
	ka_log(INFO, "gadget", "host", "state=regained");
	b->lost = false;
	set_host(b, true);
	set_state(b, KA_USB_CONFIGURED, 0);
	return true;
}

static void on_uevent(void *arg, enum ka_uevent_action action)
{
	struct gadget_backend *b = arg;

	if (b->gadget) {
		if (!ka_gadget_bound(b->gadget))
			on_udc_gone(b);
		return;
	}
	/* Taking a gadget down makes a notice of change too: it counts only where another one was in the way. */
	if (action == KA_UEVENT_ADD || (action == KA_UEVENT_CHANGE && b->cause == -EBUSY)) {
		b->bring_up_ms = RETRY_FIRST_MS;
		ka_timer_once(&b->bring_up_timer, on_bring_up_timer, SETTLE_MS);
	}
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
	int ret;

	uv_timer_init(&b->loop->uv, &b->bring_up_timer);
	uv_timer_init(&b->loop->uv, &b->retry_timer);
	for (unsigned int i = 0; i < KA_REPORT_FUNCTIONS; i++) {
		struct ka_hidg_events events = {.arg = b,
						.leds = on_leds,
						.settled = on_settled,
						.lost = on_lost,
						.retry = on_retry,
						.may_send = may_send};

		ka_hidg_init(&b->nodes[i], &b->loop->uv, NULL, &events, base);
	}
	b->started = true;
	ret = ka_uevent_new(&b->uevent, &b->loop->uv, on_uevent, b);
	if (ret < 0)
		ka_log(DEBUG, "gadget", "no_notices", "cause=\"%s\"", ka_err_str(ret));
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

	if (b->lost && probe_lost(b, r))
		return;
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
	ka_uevent_free(b->uevent);
	b->uevent = NULL;
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
