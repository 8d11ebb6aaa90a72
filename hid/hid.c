/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hid.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mailbox.h"
#include "base/thread.h"
#include "hid/backend.h"
#include "hid/hands.h"
#include "hid/tty.h"

#define INBOX_EVENTS 256
#define NOTICES 16
#define DRAIN_MS 200 /* how long a stop waits for the last releases to reach the host */

struct ka_hid {
	struct ka_hid_cfg cfg;
	struct ka_wake wake;
	struct ka_layout *layout;
	struct ka_mailbox *inbox;
	struct ka_mailbox *notices;
	struct ka_loop loop;
	struct ka_thread thread;
	atomic_bool stop_typing;
	atomic_bool overflow; /* events were lost: everything is to be released */
	atomic_bool stop;

	pthread_mutex_t state_lock; /* leaf; guards state */
	struct ka_hid_state state;

	/* Below: hid thread only. */
	struct ka_backend *backend;
	struct ka_hands hands;
	uv_timer_t type_timer;
	uv_timer_t drain_timer;
	bool type_waits; /* the next stroke waits for the backend, not for the timer */
	bool stopping;
	/* What the backend told, for on_wake() to act on. */
	struct {
		bool host_left;	 /* it is not there, or sleeps */
		bool leds_gone;	 /* its LEDs mean nothing any more */
		bool send_again; /* it is back and may have missed something */
	} news;
};

static void drop_event(void *item)
{
	struct ka_input *e = item;

	if (e->kind == KA_INPUT_TEXT)
		ka_typist_wipe(e->text.utf8);
}

static bool add_fits(int16_t *a, int16_t b)
{
	int sum = *a + b;

	if (sum < INT16_MIN || sum > INT16_MAX)
		return false;
	*a = (int16_t)sum;
	return true;
}

/* Moves and wheel steps that nobody took yet become one. */
static bool merge_event(void *last_item, const void *item)
{
	struct ka_input *last = last_item;
	const struct ka_input *e = item;
	struct ka_input sum = *last;

	if (last->kind != e->kind || last->source != e->source)
		return false;
	switch (e->kind) {
	case KA_INPUT_MOVE_ABS:
		sum.pos = e->pos;
		break;
	case KA_INPUT_MOVE_REL:
		if (!add_fits(&sum.rel.dx, e->rel.dx) || !add_fits(&sum.rel.dy, e->rel.dy))
			return false;
		break;
	case KA_INPUT_WHEEL:
		if (!add_fits(&sum.wheel.x, e->wheel.x) || !add_fits(&sum.wheel.y, e->wheel.y))
			return false;
		break;
	default:
		return false;
	}
	*last = sum;
	return true;
}

/* ---- typing ---- */

static void on_type_timer(uv_timer_t *t);

static void type_next(struct ka_hid *h)
{
	unsigned int pause_ms;

	if (uv_is_active((uv_handle_t *)&h->type_timer) || !ka_hands_typing(&h->hands))
		return;
	h->type_waits = h->backend->ops->busy(h->backend, 1u << KA_REPORT_KEYBOARD);
	if (h->type_waits)
		return;
	pause_ms = ka_hands_tick(&h->hands);
	if (pause_ms)
		ka_timer_once(&h->type_timer, on_type_timer, pause_ms);
}

static void on_type_timer(uv_timer_t *t)
{
	type_next(KA_CONTAINER_OF(t, struct ka_hid, type_timer));
}

/* ---- stopping ---- */

static void finish_stop(struct ka_hid *h)
{
	uv_timer_stop(&h->drain_timer);
	ka_loop_stop(&h->loop);
}

static void on_drain_timer(uv_timer_t *t)
{
	struct ka_hid *h = KA_CONTAINER_OF(t, struct ka_hid, drain_timer);

	ka_log(WARN, "hid", "undelivered", "the host did not take the last reports");
	finish_stop(h);
}

static void begin_stop(struct ka_hid *h)
{
	h->stopping = true;
	ka_mailbox_close(h->inbox);
	ka_hands_release_all(&h->hands);
	if (h->backend->ops->busy(h->backend, KA_BACKEND_ALL))
		ka_timer_once(&h->drain_timer, on_drain_timer, DRAIN_MS);
	else
		finish_stop(h);
}

/* ---- the backend's events ---- */

static void on_report(void *arg, const struct ka_report *r)
{
	struct ka_hid *h = arg;

	h->backend->ops->send(h->backend, r);
}

static void on_notice(void *arg, const struct ka_hid_notice *n)
{
	struct ka_hid *h = arg;
	struct ka_hid_notice copy = *n;

	ka_mailbox_put(h->notices, &copy);
}

/* May come from within a send: notes only, so that nobody walks over the state of the hands from behind. */
static void on_state(void *arg, enum ka_usb_state usb, int cause)
{
	struct ka_hid *h = arg;
	bool gone = usb == KA_USB_NONE || usb == KA_USB_DETACHED;
	bool changed;

	pthread_mutex_lock(&h->state_lock);
	changed = h->state.usb != usb || h->state.cause != cause;
	if (usb == KA_USB_CONFIGURED && changed) {
		/* A host that slept remembers what it saw last; one that is new knows nothing is held. */
		h->news.send_again |= h->state.usb == KA_USB_SUSPENDED || ka_hands_holding(&h->hands);
	}
	h->state.usb = usb;
	h->state.cause = cause;
	/* A host that was gone sets its LEDs anew. The LED report may overtake the news that it is back. */
	if (gone) {
		h->state.leds = 0;
		h->state.leds_known = false;
	}
	pthread_mutex_unlock(&h->state_lock);
	h->news.leds_gone |= gone;
	h->news.host_left |= usb != KA_USB_CONFIGURED;
	if (changed) {
		ka_loop_wake(&h->loop);
		ka_wake_call(&h->wake);
	}
}

static void on_leds(void *arg, uint8_t leds)
{
	struct ka_hid *h = arg;
	bool changed;

	pthread_mutex_lock(&h->state_lock);
	changed = !h->state.leds_known || h->state.leds != leds;
	h->state.leds = leds;
	h->state.leds_known = true;
	pthread_mutex_unlock(&h->state_lock);
	h->news.leds_gone = false;
	ka_hands_set_leds(&h->hands, leds, true);
	if (changed)
		ka_wake_call(&h->wake);
}

static void on_drained(void *arg)
{
	struct ka_hid *h = arg;

	if (h->stopping || h->type_waits)
		ka_loop_wake(&h->loop);
}

static void take_news(struct ka_hid *h)
{
	if (h->news.leds_gone)
		ka_hands_set_leds(&h->hands, 0, false);
	if (h->news.host_left)
		ka_hands_cancel_texts(&h->hands);
	if (h->news.send_again)
		ka_hands_resend(&h->hands);
	memset(&h->news, 0, sizeof(h->news));
}

/* ---- the thread ---- */

static void on_wake(void *arg)
{
	struct ka_hid *h = arg;
	struct ka_input e;
	unsigned int n = 0;

	if (h->stopping) {
		if (!h->backend->ops->busy(h->backend, KA_BACKEND_ALL))
			finish_stop(h);
		return;
	}
	take_news(h);
	for (; n < INBOX_EVENTS && ka_mailbox_take(h->inbox, &e); n++)
		ka_hands_apply(&h->hands, &e);
	/* The host's events get their turn between two full boxes. */
	if (n == INBOX_EVENTS)
		ka_loop_wake(&h->loop);
	/* After the queue: what was taken while another thread emptied it goes up again too. */
	if (atomic_exchange_explicit(&h->overflow, false, memory_order_acq_rel)) {
		ka_log_every(WARN, KA_SEC(10), "hid", "overflow", "released=all");
		ka_hands_release_all(&h->hands);
	}
	if (atomic_exchange_explicit(&h->stop_typing, false, memory_order_acq_rel))
		ka_hands_stop_texts(&h->hands, 0);
	if (atomic_load_explicit(&h->stop, memory_order_acquire))
		begin_stop(h);
	else
		type_next(h);
}

static void *run(void *arg)
{
	struct ka_hid *h = arg;

	uv_timer_init(&h->loop.uv, &h->type_timer);
	uv_timer_init(&h->loop.uv, &h->drain_timer);
	h->backend->ops->start(h->backend);
	on_wake(h);
	ka_loop_run(&h->loop);
	h->backend->ops->stop(h->backend);
	uv_close((uv_handle_t *)&h->type_timer, NULL);
	uv_close((uv_handle_t *)&h->drain_timer, NULL);
	return NULL;
}

static int make_backend(struct ka_hid *h)
{
	struct ka_backend_events events = {.arg = h, .state = on_state, .leds = on_leds, .drained = on_drained};

	switch (h->cfg.backend) {
	case KA_HID_GADGET:
		return ka_backend_gadget_new(&h->backend, &h->cfg, &h->loop, &events);
	case KA_HID_CH9329:
		return ka_backend_ch9329_new(&h->backend, &h->cfg, &h->loop, &events);
	case KA_HID_RECORD:
		return ka_backend_record_new(&h->backend, &h->cfg, &events);
	default:
		return ka_backend_none_new(&h->backend, &events);
	}
}

static void wake_thread(void *arg)
{
	struct ka_hid *h = arg;

	ka_loop_wake(&h->loop);
}

int ka_hid_new(struct ka_hid **out, const struct ka_hid_cfg *cfg, struct ka_wake wake, struct ka_errbuf *eb)
{
	struct ka_hid *h = calloc(1, sizeof(*h));
	struct ka_mailbox_cfg inbox = {
		.item_size = sizeof(struct ka_input),
		.capacity = INBOX_EVENTS,
		.policy = KA_MAILBOX_REFUSE,
		.drop = drop_event,
		.merge = merge_event,
		.wake = {.fn = wake_thread, .arg = h},
	};
	struct ka_mailbox_cfg notices = {
		.item_size = sizeof(struct ka_hid_notice),
		.capacity = NOTICES,
		.policy = KA_MAILBOX_DROP_OLDEST,
		.wake = wake,
	};
	int ret;

	if (!h) {
		ka_errbuf_set(eb, "no memory");
		return -ENOMEM;
	}
	h->cfg = *cfg;
	h->wake = wake;
	pthread_mutex_init(&h->state_lock, NULL);
	ret = ka_layout_new(&h->layout, cfg->layout, cfg->dead_keys, eb);
	if (ret < 0)
		goto fail;
	ka_hands_init(&h->hands, &(struct ka_hands_cfg){.layout = h->layout,
							.type_interval_ms = cfg->type_interval_ms,
							.emit = on_report,
							.notice = on_notice,
							.arg = h});
	ret = ka_loop_init(&h->loop, on_wake, h);
	if (!ret)
		ret = ka_mailbox_new(&h->inbox, &inbox);
	if (!ret)
		ret = ka_mailbox_new(&h->notices, &notices);
	if (!ret)
		ret = make_backend(h);
	if (ret < 0) {
		ka_errbuf_set(eb, "input to the target: %s", ka_err_str(ret));
		goto fail;
	}
	*out = h;
	return 0;
fail:
	ka_hid_free(h);
	return ret;
}

int ka_hid_start(struct ka_hid *h)
{
	return ka_thread_start(&h->thread, "ka-hid", run, h);
}

void ka_hid_stop(struct ka_hid *h)
{
	atomic_store_explicit(&h->stop, true, memory_order_release);
	ka_loop_wake(&h->loop);
}

bool ka_hid_alive(struct ka_hid *h)
{
	return ka_loop_alive(&h->loop);
}

void ka_hid_join(struct ka_hid *h)
{
	ka_thread_join(&h->thread);
}

void ka_hid_free(struct ka_hid *h)
{
	if (!h)
		return;
	assert(!h->thread.running);
	/* Not at the end of the thread: others may still post, and wake the loop, until they are told to stop. */
	ka_loop_fini(&h->loop);
	if (h->backend)
		h->backend->ops->free(h->backend);
	ka_mailbox_free(h->inbox);
	ka_mailbox_free(h->notices);
	ka_hands_fini(&h->hands);
	ka_layout_free(h->layout);
	pthread_mutex_destroy(&h->state_lock);
	free(h);
}

void ka_hid_post(struct ka_hid *h, struct ka_input *event)
{
	if (ka_mailbox_put(h->inbox, event) != -EAGAIN)
		return;
	/* A key-up may have been refused. Emptying first makes sure that no key-down left behind outlives the release.
	 */
	ka_mailbox_clear(h->inbox);
	atomic_store_explicit(&h->overflow, true, memory_order_release);
	ka_loop_wake(&h->loop);
}

void ka_hid_stop_typing(struct ka_hid *h)
{
	atomic_store_explicit(&h->stop_typing, true, memory_order_release);
	ka_loop_wake(&h->loop);
}

bool ka_hid_take_notice(struct ka_hid *h, struct ka_hid_notice *out)
{
	return ka_mailbox_take(h->notices, out);
}

void ka_hid_get_state(struct ka_hid *h, struct ka_hid_state *out)
{
	pthread_mutex_lock(&h->state_lock);
	*out = h->state;
	pthread_mutex_unlock(&h->state_lock);
	out->reports = atomic_load_explicit(&h->backend->reports, memory_order_relaxed);
	out->dropped = atomic_load_explicit(&h->backend->dropped, memory_order_relaxed);
}

bool ka_hid_has_speed(unsigned int baud)
{
	return ka_tty_has_speed(baud);
}

const char *ka_usb_state_name(enum ka_usb_state s)
{
	static const char *const names[] = {"none", "detached", "suspended", "configured"};

	return names[s];
}
