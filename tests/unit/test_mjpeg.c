/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/frame.h"
#include "capture/mjpeg.h"
#include "tests/fake/jpeg_write.h"

#define W 320u
#define H 240u

struct jpeg {
	uint8_t *data;
	unsigned long len;
};

enum jpeg_kind { PLAIN, GREY, PROGRESSIVE, ARITHMETIC, AS_RGB };

/* A picture of horizontal and vertical ramps, with luma sampled h x v times as often as chroma. */
static struct jpeg make_jpeg(uint32_t w, uint32_t h, int hs, int vs, enum jpeg_kind kind)
{
	uint8_t *row = calloc(w, 3);
	struct jpeg_write j;

	jpeg_write_begin(&j, w, h, kind == GREY ? JCS_GRAYSCALE : kind == AS_RGB ? JCS_RGB : JCS_YCbCr, 95);
	if (kind == AS_RGB)
		jpeg_set_colorspace(&j.c, JCS_RGB);
	if (kind == PROGRESSIVE)
		jpeg_simple_progression(&j.c);
	j.c.arith_code = kind == ARITHMETIC;
	if (kind != GREY) {
		j.c.comp_info[0].h_samp_factor = hs;
		j.c.comp_info[0].v_samp_factor = vs;
	}
	jpeg_start_compress(&j.c, TRUE);
	for (uint32_t y = 0; y < h; y++) {
		for (uint32_t x = 0; x < w; x++) {
			if (kind == GREY) {
				row[x] = (uint8_t)(y * 255 / h);
				continue;
			}
			row[3 * x] = (uint8_t)(y * 255 / h);
			row[3 * x + 1] = (uint8_t)(64 + x * 127 / w);
			row[3 * x + 2] = (uint8_t)(64 + y * 127 / h);
		}
		jpeg_write_row(&j, row);
	}
	jpeg_write_end(&j);
	free(row);
	return (struct jpeg){j.file, j.size};
}

struct rig {
	struct ka_mjpeg *m;
	struct ka_frame *f;
};

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_int_equal(ka_mjpeg_new(&r->m), 0);
	assert_int_equal(ka_frame_alloc(&r->f, KA_PIX_NV12, W, H), 0);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	ka_mjpeg_free(r->m);
	ka_frame_unref(&r->f);
	free(r);
	return 0;
}

static void wipe(struct rig *r)
{
	memset(r->f->planes[0].data, 7, r->f->planes[0].size);
	memset(r->f->planes[1].data, 9, r->f->planes[1].size);
}

/* From a heap block of exact size. */
static int decode(struct rig *r, const uint8_t *data, size_t len, const struct ka_recolour *colour)
{
	struct ka_mjpeg_dst dst = {
		.rows = {r->f->planes[0].data, r->f->planes[1].data, r->f->planes[0].stride, r->f->planes[1].stride},
		.width = r->f->width,
		.height = r->f->height,
		.colour = colour,
	};
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, data, len);
	ret = ka_mjpeg_decode(r->m, copy, len, &dst);
	free(copy);
	return ret;
}

static void check_near(int got, int want, int by)
{
	if (abs(got - want) > by)
		fail_msg("%d is not %d", got, want);
}

/* The ramps of make_jpeg, rows 0 .. rows; limited: recoloured. */
static void check_picture(const struct rig *r, uint32_t rows, bool grey, bool limited)
{
	for (uint32_t y = 0; y < rows; y++) {
		for (uint32_t x = 0; x < W; x++) {
			const uint8_t *uv = r->f->planes[1].data + y / 2 * r->f->planes[1].stride + x / 2 * 2;
			int luma = (int)(y * 255 / H);
			int u = grey ? 128 : 64 + (int)(x * 127 / W);
			int v = grey ? 128 : 64 + (int)(y * 127 / H);

			if (limited) {
				luma = 16 + luma * 219 / 255;
				u = 128 + (u - 128) * 224 / 255;
				v = 128 + (v - 128) * 224 / 255;
			}
			check_near(r->f->planes[0].data[y * r->f->planes[0].stride + x], luma, 3);
			check_near(uv[0], u, 4);
			check_near(uv[1], v, 4);
		}
	}
}

static void test_garbage_is_refused(void **state)
{
	struct rig *r = *state;
	uint8_t noise[4096];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(decode(r, noise, 0, NULL), -KA_E_FORMAT);
	assert_int_equal(decode(r, noise, sizeof(noise), NULL), -KA_E_FORMAT);
	noise[0] = 0xff;
	noise[1] = 0xd8;
	assert_int_equal(decode(r, noise, sizeof(noise), NULL), -KA_E_FORMAT);
	assert_int_equal(decode(r, noise, 2, NULL), -KA_E_FORMAT);
}

static void test_kinds_no_device_sends_are_refused(void **state)
{
	static const struct {
		uint32_t w, h;
		int hs, vs;
		enum jpeg_kind kind;
	} odd[] = {{W, H, 2, 2, PROGRESSIVE},	{W, H, 2, 2, ARITHMETIC}, {W, H, 1, 1, AS_RGB},
		   {W, H, 1, 2, PLAIN},		{W, H, 4, 1, PLAIN},	  {W - 1, H, 2, 2, PLAIN},
		   {W, H - 1, 2, 2, PLAIN},	{W + 16, H, 2, 2, PLAIN}, {W, H + 16, 2, 2, PLAIN},
		   {2 * W, 2 * H, 2, 2, PLAIN}, {16, 16, 2, 2, PLAIN},	  {8000, 16, 2, 1, PLAIN}};
	struct rig *r = *state;

	for (size_t i = 0; i < KA_ARRAY_LEN(odd); i++) {
		struct jpeg j = make_jpeg(odd[i].w, odd[i].h, odd[i].hs, odd[i].vs, odd[i].kind);

		assert_int_equal(decode(r, j.data, j.len, NULL), -KA_E_FORMAT);
		free(j.data);
	}
}

static void test_cut_off_keeps_what_was_there(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W, H, 2, 1, PLAIN);
	unsigned int shown = 0;

	for (size_t len = 0; len < j.len; len += j.len / 97) {
		int ret;

		wipe(r);
		ret = decode(r, j.data, len, NULL);
		assert_true(ret == 0 || ret == -KA_E_FORMAT);
		shown += ret == 0;
	}
	assert_true(shown > 50);
	wipe(r);
	assert_int_equal(decode(r, j.data, j.len / 2, NULL), 0);
	check_picture(r, H / 4, false, false);
	assert_int_equal(r->f->planes[0].data[(H - 1) * r->f->planes[0].stride], 7);
	assert_int_equal(r->f->planes[1].data[(H / 2 - 1) * r->f->planes[1].stride], 9);
	/* Only the end marker is missing. */
	wipe(r);
	assert_int_equal(decode(r, j.data, j.len - 2, NULL), 0);
	check_picture(r, H, false, false);
	free(j.data);
}

static void test_damage_never_does_harm(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W, H, 2, 1, PLAIN);
	uint32_t dice = 1;
	unsigned int refused = 0;

	for (int round = 0; round < 400; round++) {
		uint8_t *copy = malloc(j.len);
		int ret;

		memcpy(copy, j.data, j.len);
		for (int i = 0; i < 4; i++) {
			dice = dice * 1664525 + 1013904223;
			copy[(dice >> 8) % j.len] = (uint8_t)(dice >> 24);
		}
		ret = decode(r, copy, j.len, NULL);
		assert_true(ret == 0 || ret == -KA_E_FORMAT);
		refused += ret != 0;
		free(copy);
	}
	assert_true(refused > 20);
	/* And the decoder is as good as new. */
	assert_int_equal(decode(r, j.data, j.len, NULL), 0);
	check_picture(r, H, false, false);
	free(j.data);
}

/* Bytes lost or doubled on the way: what is left decodes to something, and is not shown. */
static void test_holes_are_noticed(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W, H, 2, 1, PLAIN);
	unsigned int refused = 0;

	for (size_t at = j.len / 4; at < j.len / 4 + 100; at++) {
		uint8_t *copy = malloc(j.len + 1000);

		memcpy(copy, j.data, at);
		memcpy(copy + at, j.data + at + 1000, j.len - at - 1000);
		refused += decode(r, copy, j.len - 1000, NULL) != 0;
		memcpy(copy + at, j.data + at - 1000, j.len - at + 1000);
		refused += decode(r, copy, j.len + 1000, NULL) != 0;
		free(copy);
	}
	assert_int_equal(refused, 200);
	free(j.data);
}

static void test_samplings_of_devices_are_decoded(void **state)
{
	static const int samplings[][2] = {{2, 2}, {2, 1}, {1, 1}};
	struct rig *r = *state;

	for (size_t i = 0; i < KA_ARRAY_LEN(samplings); i++) {
		struct jpeg j = make_jpeg(W, H, samplings[i][0], samplings[i][1], PLAIN);

		wipe(r);
		assert_int_equal(decode(r, j.data, j.len, NULL), 0);
		check_picture(r, H, false, false);
		free(j.data);
	}
}

static void test_grey_has_no_colour(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W, H, 1, 1, GREY);

	wipe(r);
	assert_int_equal(decode(r, j.data, j.len, NULL), 0);
	check_picture(r, H, true, false);
	free(j.data);
}

static void test_full_range_becomes_limited(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W, H, 2, 1, PLAIN);
	struct ka_recolour c;

	assert_true(ka_recolour_init(&c, (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_FULL}, false));
	assert_int_equal(decode(r, j.data, j.len, &c), 0);
	check_picture(r, H, false, true);
	free(j.data);
}

static void test_larger_picture_is_cropped(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W + 15, H + 15, 2, 2, PLAIN);

	wipe(r);
	assert_int_equal(decode(r, j.data, j.len, NULL), 0);
	free(j.data);
}

/* Motion JPEG of cameras leaves the standard tables out. */
static void test_missing_huffman_tables_are_the_standard_ones(void **state)
{
	struct rig *r = *state;
	struct jpeg j = make_jpeg(W, H, 2, 1, PLAIN);
	uint8_t *out = malloc(j.len);
	size_t n = 2;
	size_t at = 2;

	memcpy(out, j.data, 2);
	while (j.data[at + 1] != 0xda) {
		size_t len = 2 + ((size_t)j.data[at + 2] << 8 | j.data[at + 3]);

		if (j.data[at + 1] != 0xc4) {
			memcpy(out + n, j.data + at, len);
			n += len;
		}
		at += len;
	}
	memcpy(out + n, j.data + at, j.len - at);
	assert_int_equal(decode(r, out, n + j.len - at, NULL), 0);
	check_picture(r, H, false, false);
	free(out);
	free(j.data);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_garbage_is_refused),
		T(test_kinds_no_device_sends_are_refused),
		T(test_cut_off_keeps_what_was_there),
		T(test_damage_never_does_harm),
		T(test_holes_are_noticed),
		T(test_samplings_of_devices_are_decoded),
		T(test_grey_has_no_colour),
		T(test_full_range_becomes_limited),
		T(test_larger_picture_is_cropped),
		T(test_missing_huffman_tables_are_the_standard_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
