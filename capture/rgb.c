/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/rgb.h"

#include <math.h>

#include "capture/samples.h"

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

static void row_rgb(const struct ka_rgb *t, const uint8_t *in, uint32_t width, struct ka_samples s, uint8_t *out)
{
	for (uint32_t x = 0; x < width; x++) {
		for (uint32_t i = 0; i < 3; i++) {
			uint8_t v = in[(size_t)x * s.step[i] + s.first[i]];

			out[(size_t)3 * x + i] = t->plain ? v : clip8(t->y[v]);
		}
	}
}

static void row_yuv(const struct ka_rgb *t, const struct ka_frame *f, uint32_t row, struct ka_samples s, uint8_t *out)
{
	static const uint8_t none = 128;
	const uint8_t *y = ka_frame_row(f, 0, row) + s.first[0];
	const uint8_t *chroma[2];

	for (unsigned int i = 0; i < 2; i++)
		chroma[i] = s.step[i + 1] ? ka_frame_row(f, s.plane[i + 1], row >> s.down) + s.first[i + 1] : &none;
	for (uint32_t x = 0; x < f->width; x++) {
		size_t c = x >> s.across;

		put(t, y[(size_t)x * s.step[0]], chroma[0][c * s.step[1]], chroma[1][c * s.step[2]],
		    out + (size_t)3 * x);
	}
}

void ka_rgb_row(const struct ka_rgb *t, const struct ka_frame *f, uint32_t row, uint8_t *out)
{
	const struct ka_samples *s = ka_samples_of(f->format);

	if (ka_pixfmt_rgb(f->format))
		row_rgb(t, ka_frame_row(f, 0, row), f->width, *s, out);
	else
		row_yuv(t, f, row, *s, out);
}
