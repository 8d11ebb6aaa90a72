/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/clock.h"
#include "capture/refine.h"

#define GAP KA_MS(250)

static void test_a_still_picture_is_refined_then_left_alone(void **state)
{
	struct ka_refine r = {0};
	int64_t now = KA_SEC(100);

	(void)state;
	assert_true(ka_refine_due(&r) == INT64_MAX);
	ka_refine_moved(&r, KA_MS(33), now);
	assert_in_range(ka_refine_due(&r) - now, KA_MS(100), KA_MS(250));
	for (int i = 0; i < 5; i++) {
		now = ka_refine_due(&r);
		ka_refine_done(&r, i < 4, GAP, now);
		assert_true(ka_refine_due(&r) == (i < 4 ? now + GAP : INT64_MAX));
	}
}

static void test_a_change_begins_anew(void **state)
{
	struct ka_refine r = {0};
	int64_t now = 0;

	(void)state;
	ka_refine_moved(&r, KA_MS(33), now);
	now = ka_refine_due(&r);
	ka_refine_done(&r, true, GAP, now);
	ka_refine_moved(&r, KA_MS(33), now + KA_MS(10));
	assert_true(ka_refine_due(&r) >= now + KA_MS(110));
	assert_true(ka_refine_due(&r) < now + GAP);
	ka_refine_stop(&r);
	assert_true(ka_refine_due(&r) == INT64_MAX);
	ka_refine_moved(&r, KA_MS(33), now);
	ka_refine_done(&r, false, GAP, now);
	assert_true(ka_refine_due(&r) == INT64_MAX);
}

/* Five pictures a second of something that moves. */
static void test_few_pictures_are_no_stillness(void **state)
{
	struct ka_refine r = {0};

	(void)state;
	for (int64_t now = 0; now < KA_SEC(3); now += KA_MS(200)) {
		assert_true(ka_refine_due(&r) > now);
		ka_refine_moved(&r, KA_MS(200), now);
	}
	assert_true(ka_refine_due(&r) < KA_SEC(4));
}

static void test_passes_are_bounded(void **state)
{
	struct ka_refine r = {0};
	int passes = 0;

	(void)state;
	ka_refine_moved(&r, KA_MS(33), 0);
	for (; ka_refine_due(&r) != INT64_MAX && passes < 100000; passes++)
		ka_refine_done(&r, true, GAP, ka_refine_due(&r));
	assert_in_range(passes, 500, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_still_picture_is_refined_then_left_alone),
		cmocka_unit_test(test_a_change_begins_anew),
		cmocka_unit_test(test_few_pictures_are_no_stillness),
		cmocka_unit_test(test_passes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
