/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/source_card.h"

#define HELD 7 /* pictures there are */

/* The strip as a machine reads it; -1 when sync or sum is wrong. */
static int64_t read_strip(const struct ka_frame *f)
{
	uint32_t strip = f->height / 16;
	uint32_t cw = f->width / 40 & ~1u;
	uint64_t cells = 0;
	uint32_t number, sum = 0;

	for (uint32_t i = 0; i < 40; i++) {
		uint32_t x = i * cw + cw / 2;
		uint32_t y = f->height - strip + strip / 2;

		cells = cells << 1 | (f->planes[0].data[y * f->planes[0].stride + x] >= 128);
	}
	number = (uint32_t)(cells >> 4);
	for (unsigned int i = 0; i < 32; i += 4)
		sum ^= number >> i & 15;
	return cells >> 36 == 0xa && (cells & 15) == sum ? (int64_t)number : -1;
}

static struct ka_source *open_card(uint32_t w, uint32_t h, uint32_t fps)
{
	struct ka_source_info info;
	struct ka_source *s;

	assert_int_equal(ka_source_card_new(&s, &(struct ka_card_cfg){w, h, fps, 0}), 0);
	assert_int_equal(s->ops->open(s, NULL), 0);
	assert_int_equal(s->ops->start(s, &info, NULL), 0);
	assert_int_equal(info.width, w);
	assert_int_equal(info.height, h);
	assert_int_equal(info.fps_mhz, fps * 1000);
	return s;
}

/* The next picture, waiting as long as the card says; NULL when it has none free. */
static struct ka_frame *next(struct ka_source *s)
{
	struct ka_source_wait w;
	struct ka_frame *f;

	s->ops->wait(s, &w);
	while (ka_clock_us() < w.deadline_us)
		;
	assert_int_equal(s->ops->dequeue(s, &f), 0);
	return f;
}

static void test_odd_sizes_are_refused(void **state)
{
	struct ka_source *s;

	(void)state;
	assert_int_equal(ka_source_card_new(&s, &(struct ka_card_cfg){641, 480, 30, 0}), -EINVAL);
	assert_int_equal(ka_source_card_new(&s, &(struct ka_card_cfg){640, 481, 30, 0}), -EINVAL);
	assert_int_equal(ka_source_card_new(&s, &(struct ka_card_cfg){640, 480, 0, 0}), -EINVAL);
}

static void test_strip_counts_at_all_sizes(void **state)
{
	static const struct {
		uint32_t w, h;
	} sizes[] = {{640, 480}, {1280, 720}, {1366, 768}, {1920, 1080}, {800, 602}, {4096, 2304}, {160, 120}};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
		struct ka_source *s = open_card(sizes[i].w, sizes[i].h, 120);

		for (int64_t n = 0; n < 6; n++) {
			struct ka_frame *f = next(s);

			assert_non_null(f);
			assert_int_equal(f->format, KA_PIX_NV12);
			assert_int_equal(read_strip(f), n);
			assert_int_equal(f->sequence, n);
			ka_frame_unref(&f);
		}
		ka_source_free(s);
	}
}

static void test_smallest_picture_is_drawn(void **state)
{
	struct ka_source *s = open_card(KA_MIN_WIDTH, KA_MIN_HEIGHT, 120);
	struct ka_frame *f = next(s);

	(void)state;
	assert_non_null(f);
	ka_frame_unref(&f);
	ka_source_free(s);
}

static void test_bars_have_their_colours(void **state)
{
	/* ITU-R BT.601: full-scale white, yellow, cyan, green, magenta, red, blue, black. */
	static const uint8_t yuv[8][3] = {{235, 128, 128}, {210, 16, 146}, {170, 166, 16}, {145, 54, 34},
					  {106, 202, 222}, {81, 90, 240},  {41, 240, 110}, {16, 128, 128}};
	struct ka_source *s = open_card(1280, 720, 120);
	struct ka_frame *f = next(s);

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t x = 160 * i + 80;
		const uint8_t *uv = f->planes[1].data + 50 * f->planes[1].stride + x;

		assert_int_equal(f->planes[0].data[100 * f->planes[0].stride + x], yuv[i][0]);
		assert_int_equal(uv[0], yuv[i][1]);
		assert_int_equal(uv[1], yuv[i][2]);
	}
	ka_frame_unref(&f);
	ka_source_free(s);
}

static void test_shared_pictures_stay_as_they_are(void **state)
{
	struct ka_source *s = open_card(640, 480, 120);
	struct ka_frame *held[HELD];

	(void)state;
	for (int i = 0; i < HELD; i++)
		held[i] = next(s);
	assert_null(next(s));
	assert_int_equal(s->dropped, 1);
	for (int i = 0; i < HELD; i++)
		assert_int_equal(read_strip(held[i]), i);
	ka_frame_unref(&held[1]);
	held[1] = next(s);
	assert_int_equal(read_strip(held[1]), HELD + 1);
	/* They may outlive the source's own use of them. */
	s->ops->close(s);
	for (int i = 0; i < HELD; i++)
		ka_frame_unref(&held[i]);
	ka_source_free(s);
}

static void test_rate_follows_the_limit(void **state)
{
	struct ka_source *s = open_card(640, 480, 100);
	int64_t begin;

	(void)state;
	s->fps_limit = 50;
	begin = ka_clock_us();
	for (int i = 0; i < 6; i++) {
		struct ka_frame *f = next(s);

		ka_frame_unref(&f);
	}
	assert_in_range(ka_clock_us() - begin, 99000, 400000);
	ka_source_free(s);
}

static void test_number_goes_on_after_a_stop(void **state)
{
	struct ka_source *s = open_card(640, 480, 120);
	struct ka_source_info info;
	struct ka_frame *f = next(s);

	(void)state;
	assert_int_equal(read_strip(f), 0);
	ka_frame_unref(&f);
	s->ops->close(s);
	assert_int_equal(s->ops->open(s, NULL), 0);
	assert_int_equal(s->ops->start(s, &info, NULL), 0);
	f = next(s);
	assert_int_equal(read_strip(f), 1);
	ka_frame_unref(&f);
	ka_source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odd_sizes_are_refused),
		cmocka_unit_test(test_strip_counts_at_all_sizes),
		cmocka_unit_test(test_smallest_picture_is_drawn),
		cmocka_unit_test(test_bars_have_their_colours),
		cmocka_unit_test(test_shared_pictures_stay_as_they_are),
		cmocka_unit_test(test_rate_follows_the_limit),
		cmocka_unit_test(test_number_goes_on_after_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
