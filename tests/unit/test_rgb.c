/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversion to RGB against the standards' own equations in floating point. */
#include "tests/check/check.h"

#include <math.h>

#include "base/err.h"
#include "capture/rgb.h"

#define W 66u
#define H 64u

/* From the definitions: luma is the weighted sum, chroma the scaled differences to it; solved for R, G, B. */
static void reference(struct ka_colour c, double y, double u, double v, double out[3])
{
	bool full = c.range == KA_RANGE_FULL;
	double kr = c.matrix == KA_MATRIX_BT709 ? 0.2126 : c.matrix == KA_MATRIX_BT2020 ? 0.2627 : 0.299;
	double kb = c.matrix == KA_MATRIX_BT709 ? 0.0722 : c.matrix == KA_MATRIX_BT2020 ? 0.0593 : 0.114;
	double luma = full ? y / 255 : (y - 16) / 219;
	double cb = (u - 128) / (full ? 255 : 224);
	double cr = (v - 128) / (full ? 255 : 224);
	double r = luma + cr * (2 - 2 * kr);
	double b = luma + cb * (2 - 2 * kb);

	out[0] = 255 * r;
	out[1] = 255 * (luma - kr * r - kb * b) / (1 - kr - kb);
	out[2] = 255 * b;
	for (int i = 0; i < 3; i++)
		out[i] = fmin(fmax(out[i], 0), 255);
}

static void check_pixel(struct ka_colour c, const uint8_t yuv[3], const uint8_t got[3])
{
	double want[3];

	reference(c, yuv[0], yuv[1], yuv[2], want);
	for (int i = 0; i < 3; i++) {
		/* The nearest integer; where two are equally near, either. */
		if (fabs(got[i] - want[i]) > 0.5 + 1e-5)
			fail_msg("matrix %d range %d yuv %d %d %d: %d is not %.4f", c.matrix, c.range, yuv[0], yuv[1],
				 yuv[2], got[i], want[i]);
	}
}

static void test_every_colour_is_the_nearest(void **state)
{
	static const enum ka_matrix matrices[] = {KA_MATRIX_UNKNOWN, KA_MATRIX_BT601, KA_MATRIX_BT709,
						  KA_MATRIX_BT2020};
	static const enum ka_range ranges[] = {KA_RANGE_UNKNOWN, KA_RANGE_LIMITED, KA_RANGE_FULL};

	(void)state;
	for (unsigned int i = 0; i < KA_ARRAY_LEN(matrices) * KA_ARRAY_LEN(ranges); i++) {
		struct ka_colour c = {matrices[i / 3], ranges[i % 3]};
		struct ka_rgb t;

		ka_rgb_init(&t, KA_PIX_NV24, c);
		for (unsigned int y = 0; y < 256; y++) {
			for (unsigned int u = 0; u < 256; u += 5) {
				for (unsigned int v = 0; v < 256; v += 3) {
					uint8_t pixel[3] = {(uint8_t)y, (uint8_t)u, (uint8_t)v};
					uint8_t rgb[3];

					ka_rgb_triples(&t, pixel, 1, rgb);
					check_pixel(c, pixel, rgb);
				}
			}
		}
	}
}

/* Numbers anybody can look up: 75 % bars and extremes. */
static void test_known_colours(void **state)
{
	static const struct {
		struct ka_colour c;
		uint8_t yuv[3], rgb[3];
	} known[] = {
		{{KA_MATRIX_BT601, KA_RANGE_LIMITED}, {16, 128, 128}, {0, 0, 0}},
		{{KA_MATRIX_BT601, KA_RANGE_LIMITED}, {235, 128, 128}, {255, 255, 255}},
		{{KA_MATRIX_BT601, KA_RANGE_LIMITED}, {81, 90, 240}, {254, 0, 0}},
		{{KA_MATRIX_BT601, KA_RANGE_LIMITED}, {145, 54, 34}, {0, 255, 1}},
		{{KA_MATRIX_BT601, KA_RANGE_LIMITED}, {41, 240, 110}, {0, 0, 255}},
		{{KA_MATRIX_BT709, KA_RANGE_LIMITED}, {63, 102, 240}, {255, 1, 0}},
		{{KA_MATRIX_BT709, KA_RANGE_LIMITED}, {173, 42, 26}, {0, 255, 1}},
		{{KA_MATRIX_BT601, KA_RANGE_FULL}, {76, 85, 255}, {254, 0, 0}},
		{{KA_MATRIX_BT601, KA_RANGE_FULL}, {0, 128, 128}, {0, 0, 0}},
		{{KA_MATRIX_BT601, KA_RANGE_FULL}, {255, 128, 128}, {255, 255, 255}},
	};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(known); i++) {
		struct ka_rgb t;
		uint8_t rgb[3];

		ka_rgb_init(&t, KA_PIX_YUYV, known[i].c);
		ka_rgb_triples(&t, known[i].yuv, 1, rgb);
		assert_memory_equal(rgb, known[i].rgb, 3);
	}
}

static struct ka_frame *noise(enum ka_pixfmt format, struct ka_colour colour)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, format, W, H), 0);
	for (size_t i = 0; i < f->bufs[0]->size; i++)
		f->bufs[0]->data[i] = (uint8_t)(i * 2654435761u >> 13);
	f->colour = colour;
	return f;
}

/* Where a format keeps the samples of a pixel, as V4L2 describes it. */
static void sample(const struct ka_frame *f, uint32_t x, uint32_t y, uint8_t yuv[3])
{
	const struct ka_plane *p = f->planes;
	const uint8_t *pair = p[0].data + y * p[0].stride + x / 2 * 4;

	yuv[0] = p[0].data[y * p[0].stride + x];
	switch (f->format) {
	case KA_PIX_I420:
		yuv[1] = p[1].data[y / 2 * p[1].stride + x / 2];
		yuv[2] = p[2].data[y / 2 * p[2].stride + x / 2];
		break;
	case KA_PIX_I422:
		yuv[1] = p[1].data[y * p[1].stride + x / 2];
		yuv[2] = p[2].data[y * p[2].stride + x / 2];
		break;
	case KA_PIX_I444:
		yuv[1] = p[1].data[y * p[1].stride + x];
		yuv[2] = p[2].data[y * p[2].stride + x];
		break;
	case KA_PIX_NV21:
		yuv[2] = p[1].data[y / 2 * p[1].stride + x / 2 * 2];
		yuv[1] = p[1].data[y / 2 * p[1].stride + x / 2 * 2 + 1];
		break;
	case KA_PIX_NV61:
		yuv[2] = p[1].data[y * p[1].stride + x / 2 * 2];
		yuv[1] = p[1].data[y * p[1].stride + x / 2 * 2 + 1];
		break;
	case KA_PIX_NV42:
		yuv[2] = p[1].data[y * p[1].stride + x * 2];
		yuv[1] = p[1].data[y * p[1].stride + x * 2 + 1];
		break;
	case KA_PIX_GREY:
		yuv[1] = yuv[2] = 128;
		break;
	case KA_PIX_NV12:
		memcpy(yuv + 1, p[1].data + y / 2 * p[1].stride + x / 2 * 2, 2);
		break;
	case KA_PIX_NV16:
		memcpy(yuv + 1, p[1].data + y * p[1].stride + x / 2 * 2, 2);
		break;
	case KA_PIX_NV24:
		memcpy(yuv + 1, p[1].data + y * p[1].stride + x * 2, 2);
		break;
	case KA_PIX_YUYV:
		yuv[0] = pair[x % 2 * 2];
		yuv[1] = pair[1];
		yuv[2] = pair[3];
		break;
	case KA_PIX_UYVY:
		yuv[0] = pair[x % 2 * 2 + 1];
		yuv[1] = pair[0];
		yuv[2] = pair[2];
		break;
	case KA_PIX_YVYU:
		yuv[0] = pair[x % 2 * 2];
		yuv[1] = pair[3];
		yuv[2] = pair[1];
		break;
	case KA_PIX_VYUY:
		yuv[0] = pair[x % 2 * 2 + 1];
		yuv[1] = pair[2];
		yuv[2] = pair[0];
		break;
	default:
		fail();
	}
}

static void test_every_format_finds_its_samples(void **state)
{
	(void)state;
	for (enum ka_pixfmt format = KA_PIX_I420; format <= KA_PIX_VYUY; format++) {
		struct ka_frame *f = noise(format, (struct ka_colour){KA_MATRIX_BT709, KA_RANGE_LIMITED});
		/* Of exact size: a sanitizer sees a byte too many. */
		uint8_t *row = malloc(3 * W);
		struct ka_rgb t;

		ka_rgb_init(&t, f->format, f->colour);
		for (uint32_t y = 0; y < H; y++) {
			ka_rgb_row(&t, f, y, row);
			for (uint32_t x = 0; x < W; x++) {
				uint8_t yuv[3];

				sample(f, x, y, yuv);
				check_pixel(f->colour, yuv, row + (size_t)3 * x);
			}
		}
		free(row);
		ka_frame_unref(&f);
	}
}

/* order: where R, G and B lie in a pixel of step bytes. */
static void check_rgb(enum ka_pixfmt format, const uint8_t order[3], uint32_t step, enum ka_range range)
{
	struct ka_frame *f = noise(format, (struct ka_colour){KA_MATRIX_BT709, range});
	uint8_t row[3 * W];
	struct ka_rgb t;

	ka_rgb_init(&t, format, f->colour);
	for (uint32_t y = 0; y < H; y++) {
		ka_rgb_row(&t, f, y, row);
		for (uint32_t i = 0; i < 3 * W; i++) {
			uint32_t at = i / 3 * step + order[i % 3];
			uint8_t in = f->planes[0].data[y * f->planes[0].stride + at];
			double full = fmin(fmax((in - 16) * 255.0 / 219, 0), 255);

			if (range == KA_RANGE_LIMITED)
				assert_true(fabs(row[i] - full) <= 0.5 + 1e-5);
			else
				assert_int_equal(row[i], in);
		}
	}
	ka_frame_unref(&f);
}

static void test_rgb_passes_bit_by_bit(void **state)
{
	static const struct {
		enum ka_pixfmt format;
		uint8_t order[3], step;
	} all[] = {
		{KA_PIX_RGB24, {0, 1, 2}, 3}, {KA_PIX_BGR24, {2, 1, 0}, 3}, {KA_PIX_RGBX, {0, 1, 2}, 4},
		{KA_PIX_BGRX, {2, 1, 0}, 4},  {KA_PIX_XRGB, {1, 2, 3}, 4},  {KA_PIX_XBGR, {3, 2, 1}, 4},
	};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(all); i++) {
		for (enum ka_range range = KA_RANGE_UNKNOWN; range <= KA_RANGE_FULL; range++)
			check_rgb(all[i].format, all[i].order, all[i].step, range);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_colour_is_the_nearest),
		cmocka_unit_test(test_known_colours),
		cmocka_unit_test(test_every_format_finds_its_samples),
		cmocka_unit_test(test_rgb_passes_bit_by_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
