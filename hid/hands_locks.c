/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

uint8_t ka_hands_led_of(uint16_t usage)
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
	if (ka_holds_any(&h->keyboard.holds, usage) || !ka_keyboard_press(&h->keyboard, KA_HANDS_SELF, usage))
		return false;
	ka_hands_send_keys(h);
	ka_keyboard_release(&h->keyboard, KA_HANDS_SELF, usage);
	ka_hands_send_keys(h);
	/* The LED report takes a while to come back; the next key must not click again. */
	h->leds ^= ka_hands_led_of(usage);
	return true;
}

bool ka_hands_want_lock(struct ka_hands *h, uint16_t usage, bool on)
{
	bool is_on = h->leds & ka_hands_led_of(usage);

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
