/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the target's keyboard layout types a character: a reverse table from code points to keys and modifiers, read from
 * XKB data through libxkbcommon, for any layout and variant it knows. Immutable after new; any thread.
 *
 * Levels beyond Shift are reached by the keys that shift to them in this layout (AltGr; in some layouts CapsLock or a
 * key of the main block), as far as USB keyboards have them.
 *
 * Characters without a key of their own are composed by a dead key and a base. Letters: wherever Unicode composes base
 * and accent, the way all systems do for the letters a layout was made for (Windows knows few beyond those: it types
 * accent and base then). Accents that stand alone: see enum ka_dead_keys. Multi_key sequences are not used.
 */
#ifndef KA_LAYOUT_H
#define KA_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "hid/hid.h"

struct ka_stroke {
	uint8_t usage;	   /* keyboard page */
	uint8_t mods;	   /* KA_MOD_LSHIFT, and any modifiers that shift levels, such as KA_MOD_RALT (AltGr) */
	uint8_t levels[2]; /* usages of other keys to hold for it; 0 = none */
};

#define KA_LAYOUT_STROKES 2

struct ka_strokes {
	struct ka_stroke items[KA_LAYOUT_STROKES]; /* dead key first */
	unsigned int count;
};

struct ka_layout;

/* name: "us", "de(nodeadkeys)". -KA_E_CONFIG with a sentence in eb when XKB does not know it. */
int ka_layout_new(struct ka_layout **out, const char *name, enum ka_dead_keys dead_keys,
		  struct ka_errbuf *eb) KA_MUST_USE;
void ka_layout_free(struct ka_layout *l);
/* Line feed and carriage return are Return, tabulator is Tab. */
bool ka_layout_find(const struct ka_layout *l, uint32_t cp, struct ka_strokes *out);
/* Right Alt chooses characters here instead of being a second Alt. */
bool ka_layout_has_altgr(const struct ka_layout *l);
/* What toggles CapsLock here; false when the CapsLock key does something else. */
bool ka_layout_caps(const struct ka_layout *l, struct ka_stroke *out);

/* The i-th character of the table, in rising order; false beyond the last. */
bool ka_layout_nth(const struct ka_layout *l, unsigned int i, uint32_t *cp);

#endif
