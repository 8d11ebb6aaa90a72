/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hands whose reports become text: "k02,04 " modifiers and keys, "a01 " "r01 " buttons, "ce9 " a media key. */
#ifndef KA_HANDS_BENCH_H
#define KA_HANDS_BENCH_H

#include "hid/hands.h"

struct bench {
	struct ka_layout *us, *de;
	struct ka_hands h;
	struct ka_hid_notice notice; /* the last one */
	unsigned int notices;
	char out[8192];
};

/* Fixture of cmocka: *state is a struct bench with layout us. */
int setup(void **state);
int teardown(void **state);
void use(struct bench *b, struct ka_layout *l);

/* Compares what was sent since the last time, and forgets it. */
void assert_out(struct bench *b, const char *expected);

void key(struct bench *b, uint32_t source, uint16_t usage, bool down);
void key_hint(struct bench *b, uint16_t usage, bool down, enum ka_lock_hint hint);
void chr(struct bench *b, uint32_t cp, bool down);
void text(struct bench *b, uint32_t source, const char *utf8);
void button(struct bench *b, uint32_t source, uint8_t mask, bool down, uint8_t mods);
void release(struct bench *b, uint32_t source);
/* Ticks until there is nothing more to type. */
void type_all(struct bench *b);

#endif
