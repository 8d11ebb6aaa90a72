/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts waiting to be typed, handed out character by character. Bounded: KA_TYPIST_TEXTS texts of KA_INPUT_TEXT_MAX
 * bytes. What the layout cannot type is left out and reported at the end of the text. Texts may be passwords: they are
 * wiped when they go. Pure; owner: ka_hands.
 */
#ifndef KA_TYPIST_H
#define KA_TYPIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "hid/layout.h"

#define KA_TYPIST_TEXTS 8
#define KA_TYPIST_NAMED KA_HID_NOTICE_CODES

struct ka_typist_skipped {
	uint32_t source;
	unsigned int count;
	uint32_t codes[KA_TYPIST_NAMED]; /* the first ones, each once; U+FFFD stands for bytes that are no UTF-8 */
	unsigned int named;
};

struct ka_typist_text {
	uint32_t source;
	char *utf8; /* owned */
	size_t len, pos;
	bool after_cr; /* a line feed now belongs to the carriage return before it */
	struct ka_typist_skipped skipped;
};

struct ka_typist {
	struct ka_typist_text texts[KA_TYPIST_TEXTS];
	unsigned int count;
};

enum ka_typist_step {
	KA_TYPIST_IDLE,
	KA_TYPIST_CHAR, /* *strokes are next */
	KA_TYPIST_DONE, /* a text is finished, *skipped says what was left out */
};

/* Takes utf8 (malloc'd) over in any case. -EAGAIN: all places taken, -KA_E_TOO_BIG: past KA_INPUT_TEXT_MAX. */
int ka_typist_add(struct ka_typist *t, uint32_t source, char *utf8) KA_MUST_USE;
enum ka_typist_step ka_typist_next(struct ka_typist *t, const struct ka_layout *layout, struct ka_strokes *strokes,
				   struct ka_typist_skipped *skipped);
bool ka_typist_has(const struct ka_typist *t, uint32_t source);
/* Characters of a source that are not typed yet. */
unsigned int ka_typist_left(const struct ka_typist *t, uint32_t source);
/* Drops the texts of one source, or all. Returns how many. */
unsigned int ka_typist_cancel(struct ka_typist *t, uint32_t source);
unsigned int ka_typist_cancel_all(struct ka_typist *t);
/* Wipes and frees a text (NULL is fine). */
void ka_typist_wipe(char *utf8);

#endif
