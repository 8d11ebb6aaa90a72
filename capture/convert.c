/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/convert.h"

#include <errno.h>
#include <libyuv.h>

#include "capture/convert_444.h"
#include "capture/recolour.h"

/* Rows worked on at a time: source, result and scratch of one band stay in the cache until the band is done. */
#define BAND 16u

struct ka_convert {
	/* Kept for pictures of one kind after the other. */
	enum ka_pixfmt format;
	struct ka_colour colour;
	struct ka_recolour recolour;
	bool recolours;
	uint8_t scratch[2][BAND / 2 * KA_MAX_WIDTH / 2];
	struct ka_convert_444 wide;
};

/* Columns x .. x + width of rows y .. y + rows of a conversion. */
struct band {
	const struct ka_frame *in;
	uint32_t x, y, width, rows;
	bool luma;
	struct ka_nv12_rows dst; /* of the first row */
	struct ka_nv12_rows yuv; /* where luma and halved chroma are after the first step */
};

enum chroma { CHROMA_NONE, CHROMA_420, CHROMA_422, CHROMA_444 };

/* libyuv's gets the chroma of the last columns wrong where a width is 2 to 14 more than an odd multiple of 16 (seen
 * with version 1857 on x86): the last ones here are left to plain code. */
static int yuyv_to_nv12(const uint8_t *src, int src_stride, uint8_t *y, int y_stride, uint8_t *uv, int uv_stride,
			int width, int rows)
{
	int whole = width & ~31;

	if (whole)
		YUY2ToNV12(src, src_stride, y, y_stride, uv, uv_stride, whole, rows);
	for (int row = 0; row < rows; row++) {
		for (int x = whole; x < width; x++)
			y[row * y_stride + x] = src[row * src_stride + 2 * x];
	}
	for (int row = 0; row < rows / 2; row++) {
		const uint8_t *from = src + 2 * row * src_stride;

		for (int x = whole; x < width; x++)
			uv[row * uv_stride + x] = (uint8_t)((from[2 * x + 1] + from[src_stride + 2 * x + 1] + 1) / 2);
	}
	return 0;
}

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
	[KA_PIX_YUYV] = {.packed = yuyv_to_nv12},
	[KA_PIX_YVYU] = {.packed = yuyv_to_nv12, .v_first = true},
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
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void ka_convert_free(struct ka_convert *c)
{
	free(c);
}

/* x: even. */
static uint8_t *at(const struct ka_frame *f, unsigned int plane, uint32_t x, uint32_t row)
{
	return ka_frame_row(f, plane, row) + ka_pixfmt_row_bytes(f->format, plane, x);
}

static const uint8_t *row_of(const struct band *b, unsigned int plane, uint32_t row)
{
	return at(b->in, plane, b->x, row);
}

static void merge_scratch(const struct ka_convert *c, const struct band *b)
{
	int half = (int)b->width / 2;

	MergeUVPlane(c->scratch[0], half, c->scratch[1], half, b->dst.uv, (int)b->dst.uv_stride, half,
		     (int)b->rows / 2);
}

static void band_rgb(struct ka_convert *c, const struct band *b)
{
	int (*to_i420)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, uint8_t *, int, int, int) =
		recipes[b->in->format].rgb;
	int half = (int)b->width / 2;

	to_i420(row_of(b, 0, b->y), (int)b->in->planes[0].stride, b->dst.y, (int)b->dst.y_stride, c->scratch[0], half,
		c->scratch[1], half, (int)b->width, (int)b->rows);
	merge_scratch(c, b);
}

static void band_packed(const struct band *b)
{
	recipes[b->in->format].packed(row_of(b, 0, b->y), (int)b->in->planes[0].stride, b->dst.y, (int)b->dst.y_stride,
				      b->dst.uv, (int)b->dst.uv_stride, (int)b->width, (int)b->rows);
}

/* Chroma rows of interleaved planes. */
static void band_pairs(struct band *b)
{
	const struct ka_frame *in = b->in;
	int stride = (int)in->planes[1].stride;
	int w = (int)b->width;

	switch (recipes[in->format].chroma) {
	case CHROMA_420:
		b->yuv.uv = at(in, 1, b->x, b->y / 2);
		b->yuv.uv_stride = in->planes[1].stride;
		break;
	case CHROMA_422:
		InterpolatePlane(row_of(b, 1, b->y), stride * 2, row_of(b, 1, b->y + 1), stride * 2, b->dst.uv,
				 (int)b->dst.uv_stride, w, (int)b->rows / 2, 128);
		break;
	default: /* CHROMA_444 */
		UVScale(row_of(b, 1, b->y), stride, w, (int)b->rows, b->dst.uv, (int)b->dst.uv_stride, w / 2,
			(int)b->rows / 2, kFilterBox);
		break;
	}
}

/* Chroma in planes of its own. */
static void band_apart(struct ka_convert *c, const struct band *b)
{
	const struct ka_frame *in = b->in;
	enum chroma chroma = recipes[in->format].chroma;
	int half = (int)b->width / 2;

	if (chroma == CHROMA_420) {
		MergeUVPlane(row_of(b, 1, b->y / 2), (int)in->planes[1].stride, row_of(b, 2, b->y / 2),
			     (int)in->planes[2].stride, b->dst.uv, (int)b->dst.uv_stride, half, (int)b->rows / 2);
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		const uint8_t *from = row_of(b, i + 1, b->y);
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
	b->yuv.y = at(b->in, 0, b->x, b->y);
	b->yuv.y_stride = b->in->planes[0].stride;
	switch (ka_pixfmt_planes(b->in->format)) {
	case 1:
		SetPlane(b->dst.uv, (int)b->dst.uv_stride, (int)b->width, (int)b->rows / 2, 128);
		break;
	case 2:
		band_pairs(b);
		break;
	default:
		band_apart(c, b);
		break;
	}
}

/* What the first step has left where it was. */
static void settle_band(const struct ka_convert *c, const struct band *b)
{
	if (c->recolours) {
		ka_recolour_rows(&c->recolour, &b->yuv, &b->dst, b->width, b->rows);
		return;
	}
	if (b->luma && b->yuv.y != b->dst.y)
		CopyPlane(b->yuv.y, (int)b->yuv.y_stride, b->dst.y, (int)b->dst.y_stride, (int)b->width, (int)b->rows);
	if (b->yuv.uv != b->dst.uv)
		CopyPlane(b->yuv.uv, (int)b->yuv.uv_stride, b->dst.uv, (int)b->dst.uv_stride, (int)b->width,
			  (int)b->rows / 2);
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
	if (r->v_first) {
		SwapUVPlane(b->yuv.uv, (int)b->yuv.uv_stride, b->dst.uv, (int)b->dst.uv_stride, (int)b->width / 2,
			    (int)b->rows / 2);
		b->yuv.uv = b->dst.uv;
		b->yuv.uv_stride = b->dst.uv_stride;
	}
	settle_band(c, b);
}

enum ka_convert_way ka_convert_way(const struct ka_frame *in)
{
	const struct recipe *r = &recipes[in->format];
	struct ka_recolour colour;

	if (r->rgb || r->packed || ka_recolour_init(&colour, in->colour, false))
		return KA_CONVERT_ALL;
	return in->format == KA_PIX_NV12 || in->format == KA_PIX_I420 ? KA_CONVERT_PASS : KA_CONVERT_CHROMA;
}

static void learn_kind(struct ka_convert *c, const struct ka_frame *in)
{
	if (c->format == in->format && c->colour.matrix == in->colour.matrix && c->colour.range == in->colour.range)
		return;
	c->format = in->format;
	c->colour = in->colour;
	c->recolours = ka_recolour_init(&c->recolour, in->colour, ka_pixfmt_rgb(in->format));
}

void ka_convert_area(struct ka_convert *c, const struct ka_frame *in, const struct ka_frame *to,
		     const struct ka_area *area, bool luma)
{
	learn_kind(c, in);
	for (uint32_t y = area->y; y < area->y + area->height; y += BAND) {
		uint32_t rows = KA_MIN(BAND, area->y + area->height - y);
		struct band b = {.in = in, .x = area->x, .y = y, .width = area->width, .rows = rows, .luma = luma};

		if (to->format == KA_PIX_I444) {
			ka_convert_444_band(&c->wide, in, to, &(struct ka_area){b.x, y, b.width, rows},
					    c->recolours ? &c->recolour : NULL);
			continue;
		}
		b.dst = (struct ka_nv12_rows){at(to, 0, b.x, y), at(to, 1, b.x, y / 2), to->planes[0].stride,
					      to->planes[1].stride};
		convert_band(c, &b);
	}
}
