/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single-planar and multi-planar formats made one shape: where each plane of a picture lies in which piece of memory.
 *
 *   NV12, one memory plane          NV12M, two memory planes
 *   mem 0: | Y ... | UV ... |       mem 0: | Y ... |   mem 1: | UV ... |
 *
 * Pure; what the driver says is not believed.
 */
#ifndef KA_V4L2_PLANES_H
#define KA_V4L2_PLANES_H

#include <linux/videodev2.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/frame.h"

/* A format of the kernel that this program understands. */
struct ka_v4l2_fourcc {
	uint32_t fourcc;
	enum ka_pixfmt format;
	uint8_t mems;		     /* pieces of memory in the multi-planar API */
	uint16_t cost, cost_colours; /* of a picture at full quality: as it is, and with colours to convert */
	bool v_first;		     /* the plane of V lies before that of U */
};

struct ka_v4l2_shape {
	const struct ka_v4l2_fourcc *fourcc;
	uint32_t width, height; /* as the driver set them */
	struct ka_colour colour;
	unsigned int mems;
	size_t mem_need[KA_FRAME_PLANES]; /* bytes a complete picture has at least in each */
	struct {
		unsigned int mem;
		size_t offset, stride;
	} planes[KA_FRAME_PLANES];
};

/* One dequeued buffer. */
struct ka_v4l2_filled {
	struct {
		uint8_t *data;
		size_t length; /* mapped */
		size_t used;   /* bytesused as reported, with what lies before offset */
		size_t offset; /* data_offset as reported */
	} mem[KA_FRAME_PLANES];
};

/* NULL when unknown. */
const struct ka_v4l2_fourcc *ka_v4l2_planes_find(uint32_t fourcc);
/* "NV12", for messages; dst holds 5 bytes. */
const char *ka_v4l2_planes_name(char dst[static 5], uint32_t fourcc);
/* Fills a request for S_FMT. type: V4L2_BUF_TYPE_VIDEO_CAPTURE or its _MPLANE. */
void ka_v4l2_planes_ask(struct v4l2_format *f, uint32_t type, uint32_t fourcc, uint32_t width, uint32_t height);
/* What G_FMT or S_FMT answered. -KA_E_FORMAT: unknown or inconsistent. -KA_E_OUT_OF_RANGE: interlaced, or a size
 * outside media.h's limits. */
int ka_v4l2_planes_read(struct ka_v4l2_shape *s, const struct v4l2_format *f, struct ka_errbuf *eb) KA_MUST_USE;
/* The picture in a buffer, cropped to an even size; d->bufs and the stamps are left to the caller. -KA_E_FORMAT when
 * the buffer does not hold a whole picture. */
int ka_v4l2_planes_frame(const struct ka_v4l2_shape *s, const struct ka_v4l2_filled *b, struct ka_frame *d) KA_MUST_USE;

#endif
