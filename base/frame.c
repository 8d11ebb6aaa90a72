/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/frame.h"

#include <errno.h>

#include "base/err.h"

static const struct {
	const char *name;
	unsigned int planes;
	/* Per plane: bytes per group of 2 pixels in x (even widths), and vertical divisor. */
	uint8_t pair_bytes[KA_FRAME_PLANES];
	uint8_t row_div[KA_FRAME_PLANES];
} shapes[] = {
	[KA_PIX_NONE] = {"none", 0, {0}, {0}},	     [KA_PIX_I420] = {"I420", 3, {2, 1, 1}, {1, 2, 2}},
	[KA_PIX_NV12] = {"NV12", 2, {2, 2}, {1, 2}}, [KA_PIX_NV16] = {"NV16", 2, {2, 2}, {1, 1}},
	[KA_PIX_NV24] = {"NV24", 2, {2, 4}, {1, 1}}, [KA_PIX_YUYV] = {"YUYV", 1, {4}, {1}},
	[KA_PIX_UYVY] = {"UYVY", 1, {4}, {1}},	     [KA_PIX_RGB24] = {"RGB24", 1, {6}, {1}},
	[KA_PIX_BGR24] = {"BGR24", 1, {6}, {1}},     [KA_PIX_MJPEG] = {"MJPEG", 1, {0}, {1}},
};

unsigned int ka_pixfmt_planes(enum ka_pixfmt format)
{
	return shapes[format].planes;
}

size_t ka_pixfmt_row_bytes(enum ka_pixfmt format, unsigned int plane, uint32_t width)
{
	uint32_t pairs = width / 2 + width % 2;

	/* Only RGB has a pixel that stands alone; the YUV formats share chroma between two. */
	if (format == KA_PIX_RGB24 || format == KA_PIX_BGR24)
		return (size_t)width * 3;
	if (plane == 0 && shapes[format].pair_bytes[0] == 2)
		return width;
	return (size_t)pairs * shapes[format].pair_bytes[plane];
}

uint32_t ka_pixfmt_rows(enum ka_pixfmt format, unsigned int plane, uint32_t height)
{
	unsigned int div = shapes[format].row_div[plane];

	return (height + div - 1) / div;
}

const char *ka_pixfmt_name(enum ka_pixfmt format)
{
	return shapes[format].name;
}

static bool plane_fits(const struct ka_frame *d, unsigned int i)
{
	size_t row = ka_pixfmt_row_bytes(d->format, i, d->width);
	uint32_t rows = ka_pixfmt_rows(d->format, i, d->height);
	const struct ka_plane *p = &d->planes[i];

	if (!p->data || !p->size)
		return false;
	if (d->format == KA_PIX_MJPEG)
		return true;
	/* The last row need not be padded. */
	return p->stride >= row && p->stride <= SIZE_MAX / 2 / KA_MAX_HEIGHT && p->size >= p->stride * (rows - 1) + row;
}

int ka_frame_new(struct ka_frame **out, const struct ka_frame *desc)
{
	struct ka_frame *f;

	if (desc->width < KA_MIN_WIDTH || desc->width > KA_MAX_WIDTH || desc->height < KA_MIN_HEIGHT ||
	    desc->height > KA_MAX_HEIGHT || !ka_pixfmt_planes(desc->format))
		return -KA_E_FORMAT;
	for (unsigned int i = 0; i < ka_pixfmt_planes(desc->format); i++) {
		if (!plane_fits(desc, i))
			return -KA_E_FORMAT;
	}
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = *desc;
	ka_ref_init(&f->ref);
	*out = f;
	return 0;
}

int ka_frame_alloc(struct ka_frame **out, enum ka_pixfmt format, uint32_t width, uint32_t height)
{
	struct ka_frame d = {.format = format, .width = width, .height = height};
	size_t offset[KA_FRAME_PLANES] = {0};
	size_t total = 0;
	int ret;

	if (format == KA_PIX_MJPEG || width > KA_MAX_WIDTH || height > KA_MAX_HEIGHT)
		return -KA_E_FORMAT;
	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++) {
		size_t row = ka_pixfmt_row_bytes(format, i, width);

		d.planes[i].stride = (row + 63) & ~(size_t)63;
		d.planes[i].size = d.planes[i].stride * ka_pixfmt_rows(format, i, height);
		offset[i] = total;
		total += d.planes[i].size;
	}
	ret = ka_buf_new(&d.bufs[0], total);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++)
		d.planes[i].data = d.bufs[0]->data + offset[i];
	ret = ka_frame_new(out, &d);
	if (ret < 0)
		ka_buf_unref(&d.bufs[0]);
	return ret;
}

struct ka_frame *ka_frame_ref(struct ka_frame *f)
{
	ka_ref_get(&f->ref);
	return f;
}

void ka_frame_unref(struct ka_frame **f)
{
	struct ka_frame *old = *f;

	*f = NULL;
	if (!old || !ka_ref_put(&old->ref))
		return;
	for (unsigned int i = 0; i < KA_FRAME_PLANES; i++)
		ka_buf_unref(&old->bufs[i]);
	free(old);
}

bool ka_frame_writable(struct ka_frame *f)
{
	bool only = ka_ref_only(&f->ref);

	for (unsigned int i = 0; only && i < KA_FRAME_PLANES; i++)
		only = !f->bufs[i] || ka_ref_only(&f->bufs[i]->ref);
	return only;
}
