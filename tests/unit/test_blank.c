/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures that show nothing, in every format, and those that nearly do. */
#include "tests/check/check.h"

#include "base/clock.h"
#include "base/err.h"
#include "capture/blank.h"
#include "tests/fake/jpeg_write.h"

#define W 66 /* no whole number of chunks */
#define H 70

static int set_up(void **state)
{
	return ka_blank_new((struct ka_blank **)state);
}

static int tear_down(void **state)
{
	ka_blank_free(*state);
	return 0;
}

/* Which byte of a row is which component: rows of one colour repeat this. */
static uint8_t flat_byte(enum ka_pixfmt format, unsigned int plane, size_t i)
{
	static const uint8_t value[3] = {30, 200, 90};

	switch (format) {
	case KA_PIX_YUYV:
	case KA_PIX_YVYU:
		return i % 2 ? value[1 + i / 2 % 2] : value[0];
	case KA_PIX_UYVY:
	case KA_PIX_VYUY:
		return i % 2 ? value[0] : value[1 + i / 2 % 2];
	case KA_PIX_RGBX:
	case KA_PIX_BGRX:
		return i % 4 == 3 ? (uint8_t)(i * 37) : value[i % 4];
	case KA_PIX_XRGB:
	case KA_PIX_XBGR:
		return i % 4 == 0 ? (uint8_t)(i * 37) : value[i % 4 - 1];
	case KA_PIX_RGB24:
	case KA_PIX_BGR24:
		return value[i % 3];
	case KA_PIX_I420:
	case KA_PIX_I422:
	case KA_PIX_I444:
		return value[plane];
	default:
		return plane ? value[1 + i % 2] : value[0];
	}
}

static bool has_meaning(enum ka_pixfmt format, size_t i)
{
	if (format == KA_PIX_RGBX || format == KA_PIX_BGRX)
		return i % 4 != 3;
	return (format != KA_PIX_XRGB && format != KA_PIX_XBGR) || i % 4 != 0;
}

static struct ka_frame *flat_frame(enum ka_pixfmt format)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, format, W, H), 0);
	for (unsigned int p = 0; p < ka_pixfmt_planes(format); p++) {
		size_t bytes = ka_pixfmt_row_bytes(format, p, W);

		for (size_t i = 0; i < f->planes[p].size; i++) {
			size_t x = i % f->planes[p].stride;

			/* The padding is of no interest. */
			f->planes[p].data[i] = x < bytes ? flat_byte(format, p, x) : (uint8_t)(i * 101);
		}
	}
	return f;
}

/* Any sample that differs is seen, wherever it is; padding and bytes without meaning are not. */
static void check_each_byte(struct ka_blank *b, struct ka_frame *f)
{
	for (unsigned int p = 0; p < ka_pixfmt_planes(f->format); p++) {
		size_t bytes = ka_pixfmt_row_bytes(f->format, p, W);

		uint32_t rows = ka_pixfmt_rows(f->format, p, H);

		/* Some rows and the last one. */
		for (uint32_t y = 0; y < rows; y += y + 1 == rows ? 1 : KA_MIN(9, rows - 1 - y)) {
			for (size_t x = 0; x < bytes; x++) {
				uint8_t *at = f->planes[p].data + y * f->planes[p].stride + x;
				uint8_t kept = *at;

				*at = (uint8_t)(kept + KA_BLANK_TOLERANCE + 1);
				if (ka_blank_check(b, f, 0) == has_meaning(f->format, x))
					fail_msg("%s: plane %u, row %u, byte %zu", ka_pixfmt_name(f->format), p, y, x);
				*at = kept;
			}
		}
	}
}

static void test_one_colour_in_every_format_and_any_sample_that_differs(void **state)
{
	for (enum ka_pixfmt format = KA_PIX_I420; format < KA_PIX_MJPEG; format++) {
		struct ka_frame *f = flat_frame(format);

		if (!ka_blank_check(*state, f, 0))
			fail_msg("%s", ka_pixfmt_name(format));
		check_each_byte(*state, f);
		assert_true(ka_blank_check(*state, f, 0));
		ka_frame_unref(&f);
	}
}

static void test_noise_within_the_tolerance_is_no_picture(void **state)
{
	struct ka_frame *f = flat_frame(KA_PIX_YUYV);

	for (size_t i = 1; i < f->planes[0].size; i++)
		f->planes[0].data[i] = (uint8_t)(f->planes[0].data[i] + (i % 3) * 2);
	assert_true(ka_blank_check(*state, f, 0));
	ka_frame_unref(&f);
}

static void test_stripes_a_pixel_wide_are_a_picture(void **state)
{
	static const enum ka_pixfmt packed[] = {KA_PIX_YUYV, KA_PIX_YVYU, KA_PIX_UYVY, KA_PIX_VYUY};

	for (size_t k = 0; k < KA_ARRAY_LEN(packed); k++) {
		struct ka_frame *f = flat_frame(packed[k]);
		size_t luma = packed[k] == KA_PIX_UYVY || packed[k] == KA_PIX_VYUY;

		for (size_t i = 2 + luma; i < f->planes[0].size; i += 4)
			f->planes[0].data[i] = 235;
		assert_false(ka_blank_check(*state, f, 0));
		ka_frame_unref(&f);
	}
}

static void test_words_name_the_colour(void **state)
{
	struct ka_frame *f;
	char words[80];

	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, 640, 480), 0);
	f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	memset(f->planes[0].data, 16, f->planes[0].size);
	memset(f->planes[1].data, 128, f->planes[1].size);
	assert_true(ka_blank_check(*state, f, 0));
	ka_blank_words(*state, words, sizeof(words));
	assert_string_equal(words, "All of the picture is #000000 (black).");
	memset(f->planes[0].data, 41, f->planes[0].size);
	for (size_t i = 0; i < f->planes[1].size; i++)
		f->planes[1].data[i] = i % 2 ? 110 : 240;
	assert_true(ka_blank_check(*state, f, 0));
	ka_blank_words(*state, words, sizeof(words));
	assert_non_null(strstr(words, "(blue)"));
	ka_frame_unref(&f);
}

/* A JPEG of one colour, with a rectangle of another one of so many pixels at the right edge. */
static struct ka_frame *make_jpeg(uint32_t w, uint32_t h, int hs, int vs, int quality, uint32_t mark)
{
	uint8_t *row = malloc((size_t)3 * w);
	struct jpeg_write j;

	assert_non_null(row);
	jpeg_write_begin(&j, w, h, JCS_YCbCr, quality);
	j.c.comp_info[0].h_samp_factor = hs;
	j.c.comp_info[0].v_samp_factor = vs;
	jpeg_start_compress(&j.c, TRUE);
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++) {
			row[3 * x] = x + mark >= w && y + mark >= h ? 235 : 41;
			row[3 * x + 1] = 240;
			row[3 * x + 2] = 110;
		}
		jpeg_write_row(&j, row);
	}
	free(row);
	return jpeg_write_frame(&j);
}

static void check_jpeg(struct ka_blank *b, uint32_t w, uint32_t h, int hs, int vs, int quality)
{
	/* 2x2 pixels: the dot of an i. */
	struct ka_frame *flat = make_jpeg(w, h, hs, vs, quality, 0);
	struct ka_frame *dot = make_jpeg(w, h, hs, vs, quality, 3);
	char words[80];

	for (int64_t at = 0; at < KA_SEC(4); at += KA_SEC(1)) {
		assert_true(ka_blank_check(b, flat, at));
		assert_false(ka_blank_check(b, dot, at + KA_MS(16)));
	}
	assert_true(ka_blank_check(b, flat, KA_SEC(100)));
	ka_blank_words(b, words, sizeof(words));
	assert_non_null(strstr(words, "(blue)"));
	ka_frame_unref(&flat);
	ka_frame_unref(&dot);
}

static void test_jpeg_of_one_colour(void **state)
{
	static const int qualities[] = {50, 80, 95};

	for (size_t q = 0; q < KA_ARRAY_LEN(qualities); q++) {
		check_jpeg(*state, 1920, 1080, 2, 1, qualities[q]);
		check_jpeg(*state, 1280, 720, 2, 2, qualities[q]);
		check_jpeg(*state, 640, 480, 1, 1, qualities[q]);
	}
	check_jpeg(*state, 4096, 2304, 2, 1, 90);
}

static void test_jpeg_is_looked_at_now_and_then_and_never_when_long(void **state)
{
	struct ka_frame *flat = make_jpeg(640, 480, 2, 1, 80, 0);
	struct ka_frame *dot = make_jpeg(640, 480, 2, 1, 80, 8);
	struct ka_frame *large = make_jpeg(4096, 2304, 2, 1, 80, 0);

	assert_false(ka_blank_check(*state, dot, 0));
	assert_false(ka_blank_check(*state, flat, KA_MS(499)));
	assert_true(ka_blank_check(*state, flat, KA_MS(500)));
	/* Of one colour: the next is looked at at once. */
	assert_false(ka_blank_check(*state, dot, KA_MS(501)));
	/* What cannot be decoded, or says that it is smaller. */
	large->width = 640;
	large->height = 480;
	assert_false(ka_blank_check(*state, large, KA_SEC(2)));
	for (size_t cut = 0; cut < flat->planes[0].size; cut += 7) {
		struct ka_frame d = *flat;

		d.planes[0].size = cut;
		assert_false(ka_blank_check(*state, &d, KA_SEC(10) + (int64_t)cut * KA_SEC(1)));
	}
	ka_frame_unref(&flat);
	ka_frame_unref(&dot);
	ka_frame_unref(&large);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_one_colour_in_every_format_and_any_sample_that_differs),
		T(test_noise_within_the_tolerance_is_no_picture),
		T(test_stripes_a_pixel_wide_are_a_picture),
		T(test_words_name_the_colour),
		T(test_jpeg_of_one_colour),
		T(test_jpeg_is_looked_at_now_and_then_and_never_when_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
