/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "capture/slate.h"

static struct ka_cap_cause cause_of(int code, const char *detail)
{
	struct ka_cap_cause c = {.code = code};

	ka_str_copy(c.detail, sizeof(c.detail), detail);
	return c;
}

static void test_words_every_cause_has_its_own(void **state)
{
	static const int codes[] = {-KA_E_NO_DEVICE, -KA_E_NO_CABLE, -KA_E_NO_SIGNAL,	 -KA_E_BLANK,
				    -KA_E_NO_SYNC,   -KA_E_FORMAT,   -KA_E_OUT_OF_RANGE, -EINPROGRESS,
				    -EACCES,	     -EBUSY,	     -ETIMEDOUT,	 -EIO};
	const char *heading, *text, *before = "";

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(codes); i++) {
		ka_slate_words(codes[i], &heading, &text);
		assert_true(heading[0] && text[0]);
		assert_string_not_equal(heading, before);
		before = heading;
	}
	assert_string_equal(heading, "CAPTURE ERROR");
	ka_slate_words(-KA_E_NO_CABLE, &heading, &text);
	assert_string_equal(heading, "NO CABLE");
}

static void test_due_at_once_but_for_a_first_picture(void **state)
{
	struct ka_cap_cause c = {.since_us = 5000000};

	(void)state;
	assert_int_equal(ka_slate_due(&c, 7000000), INT64_MAX);
	c.code = -KA_E_NO_CABLE;
	assert_int_equal(ka_slate_due(&c, 7000000), 7000000);
	c.code = -EINPROGRESS;
	assert_int_equal(ka_slate_due(&c, 5000000), 5300000);
	assert_int_equal(ka_slate_due(&c, 7000000), 5300000);
}

/* Pixels brighter than the ground in the text's part of the picture. */
static unsigned int bright_pixels(const struct ka_frame *f)
{
	unsigned int n = 0;

	for (uint32_t y = f->height / 20; y < f->height; y++) {
		for (uint32_t x = 0; x < f->width; x++)
			n += f->planes[0].data[y * f->planes[0].stride + x] > 100;
	}
	return n;
}

static void test_draw_any_size_and_text_stays_inside(void **state)
{
	static const struct ka_geometry sizes[] = {{64, 64},   {1280, 720},  {4096, 64},
						   {64, 2304}, {4096, 2304}, {640, 480}};
	static const char *const details[] = {"", "x",
					      "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
					      "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
					      "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
					      "   blanks   and \x01 control \xff bytes   "};
	struct ka_slate *s;

	(void)state;
	assert_int_equal(ka_slate_new(&s,
				      "/dev/a-device-with-a-name-longer-than-any-line-of-the-slate-could-ever-hold-in-"
				      "one-piece-of-text-0000000000000000000000000000000"),
			 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
		for (size_t k = 0; k < KA_ARRAY_LEN(details); k++) {
			struct ka_cap_cause c = cause_of(-KA_E_NO_CABLE, details[k]);
			struct ka_frame *f;

			assert_int_equal(ka_slate_draw(s, sizes[i], &c, &f), 0);
			assert_int_equal(f->width, sizes[i].width);
			assert_int_equal(f->height, sizes[i].height);
			assert_true(bright_pixels(f) > 10);
			ka_frame_unref(&f);
		}
	}
	ka_slate_free(s);
}

static void test_draw_shared_picture_is_not_touched(void **state)
{
	struct ka_geometry g = {640, 480};
	struct ka_cap_cause cable = cause_of(-KA_E_NO_CABLE, "");
	struct ka_cap_cause sync = cause_of(-KA_E_NO_SYNC, "");
	struct ka_frame *a, *b;
	struct ka_slate *s;
	unsigned int before;

	(void)state;
	assert_int_equal(ka_slate_new(&s, ""), 0);
	assert_int_equal(ka_slate_draw(s, g, &cable, &a), 0);
	before = bright_pixels(a);
	assert_int_equal(ka_slate_draw(s, g, &sync, &b), 0);
	assert_ptr_not_equal(a->planes[0].data, b->planes[0].data);
	assert_int_equal(bright_pixels(a), before);
	assert_int_not_equal(bright_pixels(b), before);
	assert_true(b->sequence > a->sequence);
	ka_frame_unref(&a);
	ka_frame_unref(&b);
	ka_slate_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_every_cause_has_its_own),
		cmocka_unit_test(test_due_at_once_but_for_a_first_picture),
		cmocka_unit_test(test_draw_any_size_and_text_stays_inside),
		cmocka_unit_test(test_draw_shared_picture_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
