/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of our own that are written again and again. Each knows which picture it holds, so that only what has
 * changed since has to be written. One is written only while nobody else has a reference to its memory. Part of
 * prepare.h.
 */
#ifndef KA_RING_H
#define KA_RING_H

#include "base/frame.h"

#define KA_RING_MAX 16u

struct ka_ring_slot {
	struct ka_frame *f;
	uint64_t luma, chroma; /* numbers of the pictures that they hold; 0 = none */
};

struct ka_ring {
	enum ka_pixfmt format;
	struct ka_ring_slot slots[KA_RING_MAX];
};

/* The free slot that holds the newest chroma of pictures of this size, or a new one. -EBUSY: all are in use. */
int ka_ring_take(struct ka_ring *r, uint32_t width, uint32_t height, struct ka_ring_slot **out) KA_MUST_USE;
void ka_ring_clear(struct ka_ring *r);

#endif
