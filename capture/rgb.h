/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Raw pictures to RGB, exactly: each value is the nearest integer to what the source's matrix and range say (ITU-R
 * BT.601, BT.709, BT.2020; clipped to 0..255). libyuv's conversions keep six bits of each factor and are off by one or
 * two, which is fine for a stream and not for a lossless picture. A chroma sample counts for all the pixels it covers:
 * nothing is made up in between, and the source's samples can be told from the result. Full-range RGB passes bit by
 * bit. Pure.
 */
#ifndef KA_RGB_H
#define KA_RGB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"

/* What each value of a sample adds, times 1 << 20. y includes the half for rounding. */
struct ka_rgb {
	int32_t y[256], rv[256], gu[256], gv[256], bu[256];
	bool plain; /* RGB as it is */
};

/* Unknown counts as BT.601, and as limited (YUV) or full (RGB). */
void ka_rgb_init(struct ka_rgb *t, enum ka_pixfmt format, struct ka_colour from);
/* One row of a picture in the format given to init, any but MJPEG. out: 3 * width bytes. */
void ka_rgb_row(const struct ka_rgb *t, const struct ka_frame *f, uint32_t row, uint8_t *out);
/* A row of Y, U, V triples; out may be the same. */
void ka_rgb_triples(const struct ka_rgb *t, const uint8_t *yuv, uint32_t width, uint8_t *out);

#endif
