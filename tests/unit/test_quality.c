/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "rustdesk/session/quality.h"

static void test_values_that_ask_for_nothing(void **state)
{
	(void)state;
	assert_int_equal(ka_quality_ratio(0, 0), 0);
	assert_int_equal(ka_quality_ratio(0, -1), 0);
	assert_int_equal(ka_quality_ratio(0, INT32_MIN), 0);
	assert_int_equal(ka_quality_ratio(1, 12800), 0);
	assert_int_equal(ka_quality_ratio(5, 0), 0);
	assert_int_equal(ka_quality_ratio(-1, 12800), 0);
	assert_int_equal(ka_quality_ratio(INT32_MAX, INT32_MAX), 0);
}

static void test_menu_entries(void **state)
{
	(void)state;
	assert_int_equal(ka_quality_ratio(2, 0), 50);
	assert_int_equal(ka_quality_ratio(3, 0), 67);
	assert_int_equal(ka_quality_ratio(4, 0), 150);
	/* The entry counts, not the slider behind it. */
	assert_int_equal(ka_quality_ratio(4, 12800), 150);
}

static void test_custom_percent_is_doubled_and_bounded(void **state)
{
	(void)state;
	assert_int_equal(ka_quality_ratio(0, 50 << 8), 100);
	assert_int_equal(ka_quality_ratio(0, 100 << 8), 200);
	assert_int_equal(ka_quality_ratio(0, 10 << 8), 20);
	assert_int_equal(ka_quality_ratio(0, 1 << 8), 20);
	assert_int_equal(ka_quality_ratio(0, 1), 20);
	assert_int_equal(ka_quality_ratio(0, 2000 << 8), 4000);
	assert_int_equal(ka_quality_ratio(0, 2001 << 8), 4000);
	assert_int_equal(ka_quality_ratio(0, 4095 << 8), 4000);
	/* Twelve bits count, as in stock endpoints. */
	assert_int_equal(ka_quality_ratio(0, (4096 + 50) << 8), 100);
	assert_int_equal(ka_quality_ratio(0, INT32_MAX), 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_that_ask_for_nothing),
		cmocka_unit_test(test_menu_entries),
		cmocka_unit_test(test_custom_percent_is_doubled_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
