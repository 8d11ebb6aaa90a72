/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/keyboard.h"

#include <string.h>

static bool is_modifier(uint8_t usage)
{
	return usage >= KA_KEY_LEFT_CTRL && usage <= KA_KEY_RIGHT_GUI;
}

bool ka_keyboard_has(uint16_t usage)
{
	return (usage >= 0x04 && usage <= 0xdd) || (usage >= KA_KEY_LEFT_CTRL && usage <= KA_KEY_RIGHT_GUI);
}

bool ka_keyboard_press(struct ka_keyboard *k, uint32_t source, uint16_t code)
{
	return ka_holds_add(&k->holds, source, code);
}

bool ka_keyboard_release(struct ka_keyboard *k, uint32_t source, uint16_t code)
{
	return ka_holds_remove(&k->holds, source, code);
}

bool ka_keyboard_release_source(struct ka_keyboard *k, uint32_t source)
{
	return ka_holds_remove_source(&k->holds, source);
}

bool ka_keyboard_shape(struct ka_keyboard *k, uint8_t add, uint8_t hide)
{
	bool changed = k->add != add || k->hide != hide;

	k->add = add;
	k->hide = hide;
	return changed;
}

uint8_t ka_keyboard_mods(const struct ka_keyboard *k)
{
	uint8_t mods = 0;

	for (unsigned int i = 0; i < k->holds.count; i++) {
		uint8_t usage = (uint8_t)k->holds.items[i].code;

		if (is_modifier(usage))
			mods |= (uint8_t)(1u << (usage - KA_KEY_LEFT_CTRL));
	}
	return mods;
}

void ka_keyboard_report(const struct ka_keyboard *k, struct ka_report *out)
{
	uint8_t keys[KA_HOLDS_MAX];
	unsigned int count = 0;

	for (unsigned int i = 0; i < k->holds.count; i++) {
		uint8_t usage = (uint8_t)k->holds.items[i].code;

		if (!is_modifier(usage) && !memchr(keys, usage, count))
			keys[count++] = usage;
	}
	ka_report_keyboard(out, (uint8_t)((ka_keyboard_mods(k) & ~k->hide) | k->add), keys, count);
}
