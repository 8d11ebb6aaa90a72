/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <time.h>

#include "base/clock.h"

static void test_clock_never_goes_back(void **state)
{
	int64_t before = ka_clock_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = ka_clock_us();

		assert_true(now >= before);
		before = now;
	}
}

static void test_clock_counts_microseconds(void **state)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	int64_t before = ka_clock_us();

	(void)state;
	nanosleep(&pause, NULL);
	assert_true(ka_clock_us() - before >= 20000);
	assert_true(ka_clock_us() - before < KA_SEC(10));
}

static void test_wall_clock_is_the_system_time(void **state)
{
	int64_t difference = ka_clock_wall_us() / 1000000 - (int64_t)time(NULL);

	(void)state;
	assert_true(difference >= -2 && difference <= 2);
}

static void test_units_do_not_overflow_int(void **state)
{
	(void)state;
	assert_true(KA_SEC(86400) == 86400000000);
	assert_true(KA_MS(10000000) == 10000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_never_goes_back),
		cmocka_unit_test(test_clock_counts_microseconds),
		cmocka_unit_test(test_wall_clock_is_the_system_time),
		cmocka_unit_test(test_units_do_not_overflow_int),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
