/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

#include <stdio.h>

#include "base/log.h"

void ka_hands_finish_texts(struct ka_hands *h)
{
	ka_hands_end_stroke(h);
	if (h->restore_caps)
		ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, true);
	h->restore_caps = false;
}

void ka_hands_add_text(struct ka_hands *h, struct ka_input *e)
{
	int ret;

	if (!e->text.utf8)
		return;
	ret = ka_typist_add(&h->typist, e->source, e->text.utf8);
	e->text.utf8 = NULL;
	if (ret < 0)
		ka_log(WARN, "hid", "text_refused", "source=%u cause=\"%s\"", e->source, ka_err_str(ret));
}

static void report_skipped(const struct ka_typist_skipped *s)
{
	char codes[KA_TYPIST_NAMED * 10 + 1] = "";
	size_t len = 0;

	if (!s->count)
		return;
	for (unsigned int i = 0; i < s->named; i++)
		len += (size_t)snprintf(codes + len, sizeof(codes) - len, "%sU+%04X", i ? "," : "", s->codes[i]);
	ka_log(WARN, "hid", "untypable", "left_out=%u codes=%s", s->count, codes);
}

static bool begin_stroke(struct ka_hands *h)
{
	struct ka_typist_skipped skipped;
	enum ka_typist_step step = ka_typist_next(&h->typist, h->cfg.layout, &h->stroke, &skipped);

	while (step == KA_TYPIST_DONE) {
		report_skipped(&skipped);
		step = ka_typist_next(&h->typist, h->cfg.layout, &h->stroke, &skipped);
	}
	if (step == KA_TYPIST_IDLE)
		return false;
	if (ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, false))
		h->restore_caps = true;
	ka_hands_free_key(h, h->stroke.usage);
	ka_hands_shape(h, h->stroke.mods, 0xff);
	ka_keyboard_press(&h->keyboard, KA_HANDS_SELF, h->stroke.usage);
	ka_hands_send_keys(h);
	h->stroke_down = true;
	return true;
}

bool ka_hands_typing(const struct ka_hands *h)
{
	return h->stroke_down || h->typist.count || h->restore_caps;
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

void ka_hands_cancel_texts(struct ka_hands *h)
{
	unsigned int dropped = ka_typist_cancel_all(&h->typist);
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
