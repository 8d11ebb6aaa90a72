/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds what: (source, code) pairs in the order they were pressed. A code is down while any source holds it. Pure;
 * owner: whoever embeds it.
 */
#ifndef KA_HOLDS_H
#define KA_HOLDS_H

#include <stdbool.h>
#include <stdint.h>

#define KA_HOLDS_MAX 128

struct ka_hold {
	uint32_t source;
	uint16_t code;
};

struct ka_holds {
	struct ka_hold items[KA_HOLDS_MAX];
	unsigned int count;
};

/* False when this source holds it already, or all places are taken: nothing changed. */
bool ka_holds_add(struct ka_holds *h, uint32_t source, uint16_t code);
/* False when this source does not hold it. */
bool ka_holds_remove(struct ka_holds *h, uint32_t source, uint16_t code);
/* Everything of one source, or one code of every source. True when something went. */
bool ka_holds_remove_source(struct ka_holds *h, uint32_t source);
bool ka_holds_remove_code(struct ka_holds *h, uint16_t code);
bool ka_holds_has(const struct ka_holds *h, uint32_t source, uint16_t code);
bool ka_holds_any(const struct ka_holds *h, uint16_t code);
/* The code pressed last, 0 when none. */
uint16_t ka_holds_newest(const struct ka_holds *h);

#endif
