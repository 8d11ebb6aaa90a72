/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <stdlib.h>

#include "base/stages.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct ka_stages));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static int64_t median(struct ka_stages *s, enum ka_stage stage)
{
	struct ka_percentiles p;

	ka_histogram_read(&s->of[stage], &p);
	return p.count ? p.p50_us : -1;
}

static void test_each_stage_gets_its_part(void **state)
{
	struct ka_stages *s = *state;
	const struct ka_stamps at = {1000, 1001, 1003, 1007, 1009};

	ka_stages_encoded(s, &at);
	assert_int_equal(median(s, KA_STAGE_ARRIVE), 1);
	assert_int_equal(median(s, KA_STAGE_PREPARE), 2);
	assert_int_equal(median(s, KA_STAGE_WAIT), 4);
	assert_int_equal(median(s, KA_STAGE_ENCODE), 2);
	assert_int_equal(median(s, KA_STAGE_QUEUE), -1);
	assert_int_equal(median(s, KA_STAGE_WHOLE), -1);
	ka_stages_sent(s, &at, 1010, 1015);
	assert_int_equal(median(s, KA_STAGE_QUEUE), 1);
	assert_int_equal(median(s, KA_STAGE_SEND), 5);
	assert_int_equal(median(s, KA_STAGE_BESIDE), 13);
	assert_int_equal(median(s, KA_STAGE_WHOLE), 15);
}

static void test_pictures_without_stamps_count_nowhere(void **state)
{
	struct ka_stages *s = *state;
	const struct ka_stamps at = {0};

	ka_stages_encoded(s, &at);
	ka_stages_sent(s, &at, 1, 2);
	for (enum ka_stage stage = 0; stage < KA_STAGES; stage++)
		assert_int_equal(median(s, stage), -1);
}

static void test_each_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(ka_stage_name(KA_STAGE_ARRIVE), "arrive");
	for (enum ka_stage stage = 0; stage < KA_STAGES; stage++)
		assert_non_null(ka_stage_name(stage));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_stage_gets_its_part, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pictures_without_stamps_count_nowhere, set_up, tear_down),
		cmocka_unit_test(test_each_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
