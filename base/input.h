/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vocabulary of input, in USB HID terms (HID Usage Tables 1.4): what a session says and hid/ carries out. */
#ifndef KA_INPUT_H
#define KA_INPUT_H

#include <stdbool.h>
#include <stdint.h>

enum ka_input_kind {
	KA_INPUT_KEY,	   /* key.usage on keyboard page 0x07; modifiers are keys 0xe0..0xe7 */
	KA_INPUT_CONSUMER, /* key.usage on consumer page 0x0c */
	KA_INPUT_SYSTEM,   /* key.usage on generic desktop page 0x01: 0x81 power down, 0x82 sleep */
	KA_INPUT_CHAR,	   /* chr: one character by the target's layout; down and up as a key */
	KA_INPUT_TEXT,	   /* text: typed once by the target's layout */
	KA_INPUT_MOVE_ABS, /* pos: 0..KA_INPUT_ABS_MAX over the whole picture */
	KA_INPUT_MOVE_REL, /* rel: counts */
	KA_INPUT_BUTTON,   /* button.mask: one bit of KA_BUTTON_*; does not move the pointer */
	KA_INPUT_WHEEL,	   /* wheel: in 1/120 notch; y > 0 away from the user, x > 0 to the right */
	KA_INPUT_RELEASE,  /* let go of everything this source holds */
};

#define KA_INPUT_ABS_MAX 32767
#define KA_WHEEL_NOTCH 120

enum ka_button {
	KA_BUTTON_LEFT = 1,
	KA_BUTTON_RIGHT = 2,
	KA_BUTTON_MIDDLE = 4,
	KA_BUTTON_BACK = 8,
	KA_BUTTON_FORWARD = 16,
};

/* Keyboard LEDs as in the boot keyboard's output report (HID 1.11 B.1). */
enum ka_led { KA_LED_NUM = 1, KA_LED_CAPS = 2, KA_LED_SCROLL = 4 };

/* What the lock keys were on the controller's side, for those keys whose meaning depends on it. */
enum ka_lock_hint {
	KA_LOCK_NONE,	  /* says nothing */
	KA_LOCK_CAPS_OFF, /* letter key: the target's CapsLock should be off */
	KA_LOCK_CAPS_ON,
	KA_LOCK_NUM_OFF, /* keypad key: likewise NumLock */
	KA_LOCK_NUM_ON,
};

/* Modifier bits as in byte 0 of the boot keyboard report: left Ctrl, Shift, Alt, GUI, then right ones. */
enum ka_mod {
	KA_MOD_LCTRL = 0x01,
	KA_MOD_LSHIFT = 0x02,
	KA_MOD_LALT = 0x04,
	KA_MOD_LGUI = 0x08,
	KA_MOD_RCTRL = 0x10,
	KA_MOD_RSHIFT = 0x20,
	KA_MOD_RALT = 0x40,
	KA_MOD_RGUI = 0x80,
};

#define KA_INPUT_TEXT_MAX 16384 /* bytes of UTF-8 in one event; the session refuses more */

struct ka_input {
	enum ka_input_kind kind;
	uint32_t source; /* who holds the key: session number, never 0 */
	int64_t at_us;	 /* when the session read it, for latency figures */
	union {
		struct {
			uint16_t usage;
			bool down;
			uint8_t hint; /* enum ka_lock_hint */
		} key;
		struct {
			uint32_t cp; /* Unicode scalar value */
			bool down;
		} chr;
		struct {
			char *utf8; /* malloc'd, owned by the event: freed by whoever consumes it; terminated */
		} text;
		struct {
			bool keep_texts; /* what it had typed goes on */
		} release;
		struct {
			uint16_t x, y;
		} pos;
		struct {
			int16_t dx, dy;
		} rel;
		struct {
			uint8_t mask;
			bool down;
			uint8_t mods; /* ka_mod bits to hold for the duration of a press, when not held already */
		} button;
		struct {
			int16_t x, y;
		} wheel;
	};
};

#endif
