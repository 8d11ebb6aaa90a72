/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prepared pictures are, after any sequence of partial changes, dropped and held pictures, just what a conversion of
 * the whole picture makes; nobody's picture is written to; and nothing is made of a picture that is the same.
 */
#include "tests/check/check.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "base/err.h"
#include "capture/prepare.h"
#include "tests/fake/dice.h"
#include "tests/fake/jpeg_write.h"

#define W 198u
#define H 102u
#define BLOCKS (13u * 7u)
#define HELD 5u

/* Noise in an area, in all planes; even edges. */
static void scribble(struct ka_frame *f, uint32_t *seed)
{
	uint32_t x = dice(seed) % (W / 2) * 2, y = dice(seed) % (H / 2) * 2;
	uint32_t w = 2 + dice(seed) % 20 * 2, h = 2 + dice(seed) % 20 * 2;

	w = KA_MIN(w, W - x);
	h = KA_MIN(h, H - y);
	for (unsigned int p = 0; p < ka_pixfmt_planes(f->format); p++) {
		size_t from = ka_pixfmt_row_bytes(f->format, p, x), end = ka_pixfmt_row_bytes(f->format, p, x + w);
		uint32_t top = ka_pixfmt_rows(f->format, p, y), bottom = ka_pixfmt_rows(f->format, p, y + h);

		for (uint32_t row = top; row < bottom; row++) {
			for (size_t i = from; i < end; i++)
				f->planes[p].data[row * f->planes[p].stride + i] = (uint8_t)dice(seed);
		}
	}
}

static struct ka_frame *copy(const struct ka_frame *from)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, from->format, from->width, from->height), 0);
	f->colour = from->colour;
	f->sequence = from->sequence;
	for (unsigned int p = 0; p < ka_pixfmt_planes(from->format); p++)
		memcpy(f->planes[p].data, from->planes[p].data, from->planes[p].size);
	return f;
}

static bool same_pixels(const struct ka_frame *a, const struct ka_frame *b)
{
	if (a->format != b->format || a->width != b->width || a->height != b->height)
		return false;
	for (unsigned int p = 0; p < ka_pixfmt_planes(a->format); p++) {
		for (uint32_t y = 0; y < ka_pixfmt_rows(a->format, p, a->height); y++) {
			if (memcmp(a->planes[p].data + y * a->planes[p].stride,
				   b->planes[p].data + y * b->planes[p].stride,
				   ka_pixfmt_row_bytes(a->format, p, a->width)) != 0)
				return false;
		}
	}
	return true;
}

/* I420 that passes as it is against NV12 of the ring. */
static bool same_picture(const struct ka_frame *a, const struct ka_frame *b)
{
	const struct ka_frame *planar = a->format == KA_PIX_I420 ? a : b;
	const struct ka_frame *pairs = a->format == KA_PIX_I420 ? b : a;

	if (a->format == b->format)
		return same_pixels(a, b);
	for (uint32_t y = 0; y < a->height; y++) {
		if (memcmp(a->planes[0].data + y * a->planes[0].stride, b->planes[0].data + y * b->planes[0].stride,
			   a->width) != 0)
			return false;
		for (uint32_t x = 0; x < a->width; x++) {
			unsigned int plane = 1 + x % 2;

			if (pairs->planes[1].data[y / 2 * pairs->planes[1].stride + x] !=
			    planar->planes[plane].data[y / 2 * planar->planes[plane].stride + x / 2])
				return false;
		}
	}
	return true;
}

struct held {
	struct ka_frame *f, *was;
};

static void drop(struct held *h)
{
	if (!h->f)
		return;
	/* Nobody wrote to it meanwhile. */
	assert_true(same_pixels(h->f, h->was));
	ka_frame_unref(&h->f);
	ka_frame_unref(&h->was);
}

/* The stamps of two frames against what differs between them. */
static void check_stamps(const struct ka_frame *older, const struct ka_frame *newer)
{
	const uint64_t *stamps = (const uint64_t *)(const void *)newer->stamps->data;

	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint32_t x = i % 13 * 16, y = i / 13 * 16;
		bool differs = false;

		assert_true(stamps[i] >= 1 && stamps[i] <= newer->number);
		for (uint32_t row = y; row < KA_MIN(y + 16, H); row++)
			differs |= memcmp(older->planes[0].data + row * older->planes[0].stride + x,
					  newer->planes[0].data + row * newer->planes[0].stride + x,
					  KA_MIN(16u, W - x)) != 0;
		/* What says that it has not changed has not. */
		assert_true(!differs || stamps[i] > older->number);
	}
}

static void run_sequence(enum ka_pixfmt format, struct ka_colour colour, uint32_t seed)
{
	struct held held[HELD] = {0};
	struct ka_frame *source, *fresh, *got;
	struct ka_prepare *p, *whole;

	assert_int_equal(ka_frame_alloc(&source, format, W, H), 0);
	memset(source->bufs[0]->data, 90, source->bufs[0]->size);
	source->colour = colour;
	assert_int_equal(ka_prepare_new(&p), 0);
	assert_int_equal(ka_prepare_new(&whole), 0);
	for (int n = 0; n < 60; n++) {
		bool full = dice(&seed) % 3 == 0;
		struct held *h = &held[dice(&seed) % HELD];
		struct ka_frame *raw;

		for (uint32_t i = dice(&seed) % 3; i > 0; i--)
			scribble(source, &seed);
		source->sequence = (uint64_t)n;
		raw = copy(source);
		assert_in_range(ka_prepare_look(p, raw), 0, 1);
		ka_prepare_forget(whole);
		assert_int_equal(ka_prepare_look(whole, raw), 1);
		ka_frame_unref(&raw);
		/* Some are never asked for. */
		if (dice(&seed) % 4 == 0)
			continue;
		assert_int_equal(ka_prepare_get(p, full, &got), 0);
		assert_int_equal(ka_prepare_get(whole, full, &fresh), 0);
		if (!same_picture(got, fresh))
			fail_msg("format %s full %d n %d", ka_pixfmt_name(format), full, n);
		ka_frame_unref(&fresh);
		if (h->f && h->f->format == got->format)
			check_stamps(h->f, got);
		drop(h);
		*h = (struct held){got, copy(got)};
	}
	for (unsigned int i = 0; i < HELD; i++)
		drop(&held[i]);
	ka_prepare_free(p);
	ka_prepare_free(whole);
	ka_frame_unref(&source);
}

static void test_partial_conversion_is_exact(void **state)
{
	static const struct ka_colour colours[] = {{KA_MATRIX_BT601, KA_RANGE_LIMITED},
						   {KA_MATRIX_BT709, KA_RANGE_FULL},
						   {KA_MATRIX_BT709, KA_RANGE_LIMITED}};

	(void)state;
	for (enum ka_pixfmt format = KA_PIX_I420; format < KA_PIX_MJPEG; format++) {
		for (uint32_t i = 0; i < KA_ARRAY_LEN(colours); i++)
			run_sequence(format, colours[i], 1 + i + 16 * format);
	}
}

static struct ka_frame *grey(enum ka_pixfmt format, uint8_t value)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, format, W, H), 0);
	memset(f->bufs[0]->data, value, f->bufs[0]->size);
	f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	return f;
}

static void test_the_same_picture_is_nothing_new(void **state)
{
	struct ka_frame *first = grey(KA_PIX_YUYV, 100);
	struct ka_frame *same = copy(first);
	struct ka_frame *a, *b;
	struct ka_prepare *p;

	(void)state;
	assert_int_equal(ka_prepare_new(&p), 0);
	assert_int_equal(ka_prepare_get(p, false, &a), -ENODATA);
	assert_true(ka_prepare_number(p) == 0);
	assert_int_equal(ka_prepare_look(p, first), 1);
	assert_int_equal(ka_prepare_get(p, false, &a), 0);
	assert_int_equal(ka_prepare_look(p, same), 0);
	/* It goes home at once; the one before is what the next is compared with. */
	assert_true(ka_frame_writable(same));
	assert_false(ka_frame_writable(first));
	assert_int_equal(ka_prepare_get(p, false, &b), 0);
	assert_ptr_equal(a, b);
	/* One row of a pixel: one block. */
	same->planes[0].data[50 * same->planes[0].stride + 7] ^= 1;
	ka_frame_unref(&b);
	assert_int_equal(ka_prepare_look(p, same), 1);
	assert_true(ka_frame_writable(first));
	assert_int_equal(ka_prepare_get(p, false, &b), 0);
	assert_true(b->number == a->number + 1);
	for (uint32_t i = 0; i < BLOCKS; i++)
		assert_true((((const uint64_t *)(const void *)b->stamps->data)[i] > a->number) == (i == 3 * 13));
	/* Another colour: the same bytes are another picture. */
	first->colour.matrix = KA_MATRIX_BT709;
	memcpy(first->planes[0].data, same->planes[0].data, same->planes[0].size);
	assert_int_equal(ka_prepare_look(p, first), 1);
	/* After a stop all is new, and numbers go on. */
	ka_prepare_forget(p);
	assert_true(ka_frame_writable(first));
	assert_true(ka_prepare_number(p) == 0);
	assert_int_equal(ka_prepare_look(p, first), 1);
	assert_true(ka_prepare_number(p) == b->number + 2);
	ka_frame_unref(&a);
	ka_frame_unref(&b);
	ka_prepare_free(p);
	ka_frame_unref(&first);
	ka_frame_unref(&same);
}

/* A driver has few buffers: when encoders hold that many, the next are copied. */
static void test_few_raw_pictures_are_lent(void **state)
{
	static const enum ka_pixfmt formats[] = {KA_PIX_NV12, KA_PIX_I420, KA_PIX_NV16};

	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(formats); k++) {
		struct ka_frame *raw[8], *out[8];
		struct ka_prepare *p;

		assert_int_equal(ka_prepare_new(&p), 0);
		for (unsigned int i = 0; i < 8; i++) {
			raw[i] = grey(formats[k], (uint8_t)(50 + i));
			assert_int_equal(ka_prepare_look(p, raw[i]), 1);
			assert_int_equal(ka_prepare_get(p, false, &out[i]), 0);
			assert_int_equal(out[i]->planes[0].data[0], 50 + i);
			assert_true((out[i]->planes[0].data == raw[i]->planes[0].data) == (i < KA_PREPARE_LENT));
		}
		for (unsigned int i = KA_PREPARE_LENT; i < 7; i++)
			assert_true(ka_frame_writable(raw[i]));
		/* Once they are back it goes on. */
		for (unsigned int i = 0; i < 8; i++)
			ka_frame_unref(&out[i]);
		raw[0]->planes[0].data[0] ^= 1;
		assert_int_equal(ka_prepare_look(p, raw[0]), 1);
		assert_int_equal(ka_prepare_get(p, false, &out[0]), 0);
		assert_ptr_equal(out[0]->planes[0].data, raw[0]->planes[0].data);
		ka_frame_unref(&out[0]);
		ka_prepare_free(p);
		for (unsigned int i = 0; i < 8; i++) {
			assert_true(ka_frame_writable(raw[i]));
			ka_frame_unref(&raw[i]);
		}
	}
}

static void test_who_never_lets_go_gets_no_more(void **state)
{
	struct ka_frame *raw = grey(KA_PIX_YUYV, 10);
	struct ka_frame *out[64];
	struct ka_prepare *p;
	unsigned int n = 0;
	int ret = 0;

	(void)state;
	assert_int_equal(ka_prepare_new(&p), 0);
	while (ret == 0 && n < KA_ARRAY_LEN(out)) {
		struct ka_frame *next = copy(raw);

		next->planes[0].data[0] = (uint8_t)n;
		assert_in_range(ka_prepare_look(p, next), 0, 1);
		ka_frame_unref(&next);
		ret = ka_prepare_get(p, false, &out[n]);
		n += ret == 0;
	}
	assert_int_equal(ret, -EBUSY);
	ka_frame_unref(&out[0]);
	assert_int_equal(ka_prepare_get(p, false, &out[0]), 0);
	while (n)
		ka_frame_unref(&out[--n]);
	ka_prepare_free(p);
	ka_frame_unref(&raw);
}

/* A page with some marks on it, as a stick sends it. */
static struct ka_frame *jpeg(int quality, unsigned int marks, int drift)
{
	struct jpeg_write j;
	struct ka_frame *f;
	uint8_t row[3 * W];

	jpeg_write_begin(&j, W, H, JCS_YCbCr, quality);
	jpeg_start_compress(&j.c, TRUE);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++) {
			bool mark = x / 16 < marks && y / 16 == 2 && x % 16 > 4 && x % 16 < 12;

			row[3 * x] = (uint8_t)(mark ? 40 : 150 + drift + (int)(x / 40));
			row[3 * x + 1] = 120;
			row[3 * x + 2] = 134;
		}
		jpeg_write_row(&j, row);
	}
	f = jpeg_write_frame(&j);
	f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	return f;
}

static int look_once(struct ka_prepare *p, struct ka_frame *f)
{
	int ret = ka_prepare_look(p, f);

	ka_frame_unref(&f);
	return ret;
}

static void test_jpegs_change_when_one_sees_it(void **state)
{
	struct ka_prepare *p;
	struct ka_frame *a, *b, *broken;

	(void)state;
	assert_int_equal(ka_prepare_new(&p), 0);
	assert_int_equal(look_once(p, jpeg(90, 3, 0)), 1);
	assert_int_equal(look_once(p, jpeg(90, 3, 0)), 0); /* the same bytes */
	assert_int_equal(look_once(p, jpeg(85, 3, 0)), 0); /* other bytes, the same picture */
	assert_int_equal(ka_prepare_get(p, false, &a), 0);
	assert_int_equal(look_once(p, jpeg(88, 4, 0)), 1);
	assert_int_equal(ka_prepare_get(p, false, &b), 0);
	/* One mark more, whose ringing may reach the blocks that share its chroma. */
	for (uint32_t i = 0; i < BLOCKS; i++) {
		bool changed = ((const uint64_t *)(const void *)b->stamps->data)[i] > a->number;

		assert_true(i != 2 * 13 + 3 || changed);
		assert_true(!changed || i == 2 * 13 + 3);
	}
	/* Blocks that did not change have the pixels that they had, bit by bit. */
	assert_memory_equal(a->planes[0].data, b->planes[0].data, W);
	assert_true(b->planes[0].data[40 * b->planes[0].stride + 3 * 16 + 8] < 60);
	/* Damage changes nothing. */
	broken = jpeg(90, 9, 0);
	broken->planes[0].size = 100;
	assert_int_equal(look_once(p, broken), -KA_E_FORMAT);
	ka_frame_unref(&a);
	assert_int_equal(ka_prepare_get(p, false, &a), 0);
	assert_ptr_equal(a, b);
	ka_frame_unref(&a);
	ka_frame_unref(&b);
	ka_prepare_free(p);
}

/* Each step is too small to count, all together are not. */
static void test_slow_drift_of_jpegs_is_seen(void **state)
{
	struct ka_prepare *p;
	struct ka_frame *f;
	int seen = 0;

	(void)state;
	assert_int_equal(ka_prepare_new(&p), 0);
	assert_int_equal(look_once(p, jpeg(95, 0, 0)), 1);
	for (int drift = 1; drift <= 40; drift++) {
		seen += look_once(p, jpeg(95, 0, drift));
		assert_int_equal(ka_prepare_get(p, true, &f), 0);
		assert_in_range(f->planes[0].data[8 * f->planes[0].stride + 8], 150 + drift - 4, 150 + drift + 4);
		ka_frame_unref(&f);
	}
	assert_in_range(seen, 8, 25);
	ka_prepare_free(p);
}

static void test_sizes_and_formats_may_change_at_any_time(void **state)
{
	uint32_t seed = 99;
	struct ka_prepare *p;

	(void)state;
	assert_int_equal(ka_prepare_new(&p), 0);
	for (int n = 0; n < 80; n++) {
		struct ka_frame *raw, *out;
		bool full = n % 3 == 0;

		assert_int_equal(ka_frame_alloc(&raw, KA_PIX_I420 + dice(&seed) % (KA_PIX_MJPEG - KA_PIX_I420),
						64 + dice(&seed) % 200 * 2, 64 + dice(&seed) % 100 * 2),
				 0);
		memset(raw->bufs[0]->data, (int)dice(&seed), raw->bufs[0]->size);
		assert_int_equal(ka_prepare_look(p, raw), 1);
		assert_int_equal(ka_prepare_get(p, full, &out), 0);
		assert_int_equal(out->width, raw->width);
		assert_int_equal(out->height, raw->height);
		assert_true(full ? out->format == KA_PIX_I444
				 : out->format == KA_PIX_NV12 || out->format == KA_PIX_I420);
		ka_frame_unref(&out);
		ka_frame_unref(&raw);
	}
	ka_prepare_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partial_conversion_is_exact),
		cmocka_unit_test(test_the_same_picture_is_nothing_new),
		cmocka_unit_test(test_few_raw_pictures_are_lent),
		cmocka_unit_test(test_who_never_lets_go_gets_no_more),
		cmocka_unit_test(test_jpegs_change_when_one_sees_it),
		cmocka_unit_test(test_slow_drift_of_jpegs_is_seen),
		cmocka_unit_test(test_sizes_and_formats_may_change_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
