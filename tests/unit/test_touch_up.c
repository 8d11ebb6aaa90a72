/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "capture/touch_up.h"
#include "tests/fake/dice.h"

#define W 150u
#define H 70u
#define BLOCKS (10u * 5u)

static struct ka_frame *noise(enum ka_pixfmt format, uint32_t seed)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, format, W, H), 0);
	for (size_t i = 0; i < f->bufs[0]->size; i++)
		f->bufs[0]->data[i] = (uint8_t)dice(&seed);
	return f;
}

static struct ka_decoded decoded(const struct ka_frame *f)
{
	return (struct ka_decoded){{f->planes[0].data, f->planes[1].data}, {f->planes[0].stride, f->planes[1].stride}};
}

static uint8_t chroma(const struct ka_frame *f, uint32_t x, uint32_t y)
{
	if (f->format == KA_PIX_NV12)
		return f->planes[1].data[y * f->planes[1].stride + x];
	return f->planes[1 + x % 2].data[y * f->planes[1 + x % 2].stride + x / 2];
}

/* Every block of the mixture is the source's or the decoded one's as a whole; how many are the source's. */
static uint32_t count_chosen(const struct ka_frame *mix, const struct ka_frame *f, const struct ka_frame *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint32_t x0 = i % 10 * 16, y0 = i / 10 * 16;
		uint32_t unlike_source = 0, unlike_decoded = 0;

		for (uint32_t y = y0; y < KA_MIN(y0 + 16, H); y++) {
			for (uint32_t x = x0; x < KA_MIN(x0 + 16, W); x++) {
				uint8_t m = mix->planes[0].data[y * mix->planes[0].stride + x];

				unlike_source += m != f->planes[0].data[y * f->planes[0].stride + x];
				unlike_decoded += m != d->planes[0].data[y * d->planes[0].stride + x];
				unlike_source += chroma(mix, x, y / 2) != chroma(f, x, y / 2);
				unlike_decoded += chroma(mix, x, y / 2) != chroma(d, x, y / 2);
			}
		}
		assert_true(!unlike_source || !unlike_decoded);
		n += !unlike_source;
	}
	return n;
}

static void test_blocks_are_chosen_for_the_bytes(void **state)
{
	static const enum ka_pixfmt formats[] = {KA_PIX_NV12, KA_PIX_I420};

	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(formats); k++) {
		struct ka_frame *f = noise(formats[k], 1), *d = noise(KA_PIX_NV12, 2);
		struct ka_decoded dec = decoded(d);
		struct ka_touch_up *t;
		uint32_t before = 0, chosen;
		bool left;

		assert_int_equal(ka_touch_up_new(&t, W, H), 0);
		assert_int_equal(count_chosen(ka_touch_up_mix(t, f, &dec, 0, &left), f, d), 0);
		assert_true(left);
		for (size_t bytes = 1; bytes < 1 << 20; bytes *= 4) {
			chosen = count_chosen(ka_touch_up_mix(t, f, &dec, bytes, &left), f, d);
			assert_true(chosen >= before && chosen >= 1);
			assert_int_equal(left, chosen < BLOCKS);
			before = chosen;
		}
		assert_int_equal(before, BLOCKS);
		/* What has been fine stays as it is decoded. */
		ka_touch_up_done(t, 1000, true);
		assert_int_equal(count_chosen(ka_touch_up_mix(t, f, &dec, 1 << 20, &left), f, d), 0);
		assert_false(left);
		/* Two blocks become others. */
		uint8_t changed[BLOCKS] = {[3] = 1, [49] = 1};

		ka_touch_up_changed(t, changed);
		assert_int_equal(count_chosen(ka_touch_up_mix(t, f, &dec, 1 << 20, &left), f, d), 2);
		/* Not as fine as it should be: once more. */
		ka_touch_up_done(t, 1000, false);
		assert_int_equal(count_chosen(ka_touch_up_mix(t, f, &dec, 1 << 20, &left), f, d), 2);
		ka_touch_up_changed(t, NULL);
		assert_int_equal(count_chosen(ka_touch_up_mix(t, f, &dec, 1 << 20, &left), f, d), BLOCKS);
		ka_touch_up_free(t);
		ka_frame_unref(&f);
		ka_frame_unref(&d);
	}
}

static void test_what_bits_buy_is_learnt(void **state)
{
	struct ka_frame *f = noise(KA_PIX_NV12, 1), *d = noise(KA_PIX_NV12, 2);
	struct ka_decoded dec = decoded(d);
	struct ka_touch_up *t;
	uint32_t cheap, dear;
	bool left;

	(void)state;
	assert_int_equal(ka_touch_up_new(&t, W, H), 0);
	for (int i = 0; i < 20; i++) {
		(void)ka_touch_up_mix(t, f, &dec, 20000, &left);
		ka_touch_up_done(t, 2000, false);
	}
	cheap = count_chosen(ka_touch_up_mix(t, f, &dec, 20000, &left), f, d);
	ka_touch_up_done(t, 200000, false);
	dear = count_chosen(ka_touch_up_mix(t, f, &dec, 20000, &left), f, d);
	assert_true(cheap > 2 * dear);
	assert_true(dear >= 1);
	ka_touch_up_free(t);
	ka_touch_up_free(NULL);
	ka_frame_unref(&f);
	ka_frame_unref(&d);
}

static void test_what_looks_the_same_is_left(void **state)
{
	struct ka_frame *f = noise(KA_PIX_NV12, 1), *d = noise(KA_PIX_NV12, 1);
	struct ka_decoded dec = decoded(d);
	struct ka_touch_up *t;
	bool left;

	(void)state;
	for (uint32_t i = 0; i < H; i++)
		d->planes[0].data[i * d->planes[0].stride + i] ^= 1;
	assert_int_equal(ka_touch_up_new(&t, W, H), 0);
	assert_true(count_chosen(ka_touch_up_mix(t, f, &dec, 1 << 20, &left), f, d) < BLOCKS);
	assert_false(left);
	/* One sample that one sees. */
	d->planes[0].data[20 * d->planes[0].stride + 20] ^= 0x40;
	(void)ka_touch_up_mix(t, f, &dec, 0, &left);
	assert_true(left);
	ka_touch_up_free(t);
	ka_frame_unref(&f);
	ka_frame_unref(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_chosen_for_the_bytes),
		cmocka_unit_test(test_what_bits_buy_is_learnt),
		cmocka_unit_test(test_what_looks_the_same_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
