/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

#include <string.h>

#include "base/log.h"

void ka_hands_init(struct ka_hands *h, const struct ka_hands_cfg *cfg)
{
	memset(h, 0, sizeof(*h));
	h->cfg = *cfg;
	ka_pointer_init(&h->pointer);
}

void ka_hands_fini(struct ka_hands *h)
{
	ka_waiting_clear(&h->waiting);
	ka_typist_cancel_all(&h->typist);
}

/* ---- sending ---- */

void ka_hands_send_keys(struct ka_hands *h)
{
	struct ka_report r;

	ka_keyboard_report(&h->keyboard, &r);
	if (!memcmp(r.data, h->keys_sent, sizeof(h->keys_sent)))
		return;
	memcpy(h->keys_sent, r.data, sizeof(h->keys_sent));
	h->cfg.emit(h->cfg.arg, &r);
}

static void send_pointer(struct ka_hands *h)
{
	struct ka_report r;

	while (ka_pointer_take(&h->pointer, &r))
		h->cfg.emit(h->cfg.arg, &r);
}

static void send_control(struct ka_hands *h)
{
	struct ka_report r;

	while (ka_control_take(&h->control, &r))
		h->cfg.emit(h->cfg.arg, &r);
}

void ka_hands_shape(struct ka_hands *h, uint8_t add, uint8_t hide)
{
	if (ka_keyboard_shape(&h->keyboard, add, hide))
		ka_hands_send_keys(h);
}

/* Modifiers and key in reports of their own: firmware that looks at one change at a time gets the order right. */
void ka_hands_press_stroke(struct ka_hands *h, uint32_t source, const struct ka_stroke *s, uint8_t add, uint8_t hide)
{
	ka_hands_free_key(h, s->usage);
	ka_hands_shape(h, add, hide);
	for (size_t i = 0; i < KA_ARRAY_LEN(s->levels) && s->levels[i]; i++) {
		ka_hands_free_key(h, s->levels[i]);
		ka_keyboard_press(&h->keyboard, source, s->levels[i]);
		ka_hands_send_keys(h);
	}
	ka_keyboard_press(&h->keyboard, source, s->usage);
	ka_hands_send_keys(h);
}

void ka_hands_release_stroke(struct ka_hands *h, uint32_t source, const struct ka_stroke *s)
{
	ka_keyboard_release(&h->keyboard, source, s->usage);
	ka_hands_send_keys(h);
	for (size_t i = 0; i < KA_ARRAY_LEN(s->levels) && s->levels[i]; i++)
		ka_keyboard_release(&h->keyboard, source, s->levels[i]);
	ka_hands_send_keys(h);
}

void ka_hands_end_stroke(struct ka_hands *h)
{
	if (!h->stroke_down)
		return;
	h->stroke_down = false;
	ka_hands_release_stroke(h, KA_HANDS_SELF, &h->strokes.items[h->strokes_made - 1]);
	ka_hands_shape(h, 0, 0);
}

/* Before a real key or button: ends a typed stroke early, and shows the host the modifiers that are really held. */
void ka_hands_settle(struct ka_hands *h)
{
	ka_hands_end_stroke(h);
	ka_hands_shape(h, 0, 0);
}

/* ---- pointer and the rest ---- */

static void release_click_mods(struct ka_hands *h, uint32_t source)
{
	for (unsigned int i = 0; i < 8; i++)
		ka_keyboard_release(&h->keyboard, source, (uint16_t)((KA_KEY_LEFT_CTRL + i) | KA_KEYBOARD_FOR_CLICK));
	ka_hands_send_keys(h);
}

static void apply_button(struct ka_hands *h, const struct ka_input *e)
{
	uint8_t missing = e->button.mods & (uint8_t)~ka_keyboard_mods(&h->keyboard);

	ka_hands_settle(h);
	if (e->button.down) {
		for (unsigned int i = 0; i < 8; i++) {
			if (missing & (1u << i))
				ka_keyboard_press(&h->keyboard, e->source,
						  (uint16_t)((KA_KEY_LEFT_CTRL + i) | KA_KEYBOARD_FOR_CLICK));
		}
		ka_hands_send_keys(h);
	}
	ka_pointer_button(&h->pointer, e->source, e->button.mask, e->button.down);
	send_pointer(h);
	if (!ka_pointer_pressed(&h->pointer, e->source))
		release_click_mods(h, e->source);
}

static void release_source(struct ka_hands *h, uint32_t source, bool keep_texts)
{
	ka_hands_settle(h);
	if (keep_texts)
		ka_waiting_drop_presses(&h->waiting, source);
	else
		ka_waiting_drop(&h->waiting, source);
	if (h->escape_of == source)
		h->escape_of = 0;
	if (!keep_texts && ka_typist_cancel(&h->typist, source) && !h->typist.count)
		ka_hands_finish_texts(h);
	ka_keyboard_release_source(&h->keyboard, source);
	ka_hands_send_keys(h);
	ka_pointer_release_source(&h->pointer, source);
	send_pointer(h);
	ka_control_release_source(&h->control, source);
	send_control(h);
	ka_hands_serve_waiting(h);
}

void ka_hands_release_all(struct ka_hands *h)
{
	ka_waiting_clear(&h->waiting);
	ka_hands_cancel_texts(h);
	h->keyboard.holds.count = 0;
	ka_keyboard_shape(&h->keyboard, 0, 0);
	ka_hands_send_keys(h);
	ka_pointer_release_all(&h->pointer);
	send_pointer(h);
	ka_control_release_all(&h->control);
	send_control(h);
}

void ka_hands_set_leds(struct ka_hands *h, uint8_t leds, bool known)
{
	h->leds = leds;
	h->leds_known = known;
}

bool ka_hands_holding(const struct ka_hands *h)
{
	return h->keyboard.holds.count || h->pointer.holds.count || h->control.consumer.count ||
	       h->control.system.count;
}

void ka_hands_resend(struct ka_hands *h)
{
	struct ka_report r;

	ka_keyboard_report(&h->keyboard, &r);
	memcpy(h->keys_sent, r.data, sizeof(h->keys_sent));
	h->cfg.emit(h->cfg.arg, &r);
	ka_pointer_resend(&h->pointer);
	send_pointer(h);
	ka_report_consumer(&r, ka_holds_newest(&h->control.consumer));
	h->cfg.emit(h->cfg.arg, &r);
	ka_report_system(&r, ka_holds_newest(&h->control.system));
	h->cfg.emit(h->cfg.arg, &r);
}

void ka_hands_apply_now(struct ka_hands *h, struct ka_input *e)
{
	switch (e->kind) {
	case KA_INPUT_KEY:
		ka_hands_apply_key(h, e);
		break;
	case KA_INPUT_CONSUMER:
		ka_control_consumer(&h->control, e->source, e->key.usage, e->key.down);
		send_control(h);
		break;
	case KA_INPUT_SYSTEM:
		ka_control_system(&h->control, e->source, e->key.usage, e->key.down);
		send_control(h);
		break;
	case KA_INPUT_CHAR:
		ka_hands_apply_char(h, e);
		break;
	case KA_INPUT_TEXT:
		ka_hands_add_text(h, e);
		break;
	case KA_INPUT_MOVE_ABS:
		ka_pointer_move_abs(&h->pointer, e->pos.x, e->pos.y);
		send_pointer(h);
		break;
	case KA_INPUT_MOVE_REL:
		ka_pointer_move_rel(&h->pointer, e->rel.dx, e->rel.dy);
		send_pointer(h);
		break;
	case KA_INPUT_BUTTON:
		apply_button(h, e);
		break;
	case KA_INPUT_WHEEL:
		ka_pointer_wheel(&h->pointer, e->wheel.x, e->wheel.y);
		send_pointer(h);
		break;
	case KA_INPUT_RELEASE:
		release_source(h, e->source, e->release.keep_texts);
		break;
	}
}

/* Whether an event has to stay behind the text that is being typed. */
static bool has_to_wait(const struct ka_hands *h, const struct ka_input *e)
{
	if (e->kind == KA_INPUT_TEXT)
		return h->waiting.count;
	return (e->kind == KA_INPUT_KEY || e->kind == KA_INPUT_CHAR) && ka_hands_typing(h);
}

void ka_hands_apply(struct ka_hands *h, struct ka_input *e)
{
	if (ka_hands_escape(h, e))
		return;
	if (!has_to_wait(h, e)) {
		ka_hands_apply_now(h, e);
		return;
	}
	if (ka_waiting_add(&h->waiting, e) == 0)
		return;
	/* A key-up may be among what does not fit: nothing may stay down. */
	ka_log(WARN, "hid", "overflow", "too many keys while a text is typed: everything released");
	if (e->kind == KA_INPUT_TEXT)
		ka_typist_wipe(e->text.utf8);
	ka_hands_release_all(h);
}
