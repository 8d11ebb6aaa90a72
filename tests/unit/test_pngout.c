/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PNG files, read back by libpng. */
#include "tests/fake/png_read.h"

#include <errno.h>
#include <stdio.h>

#include <jpeglib.h>

#include "base/err.h"
#include "capture/pngout.h"

#define W 320u
#define H 240u

static const atomic_bool go_on;

static struct ka_frame *make_frame(enum ka_pixfmt format, bool noise)
{
	struct ka_frame *f;
	uint32_t state = 1;

	assert_int_equal(ka_frame_alloc(&f, format, W, H), 0);
	for (size_t i = 0; i < f->bufs[0]->size; i++) {
		state = state * 1664525 + 1013904223;
		f->bufs[0]->data[i] = noise ? (uint8_t)(state >> 24) : (uint8_t)(i / 3);
	}
	f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_FULL};
	return f;
}

static void test_rgb_comes_back_bit_by_bit(void **state)
{
	struct ka_frame *f = make_frame(KA_PIX_RGB24, true);
	struct png_picture p;
	struct ka_bytes png;

	(void)state;
	ka_bytes_init(&png, 1 << 20);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), 0);
	p = png_read(png.data, png.len);
	assert_int_equal(p.width, W);
	assert_int_equal(p.height, H);
	for (uint32_t y = 0; y < H; y++)
		assert_memory_equal(p.rgb + y * 3 * W, f->planes[0].data + y * f->planes[0].stride, 3 * W);
	free(p.rgb);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

static void test_grey_yuv_is_grey(void **state)
{
	struct ka_frame *f = make_frame(KA_PIX_NV12, true);
	struct png_picture p;
	struct ka_bytes png;

	(void)state;
	memset(f->planes[1].data, 128, f->planes[1].size);
	ka_bytes_init(&png, 1 << 20);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), 0);
	p = png_read(png.data, png.len);
	for (uint32_t i = 0; i < W * H; i++) {
		uint8_t y = f->planes[0].data[i / W * f->planes[0].stride + i % W];
		uint8_t want[3] = {y, y, y};

		assert_memory_equal(p.rgb + (size_t)3 * i, want, 3);
	}
	free(p.rgb);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

static void test_limit_ends_the_work(void **state)
{
	struct ka_frame *f = make_frame(KA_PIX_RGB24, true);
	struct ka_bytes png;

	(void)state;
	/* Noise does not get smaller. */
	ka_bytes_init(&png, 3 * W * H);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), -KA_E_TOO_BIG);
	assert_true(png.len <= 3 * W * H);
	ka_bytes_fini(&png);
	ka_bytes_init(&png, 0);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), -KA_E_TOO_BIG);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

static void test_cancelled(void **state)
{
	static const atomic_bool stop = true;
	struct ka_frame *f = make_frame(KA_PIX_YUYV, false);
	struct ka_bytes png;

	(void)state;
	ka_bytes_init(&png, 1 << 20);
	assert_int_equal(ka_pngout_encode(&png, f, &stop), -ECANCELED);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

/* 4:2:2: chroma of its own for each row, which a detour over 4:2:0 would lose. */
static struct ka_frame *make_jpeg(bool grey)
{
	struct ka_frame d = {.format = KA_PIX_MJPEG, .width = W, .height = H};
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr err;
	unsigned long len = 0;
	uint8_t *data = NULL;
	uint8_t row[3 * W];
	JSAMPROW rows[1] = {row};
	struct ka_frame *f;

	c.err = jpeg_std_error(&err);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &data, &len);
	c.image_width = W;
	c.image_height = H;
	c.input_components = grey ? 1 : 3;
	c.in_color_space = grey ? JCS_GRAYSCALE : JCS_YCbCr;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, 100, TRUE);
	if (!grey) {
		c.comp_info[0].h_samp_factor = 2;
		c.comp_info[0].v_samp_factor = 1;
	}
	jpeg_start_compress(&c, TRUE);
	for (uint32_t y = 0; y < H; y++) {
		if (grey)
			memset(row, (int)y, W);
		for (uint32_t x = 0; x < W && !grey; x++) {
			row[3 * x] = 128;
			row[3 * x + 1] = y / 8 % 2 ? 90 : 170;
			row[3 * x + 2] = 128;
		}
		jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	assert_int_equal(ka_buf_new(&d.bufs[0], len), 0);
	d.planes[0].data = memcpy(d.bufs[0]->data, data, len);
	d.planes[0].size = len;
	d.colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_FULL};
	free(data);
	assert_int_equal(ka_frame_new(&f, &d), 0);
	return f;
}

static void test_jpeg_keeps_its_chroma(void **state)
{
	struct ka_frame *f = make_jpeg(false);
	struct png_picture p;
	struct ka_bytes png;

	(void)state;
	ka_bytes_init(&png, 1 << 20);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), 0);
	p = png_read(png.data, png.len);
	for (uint32_t y = 0; y < H; y++) {
		/* 128 + 1.772 * (U - 128), and 128 - 0.344 * (U - 128) */
		uint8_t want[3] = {128, y / 8 % 2 ? 141 : 114, y / 8 % 2 ? 61 : 202};

		for (uint32_t x = 0; x < W; x++) {
			for (int i = 0; i < 3; i++)
				assert_in_range(p.rgb[(y * W + x) * 3 + i], want[i] - 2, want[i] + 2);
		}
	}
	free(p.rgb);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

static void test_grey_jpeg(void **state)
{
	struct ka_frame *f = make_jpeg(true);
	struct png_picture p;
	struct ka_bytes png;

	(void)state;
	ka_bytes_init(&png, 1 << 20);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), 0);
	p = png_read(png.data, png.len);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t i = 0; i < 3 * W; i++)
			assert_in_range(p.rgb[y * 3 * W + i] + 1, y, y + 2);
	}
	free(p.rgb);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

static void test_broken_jpegs_are_refused(void **state)
{
	struct ka_frame *f = make_jpeg(false);
	size_t whole = f->planes[0].size;
	struct ka_bytes png;

	(void)state;
	ka_bytes_init(&png, 1 << 20);
	/* Cut off: nothing arrived, or a part, which is shown. */
	for (size_t n = 1; n < whole; n += whole / 50) {
		int ret;

		f->planes[0].size = n;
		ka_bytes_clear(&png);
		ret = ka_pngout_encode(&png, f, &go_on);
		assert_true(ret == 0 || ret == -KA_E_FORMAT);
		assert_true(n > 100 || ret == -KA_E_FORMAT);
	}
	f->planes[0].size = whole;
	/* Bits missing in the middle. */
	memmove(f->planes[0].data + whole / 3, f->planes[0].data + whole / 2, whole - whole / 2);
	f->planes[0].size = whole / 3 + whole - whole / 2;
	ka_bytes_clear(&png);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), -KA_E_FORMAT);
	/* Another size than the frame says. */
	ka_frame_unref(&f);
	f = make_jpeg(true);
	f->height = 2 * H;
	ka_bytes_clear(&png);
	assert_int_equal(ka_pngout_encode(&png, f, &go_on), -KA_E_FORMAT);
	ka_bytes_fini(&png);
	ka_frame_unref(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rgb_comes_back_bit_by_bit), cmocka_unit_test(test_grey_yuv_is_grey),
		cmocka_unit_test(test_limit_ends_the_work),	  cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_jpeg_keeps_its_chroma),	  cmocka_unit_test(test_grey_jpeg),
		cmocka_unit_test(test_broken_jpegs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
