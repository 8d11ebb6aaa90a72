/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys and texts that arrived while a text is being typed: they come after it, in order. A password and the Return that
 * follows it must not change places. Bounded. Pure; owner: ka_hands.
 */
#ifndef KA_WAITING_H
#define KA_WAITING_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/input.h"

#define KA_WAITING_EVENTS 64

struct ka_waiting {
	struct ka_input events[KA_WAITING_EVENTS];
	unsigned int head, count;
};

/* Takes the event over (its text too) on success; -EAGAIN when full. */
int ka_waiting_add(struct ka_waiting *w, const struct ka_input *e) KA_MUST_USE;
/* The oldest; false when there is none. */
bool ka_waiting_take(struct ka_waiting *w, struct ka_input *e) KA_MUST_USE;
/* Whether it would press something; a text does not count. */
bool ka_waiting_presses(const struct ka_input *e);
/* Drops what would press something for a source; texts and what lets go stay. */
void ka_waiting_drop_presses(struct ka_waiting *w, uint32_t source);
/* Drops those of one source, or all. */
void ka_waiting_drop(struct ka_waiting *w, uint32_t source);
void ka_waiting_clear(struct ka_waiting *w);

#endif
