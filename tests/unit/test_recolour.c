/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colour loops against floating point: all extremes, all widths, in place and not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "capture/recolour.h"

static void weights(enum ka_matrix m, double *kr, double *kb)
{
	*kr = m == KA_MATRIX_BT709 ? 0.2126 : m == KA_MATRIX_BT2020 ? 0.2627 : 0.299;
	*kb = m == KA_MATRIX_BT709 ? 0.0722 : m == KA_MATRIX_BT2020 ? 0.0593 : 0.114;
}

/* By way of RGB, which is not clipped. */
static void reference(struct ka_colour c, const double in[3], double out[3])
{
	bool full = c.range == KA_RANGE_FULL;
	double y = full ? in[0] / 255 : (in[0] - 16) / 219;
	double cb = (in[1] - 128) / (full ? 255 : 224);
	double cr = (in[2] - 128) / (full ? 255 : 224);
	double kr, kb, r, g, b, luma;

	weights(c.matrix, &kr, &kb);
	r = y + 2 * (1 - kr) * cr;
	b = y + 2 * (1 - kb) * cb;
	g = (y - kr * r - kb * b) / (1 - kr - kb);
	luma = 0.299 * r + 0.587 * g + 0.114 * b;
	out[0] = 16 + 219 * luma;
	out[1] = 128 + 224 * (b - luma) / 1.772;
	out[2] = 128 + 224 * (r - luma) / 1.402;
	for (int i = 0; i < 3; i++)
		out[i] = fmin(fmax(out[i], 0), 255);
}

static void check_sample(struct ka_colour c, const struct ka_recolour *r, int y, int u, int v)
{
	uint8_t luma[4] = {(uint8_t)y, (uint8_t)y, (uint8_t)y, (uint8_t)y};
	uint8_t chroma[2] = {(uint8_t)u, (uint8_t)v};
	struct ka_nv12_rows rows = {luma, chroma, 2, 2};
	double want[3];

	reference(c, (const double[3]){y, u, v}, want);
	ka_recolour_rows(r, &rows, &rows, 2, 2);
	for (int i = 0; i < 4; i++) {
		if (fabs(luma[i] - want[0]) > 1.2)
			fail_msg("Y of %d %d %d: %d is not %.2f", y, u, v, luma[i], want[0]);
	}
	if (fabs(chroma[0] - want[1]) > 1.05 || fabs(chroma[1] - want[2]) > 1.05)
		fail_msg("UV of %d %d %d: %d %d is not %.2f %.2f", y, u, v, chroma[0], chroma[1], want[1], want[2]);
}

static void test_every_colour_is_within_a_step(void **state)
{
	(void)state;
	for (enum ka_matrix m = KA_MATRIX_BT601; m <= KA_MATRIX_BT2020; m++) {
		for (enum ka_range range = KA_RANGE_LIMITED; range <= KA_RANGE_FULL; range++) {
			struct ka_colour c = {m, range};
			struct ka_recolour r;
			bool needed = ka_recolour_init(&r, c, false);

			assert_int_equal(needed, m != KA_MATRIX_BT601 || range != KA_RANGE_LIMITED);
			for (int y = 0; y <= 255; y += 5) {
				for (int u = 0; u <= 255; u += 15) {
					for (int v = 0; v <= 255; v += 15)
						check_sample(c, &r, y, u, v);
				}
			}
		}
	}
}

static void test_rgb_needs_it_only_when_limited(void **state)
{
	struct ka_recolour r;
	uint8_t luma[4], chroma[2];
	struct ka_nv12_rows rows = {luma, chroma, 2, 2};

	(void)state;
	assert_false(ka_recolour_init(&r, (struct ka_colour){KA_MATRIX_BT709, KA_RANGE_FULL}, true));
	assert_false(ka_recolour_init(&r, (struct ka_colour){0}, true));
	assert_true(ka_recolour_init(&r, (struct ka_colour){KA_MATRIX_BT709, KA_RANGE_LIMITED}, true));
	/* What the full-range formula makes of limited black and white. */
	memset(luma, 30, sizeof(luma));
	memset(chroma, 128, sizeof(chroma));
	ka_recolour_rows(&r, &rows, &rows, 2, 2);
	assert_in_range(luma[0], 15, 17);
	memset(luma, 218, sizeof(luma));
	ka_recolour_rows(&r, &rows, &rows, 2, 2);
	assert_in_range(luma[3], 234, 236);
	assert_int_equal(chroma[0], 128);
}

static void test_all_widths_and_in_place(void **state)
{
	struct ka_recolour r;
	size_t stride = 1100 + 16;
	uint8_t *in = malloc(stride * 3), *out = malloc(stride * 3), *one = malloc(stride * 3);

	(void)state;
	ka_recolour_init(&r, (struct ka_colour){KA_MATRIX_BT709, KA_RANGE_FULL}, false);
	for (uint32_t w = 2; w <= 1100; w += w < 80 ? 2 : 34) {
		struct ka_nv12_rows src = {in, in + 2 * stride, stride, stride};
		struct ka_nv12_rows dst = {out, out + 2 * stride, stride, stride};

		for (size_t i = 0; i < stride * 3; i++)
			in[i] = (uint8_t)(i * 2654435761u >> 11);
		memset(out, 77, stride * 3);
		ka_recolour_rows(&r, &src, &dst, w, 2);
		/* Pixel by pixel. */
		memset(one, 77, stride * 3);
		for (uint32_t x = 0; x < w; x += 2) {
			struct ka_nv12_rows s = {in + x, in + 2 * stride + x, stride, stride};
			struct ka_nv12_rows d = {one + x, one + 2 * stride + x, stride, stride};

			ka_recolour_rows(&r, &s, &d, 2, 2);
		}
		assert_memory_equal(out, one, stride * 3);
		ka_recolour_rows(&r, &src, &src, w, 2);
		assert_memory_equal(in, out, w);
		assert_memory_equal(in + stride, out + stride, w);
		assert_memory_equal(in + 2 * stride, out + 2 * stride, w);
	}
	free(in);
	free(out);
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_colour_is_within_a_step),
		cmocka_unit_test(test_rgb_needs_it_only_when_limited),
		cmocka_unit_test(test_all_widths_and_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
