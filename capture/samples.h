/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where raw pictures have their samples. Pure. */
#ifndef KA_SAMPLES_H
#define KA_SAMPLES_H

#include "base/media.h"

/* Of Y, U, V or R, G, B: plane, byte of the first one in a row, and bytes from one to the next; 0 = grey has none. */
struct ka_samples {
	uint8_t plane[3], first[3], step[3];
	/* How many pixels across and down share a U and V, as powers of two. */
	uint8_t across, down;
};

/* Any format but MJPEG. */
const struct ka_samples *ka_samples_of(enum ka_pixfmt format);

#endif
