/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

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

/* What clicks a lock; CapsLock where the layout has it, which may be with Shift or nowhere. */
static bool find_lock(const struct ka_hands *h, uint16_t usage, struct ka_stroke *out)
{
	if (usage == KA_KEY_CAPS_LOCK)
		return ka_layout_caps(h->cfg.layout, out);
	*out = (struct ka_stroke){.usage = (uint8_t)usage};
	return true;
}

/* Returns false when the key is held down, so that clicking it is not possible. */
static bool click_lock(struct ka_hands *h, uint16_t usage)
{
	uint8_t add = h->keyboard.add;
	uint8_t hide = h->keyboard.hide;
	struct ka_stroke s;

	if (!find_lock(h, usage, &s) || ka_holds_any(&h->keyboard.holds, usage))
		return false;
	ka_hands_press_stroke(h, KA_HANDS_SELF, &s, add | s.mods, hide);
	ka_hands_release_stroke(h, KA_HANDS_SELF, &s);
	ka_hands_shape(h, add, hide);
	/* The LED report takes a while to come back; the next key must not click again. */
	h->leds ^= led_of(usage);
	return true;
}

void ka_hands_note_lock(struct ka_hands *h, uint16_t usage)
{
	bool shift = ka_keyboard_mods(&h->keyboard) & (KA_MOD_LSHIFT | KA_MOD_RSHIFT);
	struct ka_stroke s;

	if (led_of(usage) && find_lock(h, usage, &s) && (shift || !s.mods))
		h->leds ^= led_of(usage);
}

bool ka_hands_want_lock(struct ka_hands *h, uint16_t usage, bool on)
{
	bool is_on = h->leds & led_of(usage);

	return h->leds_known && is_on != on && click_lock(h, usage);
}

void ka_hands_apply_hint(struct ka_hands *h, uint8_t hint)
{
	switch (hint) {
	case KA_LOCK_CAPS_OFF:
	case KA_LOCK_CAPS_ON:
		ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, hint == KA_LOCK_CAPS_ON);
		break;
	case KA_LOCK_NUM_OFF:
	case KA_LOCK_NUM_ON:
		ka_hands_want_lock(h, KA_KEY_NUM_LOCK, hint == KA_LOCK_NUM_ON);
		break;
	default:
		break;
	}
}
