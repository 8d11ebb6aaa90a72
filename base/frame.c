/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/frame.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

/* Per plane: bytes of a group of pixels that share them, pixels in a group (side by side), rows of the picture in one
 * of the plane. */
static const struct {
	const char *name;
	unsigned int planes;
	uint8_t bytes[KA_FRAME_PLANES];
	uint8_t pixels[KA_FRAME_PLANES];
	uint8_t rows[KA_FRAME_PLANES];
	bool rgb;
} shapes[] = {
	[KA_PIX_NONE] = {.name = "none"},
	[KA_PIX_I420] = {"I420", 3, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}, false},
	[KA_PIX_I422] = {"I422", 3, {1, 1, 1}, {1, 2, 2}, {1, 1, 1}, false},
	[KA_PIX_I444] = {"I444", 3, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, false},
	[KA_PIX_NV12] = {"NV12", 2, {1, 2}, {1, 2}, {1, 2}, false},
	[KA_PIX_NV21] = {"NV21", 2, {1, 2}, {1, 2}, {1, 2}, false},
	[KA_PIX_NV16] = {"NV16", 2, {1, 2}, {1, 2}, {1, 1}, false},
	[KA_PIX_NV61] = {"NV61", 2, {1, 2}, {1, 2}, {1, 1}, false},
	[KA_PIX_NV24] = {"NV24", 2, {1, 2}, {1, 1}, {1, 1}, false},
	[KA_PIX_NV42] = {"NV42", 2, {1, 2}, {1, 1}, {1, 1}, false},
	[KA_PIX_GREY] = {"GREY", 1, {1}, {1}, {1}, false},
	[KA_PIX_YUYV] = {"YUYV", 1, {4}, {2}, {1}, false},
	[KA_PIX_YVYU] = {"YVYU", 1, {4}, {2}, {1}, false},
	[KA_PIX_UYVY] = {"UYVY", 1, {4}, {2}, {1}, false},
	[KA_PIX_VYUY] = {"VYUY", 1, {4}, {2}, {1}, false},
	[KA_PIX_RGB24] = {"RGB24", 1, {3}, {1}, {1}, true},
	[KA_PIX_BGR24] = {"BGR24", 1, {3}, {1}, {1}, true},
	[KA_PIX_RGBX] = {"RGBX", 1, {4}, {1}, {1}, true},
	[KA_PIX_BGRX] = {"BGRX", 1, {4}, {1}, {1}, true},
	[KA_PIX_XRGB] = {"XRGB", 1, {4}, {1}, {1}, true},
	[KA_PIX_XBGR] = {"XBGR", 1, {4}, {1}, {1}, true},
	[KA_PIX_MJPEG] = {"MJPEG", 1, {0}, {1}, {1}, false},
};

unsigned int ka_pixfmt_planes(enum ka_pixfmt format)
{
	return shapes[format].planes;
}

size_t ka_pixfmt_row_bytes(enum ka_pixfmt format, unsigned int plane, uint32_t width)
{
	uint32_t pixels = shapes[format].pixels[plane];

	return (size_t)((width + pixels - 1) / pixels) * shapes[format].bytes[plane];
}

uint32_t ka_pixfmt_rows(enum ka_pixfmt format, unsigned int plane, uint32_t height)
{
	unsigned int div = shapes[format].rows[plane];

	return (height + div - 1) / div;
}

bool ka_pixfmt_rgb(enum ka_pixfmt format)
{
	return shapes[format].rgb;
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
	if (desc->stamps && desc->stamps->size / sizeof(uint64_t) < ka_frame_block_count(desc->width, desc->height))
		return -KA_E_FORMAT;
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
	ka_buf_unref(&old->stamps);
	free(old);
}

bool ka_frame_writable(struct ka_frame *f)
{
	bool only = ka_ref_only(&f->ref);

	for (unsigned int i = 0; only && i < KA_FRAME_PLANES; i++)
		only = !f->bufs[i] || ka_ref_only(&f->bufs[i]->ref);
	return only;
}

void ka_frame_copy_plane(const struct ka_frame *to, const struct ka_frame *from, unsigned int plane)
{
	size_t bytes = ka_pixfmt_row_bytes(from->format, plane, from->width);

	for (uint32_t y = 0; y < ka_pixfmt_rows(from->format, plane, from->height); y++)
		memcpy(ka_frame_row(to, plane, y), ka_frame_row(from, plane, y), bytes);
}
