/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many pictures: pacing, merged wishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/pacing.h"
#include "capture/wishes.h"

/* Pictures that pass in a second from a source of source_fps with jitter. */
static unsigned int passed(uint32_t source_fps, uint32_t fps, int64_t jitter_us)
{
	struct ka_pacing p = {0};
	unsigned int n = 0;

	for (uint32_t i = 0; i < source_fps * 10; i++) {
		int64_t at = 1000000 + (int64_t)i * 1000000 / source_fps + (i % 2 ? jitter_us : -jitter_us);

		n += ka_pacing_pass(&p, at, fps);
	}
	return n / 10;
}

static void test_pacing_rates_come_out_as_asked(void **state)
{
	(void)state;
	assert_in_range(passed(60, 30, 0), 29, 31);
	assert_in_range(passed(60, 30, 2000), 29, 31);
	assert_in_range(passed(30, 30, 3000), 29, 30);
	assert_in_range(passed(60, 60, 2000), 59, 60);
	assert_in_range(passed(60, 25, 1000), 24, 26);
	assert_in_range(passed(60, 1, 0), 1, 2);
	assert_in_range(passed(25, 120, 0), 25, 25);
	assert_in_range(passed(60, 0, 0), 1, 2);
}

static void test_pacing_pause_is_not_made_up_for(void **state)
{
	struct ka_pacing p = {0};
	unsigned int n = 0;

	(void)state;
	assert_true(ka_pacing_pass(&p, 1000000, 10));
	for (int64_t at = 60000000; at < 61000000; at += 1000)
		n += ka_pacing_pass(&p, at, 10);
	assert_in_range(n, 10, 11);
}

static void test_wishes_least_fps_and_most_kbps(void **state)
{
	struct ka_wish_entry a = {0}, b = {0}, c = {0};
	struct ka_wishes_now now;
	struct ka_wishes *w;

	(void)state;
	assert_int_equal(ka_wishes_new(&w), 0);
	ka_wishes_get(w, 0, &now);
	assert_int_equal(now.viewers, 0);
	ka_wishes_add(w, &a, &(struct ka_video_wish){0});
	ka_wishes_get(w, 0, &now);
	assert_int_equal(now.viewers, 1);
	assert_int_equal(now.fps, 0);
	assert_int_equal(now.kbps, 0);
	ka_wishes_add(w, &b, &(struct ka_video_wish){.kbps = 500, .fps = 20});
	ka_wishes_add(w, &c, &(struct ka_video_wish){.kbps = 900, .fps = 40});
	ka_wishes_get(w, 0, &now);
	assert_int_equal(now.viewers, 3);
	assert_int_equal(now.fps, 20);
	assert_int_equal(now.kbps, 900);
	ka_wishes_set(w, &b, &(struct ka_video_wish){.kbps = 1500}, 0);
	ka_wishes_remove(w, &c);
	ka_wishes_get(w, 0, &now);
	assert_int_equal(now.fps, 0);
	assert_int_equal(now.kbps, 1500);
	ka_wishes_remove(w, &a);
	ka_wishes_remove(w, &b);
	ka_wishes_free(w);
}

static void test_wishes_keys_coalesce_and_joining_wins(void **state)
{
	struct ka_wish_entry a = {0};
	struct ka_wishes *w;

	(void)state;
	assert_int_equal(ka_wishes_new(&w), 0);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_NONE);
	ka_wishes_add(w, &a, &(struct ka_video_wish){0});
	ka_wishes_ask_key(w, &a);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_JOIN);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_NONE);
	ka_wishes_ask_key(w, &a);
	ka_wishes_ask_key(w, &a);
	assert_int_equal(ka_wishes_take_key(w, 1), KA_KEY_NONE);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_ASKED);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_NONE);
	ka_wishes_remove(w, &a);
	ka_wishes_free(w);
	ka_wishes_free(NULL);
}

static unsigned int set(struct ka_wishes *w, struct ka_wish_entry *e, uint32_t kbps, uint32_t fps, bool narrow)
{
	struct ka_video_wish wish = {.kbps = kbps, .fps = fps, .narrow = narrow};
	unsigned int rendition = ka_wishes_suits(w, e, &wish);

	ka_wishes_set(w, e, &wish, rendition);
	return rendition;
}

static void test_newcomer_on_a_narrow_link_disturbs_nobody(void **state)
{
	struct ka_video_wish narrow = {.kbps = 1000, .narrow = true};
	struct ka_wish_entry a = {0}, b = {0};
	struct ka_wishes_now now;
	struct ka_wishes *w;

	(void)state;
	assert_int_equal(ka_wishes_new(&w), 0);
	assert_int_equal(ka_wishes_suits(w, NULL, &narrow), 0);
	ka_wishes_add(w, &a, &(struct ka_video_wish){.kbps = 4000});
	assert_int_equal(ka_wishes_suits(w, NULL, &(struct ka_video_wish){.kbps = 1000}), 0);
	b.rendition = ka_wishes_suits(w, NULL, &narrow);
	assert_int_equal(b.rendition, 1);
	ka_wishes_take_key(w, 0);
	ka_wishes_add(w, &b, &narrow);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_NONE);
	assert_int_equal(ka_wishes_take_key(w, 1), KA_KEY_JOIN);
	ka_wishes_get(w, 0, &now);
	assert_false(now.narrow);
	ka_wishes_get(w, 1, &now);
	assert_true(now.narrow);
	/* As many bits as the other, but fewer pictures: these are nobody else's business either. */
	assert_int_equal(set(w, &b, 4000, 0, true), 0);
	assert_int_equal(set(w, &b, 4000, 10, true), 1);
	assert_int_equal(set(w, &b, 4000, 10, false), 0);
	/* Who wants most decides, and is no narrow link here. */
	assert_int_equal(set(w, &b, 3900, 0, true), 0);
	ka_wishes_get(w, 0, &now);
	assert_int_equal(now.kbps, 4000);
	assert_false(now.narrow);
	ka_wishes_remove(w, &a);
	ka_wishes_get(w, 0, &now);
	assert_true(now.narrow);
	ka_wishes_remove(w, &b);
	ka_wishes_free(w);
}

static void test_narrow_link_gets_a_rendition_of_its_own(void **state)
{
	struct ka_wish_entry a = {0}, b = {0}, c = {0};
	struct ka_wishes_now now;
	struct ka_wishes *w;

	(void)state;
	assert_int_equal(ka_wishes_new(&w), 0);
	ka_wishes_add(w, &a, &(struct ka_video_wish){.kbps = 4000});
	ka_wishes_add(w, &b, &(struct ka_video_wish){.kbps = 4000});
	ka_wishes_add(w, &c, &(struct ka_video_wish){.kbps = 4000});
	ka_wishes_take_key(w, 0);
	/* Few bits by choice are none of the encoders' business. */
	assert_int_equal(set(w, &b, 500, 10, false), 0);
	assert_int_equal(set(w, &b, 3300, 0, true), 0);
	assert_int_equal(ka_wishes_take_key(w, 1), KA_KEY_NONE);
	assert_int_equal(set(w, &b, 1500, 20, true), 1);
	assert_int_equal(set(w, &c, 900, 10, true), 1);
	assert_int_equal(ka_wishes_take_key(w, 1), KA_KEY_ASKED);
	/* Nobody else is disturbed. */
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_NONE);
	ka_wishes_get(w, 0, &now);
	assert_int_equal(now.viewers, 1);
	assert_int_equal(now.kbps, 4000);
	assert_int_equal(now.fps, 0);
	ka_wishes_get(w, 1, &now);
	assert_int_equal(now.viewers, 2);
	assert_int_equal(now.kbps, 900);
	assert_int_equal(now.fps, 10);
	ka_wishes_ask_key(w, &c);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_NONE);
	assert_int_equal(ka_wishes_take_key(w, 1), KA_KEY_ASKED);
	/* Not to and fro. */
	assert_int_equal(set(w, &b, 3700, 0, true), 1);
	assert_int_equal(set(w, &b, 3900, 0, true), 0);
	assert_int_equal(ka_wishes_take_key(w, 0), KA_KEY_ASKED);
	ka_wishes_remove(w, &a);
	ka_wishes_remove(w, &b);
	/* Alone, the link's rate is everybody's. */
	assert_int_equal(set(w, &c, 900, 10, true), 0);
	ka_wishes_get(w, 1, &now);
	assert_int_equal(now.viewers, 0);
	ka_wishes_remove(w, &c);
	ka_wishes_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pacing_rates_come_out_as_asked),
		cmocka_unit_test(test_pacing_pause_is_not_made_up_for),
		cmocka_unit_test(test_wishes_least_fps_and_most_kbps),
		cmocka_unit_test(test_wishes_keys_coalesce_and_joining_wins),
		cmocka_unit_test(test_newcomer_on_a_narrow_link_disturbs_nobody),
		cmocka_unit_test(test_narrow_link_gets_a_rendition_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
