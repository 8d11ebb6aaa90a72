/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RustDesk key events to USB HID usages. Pure but for its small state: which modifiers the controller holds, and which
 * ones were added for the duration of one key. One owner.
 *
 *   Map        codes of the platform that we report: X11 (evdev + 8) for "Linux", set-1 scancodes (E0 keys as 0xe0xx)
 *              for "Windows", virtual key codes for "Mac OS"
 *   Legacy     characters of the controller's layout, and control keys; each event lists the modifiers held with it
 *   Translate  text, and Map codes for the rest; with Ctrl, Alt or GUI held a single character of text, or a hot key
 *              between two Windows, is a shortcut
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
	uint16_t set1[2];   /* 0xe0xx for extended keys */
	uint8_t mac;	    /* or KA_KEY_NO_MAC: 0 is the letter A */
	uint8_t control[2]; /* RustDesk control key numbers */
};
enum ka_key_page { KA_PAGE_KEYBOARD, KA_PAGE_CONSUMER, KA_PAGE_SYSTEM };
#define KA_KEY_NO_MAC 0xff
extern const struct ka_key_row ka_key_table[];
extern const size_t ka_key_table_len;

/* Whose codes Map mode carries: the platform that controllers are told. */
enum ka_key_codes { KA_CODES_X11, KA_CODES_SET1, KA_CODES_MAC };

#define KA_KEYMAP_OUT 24  /* events one key event makes at most, text excepted */
#define KA_KEYMAP_ADDED 8 /* keys that can have added modifiers at a time */

struct ka_keymap {
	enum ka_key_codes codes;
	uint8_t held;	/* ka_mod bits the controller holds by key events */
	uint8_t legacy; /* those of them pressed by Legacy events */
	struct {
		int64_t key;  /* what was pressed: code and kind; 0 = free */
		uint8_t mods; /* added for it */
	} added[KA_KEYMAP_ADDED];
};

void ka_keymap_init(struct ka_keymap *m, enum ka_key_codes codes);
/* Fills out (kind and union; source and stamp are the caller's) and returns how many; 0 for unknown keys, and for text:
 * see ka_keymap_is_text(). */
size_t ka_keymap_translate(struct ka_keymap *m, const struct ka_key_event *e,
			   struct ka_input out[static KA_KEYMAP_OUT]);
/* True for events that type text once, whatever down and press say. */
bool ka_keymap_is_text(const struct ka_keymap *m, const struct ka_key_event *e);
/* ka_mod bits of a list of control keys. */
uint8_t ka_keymap_mods(const int32_t *modifiers, size_t n);

#endif
