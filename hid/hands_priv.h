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
void ka_hands_end_stroke(struct ka_hands *h);
/* Before a real key or button: ends a typed stroke early, and shows the host the modifiers that are really held. */
void ka_hands_settle(struct ka_hands *h);
/* Carries an event out, whatever is being typed. */
void ka_hands_apply_now(struct ka_hands *h, struct ka_input *e);

/* hands_locks.c */
/* The LED of a lock key, 0 for other keys. */
uint8_t ka_hands_led_of(uint16_t usage);
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

#endif
