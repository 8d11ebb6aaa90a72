/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Raw pictures to I444 in BT.601 limited, for encoders that keep each pixel's own colour. Where the source has a chroma
 * sample for several pixels each of them gets it: nothing is made up in between. Part of convert.h.
 */
#ifndef KA_CONVERT_444_H
#define KA_CONVERT_444_H

#include "capture/convert.h"
#include "capture/recolour.h"

struct ka_convert_444 {
	uint8_t argb[KA_FRAME_BLOCK * KA_MAX_WIDTH * 4];
};

/* An area of at most KA_FRAME_BLOCK rows. colour: NULL = as it is. */
void ka_convert_444_band(struct ka_convert_444 *w, const struct ka_frame *in, const struct ka_frame *to,
			 const struct ka_area *area, const struct ka_recolour *colour);

#endif
