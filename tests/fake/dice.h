/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers and pictures that look random and are the same in every run (the generator of Numerical Recipes). */
#ifndef KA_DICE_H
#define KA_DICE_H

#include <stdlib.h>

#include "base/frame.h"

/* 24 bits; the higher, the better. */
static inline uint32_t dice(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Noise that changes with n: as hard as it gets. Aborts where memory fails. */
static inline struct ka_frame *dice_noise(enum ka_pixfmt format, uint32_t w, uint32_t h, uint32_t n)
{
	struct ka_frame *f;
	uint32_t state = n * 7919 + 1;

	if (ka_frame_alloc(&f, format, w, h) < 0)
		abort();
	for (size_t i = 0; i < f->bufs[0]->size; i++)
		f->bufs[0]->data[i] = (uint8_t)(64 + (dice(&state) >> 17));
	return f;
}

#endif
