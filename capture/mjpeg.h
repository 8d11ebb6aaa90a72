/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One JPEG picture to NV12, without a detour over RGB. Takes pictures that end early (sticks cut them off): what is
 * missing keeps what the destination held. Data with holes or surplus is refused; JPEG has no checksum, so a changed
 * bit is seen as such only sometimes. Owner: the capture thread, or a screenshot's.
 */
#ifndef KA_MJPEG_H
#define KA_MJPEG_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "capture/recolour.h"

struct ka_mjpeg;

/* Where the picture goes. */
struct ka_mjpeg_dst {
	struct ka_nv12_rows rows;
	uint32_t width, height;		  /* even */
	const struct ka_recolour *colour; /* NULL: as it is */
};

/* Y, U, V of each pixel, with the chroma of all the pixels that share it. */
struct ka_mjpeg_pixels {
	uint8_t *data;
	size_t stride; /* bytes; at least 3 * width */
	uint32_t width, height;
};

int ka_mjpeg_new(struct ka_mjpeg **out) KA_MUST_USE;
void ka_mjpeg_free(struct ka_mjpeg *m); /* NULL is fine */
/* -KA_E_FORMAT: not a baseline YCbCr or grey picture of this size (it may be up to 15 larger), damaged, or nothing of
 * it arrived; the destination may have been written to. */
int ka_mjpeg_decode(struct ka_mjpeg *m, const uint8_t *data, size_t len, const struct ka_mjpeg_dst *dst) KA_MUST_USE;
/* The same at the picture's own resolution of chroma; what of it did not arrive is grey. */
int ka_mjpeg_decode_pixels(struct ka_mjpeg *m, const uint8_t *data, size_t len,
			   const struct ka_mjpeg_pixels *dst) KA_MUST_USE;
/* The same an eighth as large in each direction, rounded up: a pixel for the mean of each block. width and height are
 * those of the whole picture. A picture that ends early counts as damaged. */
int ka_mjpeg_decode_eighth(struct ka_mjpeg *m, const uint8_t *data, size_t len,
			   const struct ka_mjpeg_pixels *dst) KA_MUST_USE;

#endif
