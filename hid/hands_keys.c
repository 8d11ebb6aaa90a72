/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

#include "base/clock.h"
#include "base/log.h"

#define SHIFTS (KA_MOD_LSHIFT | KA_MOD_RSHIFT)
#define SHORTCUT_MODS (KA_MOD_LCTRL | KA_MOD_RCTRL | KA_MOD_LALT | KA_MOD_LGUI | KA_MOD_RGUI)

void ka_hands_apply_key(struct ka_hands *h, const struct ka_input *e)
{
	uint16_t usage = e->key.usage;
	bool was_down;

	if (!ka_keyboard_has(usage))
		return;
	ka_hands_settle(h);
	if (!e->key.down) {
		ka_keyboard_release(&h->keyboard, e->source, usage);
		ka_hands_send_keys(h);
		return;
	}
	if (ka_holds_has(&h->keyboard.holds, e->source, usage))
		return;
	ka_hands_apply_hint(h, e->key.hint);
	was_down = ka_holds_any(&h->keyboard.holds, usage);
	if (ka_keyboard_press(&h->keyboard, e->source, usage) && !was_down)
		h->leds ^= ka_hands_led_of(usage);
	ka_hands_send_keys(h);
}

/* Gives the host a key that is up, whoever holds it. */
void ka_hands_free_key(struct ka_hands *h, uint8_t usage)
{
	if (ka_holds_remove_code(&h->keyboard.holds, usage))
		ka_hands_send_keys(h);
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
			ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, false);
	}
	if (altgr && !(s->mods & KA_MOD_RALT))
		hide |= KA_MOD_RALT;
	ka_hands_free_key(h, s->usage);
	ka_hands_shape(h, add, hide);
	ka_keyboard_press(&h->keyboard, e->source, s->usage);
	ka_hands_send_keys(h);
	h->last_char.source = e->source;
	h->last_char.cp = e->chr.cp;
}

void ka_hands_apply_char(struct ka_hands *h, const struct ka_input *e)
{
	struct ka_stroke s;

	if (!ka_layout_find(h->cfg.layout, e->chr.cp, &s)) {
		if (e->chr.down)
			ka_log_every(WARN, KA_SEC(10), "hid", "untypable", "code=U+%04X", e->chr.cp);
		return;
	}
	ka_hands_end_stroke(h);
	if (e->chr.down) {
		press_char(h, e, &s);
		return;
	}
	if (!ka_keyboard_release(&h->keyboard, e->source, s.usage))
		return;
	ka_hands_send_keys(h);
	if (h->last_char.source == e->source && h->last_char.cp == e->chr.cp)
		ka_hands_shape(h, 0, 0);
}
