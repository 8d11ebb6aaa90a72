/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of the one keyboard all sources share. A key is down while any source holds it; six fit in a report, more
 * give ErrorRollOver until some go up again (modifiers keep working, HID 1.11 C). For characters the modifiers can be
 * shaped: some added, some of those held hidden from the host. Pure; owner: ka_hands.
 */
#ifndef KA_KEYBOARD_H
#define KA_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "hid/holds.h"
#include "hid/report.h"

#define KA_KEY_A 0x04
#define KA_KEY_RETURN 0x28
#define KA_KEY_ESCAPE 0x29
#define KA_KEY_TAB 0x2b
#define KA_KEY_CAPS_LOCK 0x39
#define KA_KEY_SCROLL_LOCK 0x47
#define KA_KEY_NUM_LOCK 0x53
#define KA_KEY_LEFT_CTRL 0xe0
#define KA_KEY_RIGHT_GUI 0xe7

/* Codes are usages of page 0x07; this bit keeps modifiers held for a mouse click apart from the real keys. */
#define KA_KEYBOARD_FOR_CLICK 0x100

struct ka_keyboard {
	struct ka_holds holds;
	uint8_t add;  /* ka_mod bits sent though nobody holds them */
	uint8_t hide; /* ka_mod bits not sent though held */
};

/* Usages this keyboard has: 0x04..0xdd and the modifiers. */
bool ka_keyboard_has(uint16_t usage);
/* Each returns true when something changed and a report is due. */
bool ka_keyboard_press(struct ka_keyboard *k, uint32_t source, uint16_t code);
bool ka_keyboard_release(struct ka_keyboard *k, uint32_t source, uint16_t code);
bool ka_keyboard_release_source(struct ka_keyboard *k, uint32_t source);
bool ka_keyboard_shape(struct ka_keyboard *k, uint8_t add, uint8_t hide);
/* ka_mod bits held by anybody, shaping left aside. */
uint8_t ka_keyboard_mods(const struct ka_keyboard *k);
void ka_keyboard_report(const struct ka_keyboard *k, struct ka_report *out);

#endif
