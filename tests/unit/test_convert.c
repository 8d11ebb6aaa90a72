/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every format, matrix and range against the formulas of ITU-R BT.601, BT.709 and BT.2020 in floating point. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "capture/convert.h"

struct yuv {
	double y, u, v;
};

struct rgb {
	double r, g, b;
};

static void weights(enum ka_matrix m, double *kr, double *kb)
{
	*kr = m == KA_MATRIX_BT709 ? 0.2126 : m == KA_MATRIX_BT2020 ? 0.2627 : 0.299;
	*kb = m == KA_MATRIX_BT709 ? 0.0722 : m == KA_MATRIX_BT2020 ? 0.0593 : 0.114;
}

static struct yuv to_yuv(struct rgb p, struct ka_colour c)
{
	bool full = c.range == KA_RANGE_FULL;
	double kr, kb, y;

	weights(c.matrix, &kr, &kb);
	y = kr * p.r + (1 - kr - kb) * p.g + kb * p.b;
	return (struct yuv){full ? y * 255 : 16 + y * 219, 128 + (p.b - y) / (2 * (1 - kb)) * (full ? 255 : 224),
			    128 + (p.r - y) / (2 * (1 - kr)) * (full ? 255 : 224)};
}

static const struct ka_colour target = {KA_MATRIX_BT601, KA_RANGE_LIMITED};

/* The colour of a pixel: smooth, with every hue and brightness. */
static struct rgb paint(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	return (struct rgb){(double)x / w, (double)y / h, 0.5 + 0.5 * sin((double)(x + y) / 40)};
}

static uint8_t round8(double v)
{
	return (uint8_t)lrint(fmin(fmax(v, 0), 255));
}

static bool is_rgb(enum ka_pixfmt f)
{
	return f == KA_PIX_RGB24 || f == KA_PIX_BGR24;
}

static void put_rgb(struct ka_frame *f, uint32_t x, uint32_t y, struct rgb p)
{
	bool limited = f->colour.range == KA_RANGE_LIMITED;
	uint8_t *at = f->planes[0].data + y * f->planes[0].stride + 3 * (size_t)x;
	double scale = limited ? 219 : 255;
	double black = limited ? 16 : 0;
	bool bgr = f->format == KA_PIX_BGR24;

	at[bgr ? 2 : 0] = round8(black + p.r * scale);
	at[1] = round8(black + p.g * scale);
	at[bgr ? 0 : 2] = round8(black + p.b * scale);
}

/* Where a pixel's three samples lie. */
static void samples_of(const struct ka_frame *f, uint32_t x, uint32_t y, uint8_t **py, uint8_t **pu, uint8_t **pv)
{
	uint8_t *row = f->planes[0].data + y * f->planes[0].stride;
	uint32_t cy = f->format == KA_PIX_NV16 || f->format == KA_PIX_NV24 ? y : y / 2;
	uint8_t *chroma = f->planes[1].data + cy * f->planes[1].stride;

	*py = row + x;
	switch (f->format) {
	case KA_PIX_YUYV:
		*py = row + 2 * x;
		*pu = row + 4 * (x / 2) + 1;
		*pv = row + 4 * (x / 2) + 3;
		break;
	case KA_PIX_UYVY:
		*py = row + 2 * x + 1;
		*pu = row + 4 * (x / 2);
		*pv = row + 4 * (x / 2) + 2;
		break;
	case KA_PIX_NV24:
		*pu = chroma + 2 * x;
		*pv = *pu + 1;
		break;
	case KA_PIX_I420:
		*pu = chroma + x / 2;
		*pv = f->planes[2].data + cy * f->planes[2].stride + x / 2;
		break;
	default: /* NV12, NV16 */
		*pu = chroma + x / 2 * 2;
		*pv = *pu + 1;
		break;
	}
}

static struct ka_frame *make_frame(enum ka_pixfmt format, struct ka_colour c, uint32_t w, uint32_t h)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, format, w, h), 0);
	f->colour = c;
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++) {
			struct rgb p = paint(x, y, w, h);
			struct yuv s = to_yuv(p, c);
			uint8_t *py, *pu, *pv;

			if (is_rgb(format)) {
				put_rgb(f, x, y, p);
				continue;
			}
			samples_of(f, x, y, &py, &pu, &pv);
			*py = round8(s.y);
			*pu = round8(s.u);
			*pv = round8(s.v);
		}
	}
	return f;
}

struct errors {
	double max, sum;
	uint64_t n;
};

static void add_error(struct errors *e, double got, double want)
{
	double d = fabs(got - fmin(fmax(want, 0), 255));

	e->max = fmax(e->max, d);
	e->sum += d * d;
	e->n++;
}

static double psnr(const struct errors *e)
{
	return e->sum == 0 ? 99 : 10 * log10(255.0 * 255.0 * (double)e->n / e->sum);
}

/* Compares with what the picture was painted as. */
static void check(const struct ka_frame *f, const struct ka_frame *in)
{
	struct errors luma = {0}, chroma = {0};

	for (uint32_t y = 0; y < f->height; y++) {
		for (uint32_t x = 0; x < f->width; x++) {
			struct yuv want = to_yuv(paint(x, y, in->width, in->height), target);
			uint8_t *py, *pu, *pv;

			samples_of(f, x, y, &py, &pu, &pv);
			add_error(&luma, *py, want.y);
			add_error(&chroma, *pu, want.u);
			add_error(&chroma, *pv, want.v);
		}
	}
	if (psnr(&luma) < 46 || luma.max > 4 || psnr(&chroma) < 42 || chroma.max > 8)
		fail_msg("%s matrix %d range %d: luma %.1f dB max %.1f, chroma %.1f dB max %.1f",
			 ka_pixfmt_name(in->format), in->colour.matrix, in->colour.range, psnr(&luma), luma.max,
			 psnr(&chroma), chroma.max);
}

static void test_all_formats_and_colours_become_bt601_limited(void **state)
{
	struct ka_convert *c;

	(void)state;
	assert_int_equal(ka_convert_new(&c), 0);
	for (enum ka_pixfmt format = KA_PIX_I420; format <= KA_PIX_BGR24; format++) {
		for (enum ka_matrix m = KA_MATRIX_BT601; m <= KA_MATRIX_BT2020; m++) {
			for (enum ka_range r = KA_RANGE_LIMITED; r <= KA_RANGE_FULL; r++) {
				struct ka_frame *in = make_frame(format, (struct ka_colour){m, r}, 320, 242);
				struct ka_frame *out;

				assert_int_equal(ka_convert_run(c, in, &out), 0);
				assert_true(out->format == KA_PIX_NV12 || out->format == KA_PIX_I420);
				check(out, in);
				ka_frame_unref(&out);
				ka_frame_unref(&in);
			}
		}
	}
	ka_convert_free(c);
}

static void test_unknown_colour_counts_as_bt601_limited(void **state)
{
	struct ka_frame *in = make_frame(KA_PIX_NV12, target, 64, 64);
	struct ka_convert *c;
	struct ka_frame *out;

	(void)state;
	in->colour = (struct ka_colour){0};
	assert_int_equal(ka_convert_new(&c), 0);
	assert_int_equal(ka_convert_run(c, in, &out), 0);
	assert_ptr_equal(out, in);
	ka_frame_unref(&out);
	ka_frame_unref(&in);
	ka_convert_free(c);
}

static void test_right_pictures_are_not_copied(void **state)
{
	static const enum ka_pixfmt direct[] = {KA_PIX_NV12, KA_PIX_I420};
	static const enum ka_pixfmt luma[] = {KA_PIX_NV16, KA_PIX_NV24};
	struct ka_convert *c;
	struct ka_frame *out;

	(void)state;
	assert_int_equal(ka_convert_new(&c), 0);
	for (size_t i = 0; i < 2; i++) {
		struct ka_frame *in = make_frame(direct[i], target, 128, 64);

		assert_int_equal(ka_convert_run(c, in, &out), 0);
		assert_ptr_equal(out, in);
		ka_frame_unref(&out);
		ka_frame_unref(&in);
		in = make_frame(luma[i], target, 128, 64);
		assert_int_equal(ka_convert_run(c, in, &out), 0);
		assert_ptr_equal(out->planes[0].data, in->planes[0].data);
		/* The source's buffer stays alive with the result. */
		ka_frame_unref(&in);
		assert_int_equal(out->planes[0].data[63 * out->planes[0].stride + 127] > 0, 1);
		ka_frame_unref(&out);
	}
	ka_convert_free(c);
}

static void test_pictures_of_others_are_not_written(void **state)
{
	struct ka_frame *in = make_frame(KA_PIX_YUYV, target, 64, 64);
	struct ka_frame *first, *second;
	struct ka_convert *c;

	(void)state;
	assert_int_equal(ka_convert_new(&c), 0);
	assert_int_equal(ka_convert_run(c, in, &first), 0);
	assert_int_equal(ka_convert_run(c, in, &second), 0);
	assert_ptr_not_equal(first->planes[0].data, second->planes[0].data);
	ka_frame_unref(&first);
	ka_frame_unref(&second);
	ka_frame_unref(&in);
	ka_convert_free(c);
}

static void test_odd_sizes_are_refused(void **state)
{
	struct ka_frame *in = make_frame(KA_PIX_BGR24, target, 66, 64);
	struct ka_convert *c;
	struct ka_frame *out;

	(void)state;
	assert_int_equal(ka_convert_new(&c), 0);
	in->width = 65;
	assert_int_equal(ka_convert_run(c, in, &out), -KA_E_FORMAT);
	in->width = 64;
	in->height = 63;
	assert_int_equal(ka_convert_run(c, in, &out), -KA_E_FORMAT);
	ka_frame_unref(&in);
	ka_convert_free(c);
}

static void test_size_change_is_followed(void **state)
{
	static const uint32_t sizes[][2] = {{64, 64}, {320, 242}, {66, 70}, {4096, 2304}, {640, 480}};
	struct ka_convert *c;

	(void)state;
	assert_int_equal(ka_convert_new(&c), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
		struct ka_frame *in = make_frame(KA_PIX_UYVY, target, sizes[i][0], sizes[i][1]);
		struct ka_frame *out;

		assert_int_equal(ka_convert_run(c, in, &out), 0);
		assert_int_equal(out->width, sizes[i][0]);
		check(out, in);
		ka_frame_unref(&out);
		ka_frame_unref(&in);
	}
	ka_convert_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_formats_and_colours_become_bt601_limited),
		cmocka_unit_test(test_unknown_colour_counts_as_bt601_limited),
		cmocka_unit_test(test_right_pictures_are_not_copied),
		cmocka_unit_test(test_pictures_of_others_are_not_written),
		cmocka_unit_test(test_odd_sizes_are_refused),
		cmocka_unit_test(test_size_change_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
