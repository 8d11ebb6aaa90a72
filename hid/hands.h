/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All hands of all sources on one target: input events in, HID reports out. Holds the keyboard, the pointers, the media
 * keys and the typist, and the rules between them:
 *
 *   - a lock key is clicked first when a key's hint differs from the target's LED;
 *   - a character is typed with exactly its own Shift and AltGr: those a person holds meanwhile are hidden from the
 *     host; Ctrl, Alt and GUI stay, because then it is a shortcut (and a letter keeps the Shift that is held);
 *   - a text is typed with no other modifiers at all; keys and texts that come meanwhile wait for its end, buttons and
 *     moves do not; Escape from its source ends it, and what of that source waits, and does not reach the host;
 *   - a character of two strokes is finished once its first was made, whatever happens: a dead key that waits would
 *     change what comes next.
 *
 * Pure: no descriptor, no clock; whoever owns it calls tick() when it asks for it. Owner: hid thread.
 */
#ifndef KA_HANDS_H
#define KA_HANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/input.h"
#include "hid/control.h"
#include "hid/keyboard.h"
#include "hid/layout.h"
#include "hid/pointer.h"
#include "hid/typist.h"
#include "hid/waiting.h"

struct ka_hands_cfg {
	const struct ka_layout *layout; /* outlives the object */
	unsigned int type_interval_ms;
	void (*emit)(void *arg, const struct ka_report *report);
	void (*notice)(void *arg, const struct ka_hid_notice *notice);
	void *arg;
};

struct ka_hands {
	struct ka_hands_cfg cfg;
	struct ka_keyboard keyboard;
	struct ka_pointer pointer;
	struct ka_control control;
	struct ka_typist typist;
	struct ka_waiting waiting;
	uint8_t keys_sent[KA_REPORT_MAX];
	uint8_t leds; /* what the target's locks should be by now: its last report and our clicks since */
	bool leds_known;
	struct {
		uint32_t source; /* 0: none yet */
		uint32_t cp;
	} last_char;
	struct ka_strokes strokes; /* of the typist: the character at hand */
	unsigned int strokes_made;
	bool stroke_down;    /* the last one made */
	bool restore_caps;   /* CapsLock was clicked off for a text */
	uint32_t escape_of;  /* whose Escape ended a text and is still down; 0: nobody's */
	uint32_t told_of[2]; /* source and code of the character left out last: said once, however often it repeats */
};

void ka_hands_init(struct ka_hands *h, const struct ka_hands_cfg *cfg);
/* Drops waiting texts; sends nothing. */
void ka_hands_fini(struct ka_hands *h);
/* Consumes the event (text included). */
void ka_hands_apply(struct ka_hands *h, struct ka_input *event);
/* Lets go of everything anybody holds and drops all texts. */
void ka_hands_release_all(struct ka_hands *h);
/* Drops all texts because the host has gone; the keys that waited for them have their turn. */
void ka_hands_cancel_texts(struct ka_hands *h);
/* Drops all texts of a source (0: of all), and its keys that wait; what they would have let go of is let go of. */
void ka_hands_stop_texts(struct ka_hands *h, uint32_t source);
/* The target's LEDs, ka_led bits. known false: it has not set any since it was connected. */
void ka_hands_set_leds(struct ka_hands *h, uint8_t leds, bool known);
/* True while anybody holds anything. */
bool ka_hands_holding(const struct ka_hands *h);
/* Sends the state of everything again: the host may have missed reports. */
void ka_hands_resend(struct ka_hands *h);

/* True while tick() has something to do. */
bool ka_hands_typing(const struct ka_hands *h);
/* Does the next half of a stroke. Returns the pause after it in ms, 0 when there is nothing more to do. */
unsigned int ka_hands_tick(struct ka_hands *h);

#endif
