/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define SELF 0 /* the source that holds what the typist and lock clicks press */
#define SHIFTS (KA_MOD_LSHIFT | KA_MOD_RSHIFT)
#define SHORTCUT_MODS (KA_MOD_LCTRL | KA_MOD_RCTRL | KA_MOD_LALT | KA_MOD_LGUI | KA_MOD_RGUI)

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

static void send_keys(struct ka_hands *h)
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

static void shape(struct ka_hands *h, uint8_t add, uint8_t hide)
{
	if (ka_keyboard_shape(&h->keyboard, add, hide))
		send_keys(h);
}

/* Modifiers and key in reports of their own: firmware that looks at one change at a time gets the order right. */
static void end_stroke(struct ka_hands *h)
{
	if (!h->stroke_down)
		return;
	h->stroke_down = false;
	ka_keyboard_release(&h->keyboard, SELF, h->stroke.usage);
	send_keys(h);
	shape(h, 0, 0);
}

/* Before a real key or button: ends a typed stroke early, and shows the host the modifiers that are really held. */
static void settle(struct ka_hands *h)
{
	end_stroke(h);
	shape(h, 0, 0);
}

/* ---- locks ---- */

static uint8_t led_of(uint16_t usage)
{
	switch (usage) {
	case KA_KEY_CAPS_LOCK:
		return KA_LED_CAPS;
	case KA_KEY_NUM_LOCK:
		return KA_LED_NUM;
	case KA_KEY_SCROLL_LOCK:
		return KA_LED_SCROLL;
	default:
		return 0;
	}
}

/* Returns false when the key is held down, so that clicking it is not possible. */
static bool click_lock(struct ka_hands *h, uint16_t usage)
{
	if (ka_holds_any(&h->keyboard.holds, usage) || !ka_keyboard_press(&h->keyboard, SELF, usage))
		return false;
	send_keys(h);
	ka_keyboard_release(&h->keyboard, SELF, usage);
	send_keys(h);
	/* The LED report takes a while to come back; the next key must not click again. */
	h->leds ^= led_of(usage);
	return true;
}

static bool want_lock(struct ka_hands *h, uint16_t usage, bool on)
{
	bool is_on = h->leds & led_of(usage);

	return h->leds_known && is_on != on && click_lock(h, usage);
}

static void apply_hint(struct ka_hands *h, uint8_t hint)
{
	switch (hint) {
	case KA_LOCK_CAPS_OFF:
	case KA_LOCK_CAPS_ON:
		want_lock(h, KA_KEY_CAPS_LOCK, hint == KA_LOCK_CAPS_ON);
		break;
	case KA_LOCK_NUM_OFF:
	case KA_LOCK_NUM_ON:
		want_lock(h, KA_KEY_NUM_LOCK, hint == KA_LOCK_NUM_ON);
		break;
	default:
		break;
	}
}

/* ---- keys and characters ---- */

static void apply_key(struct ka_hands *h, const struct ka_input *e)
{
	uint16_t usage = e->key.usage;
	bool was_down;

	if (!ka_keyboard_has(usage))
		return;
	settle(h);
	if (!e->key.down) {
		ka_keyboard_release(&h->keyboard, e->source, usage);
		send_keys(h);
		return;
	}
	if (ka_holds_has(&h->keyboard.holds, e->source, usage))
		return;
	apply_hint(h, e->key.hint);
	was_down = ka_holds_any(&h->keyboard.holds, usage);
	if (ka_keyboard_press(&h->keyboard, e->source, usage) && !was_down)
		h->leds ^= led_of(usage);
	send_keys(h);
}

/* Gives the host a key that is up, whoever holds it. */
static void free_key(struct ka_hands *h, uint8_t usage)
{
	if (ka_holds_remove_code(&h->keyboard.holds, usage))
		send_keys(h);
}

/* Keys that CapsLock may act upon: letters everywhere, the top row too on some systems. */
static bool minds_caps(uint32_t cp)
{
	return cp > ' ';
}

static bool is_letter(uint32_t cp)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp >= 0xc0;
}

static void press_char(struct ka_hands *h, const struct ka_input *e, const struct ka_stroke *s)
{
	bool altgr = ka_layout_has_altgr(h->cfg.layout);
	uint8_t held = ka_keyboard_mods(&h->keyboard);
	bool shortcut = held & (SHORTCUT_MODS | (altgr ? 0 : KA_MOD_RALT));
	uint8_t add = s->mods;
	uint8_t hide = 0;

	if (ka_holds_has(&h->keyboard.holds, e->source, s->usage) && h->last_char.source == e->source &&
	    h->last_char.cp == e->chr.cp)
		return;
	if (shortcut && is_letter(e->chr.cp)) {
		/* Ctrl+C and Ctrl+Shift+C differ by the Shift that is held, not by the case of the letter. */
		add &= (uint8_t)~KA_MOD_LSHIFT;
	} else {
		hide = s->mods & KA_MOD_LSHIFT ? 0 : SHIFTS;
		if (!shortcut && minds_caps(e->chr.cp))
			want_lock(h, KA_KEY_CAPS_LOCK, false);
	}
	if (altgr && !(s->mods & KA_MOD_RALT))
		hide |= KA_MOD_RALT;
	free_key(h, s->usage);
	shape(h, add, hide);
	ka_keyboard_press(&h->keyboard, e->source, s->usage);
	send_keys(h);
	h->last_char.source = e->source;
	h->last_char.cp = e->chr.cp;
}

static void apply_char(struct ka_hands *h, const struct ka_input *e)
{
	struct ka_stroke s;

	if (!ka_layout_find(h->cfg.layout, e->chr.cp, &s)) {
		if (e->chr.down)
			ka_log_every(WARN, KA_SEC(10), "hid", "untypable", "code=U+%04X", e->chr.cp);
		return;
	}
	end_stroke(h);
	if (e->chr.down) {
		press_char(h, e, &s);
		return;
	}
	if (!ka_keyboard_release(&h->keyboard, e->source, s.usage))
		return;
	send_keys(h);
	if (h->last_char.source == e->source && h->last_char.cp == e->chr.cp)
		shape(h, 0, 0);
}

/* ---- texts ---- */

static void finish_texts(struct ka_hands *h)
{
	end_stroke(h);
	if (h->restore_caps)
		want_lock(h, KA_KEY_CAPS_LOCK, true);
	h->restore_caps = false;
}

static void add_text(struct ka_hands *h, struct ka_input *e)
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
	if (want_lock(h, KA_KEY_CAPS_LOCK, false))
		h->restore_caps = true;
	free_key(h, h->stroke.usage);
	shape(h, h->stroke.mods, 0xff);
	ka_keyboard_press(&h->keyboard, SELF, h->stroke.usage);
	send_keys(h);
	h->stroke_down = true;
	return true;
}

bool ka_hands_typing(const struct ka_hands *h)
{
	return h->stroke_down || h->typist.count || h->restore_caps;
}

static void apply_now(struct ka_hands *h, struct ka_input *e);

static void serve_waiting(struct ka_hands *h)
{
	struct ka_input e;

	while (!ka_hands_typing(h) && ka_waiting_take(&h->waiting, &e))
		apply_now(h, &e);
}

unsigned int ka_hands_tick(struct ka_hands *h)
{
	unsigned int held_ms = KA_MAX(h->cfg.type_interval_ms / 2, 1u);

	if (h->stroke_down) {
		end_stroke(h);
		return KA_MAX(h->cfg.type_interval_ms - held_ms, 1u);
	}
	if (begin_stroke(h))
		return held_ms;
	finish_texts(h);
	serve_waiting(h);
	return ka_hands_typing(h) ? 1 : 0;
}

void ka_hands_cancel_texts(struct ka_hands *h)
{
	unsigned int dropped = ka_typist_cancel_all(&h->typist);
	struct ka_input e;

	finish_texts(h);
	/* The keys that waited have their turn now: a key-up among them must not be lost. */
	while (ka_waiting_take(&h->waiting, &e)) {
		if (e.kind != KA_INPUT_TEXT) {
			apply_now(h, &e);
			continue;
		}
		ka_typist_wipe(e.text.utf8);
		dropped++;
	}
	if (dropped)
		ka_log(INFO, "hid", "typing_cancelled", "texts=%u", dropped);
}

/* ---- pointer and the rest ---- */

static void release_click_mods(struct ka_hands *h, uint32_t source)
{
	for (unsigned int i = 0; i < 8; i++)
		ka_keyboard_release(&h->keyboard, source, (uint16_t)((KA_KEY_LEFT_CTRL + i) | KA_KEYBOARD_FOR_CLICK));
	send_keys(h);
}

static void apply_button(struct ka_hands *h, const struct ka_input *e)
{
	uint8_t missing = e->button.mods & (uint8_t)~ka_keyboard_mods(&h->keyboard);

	settle(h);
	if (e->button.down) {
		for (unsigned int i = 0; i < 8; i++) {
			if (missing & (1u << i))
				ka_keyboard_press(&h->keyboard, e->source,
						  (uint16_t)((KA_KEY_LEFT_CTRL + i) | KA_KEYBOARD_FOR_CLICK));
		}
		send_keys(h);
	}
	ka_pointer_button(&h->pointer, e->source, e->button.mask, e->button.down);
	send_pointer(h);
	if (!ka_pointer_pressed(&h->pointer, e->source))
		release_click_mods(h, e->source);
}

static void release_source(struct ka_hands *h, uint32_t source)
{
	settle(h);
	ka_waiting_drop(&h->waiting, source);
	if (ka_typist_cancel(&h->typist, source) && !h->typist.count)
		finish_texts(h);
	ka_keyboard_release_source(&h->keyboard, source);
	send_keys(h);
	ka_pointer_release_source(&h->pointer, source);
	send_pointer(h);
	ka_control_release_source(&h->control, source);
	send_control(h);
	serve_waiting(h);
}

void ka_hands_release_all(struct ka_hands *h)
{
	ka_waiting_clear(&h->waiting);
	ka_hands_cancel_texts(h);
	h->keyboard.holds.count = 0;
	ka_keyboard_shape(&h->keyboard, 0, 0);
	send_keys(h);
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

static void apply_now(struct ka_hands *h, struct ka_input *e)
{
	switch (e->kind) {
	case KA_INPUT_KEY:
		apply_key(h, e);
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
		apply_char(h, e);
		break;
	case KA_INPUT_TEXT:
		add_text(h, e);
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
		release_source(h, e->source);
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
	if (!has_to_wait(h, e)) {
		apply_now(h, e);
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
