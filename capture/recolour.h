/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From one YUV to another: what is delivered is always BT.601 limited, because the stock client converts to RGB with
 * that matrix whatever the stream says. Grey stays grey under every matrix, so chroma never depends on luma:
 *
 *   Y' = (y*Y + yu*(U-128) + yv*(V-128)) + offset      U' = uu*(U-128) + uv*(V-128) + 128      V' likewise
 *
 * Pure.
 */
#ifndef KA_RECOLOUR_H
#define KA_RECOLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/media.h"

/* Fixed point, 1 << KA_RECOLOUR_BITS is one; factors are below 1.2, and products of two 16-bit numbers are cheap. */
#define KA_RECOLOUR_BITS 13
struct ka_recolour {
	int16_t y, yu, yv;
	int16_t uu, uv, vu, vv;
	int32_t offset;
};

/* 4:2:0 with interleaved chroma. */
struct ka_nv12_rows {
	uint8_t *y, *uv;
	size_t y_stride, uv_stride;
};

/* False when pictures of this colour can pass as they are. Unknown counts as BT.601 and limited. rgb: the pictures were
 * RGB and have been converted with the BT.601 formula for full-range RGB. */
bool ka_recolour_init(struct ka_recolour *r, struct ka_colour from, bool rgb);
/* Even width and rows. src and dst may be the same. */
void ka_recolour_rows(const struct ka_recolour *r, const struct ka_nv12_rows *src, const struct ka_nv12_rows *dst,
		      uint32_t width, uint32_t rows);

/* One row of 4:4:4 in planes of its own, in place. */
void ka_recolour_row_444(const struct ka_recolour *r, uint8_t *y, uint8_t *u, uint8_t *v, uint32_t width);

#endif
