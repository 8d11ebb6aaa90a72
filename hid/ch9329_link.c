/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/ch9329_link.h"

#include <string.h>

#include "base/attr.h"

#define BITS_A_BYTE 10 /* with start and stop bit */
#define ANSWER_BYTES 14
#define ASK_SILENT_US 1000000
#define LEDS 0x07

/* Where the newest report of a kind is kept. */
static unsigned int slot_of(const struct ka_report *r)
{
	return r->function == KA_REPORT_CONTROL && r->data[0] == 2 ? KA_REPORT_FUNCTIONS : r->function;
}

/* What says the state only: no wheel, no motion. */
static void take_steps_out(struct ka_report *r)
{
	if (r->function == KA_REPORT_ABS)
		memset(r->data + 5, 0, 2);
	if (r->function == KA_REPORT_REL)
		memset(r->data + 1, 0, 4);
	r->edge = true;
}

static void remember(struct ka_ch9329_link *l, const struct ka_report *r)
{
	unsigned int slot = slot_of(r);

	l->latest[slot] = *r;
	l->known[slot] = true;
	take_steps_out(&l->latest[slot]);
}

/* Whoever drove the chip before may have left something pressed. */
void ka_ch9329_link_init(struct ka_ch9329_link *l, unsigned int baud)
{
	struct ka_report rest[KA_CH9329_REST];

	memset(l, 0, sizeof(*l));
	l->baud = baud;
	ka_ch9329_rest(rest);
	for (size_t i = 0; i < KA_CH9329_REST; i++)
		remember(l, &rest[i]);
}

static void drop_queue(struct ka_ch9329_link *l)
{
	l->dropped += l->count;
	l->count = 0;
}

static void queue_latest(struct ka_ch9329_link *l)
{
	l->head = 0;
	for (unsigned int i = 0; i < KA_CH9329_SLOTS; i++) {
		if (l->known[i])
			l->queue[l->count++] = l->latest[i];
	}
}

static void set_state(struct ka_ch9329_link *l, enum ka_ch9329_state state)
{
	if (state == l->state)
		return;
	drop_queue(l);
	l->state = state;
	l->missed = state == KA_CH9329_HOST;
}

void ka_ch9329_link_restart(struct ka_ch9329_link *l)
{
	l->parser.len = 0;
	l->flight.on = false;
	l->asked_us = 0;
	set_state(l, KA_CH9329_SILENT);
}

void ka_ch9329_link_push(struct ka_ch9329_link *l, const struct ka_report *r)
{
	struct ka_report *last = &l->queue[(l->head + l->count + KA_CH9329_QUEUE - 1) % KA_CH9329_QUEUE];

	remember(l, r);
	if (l->state != KA_CH9329_HOST) {
		l->dropped++;
		return;
	}
	if (l->count && ka_report_merge(last, r))
		return;
	if (l->count == KA_CH9329_QUEUE) {
		drop_queue(l);
		l->dropped++;
		queue_latest(l);
		return;
	}
	l->queue[(l->head + l->count++) % KA_CH9329_QUEUE] = *r;
}

static void give_up(struct ka_ch9329_link *l)
{
	l->dropped += l->flight.report_is;
	l->flight.on = false;
}

static void begin_flight(struct ka_ch9329_link *l, const struct ka_ch9329_frame *f, int64_t now_us)
{
	int64_t line_us = (int64_t)(f->len + ANSWER_BYTES) * BITS_A_BYTE * 1000000 / l->baud;

	/* What has come until now is no answer to this. A damaged length would go on waiting for the rest. */
	l->parser.len = 0;
	l->flight.on = true;
	l->flight.command = f->data[3];
	l->flight.tries++;
	l->flight.until_us = now_us + line_us + KA_CH9329_ANSWER_US;
}

static void ask(struct ka_ch9329_link *l, int64_t now_us, struct ka_ch9329_frame *out)
{
	memset(&l->flight, 0, sizeof(l->flight));
	l->asked_us = now_us;
	ka_ch9329_frame(out, KA_CH9329_GET_INFO, NULL, 0);
	begin_flight(l, out, now_us);
}

/* False: the chip has no answer to this any more. */
static bool repeat(struct ka_ch9329_link *l, int64_t now_us, struct ka_ch9329_frame *out)
{
	if (l->flight.tries >= KA_CH9329_TRIES || l->state == KA_CH9329_SILENT) {
		give_up(l);
		set_state(l, KA_CH9329_SILENT);
		return false;
	}
	l->repeated++;
	if (l->flight.report_is) {
		take_steps_out(&l->flight.report);
		(void)ka_ch9329_from_report(out, &l->flight.report);
	} else {
		ka_ch9329_frame(out, KA_CH9329_GET_INFO, NULL, 0);
	}
	begin_flight(l, out, now_us);
	return true;
}

static int64_t ask_due_us(const struct ka_ch9329_link *l)
{
	if (!l->asked_us)
		return 0;
	if (l->state == KA_CH9329_SILENT)
		return l->asked_us + ASK_SILENT_US;
	return l->asked_us + (l->count ? KA_CH9329_ASK_BUSY_US : KA_CH9329_ASK_US);
}

bool ka_ch9329_link_take(struct ka_ch9329_link *l, int64_t now_us, struct ka_ch9329_frame *out)
{
	if (l->flight.on && now_us < l->flight.until_us)
		return false;
	if (l->flight.on && repeat(l, now_us, out))
		return true;
	if (now_us >= ask_due_us(l)) {
		ask(l, now_us, out);
		return true;
	}
	while (l->count) {
		const struct ka_report *r = &l->queue[l->head];
		bool known = ka_ch9329_from_report(out, r);

		l->flight = (struct ka_ch9329_flight){.report_is = true, .report = *r};
		l->head = (l->head + 1) % KA_CH9329_QUEUE;
		l->count--;
		if (known) {
			begin_flight(l, out, now_us);
			return true;
		}
		l->dropped++;
	}
	return false;
}

static void take_info(struct ka_ch9329_link *l, const struct ka_ch9329_answer *a)
{
	l->version = a->data[0];
	l->leds = a->data[2] & LEDS;
	set_state(l, a->data[1] ? KA_CH9329_HOST : KA_CH9329_NO_HOST);
	if (!l->missed)
		return;
	l->missed = false;
	drop_queue(l);
	queue_latest(l);
}

static void take_answer(struct ka_ch9329_link *l, const struct ka_ch9329_answer *a)
{
	uint8_t status = a->len ? a->data[0] : (uint8_t)KA_CH9329_E_PARAMETER;

	if (!l->flight.on || a->command != l->flight.command)
		return;
	if (!a->error && !l->flight.report_is) {
		l->flight.on = a->len < 3;
		if (!l->flight.on)
			take_info(l, a);
		return;
	}
	if (status == KA_CH9329_DONE) {
		l->flight.on = false;
		l->sent++;
		return;
	}
	if (status == KA_CH9329_E_TIMEOUT || status == KA_CH9329_E_HEAD || status == KA_CH9329_E_SUM) {
		/* Damaged on the way there: again, at once. */
		l->flight.until_us = 0;
		return;
	}
	/* What the chip does not know it will never know; what it could not do it is told again after the next
	 * question. */
	l->missed |= l->flight.report_is && status == KA_CH9329_E_EXECUTE;
	give_up(l);
}

void ka_ch9329_link_receive(struct ka_ch9329_link *l, const uint8_t *bytes, size_t len)
{
	struct ka_ch9329_answer a;

	for (size_t i = 0; i < len; i++) {
		ka_ch9329_feed(&l->parser, bytes[i]);
		while (ka_ch9329_next(&l->parser, &a))
			take_answer(l, &a);
	}
}

int64_t ka_ch9329_link_due_us(const struct ka_ch9329_link *l)
{
	return l->flight.on ? l->flight.until_us : ask_due_us(l);
}

bool ka_ch9329_link_busy(const struct ka_ch9329_link *l, unsigned int functions)
{
	if (l->flight.on && l->flight.report_is && (functions & (1u << l->flight.report.function)))
		return true;
	for (unsigned int i = 0; i < l->count; i++) {
		if (functions & (1u << l->queue[(l->head + i) % KA_CH9329_QUEUE].function))
			return true;
	}
	return false;
}
