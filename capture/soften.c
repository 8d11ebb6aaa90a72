/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/soften.h"

#include <errno.h>
#include <libyuv.h>

#define LESS 4 /* times less detail each way */

static int make_frame(struct ka_frame **out, enum ka_pixfmt format, const struct ka_frame *f)
{
	if (*out && ((*out)->format != format || (*out)->width != f->width || (*out)->height != f->height))
		ka_frame_unref(out);
	return *out ? 0 : ka_frame_alloc(out, format, f->width, f->height);
}

static void widen_row(uint8_t *dst, const uint8_t *src, size_t step, uint32_t width)
{
	for (uint32_t x = 0; x < width; x++)
		dst[x] = src[x / 2 * step];
}

int ka_widen(struct ka_frame **out, const struct ka_frame *f)
{
	bool paired = f->format == KA_PIX_NV12;
	int ret = make_frame(out, KA_PIX_I444, f);

	if (ret < 0)
		return ret;
	ka_frame_copy_plane(*out, f, 0);
	for (unsigned int i = 1; i <= 2; i++) {
		const struct ka_plane *from = &f->planes[paired ? 1 : i];
		const struct ka_plane *to = &(*out)->planes[i];

		for (uint32_t y = 0; y < f->height; y++)
			widen_row(to->data + y * to->stride, from->data + y / 2 * from->stride + (paired ? i - 1 : 0),
				  paired ? 2 : 1, f->width);
	}
	return 0;
}

int ka_soften(struct ka_frame **out, const struct ka_frame *f)
{
	int w = (int)f->width / LESS;
	int h = (int)f->height / LESS;
	struct ka_plane *to;
	uint8_t *small;
	int ret = make_frame(out, f->format, f);

	if (ret < 0)
		return ret;
	small = malloc((size_t)w * (size_t)h);
	if (!small)
		return -ENOMEM;
	to = &(*out)->planes[0];
	ScalePlane(f->planes[0].data, (int)f->planes[0].stride, (int)f->width, (int)f->height, small, w, w, h,
		   kFilterBox);
	ScalePlane(small, w, w, h, to->data, (int)to->stride, (int)f->width, (int)f->height, kFilterBilinear);
	free(small);
	for (unsigned int i = 1; i < ka_pixfmt_planes(f->format); i++)
		ka_frame_copy_plane(*out, f, i);
	return 0;
}
