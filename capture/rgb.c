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
	bool rgb = ka_pixfmt_rgb(format);
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

/* Where a pixel has its three samples: offset of each, and bytes from one pixel (or pair of pixels) to the next. */
struct order {
	uint8_t at[3]; /* R, G, B; or Y (of the first of a pair), U, V */
	uint8_t step;
};

static struct order order_of(enum ka_pixfmt format)
{
	switch (format) {
	case KA_PIX_RGB24:
		return (struct order){{0, 1, 2}, 3};
	case KA_PIX_BGR24:
		return (struct order){{2, 1, 0}, 3};
	case KA_PIX_RGBX:
		return (struct order){{0, 1, 2}, 4};
	case KA_PIX_BGRX:
		return (struct order){{2, 1, 0}, 4};
	case KA_PIX_XRGB:
		return (struct order){{1, 2, 3}, 4};
	case KA_PIX_XBGR:
		return (struct order){{3, 2, 1}, 4};
	case KA_PIX_YVYU:
		return (struct order){{0, 3, 1}, 4};
	case KA_PIX_UYVY:
		return (struct order){{1, 0, 2}, 4};
	case KA_PIX_VYUY:
		return (struct order){{1, 2, 0}, 4};
	default: /* YUYV */
		return (struct order){{0, 1, 3}, 4};
	}
}

static void row_rgb(const struct ka_rgb *t, const uint8_t *in, uint32_t width, struct order o, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		for (uint32_t i = 0; i < 3; i++) {
			uint8_t v = in[(size_t)x * o.step + o.at[i]];

			out[(size_t)3 * x + i] = t->plain ? v : clip8(t->y[v]);
		}
	}
}

static void row_packed(const struct ka_rgb *t, const uint8_t *in, uint32_t width, struct order o, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		const uint8_t *pair = in + (size_t)x / 2 * o.step;

		put(t, pair[o.at[0] + 2 * (x & 1)], pair[o.at[1]], pair[o.at[2]], out + (size_t)3 * x);
	}
}

/* A row of each; chroma of pixel x stands at u[(x >> shift) * step], likewise v. */
struct planes {
	const uint8_t *y, *u, *v;
	unsigned int shift, step;
};

static void row_planar(const struct ka_rgb *t, const struct planes *p, uint32_t width, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		size_t c = (size_t)(x >> p->shift) * p->step;

		put(t, p->y[x], p->u[c], p->v[c], out + (size_t)3 * x);
	}
}

static struct planes planes_of(const struct ka_frame *f, uint32_t row)
{
	static const uint8_t none = 128;
	enum ka_pixfmt format = f->format;
	bool swapped = format == KA_PIX_NV21 || format == KA_PIX_NV61 || format == KA_PIX_NV42;
	struct planes p = {.y = ka_frame_row(f, 0, row), .u = &none, .v = &none};

	if (format == KA_PIX_GREY)
		return p;
	if (ka_pixfmt_rows(format, 1, f->height) < f->height)
		row /= 2;
	p.u = ka_frame_row(f, 1, row);
	if (ka_pixfmt_planes(format) == 3) {
		p.v = ka_frame_row(f, 2, row);
		p.step = 1;
		p.shift = format != KA_PIX_I444;
		return p;
	}
	p.v = p.u + !swapped;
	p.u += swapped;
	p.step = 2;
	p.shift = format != KA_PIX_NV24 && format != KA_PIX_NV42;
	return p;
}

void ka_rgb_row(const struct ka_rgb *t, const struct ka_frame *f, uint32_t row, uint8_t *out)
{
	struct planes p;

	switch (f->format) {
	case KA_PIX_RGB24:
	case KA_PIX_BGR24:
	case KA_PIX_RGBX:
	case KA_PIX_BGRX:
	case KA_PIX_XRGB:
	case KA_PIX_XBGR:
		row_rgb(t, ka_frame_row(f, 0, row), f->width, order_of(f->format), out);
		break;
	case KA_PIX_YUYV:
	case KA_PIX_YVYU:
	case KA_PIX_UYVY:
	case KA_PIX_VYUY:
		row_packed(t, ka_frame_row(f, 0, row), f->width, order_of(f->format), out);
		break;
	case KA_PIX_NONE:
	case KA_PIX_MJPEG:
		break;
	default:
		p = planes_of(f, row);
		row_planar(t, &p, f->width, out);
		break;
	}
}
