/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of ka_layout share. layout.c: names and table; layout_read.c: the table from an XKB keymap. */
#ifndef KA_LAYOUT_PRIV_H
#define KA_LAYOUT_PRIV_H

#include <xkbcommon/xkbcommon.h>

#include "hid/layout.h"

#define KA_LAYOUT_ENTRIES 4096

struct ka_layout_entry {
	uint32_t cp;
	struct ka_strokes strokes;
	uint8_t cost;
};

struct ka_layout {
	struct ka_layout_entry entries[KA_LAYOUT_ENTRIES]; /* sorted by cp */
	unsigned int count;
	bool has_altgr;
	struct ka_stroke caps; /* usage 0: none */
};

/* The entry of a character; NULL with *at where it belongs. */
struct ka_layout_entry *ka_layout_lookup(struct ka_layout *l, uint32_t cp, unsigned int *at);
/* Keeps the cheapest way to type each character. */
void ka_layout_learn(struct ka_layout *l, const struct ka_layout_entry *e);
/* layout_read.c; -ENOMEM. */
int ka_layout_read(struct ka_layout *l, struct xkb_keymap *keymap, enum ka_dead_keys dead_keys) KA_MUST_USE;

#endif
