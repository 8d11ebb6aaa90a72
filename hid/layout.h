/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the target's keyboard layout types a character: a reverse table from code points to a key and its modifiers,
 * read from XKB data through libxkbcommon. Knows single strokes with Shift and AltGr; characters that need a dead key
 * or a compose sequence are not in the table. Immutable after new; any thread.
 */
#ifndef KA_LAYOUT_H
#define KA_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct ka_stroke {
	uint8_t usage; /* keyboard page */
	uint8_t mods;  /* KA_MOD_LSHIFT, KA_MOD_RALT (AltGr) or both */
};

struct ka_layout;

/* name: "us", "de(nodeadkeys)". -KA_E_CONFIG with a sentence in eb when XKB does not know it. */
int ka_layout_new(struct ka_layout **out, const char *name, struct ka_errbuf *eb) KA_MUST_USE;
void ka_layout_free(struct ka_layout *l);
/* Line feed and carriage return are Return, tabulator is Tab. */
bool ka_layout_find(const struct ka_layout *l, uint32_t cp, struct ka_stroke *out);
/* Right Alt chooses characters here instead of being a second Alt. */
bool ka_layout_has_altgr(const struct ka_layout *l);

#endif
