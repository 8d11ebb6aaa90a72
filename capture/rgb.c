/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/rgb.h"

#include <math.h>
#include <string.h>

/* Four of a table's errors come to less than a 2^18th of a step. */
#define BITS 20

static int32_t fixed(double v)
{
	return (int32_t)lrint(v * (1 << BITS));
}

void ka_rgb_init(struct ka_rgb *t, enum ka_pixfmt format, struct ka_colour from)
{
	bool rgb = format == KA_PIX_RGB24 || format == KA_PIX_BGR24;
	bool limited = rgb ? from.range == KA_RANGE_LIMITED : from.range != KA_RANGE_FULL;
	double gain = limited ? 255.0 / 219 : 1;
	double gain_c = limited ? 255.0 / 224 : 1;
	/* Weights of red and blue in luma. */
	double kr = from.matrix == KA_MATRIX_BT709 ? 0.2126 : from.matrix == KA_MATRIX_BT2020 ? 0.2627 : 0.299;
	double kb = from.matrix == KA_MATRIX_BT709 ? 0.0722 : from.matrix == KA_MATRIX_BT2020 ? 0.0593 : 0.114;
	double kg = 1 - kr - kb;

	t->plain = rgb && !limited;
	for (int i = 0; i < 256; i++) {
		double c = (i - 128) * gain_c;

		t->y[i] = fixed((i - (limited ? 16 : 0)) * gain + 0.5);
		t->rv[i] = fixed(2 * (1 - kr) * c);
		t->gv[i] = fixed(-2 * kr * (1 - kr) / kg * c);
		t->gu[i] = fixed(-2 * kb * (1 - kb) / kg * c);
		t->bu[i] = fixed(2 * (1 - kb) * c);
	}
}

static inline uint8_t clip8(int32_t v)
{
	v >>= BITS;
	return (uint8_t)KA_CLAMP(v, 0, 255);
}

static inline void put(const struct ka_rgb *t, uint8_t y, uint8_t u, uint8_t v, uint8_t *out)
{
	int32_t luma = t->y[y];

	out[0] = clip8(luma + t->rv[v]);
	out[1] = clip8(luma + t->gu[u] + t->gv[v]);
	out[2] = clip8(luma + t->bu[u]);
}

void ka_rgb_triples(const struct ka_rgb *t, const uint8_t *yuv, uint32_t width, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++)
		put(t, yuv[3 * x], yuv[3 * x + 1], yuv[3 * x + 2], out + (size_t)3 * x);
}

static void row_rgb(const struct ka_rgb *t, const uint8_t *in, uint32_t width, bool swap, uint8_t *out)
{
	for (uint32_t x = 0; x < 3 * width; x += 3) {
		for (uint32_t i = 0; i < 3; i++) {
			uint8_t v = in[x + (swap ? 2 - i : i)];

			out[x + i] = t->plain ? v : clip8(t->y[v]);
		}
	}
}

static void row_packed(const struct ka_rgb *t, const uint8_t *in, uint32_t width, unsigned int luma, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		const uint8_t *pair = in + (size_t)x / 2 * 4;

		put(t, pair[luma + 2 * (x & 1)], pair[1 - luma], pair[3 - luma], out + (size_t)3 * x);
	}
}

/* Chroma of pixel x stands at u[(x >> shift) * step], likewise v. */
static void row_planar(const struct ka_rgb *t, const uint8_t *y, const uint8_t *u, const uint8_t *v, uint32_t width,
		       unsigned int shift, unsigned int step, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		size_t c = (size_t)(x >> shift) * step;

		put(t, y[x], u[c], v[c], out + (size_t)3 * x);
	}
}

void ka_rgb_row(const struct ka_rgb *t, const struct ka_frame *f, uint32_t row, uint8_t *out)
{
	const struct ka_plane *p = f->planes;
	const uint8_t *first = p[0].data + row * p[0].stride;
	uint32_t chroma_row = f->format == KA_PIX_I420 || f->format == KA_PIX_NV12 ? row / 2 : row;
	const uint8_t *u = ka_pixfmt_planes(f->format) > 1 ? p[1].data + chroma_row * p[1].stride : NULL;

	switch (f->format) {
	case KA_PIX_RGB24:
	case KA_PIX_BGR24:
		row_rgb(t, first, f->width, f->format == KA_PIX_BGR24, out);
		break;
	case KA_PIX_YUYV:
	case KA_PIX_UYVY:
		row_packed(t, first, f->width, f->format == KA_PIX_UYVY, out);
		break;
	case KA_PIX_I420:
		row_planar(t, first, u, p[2].data + chroma_row * p[2].stride, f->width, 1, 1, out);
		break;
	case KA_PIX_NV12:
	case KA_PIX_NV16:
		row_planar(t, first, u, u + 1, f->width, 1, 2, out);
		break;
	case KA_PIX_NV24:
		row_planar(t, first, u, u + 1, f->width, 0, 2, out);
		break;
	case KA_PIX_NONE:
	case KA_PIX_MJPEG:
		break;
	}
}
