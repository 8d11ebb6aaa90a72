/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a picture show anything at all? A capture stick that gets no signal sends pictures of one colour; it has no
 * other way to say so. Colour bars, which some send instead, speak for themselves, and cannot be told from bars that
 * the target shows: they are a picture. Owner: the capture thread.
 */
#ifndef KA_BLANK_H
#define KA_BLANK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"

struct ka_blank;

/* Any colour component may differ by so much: a lossy stick's black is not quite black everywhere. */
#define KA_BLANK_TOLERANCE 4u

int ka_blank_new(struct ka_blank **out) KA_MUST_USE;
void ka_blank_free(struct ka_blank *b); /* NULL is fine */
/* True: of one colour. A picture that shows something costs a few rows. A JPEG costs nothing when it is too long to be
 * of one colour; else an eighth of its size is decoded, and where one has shown something, the next is looked at half a
 * second later. Whatever cannot be decoded shows something. */
bool ka_blank_check(struct ka_blank *b, const struct ka_frame *f, int64_t now_us);
/* One sentence about the colour of the last picture of one colour. */
void ka_blank_words(const struct ka_blank *b, char *dst, size_t size);

#endif
