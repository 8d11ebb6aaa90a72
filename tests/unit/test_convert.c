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
#include <libyuv.h>

#include "base/err.h"
#include "capture/prepare.h"

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

/* Where V4L2 says that a pixel's three samples lie: R, G, B or Y, U, V. */
static void samples_of(const struct ka_frame *f, uint32_t x, uint32_t y, uint8_t *at[3])
{
	static const uint8_t rgb[][4] = {
		[KA_PIX_RGB24] = {0, 1, 2, 3}, [KA_PIX_BGR24] = {2, 1, 0, 3}, [KA_PIX_RGBX] = {0, 1, 2, 4},
		[KA_PIX_BGRX] = {2, 1, 0, 4},  [KA_PIX_XRGB] = {1, 2, 3, 4},  [KA_PIX_XBGR] = {3, 2, 1, 4},
		[KA_PIX_YUYV] = {0, 1, 3},     [KA_PIX_YVYU] = {0, 3, 1},     [KA_PIX_UYVY] = {1, 0, 2},
		[KA_PIX_VYUY] = {1, 2, 0},
	};
	/* Per plane of chroma: pixels of a sample across and down, bytes from sample to sample, V's lead. */
	static const struct {
		uint8_t across, down, step;
		int8_t v;
	} chroma[] = {
		[KA_PIX_I420] = {2, 2, 1, 0},  [KA_PIX_I422] = {2, 1, 1, 0},  [KA_PIX_I444] = {1, 1, 1, 0},
		[KA_PIX_NV12] = {2, 2, 2, 1},  [KA_PIX_NV21] = {2, 2, 2, -1}, [KA_PIX_NV16] = {2, 1, 2, 1},
		[KA_PIX_NV61] = {2, 1, 2, -1}, [KA_PIX_NV24] = {1, 1, 2, 1},  [KA_PIX_NV42] = {1, 1, 2, -1},
	};
	uint8_t *row = f->planes[0].data + y * f->planes[0].stride;
	enum ka_pixfmt k = f->format;
	size_t u;

	at[0] = at[1] = at[2] = row + x; /* GREY */
	if (ka_pixfmt_rgb(k)) {
		for (int i = 0; i < 3; i++)
			at[i] = row + (size_t)x * rgb[k][3] + rgb[k][i];
	} else if (k >= KA_PIX_YUYV && k <= KA_PIX_VYUY) {
		at[0] = row + 2 * (size_t)x + rgb[k][0];
		at[1] = row + 4 * (size_t)(x / 2) + rgb[k][1];
		at[2] = row + 4 * (size_t)(x / 2) + rgb[k][2];
	} else if (k != KA_PIX_GREY) {
		u = y / chroma[k].down * f->planes[1].stride + (size_t)(x / chroma[k].across) * chroma[k].step;
		at[1] = f->planes[1].data + u + (chroma[k].v < 0);
		at[2] = chroma[k].v ? f->planes[1].data + u + (chroma[k].v > 0) : f->planes[2].data + u;
	}
}

/* The picture to be: a colour for each pixel. */
typedef struct rgb (*paint_fn)(uint32_t x, uint32_t y, uint32_t w, uint32_t h);

static struct rgb seen(const struct ka_frame *in, paint_fn paint_it, uint32_t x, uint32_t y)
{
	struct rgb p = paint_it(x, y, in->width, in->height);

	return in->format == KA_PIX_GREY ? (struct rgb){p.g, p.g, p.g} : p;
}

static void put_pixel(struct ka_frame *f, uint32_t x, uint32_t y, struct rgb p)
{
	bool limited = f->colour.range == KA_RANGE_LIMITED;
	double scale = limited ? 219 : 255;
	double black = limited ? 16 : 0;
	uint8_t *at[3];
	struct yuv s;

	samples_of(f, x, y, at);
	if (ka_pixfmt_rgb(f->format)) {
		*at[0] = round8(black + p.r * scale);
		*at[1] = round8(black + p.g * scale);
		*at[2] = round8(black + p.b * scale);
		return;
	}
	s = to_yuv(p, f->colour);
	*at[2] = round8(s.v);
	*at[1] = round8(s.u);
	*at[0] = round8(s.y); /* last: GREY has nothing else */
}

static struct ka_frame *make_painted(enum ka_pixfmt format, struct ka_colour c, uint32_t w, uint32_t h,
				     paint_fn paint_it)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, format, w, h), 0);
	f->colour = c;
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++)
			put_pixel(f, x, y, seen(f, paint_it, x, y));
	}
	return f;
}

static struct ka_frame *make_frame(enum ka_pixfmt format, struct ka_colour c, uint32_t w, uint32_t h)
{
	return make_painted(format, c, w, h, paint);
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
			struct yuv want = to_yuv(seen(in, paint, x, y), target);
			uint8_t *at[3];

			samples_of(f, x, y, at);
			add_error(&luma, *at[0], want.y);
			add_error(&chroma, *at[1], want.u);
			add_error(&chroma, *at[2], want.v);
		}
	}
	if (psnr(&luma) < 46 || luma.max > 4 || psnr(&chroma) < 42 || chroma.max > 8)
		fail_msg("%s matrix %d range %d: luma %.1f dB max %.1f, chroma %.1f dB max %.1f",
			 ka_pixfmt_name(in->format), in->colour.matrix, in->colour.range, psnr(&luma), luma.max,
			 psnr(&chroma), chroma.max);
}

/* As if there had been no other picture before. */
static int convert(struct ka_prepare *c, struct ka_frame *in, struct ka_frame **out)
{
	int ret;

	ka_prepare_forget(c);
	ret = ka_prepare_look(c, in);
	return ret < 0 ? ret : ka_prepare_get(c, false, out);
}

static void test_all_formats_and_colours_become_bt601_limited(void **state)
{
	struct ka_prepare *c;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	for (enum ka_pixfmt format = KA_PIX_I420; format < KA_PIX_MJPEG; format++) {
		for (enum ka_matrix m = KA_MATRIX_BT601; m <= KA_MATRIX_BT2020; m++) {
			for (enum ka_range r = KA_RANGE_LIMITED; r <= KA_RANGE_FULL; r++) {
				struct ka_frame *in = make_frame(format, (struct ka_colour){m, r}, 320, 242);
				struct ka_frame *out;

				assert_int_equal(convert(c, in, &out), 0);
				assert_true(out->format == KA_PIX_NV12 || out->format == KA_PIX_I420);
				check(out, in);
				ka_frame_unref(&out);
				ka_frame_unref(&in);
			}
		}
	}
	ka_prepare_free(c);
}

#define PATCH 16u /* pixels; no chroma sample covers two */
#define LEVELS 5u /* of each of R, G, B: 125 patches */

static struct rgb paint_patches(uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	uint32_t n = y / PATCH * (w / PATCH) + x / PATCH;

	(void)h;
	return (struct rgb){(double)(n % LEVELS) / (LEVELS - 1), (double)(n / LEVELS % LEVELS) / (LEVELS - 1),
			    (double)(n / LEVELS / LEVELS % LEVELS) / (LEVELS - 1)};
}

/* Worst difference of a patch's middle, decoded as the stock client does, from what it was painted as, of 255. */
static double worst_patch(const struct ka_frame *in, struct ka_frame *out, double *psnr_db)
{
	uint8_t *argb = malloc((size_t)out->width * out->height * 4);
	int stride = (int)out->width * 4;
	const struct ka_plane *p = out->planes;
	struct errors e = {0};

	assert_non_null(argb);
	if (out->format == KA_PIX_I420)
		I420ToARGB(p[0].data, (int)p[0].stride, p[1].data, (int)p[1].stride, p[2].data, (int)p[2].stride, argb,
			   stride, (int)out->width, (int)out->height);
	else
		NV12ToARGB(p[0].data, (int)p[0].stride, p[1].data, (int)p[1].stride, argb, stride, (int)out->width,
			   (int)out->height);
	for (uint32_t y = PATCH / 2; y < out->height; y += PATCH) {
		for (uint32_t x = PATCH / 2; x < out->width; x += PATCH) {
			const uint8_t *got = argb + ((size_t)y * out->width + x) * 4; /* B, G, R, A */
			struct rgb want = seen(in, paint_patches, x, y);

			add_error(&e, got[2], want.r * 255);
			add_error(&e, got[1], want.g * 255);
			add_error(&e, got[0], want.b * 255);
		}
	}
	free(argb);
	*psnr_db = psnr(&e);
	return e.max;
}

/* Samples are rounded twice (a step of U moves blue by two), and the client's libyuv keeps six bits of each factor: of
 * 255, 3.3 at worst; with libyuv's RGB to YUV as well 4, and 5.3 when limited RGB is stretched after that. */
static void test_flat_colours_reach_the_client(void **state)
{
	static const struct ka_colour colours[] = {
		{KA_MATRIX_BT601, KA_RANGE_LIMITED},  {KA_MATRIX_BT709, KA_RANGE_LIMITED},
		{KA_MATRIX_BT601, KA_RANGE_FULL},     {KA_MATRIX_BT709, KA_RANGE_FULL},
		{KA_MATRIX_BT2020, KA_RANGE_LIMITED}, {KA_MATRIX_BT2020, KA_RANGE_FULL},
	};
	struct ka_prepare *c;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	for (enum ka_pixfmt format = KA_PIX_I420; format < KA_PIX_MJPEG; format++) {
		for (size_t i = 0; i < KA_ARRAY_LEN(colours); i++) {
			struct ka_frame *in = make_painted(format, colours[i], 25 * PATCH, 5 * PATCH, paint_patches);
			struct ka_frame *out;
			double worst, db;

			assert_int_equal(convert(c, in, &out), 0);
			worst = worst_patch(in, out, &db);
			if (ka_pixfmt_rgb(format) ? worst > 6 || db < 43.5 : worst > 4 || db < 47)
				fail_msg("%s matrix %d range %d: worst %.1f, %.1f dB", ka_pixfmt_name(format),
					 colours[i].matrix, colours[i].range, worst, db);
			ka_frame_unref(&out);
			ka_frame_unref(&in);
		}
	}
	ka_prepare_free(c);
}

static void test_unknown_colour_counts_as_bt601_limited(void **state)
{
	struct ka_frame *in = make_frame(KA_PIX_NV12, target, 64, 64);
	struct ka_prepare *c;
	struct ka_frame *out;

	(void)state;
	in->colour = (struct ka_colour){0};
	assert_int_equal(ka_prepare_new(&c), 0);
	assert_int_equal(convert(c, in, &out), 0);
	assert_ptr_equal(out->planes[1].data, in->planes[1].data);
	ka_frame_unref(&out);
	ka_frame_unref(&in);
	ka_prepare_free(c);
}

static void test_right_pictures_are_not_copied(void **state)
{
	static const enum ka_pixfmt direct[] = {KA_PIX_NV12, KA_PIX_I420};
	static const enum ka_pixfmt luma[] = {KA_PIX_NV16, KA_PIX_NV61, KA_PIX_NV24, KA_PIX_NV42,
					      KA_PIX_NV21, KA_PIX_I422, KA_PIX_I444, KA_PIX_GREY};
	struct ka_prepare *c;
	struct ka_frame *out;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(direct); i++) {
		struct ka_frame *in = make_frame(direct[i], target, 128, 64);

		assert_int_equal(convert(c, in, &out), 0);
		for (unsigned int p = 0; p < ka_pixfmt_planes(in->format); p++)
			assert_ptr_equal(out->planes[p].data, in->planes[p].data);
		ka_frame_unref(&out);
		ka_frame_unref(&in);
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(luma); i++) {
		struct ka_frame *in = make_frame(luma[i], target, 128, 64);

		assert_int_equal(convert(c, in, &out), 0);
		assert_ptr_equal(out->planes[0].data, in->planes[0].data);
		/* The source's buffer stays alive with the result. */
		ka_frame_unref(&in);
		assert_int_equal(out->planes[0].data[63 * out->planes[0].stride + 127] > 0, 1);
		ka_frame_unref(&out);
	}
	ka_prepare_free(c);
}

static void test_pictures_of_others_are_not_written(void **state)
{
	struct ka_frame *in = make_frame(KA_PIX_YUYV, target, 64, 64);
	struct ka_frame *first, *second;
	struct ka_prepare *c;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	assert_int_equal(convert(c, in, &first), 0);
	assert_int_equal(convert(c, in, &second), 0);
	assert_ptr_not_equal(first->planes[0].data, second->planes[0].data);
	ka_frame_unref(&first);
	ka_frame_unref(&second);
	ka_frame_unref(&in);
	ka_prepare_free(c);
}

static void test_odd_sizes_are_refused(void **state)
{
	struct ka_frame *in = make_frame(KA_PIX_BGR24, target, 66, 64);
	struct ka_prepare *c;
	struct ka_frame *out;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	in->width = 65;
	assert_int_equal(convert(c, in, &out), -KA_E_FORMAT);
	in->width = 64;
	in->height = 63;
	assert_int_equal(convert(c, in, &out), -KA_E_FORMAT);
	ka_frame_unref(&in);
	ka_prepare_free(c);
}

static void test_size_change_is_followed(void **state)
{
	static const uint32_t sizes[][2] = {{64, 64}, {320, 242}, {66, 70}, {4096, 2304}, {640, 480}};
	struct ka_prepare *c;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
		struct ka_frame *in = make_frame(KA_PIX_UYVY, target, sizes[i][0], sizes[i][1]);
		struct ka_frame *out;

		assert_int_equal(convert(c, in, &out), 0);
		assert_int_equal(out->width, sizes[i][0]);
		check(out, in);
		ka_frame_unref(&out);
		ka_frame_unref(&in);
	}
	ka_prepare_free(c);
}

/* Widths on which vectors end in every way. */
static void test_every_width_is_right_to_the_edge(void **state)
{
	struct ka_prepare *c;

	(void)state;
	assert_int_equal(ka_prepare_new(&c), 0);
	for (enum ka_pixfmt format = KA_PIX_I420; format < KA_PIX_MJPEG; format++) {
		for (uint32_t w = 64; w < 132; w += 2) {
			struct ka_frame *in = make_frame(format, target, w, 64);
			struct ka_frame *out;

			assert_int_equal(convert(c, in, &out), 0);
			check(out, in);
			ka_frame_unref(&out);
			ka_frame_unref(&in);
		}
	}
	ka_prepare_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_formats_and_colours_become_bt601_limited),
		cmocka_unit_test(test_flat_colours_reach_the_client),
		cmocka_unit_test(test_unknown_colour_counts_as_bt601_limited),
		cmocka_unit_test(test_right_pictures_are_not_copied),
		cmocka_unit_test(test_pictures_of_others_are_not_written),
		cmocka_unit_test(test_odd_sizes_are_refused),
		cmocka_unit_test(test_size_change_is_followed),
		cmocka_unit_test(test_every_width_is_right_to_the_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
