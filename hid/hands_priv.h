/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of ka_hands share. hands.c: reports, pointer, release; hands_keys.c: keys and single characters;
 * hands_locks.c: CapsLock and NumLock; hands_text.c: texts and what waits for their end. Hid thread, like hands.h.
 */
#ifndef KA_HANDS_PRIV_H
#define KA_HANDS_PRIV_H

#include "hid/hands.h"

#define KA_HANDS_SELF 0 /* the source that holds what the typist and lock clicks press */

/* hands.c */
void ka_hands_send_keys(struct ka_hands *h);
void ka_hands_shape(struct ka_hands *h, uint8_t add, uint8_t hide);
/* Presses a stroke's keys for a source, with those other modifiers hidden; its modifiers stay in shape. */
void ka_hands_press_stroke(struct ka_hands *h, uint32_t source, const struct ka_stroke *s, uint8_t add, uint8_t hide);
void ka_hands_release_stroke(struct ka_hands *h, uint32_t source, const struct ka_stroke *s);
/* The typist's key up. */
void ka_hands_end_stroke(struct ka_hands *h);
/* Before a real key or button: ends a typed stroke early, and shows the host the modifiers that are really held. */
void ka_hands_settle(struct ka_hands *h);
/* Carries an event out, whatever is being typed. */
void ka_hands_apply_now(struct ka_hands *h, struct ka_input *e);

/* hands_locks.c */
/* A key went down by somebody's own hand: what its lock, if it has one, should be by now. */
void ka_hands_note_lock(struct ka_hands *h, uint16_t usage);
/* Clicks a lock key when the host's LED says that it differs. True when it did. */
bool ka_hands_want_lock(struct ka_hands *h, uint16_t usage, bool on);
void ka_hands_apply_hint(struct ka_hands *h, uint8_t hint);

/* hands_keys.c */
void ka_hands_apply_key(struct ka_hands *h, const struct ka_input *e);
void ka_hands_apply_char(struct ka_hands *h, const struct ka_input *e);
/* Gives the host a key that is up, whoever holds it. */
void ka_hands_free_key(struct ka_hands *h, uint8_t usage);

/* hands_text.c */
/* Takes the event's text. */
void ka_hands_add_text(struct ka_hands *h, struct ka_input *e);
/* After the last text: CapsLock as it was. */
void ka_hands_finish_texts(struct ka_hands *h);
void ka_hands_serve_waiting(struct ka_hands *h);
/* True when the event was an Escape that ends a text, or belongs to one. */
bool ka_hands_escape(struct ka_hands *h, const struct ka_input *e);
/* Tells a source that one character was left out. */
void ka_hands_tell_left_out(struct ka_hands *h, uint32_t source, uint32_t cp);

#endif
