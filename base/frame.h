/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One picture: geometry, format, colour, stamps, and planes inside refcounted buffers. Immutable once shared; writing
 * needs ka_frame_writable(). Any thread may take and drop references.
 *
 *   planes[i].data points into bufs[i] or bufs[0]; rows are stride bytes apart:
 *
 *   |<------------- stride ------------->|
 *   |<-- width * bytes per pixel -->|pad |   x plane rows
 */
#ifndef KA_FRAME_H
#define KA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/media.h"

#define KA_FRAME_PLANES 3
/* Side of the squares whose changes are told apart, pixels. */
#define KA_FRAME_BLOCK 16u

struct ka_plane {
	uint8_t *data;
	size_t stride; /* bytes; 0 for MJPEG */
	size_t size;   /* bytes readable at data */
};

struct ka_frame {
	struct ka_ref ref;
	enum ka_pixfmt format;
	struct ka_colour colour;
	uint32_t width;	 /* pixels */
	uint32_t height; /* pixels */
	struct ka_plane planes[KA_FRAME_PLANES];
	struct ka_buf *bufs[KA_FRAME_PLANES]; /* owned references; unused ones NULL */
	uint64_t sequence;		      /* rises by one per picture of the source; gaps = dropped */
	int64_t captured_us;		      /* CLOCK_MONOTONIC when the picture was complete, */
	int64_t dequeued_us;		      /* when the source had it, */
	int64_t prepared_us;		      /* and when it was as encoders take it */
	/* Of pictures that have been compared with those before: the picture's number, and for each block, row by row,
	 * the number (uint64_t) of the picture in which it last became another. An owned reference, never written to;
	 * NULL = nothing is known. */
	uint64_t number;
	struct ka_buf *stamps;
};

/* How many planes a format has, and the shape of plane i (which it has): bytes per row without padding, and rows. 0
 * planes for NONE. */
unsigned int ka_pixfmt_planes(enum ka_pixfmt format);
size_t ka_pixfmt_row_bytes(enum ka_pixfmt format, unsigned int plane, uint32_t width);
uint32_t ka_pixfmt_rows(enum ka_pixfmt format, unsigned int plane, uint32_t height);
/* Blocks beside and above one another that cover so many pixels. */
static inline uint32_t ka_frame_blocks(uint32_t pixels)
{
	return (pixels + KA_FRAME_BLOCK - 1) / KA_FRAME_BLOCK;
}
static inline size_t ka_frame_block_count(uint32_t width, uint32_t height)
{
	return (size_t)ka_frame_blocks(width) * ka_frame_blocks(height);
}
bool ka_pixfmt_rgb(enum ka_pixfmt format);
const char *ka_pixfmt_name(enum ka_pixfmt format);

/* Where a row of a plane begins. Not for MJPEG. */
static inline uint8_t *ka_frame_row(const struct ka_frame *f, unsigned int plane, uint32_t row)
{
	return f->planes[plane].data + row * f->planes[plane].stride;
}

/* Takes over the references of *desc (bufs[], stamps) on success only. -KA_E_FORMAT when a plane or the stamps do not
 * fit the size, or sizes are outside media.h's limits. */
int ka_frame_new(struct ka_frame **out, const struct ka_frame *desc) KA_MUST_USE;
/* Own memory, rows padded to 64 bytes, one buffer. Not for MJPEG. */
int ka_frame_alloc(struct ka_frame **out, enum ka_pixfmt format, uint32_t width, uint32_t height) KA_MUST_USE;
struct ka_frame *ka_frame_ref(struct ka_frame *f);
void ka_frame_unref(struct ka_frame **f);
bool ka_frame_writable(struct ka_frame *f);
/* A plane to one of the same shape, padding left out. Not for MJPEG. */
void ka_frame_copy_plane(const struct ka_frame *to, const struct ka_frame *from, unsigned int plane);

#endif
