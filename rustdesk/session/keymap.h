/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RustDesk key events to USB HID usages. Pure but for its small state: which modifiers the controller holds, and which
 * ones were added for the duration of one key. One owner.
 *
 * Map mode carries X11 key codes (evdev + 8) when we report "Linux", set-1 scancodes (E0 keys as 0xe0xx) when we report
 * "Windows"; Legacy carries characters and control keys; Translate carries text, and Map codes for the rest.
 */
#ifndef KA_KEYMAP_H
#define KA_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/input.h"

enum ka_key_mode { KA_KEY_LEGACY = 0, KA_KEY_MAP = 1, KA_KEY_TRANSLATE = 2 };

/* Control key number of "lock the screen". */
#define KA_KEY_LOCK_SCREEN 101

/* Which member of the event's union is set. */
enum ka_key_what { KA_KEY_NOTHING, KA_KEY_CONTROL, KA_KEY_CHR, KA_KEY_UNICODE, KA_KEY_SEQ, KA_KEY_HOTKEY };

struct ka_key_event {
	enum ka_key_mode mode; /* unknown modes count as Legacy */
	enum ka_key_what what;
	bool down;
	bool press; /* down and up at once */
	int32_t code;
	const char *seq;	  /* UTF-8 */
	const int32_t *modifiers; /* control key numbers, among them lock states */
	size_t n_modifiers;
};

/* One row a key: every name it has. 0 = none. */
struct ka_key_row {
	uint8_t page; /* enum ka_key_page */
	uint16_t usage;
	uint16_t evdev;
	uint16_t set1;	 /* 0xe0xx for extended keys */
	uint8_t control; /* RustDesk control key number */
};
enum ka_key_page { KA_PAGE_KEYBOARD, KA_PAGE_CONSUMER, KA_PAGE_SYSTEM };
extern const struct ka_key_row ka_key_table[];
extern const size_t ka_key_table_len;

#define KA_KEYMAP_OUT 16	 /* events one key event makes at most, text excepted */
#define KA_KEYMAP_ADDED 8	 /* keys that can have added modifiers at a time */
#define KA_KEYMAP_TEXT_MAX 16384 /* bytes of one text; the rest is refused */

struct ka_keymap {
	bool windows; /* reported platform */
	uint8_t held; /* ka_mod bits the controller holds by key events */
	struct {
		int64_t key;  /* what was pressed: code and kind; 0 = free */
		uint8_t mods; /* added for it */
	} added[KA_KEYMAP_ADDED];
};

void ka_keymap_init(struct ka_keymap *m, bool windows);
/* Fills out (kind and union; source and stamp are the caller's) and returns how many; 0 for unknown keys. Text (seq) is
 * not handled here: see ka_keymap_is_text(). */
size_t ka_keymap_translate(struct ka_keymap *m, const struct ka_key_event *e,
			   struct ka_input out[static KA_KEYMAP_OUT]);
/* True for events that type text once, whatever down and press say. */
bool ka_keymap_is_text(const struct ka_key_event *e);
/* ka_mod bits of a list of control keys. */
uint8_t ka_keymap_mods(const int32_t *modifiers, size_t n);

#endif
