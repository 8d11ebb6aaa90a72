/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/bytes.h"
#include "base/err.h"

static void test_maximum_is_kept_and_the_error_sticks(void **state)
{
	struct ka_bytes b;

	(void)state;
	ka_bytes_init(&b, 4);
	assert_int_equal(ka_bytes_add(&b, "abcd", 4), 0);
	assert_int_equal(ka_bytes_add(&b, "e", 1), -KA_E_TOO_BIG);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "abcd", 4);
	ka_bytes_consume(&b, 4);
	/* Room again, but the content may already be wrong: only clear forgives. */
	assert_int_equal(ka_bytes_add(&b, "f", 1), -KA_E_TOO_BIG);
	assert_int_equal(ka_bytes_add(&b, "", 0), -KA_E_TOO_BIG);
	assert_null(ka_bytes_extend(&b, 1));
	ka_bytes_clear(&b);
	assert_int_equal(ka_bytes_add(&b, "g", 1), 0);
	assert_memory_equal(b.data, "g", 1);
	ka_bytes_fini(&b);
}

static void test_lengths_that_would_wrap_are_too_big(void **state)
{
	struct ka_bytes b;

	(void)state;
	ka_bytes_init(&b, 100);
	assert_int_equal(ka_bytes_add(&b, "x", 1), 0);
	assert_null(ka_bytes_extend(&b, SIZE_MAX));
	assert_int_equal(b.error, -KA_E_TOO_BIG);
	assert_int_equal(b.len, 1);
	ka_bytes_clear(&b);
	assert_null(ka_bytes_extend(&b, SIZE_MAX - 1));
	ka_bytes_fini(&b);
}

static void test_memory_grows_with_content_and_stops_at_the_maximum(void **state)
{
	struct ka_bytes b;
	size_t reallocations = 0;

	(void)state;
	ka_bytes_init(&b, 10000);
	for (size_t i = 0; i < 10000; i++) {
		size_t cap = b.cap;
		uint8_t *at = ka_bytes_extend(&b, 1);

		assert_non_null(at);
		*at = (uint8_t)i;
		reallocations += cap != b.cap;
		assert_true(b.cap <= b.max && b.cap <= KA_MAX((size_t)64, 2 * b.len));
	}
	assert_true(reallocations < 20);
	assert_int_equal(b.cap, 10000);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
	ka_bytes_fini(&b);
}

static void test_consume_takes_from_the_front(void **state)
{
	struct ka_bytes b;

	(void)state;
	ka_bytes_init(&b, 64);
	ka_bytes_consume(&b, 0);
	assert_int_equal(ka_bytes_add(&b, "hello", 5), 0);
	ka_bytes_consume(&b, 0);
	assert_int_equal(b.len, 5);
	ka_bytes_consume(&b, 2);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "llo", 3);
	ka_bytes_consume(&b, 3);
	assert_int_equal(b.len, 0);
	ka_bytes_fini(&b);
}

static void test_fini_leaves_an_empty_buffer_of_the_same_maximum(void **state)
{
	struct ka_bytes b;

	(void)state;
	ka_bytes_init(&b, 3);
	assert_int_equal(ka_bytes_add(&b, "ab", 2), 0);
	ka_bytes_fini(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(ka_bytes_add(&b, "abcd", 4), -KA_E_TOO_BIG);
	ka_bytes_clear(&b);
	assert_int_equal(ka_bytes_add(&b, "abc", 3), 0);
	ka_bytes_fini(&b);
	ka_bytes_fini(&b);
}

static void test_nothing_can_be_added_to_an_empty_buffer(void **state)
{
	struct ka_bytes b;

	(void)state;
	ka_bytes_init(&b, 0);
	assert_int_equal(ka_bytes_add(&b, NULL, 0), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(ka_bytes_add(&b, "a", 1), -KA_E_TOO_BIG);
	ka_bytes_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maximum_is_kept_and_the_error_sticks),
		cmocka_unit_test(test_lengths_that_would_wrap_are_too_big),
		cmocka_unit_test(test_memory_grows_with_content_and_stops_at_the_maximum),
		cmocka_unit_test(test_consume_takes_from_the_front),
		cmocka_unit_test(test_fini_leaves_an_empty_buffer_of_the_same_maximum),
		cmocka_unit_test(test_nothing_can_be_added_to_an_empty_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
