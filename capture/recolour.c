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
	r->y = fixed(gain_y);
	r->yu = fixed(pb[0] * gain_c * 219 / 224);
	r->yv = fixed(pr[0] * gain_c * 219 / 224);
	r->uu = fixed(pb[1] * gain_c / (2 * (1 - b601)));
	r->uv = fixed(pr[1] * gain_c / (2 * (1 - b601)));
	r->vu = fixed(pb[2] * gain_c / (2 * (1 - r601)));
	r->vv = fixed(pr[2] * gain_c / (2 * (1 - r601)));
	/* Limited RGB's black has become 16 + 16*219/255 and must be 16 again. */
	if (rgb && from.range == KA_RANGE_LIMITED)
		black += 16 * 219.0 / 255;
	r->offset = fixed(16 - black * gain_y);
	return r->y != fixed(1) || r->yu || r->yv || r->uu != fixed(1) || r->vv != fixed(1);
}

static uint8_t clip8(int32_t v)
{
	return (uint8_t)KA_CLAMP(v, 0, 255);
}

/* One row of chroma, and what it adds to the luma above and below it. */
static void recolour_chroma(const struct ka_recolour *r, const uint8_t *src, uint8_t *dst, int32_t *restrict add,
			    uint32_t pairs)
{
	const int32_t half = 1 << (KA_RECOLOUR_BITS - 1);

	for (uint32_t i = 0; i < pairs; i++) {
		int32_t u = src[2 * i] - 128;
		int32_t v = src[2 * i + 1] - 128;

		add[i] = r->yu * u + r->yv * v + r->offset + half;
		dst[2 * i] = clip8(128 + ((r->uu * u + r->uv * v + half) >> KA_RECOLOUR_BITS));
		dst[2 * i + 1] = clip8(128 + ((r->vu * u + r->vv * v + half) >> KA_RECOLOUR_BITS));
	}
}

static void recolour_luma(int32_t gain, const uint8_t *src, uint8_t *dst, const int32_t *restrict add, uint32_t pairs)
{
	for (uint32_t i = 0; i < pairs; i++) {
		dst[2 * i] = clip8((gain * src[2 * i] + add[i]) >> KA_RECOLOUR_BITS);
		dst[2 * i + 1] = clip8((gain * src[2 * i + 1] + add[i]) >> KA_RECOLOUR_BITS);
	}
}

void ka_recolour_rows(const struct ka_recolour *r, const struct ka_nv12_rows *src, const struct ka_nv12_rows *dst,
		      uint32_t width, uint32_t rows)
{
	int32_t add[256];

	for (uint32_t row = 0; row < rows; row += 2) {
		const uint8_t *uv = src->uv + row / 2 * src->uv_stride;
		uint8_t *uv_to = dst->uv + row / 2 * dst->uv_stride;
		const uint8_t *y = src->y + row * src->y_stride;
		uint8_t *y_to = dst->y + row * dst->y_stride;

		/* In pieces, so that `add` has a fixed size. */
		for (uint32_t x = 0; x < width; x += 2 * KA_ARRAY_LEN(add)) {
			uint32_t pairs = KA_MIN((width - x) / 2, (uint32_t)KA_ARRAY_LEN(add));

			recolour_chroma(r, uv + x, uv_to + x, add, pairs);
			recolour_luma(r->y, y + x, y_to + x, add, pairs);
			recolour_luma(r->y, y + src->y_stride + x, y_to + dst->y_stride + x, add, pairs);
		}
	}
}
