/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/recolour.h"

#include <math.h>

#include "base/attr.h"

/* Weights of red and blue in luma: ITU-R BT.601, BT.709, BT.2020. */
static void weights(enum ka_matrix m, double *kr, double *kb)
{
	*kr = m == KA_MATRIX_BT709 ? 0.2126 : m == KA_MATRIX_BT2020 ? 0.2627 : 0.299;
	*kb = m == KA_MATRIX_BT709 ? 0.0722 : m == KA_MATRIX_BT2020 ? 0.0593 : 0.114;
}

static int32_t fixed(double v)
{
	return (int32_t)lrint(v * (1 << KA_RECOLOUR_BITS));
}

bool ka_recolour_init(struct ka_recolour *r, struct ka_colour from, bool rgb)
{
	bool full = from.range == KA_RANGE_FULL;
	/* Steps of the source's luma and chroma against ours. RGB came through the full-range formula: limited RGB has
	 * been squeezed once too often. */
	double gain_y = rgb ? (from.range == KA_RANGE_LIMITED ? 255.0 / 219 : 1) : full ? 219.0 / 255 : 1;
	double gain_c = rgb ? gain_y : full ? 224.0 / 255 : 1;
	double black = rgb ? 16 : full ? 0 : 16;
	double kr, kb, kg;
	const double r601 = 0.299, b601 = 0.114, g601 = 1 - r601 - b601;
	double pr[3], pb[3];

	weights(rgb ? KA_MATRIX_BT601 : from.matrix, &kr, &kb);
	kg = 1 - kr - kb;
	/* With luma left out, R = Y + 2(1-kr)V and so on; what each chroma step adds to BT.601's luma: */
	pb[0] = 2 * (1 - kb) * b601 - 2 * kb * (1 - kb) / kg * g601;
	pr[0] = 2 * (1 - kr) * r601 - 2 * kr * (1 - kr) / kg * g601;
	/* ... and to (B - Y') and (R - Y') */
	pb[1] = 2 * (1 - kb) - pb[0];
	pr[1] = -pr[0];
	pb[2] = -pb[0];
	pr[2] = 2 * (1 - kr) - pr[0];
	/* Chroma has 224 steps where luma has 219. */
	r->y = (int16_t)fixed(gain_y);
	r->yu = (int16_t)fixed(pb[0] * gain_c * 219 / 224);
	r->yv = (int16_t)fixed(pr[0] * gain_c * 219 / 224);
	r->uu = (int16_t)fixed(pb[1] * gain_c / (2 * (1 - b601)));
	r->uv = (int16_t)fixed(pr[1] * gain_c / (2 * (1 - b601)));
	r->vu = (int16_t)fixed(pb[2] * gain_c / (2 * (1 - r601)));
	r->vv = (int16_t)fixed(pr[2] * gain_c / (2 * (1 - r601)));
	/* Limited RGB's black has become 16 + 16*219/255 and must be 16 again. */
	if (rgb && from.range == KA_RANGE_LIMITED)
		black += 16 * 219.0 / 255;
	r->offset = fixed(16 - black * gain_y);
	return r->y != fixed(1) || r->yu || r->yv || r->uu != fixed(1) || r->vv != fixed(1);
}

/* In two steps and 16 bits: each is one instruction for a whole vector. */
static inline uint8_t clip8(int16_t v)
{
	v = v < 0 ? 0 : v;
	v = v > 255 ? 255 : v;
	return (uint8_t)v;
}

/* These two loops are where a picture's time goes: plain enough for the compiler to vectorise, once it is told that a
 * destination that overlaps its source is that source, element by element. */
#ifdef __clang__
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

/* One row of chroma, and what it adds to each pixel above and below it, in 1/128. */
static void recolour_chroma(const struct ka_recolour *r, const uint8_t *src, uint8_t *dst, int16_t *restrict add,
			    uint32_t pairs)
{
	const int32_t half = 1 << (KA_RECOLOUR_BITS - 1);
	const int16_t yu = r->yu, yv = r->yv, uu = r->uu, uv = r->uv, vu = r->vu, vv = r->vv;
	/* The luma loop works around 128: what is left of gain and offset there. */
	const int32_t base = r->offset + r->y * 128 - (128 << KA_RECOLOUR_BITS) + half;

	INDEPENDENT
	for (uint32_t i = 0; i < pairs; i++) {
		int16_t u = (int16_t)(src[2 * i] - 128);
		int16_t v = (int16_t)(src[2 * i + 1] - 128);
		int16_t a = (int16_t)((yu * u + yv * v + base) >> (KA_RECOLOUR_BITS - 7));

		add[2 * i] = a;
		add[2 * i + 1] = a;
		dst[2 * i] = clip8((int16_t)(128 + ((uu * u + uv * v + half) >> KA_RECOLOUR_BITS)));
		dst[2 * i + 1] = clip8((int16_t)(128 + ((vu * u + vv * v + half) >> KA_RECOLOUR_BITS)));
	}
}

/* 16 bits suffice: 128 * 1.17 * 128 and the additions stay below 2^15. */
static void recolour_luma(int16_t gain, const uint8_t *src, uint8_t *dst, const int16_t *restrict add, uint32_t width)
{
	INDEPENDENT
	for (uint32_t i = 0; i < width; i++) {
		int16_t y = (int16_t)((int16_t)(src[i] - 128) * gain);

		y = (int16_t)((int16_t)(y + add[i]) >> 7);
		dst[i] = clip8((int16_t)(y + 128));
	}
}

void ka_recolour_rows(const struct ka_recolour *r, const struct ka_nv12_rows *src, const struct ka_nv12_rows *dst,
		      uint32_t width, uint32_t rows)
{
	/* The gain in 1/128 is within 0.0006 of the exact one: a fourteenth of a step at the ends. */
	const int16_t gain = (int16_t)((r->y + (1 << (KA_RECOLOUR_BITS - 8))) >> (KA_RECOLOUR_BITS - 7));
	int16_t add[512];

	for (uint32_t row = 0; row < rows; row += 2) {
		const uint8_t *uv = src->uv + row / 2 * src->uv_stride;
		uint8_t *uv_to = dst->uv + row / 2 * dst->uv_stride;
		const uint8_t *y = src->y + row * src->y_stride;
		uint8_t *y_to = dst->y + row * dst->y_stride;

		/* In pieces, so that `add` has a fixed size. */
		for (uint32_t x = 0; x < width; x += KA_ARRAY_LEN(add)) {
			uint32_t n = KA_MIN(width - x, (uint32_t)KA_ARRAY_LEN(add));

			recolour_chroma(r, uv + x, uv_to + x, add, n / 2);
			recolour_luma(gain, y + x, y_to + x, add, n);
			recolour_luma(gain, y + src->y_stride + x, y_to + dst->y_stride + x, add, n);
		}
	}
}

static inline uint8_t clip8_fixed(int32_t v)
{
	v >>= KA_RECOLOUR_BITS;
	v = v < 0 ? 0 : v;
	return (uint8_t)(v > 255 ? 255 : v);
}

void ka_recolour_row_444(const struct ka_recolour *r, uint8_t *restrict y, uint8_t *restrict u, uint8_t *restrict v,
			 uint32_t width)
{
	const int32_t half = 1 << (KA_RECOLOUR_BITS - 1);
	const int32_t centre = 128 * (1 << KA_RECOLOUR_BITS) + half;

	for (uint32_t i = 0; i < width; i++) {
		int32_t cu = u[i] - 128;
		int32_t cv = v[i] - 128;

		y[i] = clip8_fixed(r->y * y[i] + r->yu * cu + r->yv * cv + r->offset + half);
		u[i] = clip8_fixed(r->uu * cu + r->uv * cv + centre);
		v[i] = clip8_fixed(r->vu * cu + r->vv * cv + centre);
	}
}
