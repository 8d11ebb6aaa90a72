/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

static void press_next(struct ka_hands *h)
{
	const struct ka_stroke *s = &h->strokes.items[h->strokes_made++];

	ka_hands_press_stroke(h, KA_HANDS_SELF, s, s->mods, 0xff);
	h->stroke_down = true;
}

/* Also in the middle of a character: a dead key is followed by its base at once. */
void ka_hands_finish_texts(struct ka_hands *h)
{
	ka_hands_end_stroke(h);
	while (h->strokes_made < h->strokes.count) {
		press_next(h);
		ka_hands_end_stroke(h);
	}
	if (h->restore_caps)
		ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, true);
	h->restore_caps = false;
}

static void tell(struct ka_hands *h, const struct ka_hid_notice *n)
{
	if (h->cfg.notice && n->source)
		h->cfg.notice(h->cfg.arg, n);
}

void ka_hands_add_text(struct ka_hands *h, struct ka_input *e)
{
	int ret;

	if (!e->text.utf8)
		return;
	ret = ka_typist_add(&h->typist, e->source, e->text.utf8);
	e->text.utf8 = NULL;
	if (ret == 0)
		return;
	ka_log_every(WARN, KA_SEC(1), "hid", "text_refused", "source=%u cause=\"%s\"", e->source, ka_err_str(ret));
	tell(h, &(struct ka_hid_notice){.kind = KA_HID_REFUSED, .source = e->source});
}

void ka_hands_tell_left_out(struct ka_hands *h, uint32_t source, uint32_t cp)
{
	if (h->told_of[0] == source && h->told_of[1] == cp)
		return;
	h->told_of[0] = source;
	h->told_of[1] = cp;
	ka_log_every(WARN, KA_SEC(10), "hid", "untypable", "source=%u code=U+%04X", source, cp);
	tell(h,
	     &(struct ka_hid_notice){.kind = KA_HID_LEFT_OUT, .source = source, .count = 1, .named = 1, .codes = {cp}});
}

static void report_skipped(struct ka_hands *h, const struct ka_typist_skipped *s)
{
	struct ka_hid_notice n = {.kind = KA_HID_LEFT_OUT, .source = s->source, .count = s->count, .named = s->named};

	if (!s->count)
		return;
	for (unsigned int i = 0; i < s->named; i++)
		n.codes[i] = s->codes[i];
	/* Which ones is for the one who typed: a text may be a password. */
	ka_log_every(WARN, KA_SEC(1), "hid", "untypable", "source=%u left_out=%u", s->source, s->count);
	tell(h, &n);
}

static bool begin_stroke(struct ka_hands *h)
{
	struct ka_typist_skipped skipped;
	enum ka_typist_step step;

	if (h->strokes_made < h->strokes.count) {
		press_next(h);
		return true;
	}
	do {
		step = ka_typist_next(&h->typist, h->cfg.layout, &h->strokes, &skipped);
		if (step == KA_TYPIST_DONE)
			report_skipped(h, &skipped);
	} while (step == KA_TYPIST_DONE);
	if (step == KA_TYPIST_IDLE)
		return false;
	h->strokes_made = 0;
	if (ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, false))
		h->restore_caps = true;
	press_next(h);
	return true;
}

bool ka_hands_typing(const struct ka_hands *h)
{
	return h->stroke_down || h->strokes_made < h->strokes.count || h->typist.count || h->restore_caps;
}

void ka_hands_serve_waiting(struct ka_hands *h)
{
	struct ka_input e;

	while (!ka_hands_typing(h) && ka_waiting_take(&h->waiting, &e))
		ka_hands_apply_now(h, &e);
}

unsigned int ka_hands_tick(struct ka_hands *h)
{
	unsigned int held_ms = KA_MAX(h->cfg.type_interval_ms / 2, 1u);

	if (h->stroke_down) {
		ka_hands_end_stroke(h);
		return KA_MAX(h->cfg.type_interval_ms - held_ms, 1u);
	}
	if (begin_stroke(h))
		return held_ms;
	ka_hands_finish_texts(h);
	ka_hands_serve_waiting(h);
	return ka_hands_typing(h) ? 1 : 0;
}

/* Says so to everybody whose text it is, unless its last character is typed. */
static void tell_stopped(struct ka_hands *h, uint32_t source)
{
	for (unsigned int i = 0; i < h->typist.count; i++) {
		uint32_t whose = h->typist.texts[i].source;
		unsigned int left = ka_typist_left(&h->typist, whose);
		bool first = true;

		for (unsigned int j = 0; j < i; j++)
			first &= h->typist.texts[j].source != whose;
		if (first && left && (!source || whose == source))
			tell(h, &(struct ka_hid_notice){.kind = KA_HID_STOPPED, .source = whose, .count = left});
	}
}

static unsigned int drop_texts(struct ka_hands *h, uint32_t source)
{
	unsigned int dropped;

	tell_stopped(h, source);
	dropped = source ? ka_typist_cancel(&h->typist, source) : ka_typist_cancel_all(&h->typist);
	if (!h->typist.count)
		ka_hands_finish_texts(h);
	return dropped;
}

void ka_hands_cancel_texts(struct ka_hands *h)
{
	unsigned int dropped = drop_texts(h, 0);
	struct ka_input e;

	ka_hands_finish_texts(h);
	/* The keys that waited have their turn now: a key-up among them must not be lost. */
	while (ka_waiting_take(&h->waiting, &e)) {
		if (e.kind != KA_INPUT_TEXT) {
			ka_hands_apply_now(h, &e);
			continue;
		}
		ka_typist_wipe(e.text.utf8);
		dropped++;
	}
	if (dropped)
		ka_log(INFO, "hid", "typing_cancelled", "texts=%u", dropped);
}

/* A Return that waited must not follow half a password; a key that was held before the text has to go up. */
void ka_hands_stop_texts(struct ka_hands *h, uint32_t source)
{
	unsigned int dropped = drop_texts(h, source);
	struct ka_input e;

	for (unsigned int n = h->waiting.count; n && ka_waiting_take(&h->waiting, &e); n--) {
		if (source && e.source != source) {
			(void)!ka_waiting_add(&h->waiting, &e);
			continue;
		}
		if (e.kind == KA_INPUT_TEXT) {
			ka_typist_wipe(e.text.utf8);
			dropped++;
		} else if (!ka_waiting_presses(&e)) {
			ka_hands_apply_now(h, &e);
		}
	}
	ka_hands_serve_waiting(h);
	if (dropped)
		ka_log(INFO, "hid", "typing_stopped", "source=%u texts=%u", source, dropped);
}

bool ka_hands_escape(struct ka_hands *h, const struct ka_input *e)
{
	if (e->kind != KA_INPUT_KEY || e->key.usage != KA_KEY_ESCAPE)
		return false;
	if (h->escape_of == e->source) {
		if (!e->key.down)
			h->escape_of = 0;
		return true;
	}
	if (!e->key.down || !ka_typist_has(&h->typist, e->source))
		return false;
	ka_hands_stop_texts(h, e->source);
	h->escape_of = e->source;
	return true;
}
