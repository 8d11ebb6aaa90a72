/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/span.h"

static void test_read_past_the_end_gives_zero_and_sticks(void **state)
{
	static const uint8_t data[] = {1, 2, 3};
	struct ka_span s = ka_span_make(data, sizeof(data));

	(void)state;
	assert_int_equal(ka_span_le(&s, 4), 0);
	assert_true(s.error);
	/* What was there before is not given out any more either. */
	assert_int_equal(ka_span_u8(&s), 0);
	assert_null(ka_span_take(&s, 0));
	assert_true(s.error);
}

static void test_lengths_near_the_end_of_memory_do_not_wrap(void **state)
{
	static const uint8_t data[4] = {0};
	static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, 5};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(huge); i++) {
		struct ka_span s = ka_span_make(data, sizeof(data));

		assert_null(ka_span_take(&s, huge[i]));
		assert_true(s.error);
		assert_int_equal(ka_span_left(&s), 4);
	}
}

static void test_empty_span_of_nothing(void **state)
{
	struct ka_span s = ka_span_make(NULL, 0);

	(void)state;
	assert_int_equal(ka_span_left(&s), 0);
	assert_int_equal(ka_span_be(&s, 0), 0);
	assert_false(s.error);
	assert_int_equal(ka_span_u8(&s), 0);
	assert_true(s.error);
}

static void test_orders_of_bytes(void **state)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 0xf8, 9, 10, 11};
	struct ka_span s = ka_span_make(data, sizeof(data));

	(void)state;
	assert_true(ka_span_le(&s, 8) == 0xf807060504030201);
	assert_true(ka_span_be(&s, 2) == 0x090a);
	assert_ptr_equal(ka_span_take(&s, 1), data + 10);
	assert_int_equal(ka_span_left(&s), 0);
	assert_false(s.error);
	s = ka_span_make(data, sizeof(data));
	assert_true(ka_span_be(&s, 8) == 0x01020304050607f8);
	assert_int_equal(ka_span_u8(&s), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_past_the_end_gives_zero_and_sticks),
		cmocka_unit_test(test_lengths_near_the_end_of_memory_do_not_wrap),
		cmocka_unit_test(test_empty_span_of_nothing),
		cmocka_unit_test(test_orders_of_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
