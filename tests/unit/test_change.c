/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which blocks of two pictures differ, for every format, with rows padded by anything. */
#include "tests/check/check.h"

#include <string.h>

#include "capture/change.h"
#include "tests/fake/dice.h"

#define W 150u /* neither blocks nor SIMD widths fit */
#define H 70u
#define ACROSS 10u
#define DOWN 5u

/* A picture in a buffer of its own whose rows are padded by so many bytes, all of it noise. */
static struct ka_frame *make(enum ka_pixfmt format, size_t pad, uint32_t *seed)
{
	struct ka_frame d = {.format = format, .width = W, .height = H};
	size_t offset[KA_FRAME_PLANES] = {0};
	size_t total = 0;
	struct ka_frame *f;

	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++) {
		d.planes[i].stride = ka_pixfmt_row_bytes(format, i, W) + pad;
		d.planes[i].size = d.planes[i].stride * ka_pixfmt_rows(format, i, H);
		offset[i] = total;
		total += d.planes[i].size;
	}
	assert_int_equal(ka_buf_new(&d.bufs[0], total), 0);
	for (size_t i = 0; i < total; i++)
		d.bufs[0]->data[i] = (uint8_t)dice(seed);
	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++)
		d.planes[i].data = d.bufs[0]->data + offset[i];
	assert_int_equal(ka_frame_new(&f, &d), 0);
	return f;
}

static struct ka_frame *copy(const struct ka_frame *from, size_t pad, uint32_t *seed)
{
	struct ka_frame *f = make(from->format, pad, seed);

	for (unsigned int p = 0; p < ka_pixfmt_planes(from->format); p++) {
		for (uint32_t y = 0; y < ka_pixfmt_rows(from->format, p, H); y++)
			memcpy(f->planes[p].data + y * f->planes[p].stride,
			       from->planes[p].data + y * from->planes[p].stride,
			       ka_pixfmt_row_bytes(from->format, p, W));
	}
	return f;
}

static void test_each_byte_belongs_to_its_block(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (enum ka_pixfmt format = KA_PIX_I420; format < KA_PIX_MJPEG; format++) {
		struct ka_frame *a = make(format, 3, &seed);
		struct ka_frame *b = copy(a, 17, &seed);
		uint8_t map[ACROSS * DOWN + 1];

		map[ACROSS * DOWN] = 77;
		assert_int_equal(ka_change_find(a, b, map), 0);
		for (int n = 0; n < 300; n++) {
			unsigned int p = dice(&seed) % ka_pixfmt_planes(format);
			/* A block's own corner of the plane, and a byte in it: pixels that share samples share blocks.
			 */
			uint32_t bx = dice(&seed) % ACROSS, by = dice(&seed) % DOWN;
			size_t from = ka_pixfmt_row_bytes(format, p, bx * 16);
			size_t end = ka_pixfmt_row_bytes(format, p, KA_MIN(bx * 16 + 16, W));
			uint32_t top = ka_pixfmt_rows(format, p, by * 16);
			uint32_t bottom = ka_pixfmt_rows(format, p, KA_MIN(by * 16 + 16, H));
			size_t x = from + dice(&seed) % (end - from);
			uint32_t y = top + dice(&seed) % (bottom - top);
			uint8_t *at = b->planes[p].data + y * b->planes[p].stride + x;

			*at ^= 1u << dice(&seed) % 8;
			assert_int_equal(ka_change_find(a, b, map), 1);
			assert_int_equal(map[by * ACROSS + bx], 1);
			*at = a->planes[p].data[y * a->planes[p].stride + x];
		}
		assert_int_equal(map[ACROSS * DOWN], 77);
		ka_frame_unref(&b);
		b = make(format, 0, &seed);
		assert_int_equal(ka_change_find(a, b, map), ACROSS * DOWN);
		ka_frame_unref(&a);
		ka_frame_unref(&b);
	}
}

static void test_noise_of_a_quantiser_is_no_change(void **state)
{
	uint32_t seed = 3;
	struct ka_frame *a = make(KA_PIX_NV12, 0, &seed);
	struct ka_frame *b;
	uint8_t map[ACROSS * DOWN];

	(void)state;
	for (size_t i = 0; i < a->bufs[0]->size; i++)
		a->bufs[0]->data[i] = (uint8_t)(a->bufs[0]->data[i] / 2 + 64);
	b = copy(a, 0, &seed);
	for (size_t i = 0; i < b->bufs[0]->size; i++)
		b->bufs[0]->data[i] = (uint8_t)(b->bufs[0]->data[i] + dice(&seed) % 5 - 2);
	assert_int_equal(ka_change_find_lossy(a, b, map), 0);
	/* A faint stroke: four pixels of a block. */
	for (int i = 0; i < 4; i++)
		b->planes[0].data[(20 + i) * b->planes[0].stride + 33] ^= 0x20;
	assert_int_equal(ka_change_find_lossy(a, b, map), 1);
	assert_int_equal(map[1 * ACROSS + 2], 1);
	/* A whole block, by little. */
	for (int y = 0; y < 16; y++) {
		for (int x = 0; x < 16; x++)
			b->planes[0].data[(32 + y) * b->planes[0].stride + 64 + x] =
				(uint8_t)(a->planes[0].data[(32 + y) * a->planes[0].stride + 64 + x] + 3);
	}
	assert_int_equal(ka_change_find_lossy(a, b, map), 2);
	assert_int_equal(map[2 * ACROSS + 4], 1);
	/* Only its colour. */
	b->planes[1].data[8 * b->planes[1].stride + 16 + 1] ^= 0x40;
	(void)ka_change_find_lossy(a, b, map);
	assert_int_equal(map[1 * ACROSS + 1], 1);
	ka_frame_unref(&a);
	ka_frame_unref(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte_belongs_to_its_block),
		cmocka_unit_test(test_noise_of_a_quantiser_is_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
