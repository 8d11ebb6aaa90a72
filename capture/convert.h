/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any raw picture, or an area of it, to what encoders take: NV12 or I444 in BT.601 limited. No area depends on what
 * lies outside it, so areas converted one by one make the same picture as all at once. Owner: the capture thread.
 */
#ifndef KA_CONVERT_H
#define KA_CONVERT_H

#include "base/frame.h"

struct ka_convert;

/* How a picture becomes what encoders of 4:2:0 take. */
enum ka_convert_way {
	KA_CONVERT_PASS,   /* it is so already */
	KA_CONVERT_CHROMA, /* its luma has a plane of its own and keeps its values */
	KA_CONVERT_ALL,
};

/* Pixels; x and y are multiples of KA_FRAME_BLOCK, the others too unless the picture ends there. */
struct ka_area {
	uint32_t x, y, width, height;
};

int ka_convert_new(struct ka_convert **out) KA_MUST_USE;
void ka_convert_free(struct ka_convert *c); /* NULL is fine */
enum ka_convert_way ka_convert_way(const struct ka_frame *in);
/* in: even size, any format but MJPEG. to: NV12 or I444 of that size. luma: of NV12; false leaves it as it is, where
 * only the chroma needs converting. */
void ka_convert_area(struct ka_convert *c, const struct ka_frame *in, const struct ka_frame *to,
		     const struct ka_area *area, bool luma);

#endif
