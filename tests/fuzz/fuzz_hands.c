/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any order of events from any sources: reports stay within their bounds, and after a release nothing is held. */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/span.h"
#include "hid/hands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct host {
	uint8_t last[KA_REPORT_FUNCTIONS][KA_REPORT_MAX];
	uint8_t control[3];
	unsigned int reports, notices;
};

static void on_report(void *arg, const struct ka_report *r)
{
	struct host *h = arg;
	struct ka_report copy = *r;

	assert(r->function < KA_REPORT_FUNCTIONS && r->len && r->len <= KA_REPORT_MAX);
	if (r->function == KA_REPORT_CONTROL) {
		assert(r->data[0] == 1 || r->data[0] == 2);
		h->control[r->data[0]] = r->data[1] | r->data[2];
	}
	ka_report_merge(&copy, r);
	memcpy(h->last[r->function], r->data, KA_REPORT_MAX);
	h->reports++;
}

static void on_notice(void *arg, const struct ka_hid_notice *n)
{
	struct host *h = arg;

	assert(n->source && n->named <= KA_HID_NOTICE_CODES && (n->kind == KA_HID_REFUSED || n->count));
	h->notices++;
}

static void assert_nothing_held(const struct host *h)
{
	static const uint8_t up[KA_REPORT_MAX];

	assert(!memcmp(h->last[KA_REPORT_KEYBOARD], up, KA_REPORT_MAX));
	assert(!h->last[KA_REPORT_ABS][0] && !h->last[KA_REPORT_REL][0]);
	assert(!h->control[1] && !h->control[2]);
}

static char *take_text(struct ka_span *s)
{
	size_t len = KA_MIN((size_t)ka_span_u8(s), ka_span_left(s));
	const uint8_t *p = ka_span_take(s, len);
	char *text = malloc(len + 1);

	if (text && p)
		memcpy(text, p, len);
	if (text)
		text[p ? len : 0] = '\0';
	return text;
}

static void apply_one(struct ka_hands *hands, struct ka_span *s, uint8_t op)
{
	struct ka_input e = {.kind = op % 10, .source = 1 + op / 10 % 3};
	uint16_t a = (uint16_t)ka_span_le(s, 2);
	uint16_t b = (uint16_t)ka_span_le(s, 2);

	switch (e.kind) {
	case KA_INPUT_CHAR:
		e.chr.cp = a & 0x7fff;
		e.chr.down = b & 1;
		break;
	case KA_INPUT_TEXT:
		e.text.utf8 = take_text(s);
		break;
	case KA_INPUT_BUTTON:
		e.button.mask = (uint8_t)a;
		e.button.down = b & 1;
		e.button.mods = (uint8_t)(b >> 8);
		break;
	case KA_INPUT_MOVE_ABS:
	case KA_INPUT_MOVE_REL:
	case KA_INPUT_WHEEL:
		e.pos.x = a;
		e.pos.y = b;
		break;
	case KA_INPUT_RELEASE:
		e.release.keep_texts = a & 1;
		break;
	default:
		e.key.usage = a & 0x3ff;
		e.key.down = b & 1;
		e.key.hint = (uint8_t)(b >> 8);
		break;
	}
	ka_hands_apply(hands, &e);
}

/* Compiling a layout takes far longer than a run: once a process. */
static const struct ka_layout *layout_of(unsigned int which)
{
	static const char *const names[] = {"us", "de", "de(neo)", "jp"};
	static struct ka_layout *layouts[KA_ARRAY_LEN(names)];

	which %= KA_ARRAY_LEN(names);
	if (!layouts[which] && ka_layout_new(&layouts[which], names[which], KA_DEAD_LINUX, NULL) < 0)
		abort();
	return layouts[which];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_span s = ka_span_make(data, size);
	struct host host = {0};
	const struct ka_layout *layout = layout_of(size ? data[0] : 0);
	struct ka_hands hands;

	ka_log_init(2, KA_LOG_ERROR);
	ka_hands_init(
		&hands,
		&(struct ka_hands_cfg){
			.layout = layout, .type_interval_ms = 2, .emit = on_report, .notice = on_notice, .arg = &host});
	while (ka_span_left(&s) && !s.error) {
		uint8_t op = ka_span_u8(&s);

		if (op < 200)
			apply_one(&hands, &s, op);
		else if (op < 240)
			ka_hands_tick(&hands);
		else if (op < 243)
			ka_hands_stop_texts(&hands, ka_span_u8(&s) % 4);
		else if (op < 250)
			ka_hands_set_leds(&hands, ka_span_u8(&s), op & 1);
		else
			ka_hands_resend(&hands);
	}
	for (uint32_t source = 1; source <= 3; source++)
		ka_hands_apply(&hands, &(struct ka_input){.kind = KA_INPUT_RELEASE, .source = source});
	assert_nothing_held(&host);
	assert(!ka_hands_holding(&hands));
	ka_hands_release_all(&hands);
	assert_nothing_held(&host);
	ka_hands_fini(&hands);
	return 0;
}
