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

enum chroma { CHROMA_NONE, CHROMA_420, CHROMA_422, CHROMA_444 };

/* libyuv names RGB by little-endian words: its ARGB is B, G, R, A in memory, its RGB24 B, G, R, its RAW R, G, B. */
static const struct recipe {
	int (*rgb)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, uint8_t *, int, int, int);
	int (*packed)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, int, int);
	enum chroma chroma; /* beside a plane of luma */
	bool v_first;	    /* the result has V where U belongs */
} recipes[] = {
	[KA_PIX_I420] = {.chroma = CHROMA_420},
	[KA_PIX_I422] = {.chroma = CHROMA_422},
	[KA_PIX_I444] = {.chroma = CHROMA_444},
	[KA_PIX_NV12] = {.chroma = CHROMA_420},
	[KA_PIX_NV21] = {.chroma = CHROMA_420, .v_first = true},
	[KA_PIX_NV16] = {.chroma = CHROMA_422},
	[KA_PIX_NV61] = {.chroma = CHROMA_422, .v_first = true},
	[KA_PIX_NV24] = {.chroma = CHROMA_444},
	[KA_PIX_NV42] = {.chroma = CHROMA_444, .v_first = true},
	[KA_PIX_YUYV] = {.packed = YUY2ToNV12},
	[KA_PIX_YVYU] = {.packed = YUY2ToNV12, .v_first = true},
	[KA_PIX_UYVY] = {.packed = UYVYToNV12},
	[KA_PIX_VYUY] = {.packed = UYVYToNV12, .v_first = true},
	[KA_PIX_RGB24] = {.rgb = RAWToI420},
	[KA_PIX_BGR24] = {.rgb = RGB24ToI420},
	[KA_PIX_RGBX] = {.rgb = ABGRToI420},
	[KA_PIX_BGRX] = {.rgb = ARGBToI420},
	[KA_PIX_XRGB] = {.rgb = BGRAToI420},
	[KA_PIX_XBGR] = {.rgb = RGBAToI420},
	[KA_PIX_MJPEG] = {.chroma = CHROMA_NONE},
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

static uint8_t *row_of(const struct ka_frame *f, unsigned int plane, uint32_t row)
{
	return f->planes[plane].data + row * f->planes[plane].stride;
}

static void merge_scratch(const struct ka_convert *c, const struct band *b)
{
	int half = (int)b->in->width / 2;

	MergeUVPlane(c->scratch[0], half, c->scratch[1], half, b->dst.uv, (int)b->dst.uv_stride, half,
		     (int)b->rows / 2);
}

static void band_rgb(struct ka_convert *c, const struct band *b)
{
	int (*to_i420)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, uint8_t *, int, int, int) =
		recipes[b->in->format].rgb;
	int half = (int)b->in->width / 2;

	to_i420(row_of(b->in, 0, b->y), (int)b->in->planes[0].stride, b->dst.y, (int)b->dst.y_stride, c->scratch[0],
		half, c->scratch[1], half, (int)b->in->width, (int)b->rows);
	merge_scratch(c, b);
}

static void band_packed(const struct band *b)
{
	recipes[b->in->format].packed(row_of(b->in, 0, b->y), (int)b->in->planes[0].stride, b->dst.y,
				      (int)b->dst.y_stride, b->dst.uv, (int)b->dst.uv_stride, (int)b->in->width,
				      (int)b->rows);
}

/* Chroma rows of interleaved planes. */
static void band_pairs(struct band *b)
{
	const struct ka_frame *in = b->in;
	int stride = (int)in->planes[1].stride;
	int w = (int)in->width;

	switch (recipes[in->format].chroma) {
	case CHROMA_420:
		b->yuv.uv = row_of(in, 1, b->y / 2);
		b->yuv.uv_stride = in->planes[1].stride;
		break;
	case CHROMA_422:
		InterpolatePlane(row_of(in, 1, b->y), stride * 2, row_of(in, 1, b->y + 1), stride * 2, b->dst.uv,
				 (int)b->dst.uv_stride, w, (int)b->rows / 2, 128);
		break;
	default: /* CHROMA_444 */
		UVScale(row_of(in, 1, b->y), stride, w, (int)b->rows, b->dst.uv, (int)b->dst.uv_stride, w / 2,
			(int)b->rows / 2, kFilterBox);
		break;
	}
}

/* Chroma in planes of its own. */
static void band_apart(struct ka_convert *c, const struct band *b)
{
	const struct ka_frame *in = b->in;
	enum chroma chroma = recipes[in->format].chroma;
	int half = (int)in->width / 2;

	if (chroma == CHROMA_420) {
		MergeUVPlane(row_of(in, 1, b->y / 2), (int)in->planes[1].stride, row_of(in, 2, b->y / 2),
			     (int)in->planes[2].stride, b->dst.uv, (int)b->dst.uv_stride, half, (int)b->rows / 2);
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		const uint8_t *from = row_of(in, i + 1, b->y);
		int stride = (int)in->planes[i + 1].stride;

		if (chroma == CHROMA_422)
			InterpolatePlane(from, stride * 2, from + stride, stride * 2, c->scratch[i], half, half,
					 (int)b->rows / 2, 128);
		else
			ScalePlane(from, stride, half * 2, (int)b->rows, c->scratch[i], half, half, (int)b->rows / 2,
				   kFilterBox);
	}
	merge_scratch(c, b);
}

/* Luma stays where it is; chroma is halved into place. */
static void band_planar(struct ka_convert *c, struct band *b)
{
	b->yuv.y = row_of(b->in, 0, b->y);
	b->yuv.y_stride = b->in->planes[0].stride;
	switch (ka_pixfmt_planes(b->in->format)) {
	case 1:
		SetPlane(b->dst.uv, (int)b->dst.uv_stride, (int)b->in->width, (int)b->rows / 2, 128);
		break;
	case 2:
		band_pairs(b);
		break;
	default:
		band_apart(c, b);
		break;
	}
}

static void convert_band(struct ka_convert *c, struct band *b)
{
	const struct recipe *r = &recipes[b->in->format];

	b->yuv = b->dst;
	if (r->rgb)
		band_rgb(c, b);
	else if (r->packed)
		band_packed(b);
	else
		band_planar(c, b);
	if (!r->v_first)
		return;
	SwapUVPlane(b->yuv.uv, (int)b->yuv.uv_stride, b->dst.uv, (int)b->dst.uv_stride, (int)b->in->width / 2,
		    (int)b->rows / 2);
	b->yuv.uv = b->dst.uv;
	b->yuv.uv_stride = b->dst.uv_stride;
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
	bool recolour = ka_recolour_init(&colour, in->colour, ka_pixfmt_rgb(in->format));
	const struct recipe *r = &recipes[in->format];
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
	if (!r->rgb && !r->packed && in->format != KA_PIX_MJPEG && !recolour)
		return share_luma(c, in, out);
	*out = ka_frame_ref(c->work);
	return 0;
}
