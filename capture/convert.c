/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/convert.h"

#include <errno.h>
#include <libyuv.h>
#include <string.h>

#include "base/err.h"
#include "capture/mjpeg.h"
#include "capture/recolour.h"

/* Rows worked on at a time: source, result and scratch of one band stay in the cache until the band is done. */
#define BAND 16u

struct ka_convert {
	struct ka_frame *work; /* NV12 */
	struct ka_mjpeg *mjpeg;
	uint8_t scratch[2][BAND / 2 * KA_MAX_WIDTH / 2];
};

/* Rows y .. y + rows of a conversion. */
struct band {
	const struct ka_frame *in;
	uint32_t y, rows;
	struct ka_nv12_rows dst; /* of the first row */
	struct ka_nv12_rows yuv; /* where luma and halved chroma are after the first step */
};

int ka_convert_new(struct ka_convert **out)
{
	struct ka_convert *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return -ENOMEM;
	ret = ka_mjpeg_new(&c->mjpeg);
	if (ret < 0) {
		free(c);
		return ret;
	}
	*out = c;
	return 0;
}

void ka_convert_free(struct ka_convert *c)
{
	if (!c)
		return;
	ka_frame_unref(&c->work);
	ka_mjpeg_free(c->mjpeg);
	free(c);
}

static bool is_rgb(enum ka_pixfmt f)
{
	return f == KA_PIX_RGB24 || f == KA_PIX_BGR24;
}

static uint8_t *row_of(const struct ka_frame *f, unsigned int plane, uint32_t row)
{
	return f->planes[plane].data + row * f->planes[plane].stride;
}

static void band_rgb(struct ka_convert *c, const struct band *b)
{
	/* libyuv names by little-endian words: its RAW is R, G, B in memory, its RGB24 is B, G, R. */
	int (*to_i420)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, uint8_t *, int, int, int) =
		b->in->format == KA_PIX_RGB24 ? RAWToI420 : RGB24ToI420;
	int half = (int)b->in->width / 2;

	to_i420(row_of(b->in, 0, b->y), (int)b->in->planes[0].stride, b->dst.y, (int)b->dst.y_stride, c->scratch[0],
		half, c->scratch[1], half, (int)b->in->width, (int)b->rows);
	MergeUVPlane(c->scratch[0], half, c->scratch[1], half, b->dst.uv, (int)b->dst.uv_stride, half,
		     (int)b->rows / 2);
}

static void band_packed(const struct band *b)
{
	int (*to_nv12)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, int, int) =
		b->in->format == KA_PIX_YUYV ? YUY2ToNV12 : UYVYToNV12;

	to_nv12(row_of(b->in, 0, b->y), (int)b->in->planes[0].stride, b->dst.y, (int)b->dst.y_stride, b->dst.uv,
		(int)b->dst.uv_stride, (int)b->in->width, (int)b->rows);
}

/* Luma stays where it is; chroma is halved into place. */
static void band_planar(struct band *b)
{
	const struct ka_frame *in = b->in;
	int w = (int)in->width;
	int stride = (int)in->planes[1].stride;

	b->yuv.y = row_of(in, 0, b->y);
	b->yuv.y_stride = in->planes[0].stride;
	switch (in->format) {
	case KA_PIX_NV12:
		b->yuv.uv = row_of(in, 1, b->y / 2);
		b->yuv.uv_stride = in->planes[1].stride;
		break;
	case KA_PIX_I420:
		MergeUVPlane(row_of(in, 1, b->y / 2), stride, row_of(in, 2, b->y / 2), (int)in->planes[2].stride,
			     b->dst.uv, (int)b->dst.uv_stride, w / 2, (int)b->rows / 2);
		break;
	case KA_PIX_NV16:
		InterpolatePlane(row_of(in, 1, b->y), stride * 2, row_of(in, 1, b->y + 1), stride * 2, b->dst.uv,
				 (int)b->dst.uv_stride, w, (int)b->rows / 2, 128);
		break;
	default: /* NV24 */
		UVScale(row_of(in, 1, b->y), stride, w, (int)b->rows, b->dst.uv, (int)b->dst.uv_stride, w / 2,
			(int)b->rows / 2, kFilterBox);
		break;
	}
}

static void convert_band(struct ka_convert *c, struct band *b)
{
	b->yuv = b->dst;
	if (is_rgb(b->in->format))
		band_rgb(c, b);
	else if (b->in->format == KA_PIX_YUYV || b->in->format == KA_PIX_UYVY)
		band_packed(b);
	else
		band_planar(b);
}

/* The source's luma with the converted chroma. */
static int share_luma(struct ka_convert *c, struct ka_frame *in, struct ka_frame **out)
{
	struct ka_frame d = *c->work;
	int ret;

	d.planes[0] = in->planes[0];
	d.bufs[0] = ka_buf_ref(in->bufs[0]);
	d.bufs[1] = ka_buf_ref(c->work->bufs[0]);
	ret = ka_frame_new(out, &d);
	if (ret < 0) {
		ka_buf_unref(&d.bufs[0]);
		ka_buf_unref(&d.bufs[1]);
	}
	return ret;
}

static int prepare_work(struct ka_convert *c, const struct ka_frame *in)
{
	struct ka_frame *w = c->work;

	if (w && (w->width != in->width || w->height != in->height || !ka_frame_writable(w)))
		ka_frame_unref(&c->work);
	if (!c->work) {
		int ret = ka_frame_alloc(&c->work, KA_PIX_NV12, in->width, in->height);

		if (ret < 0)
			return ret;
		/* A first JPEG that ends early leaves the rest as it is: black. */
		memset(c->work->planes[0].data, 16, c->work->planes[0].size);
		memset(c->work->planes[1].data, 128, c->work->planes[1].size);
	}
	c->work->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	c->work->sequence = in->sequence;
	c->work->captured_us = in->captured_us;
	return 0;
}

static void convert_raw(struct ka_convert *c, const struct ka_frame *in, const struct ka_recolour *colour)
{
	for (uint32_t y = 0; y < in->height; y += BAND) {
		struct band b = {
			.in = in,
			.y = y,
			.rows = KA_MIN(BAND, in->height - y),
			.dst = {row_of(c->work, 0, y), row_of(c->work, 1, y / 2), c->work->planes[0].stride,
				c->work->planes[1].stride},
		};

		convert_band(c, &b);
		if (colour)
			ka_recolour_rows(colour, &b.yuv, &b.dst, in->width, b.rows);
	}
}

static int convert_jpeg(struct ka_convert *c, const struct ka_frame *in, const struct ka_recolour *colour)
{
	struct ka_mjpeg_dst dst = {
		.rows = {row_of(c->work, 0, 0), row_of(c->work, 1, 0), c->work->planes[0].stride,
			 c->work->planes[1].stride},
		.width = in->width,
		.height = in->height,
		.colour = colour,
	};

	return ka_mjpeg_decode(c->mjpeg, in->planes[0].data, in->planes[0].size, &dst);
}

int ka_convert_run(struct ka_convert *c, struct ka_frame *in, struct ka_frame **out)
{
	struct ka_recolour colour;
	bool recolour = ka_recolour_init(&colour, in->colour, is_rgb(in->format));
	bool luma_stays = in->format == KA_PIX_NV16 || in->format == KA_PIX_NV24;
	int ret;

	if (in->width % 2 || in->height % 2)
		return -KA_E_FORMAT;
	if ((in->format == KA_PIX_NV12 || in->format == KA_PIX_I420) && !recolour) {
		*out = ka_frame_ref(in);
		return 0;
	}
	ret = prepare_work(c, in);
	if (ret < 0)
		return ret;
	if (in->format == KA_PIX_MJPEG)
		ret = convert_jpeg(c, in, recolour ? &colour : NULL);
	else
		convert_raw(c, in, recolour ? &colour : NULL);
	if (ret < 0)
		return ret;
	if (luma_stays && !recolour)
		return share_luma(c, in, out);
	*out = ka_frame_ref(c->work);
	return 0;
}
