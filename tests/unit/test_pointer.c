/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/input.h"
#include "hid/pointer.h"

static int setup(void **state)
{
	struct ka_pointer *p = malloc(sizeof(*p));

	assert_non_null(p);
	ka_pointer_init(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void assert_next(struct ka_pointer *p, enum ka_report_function function, const char *hex, bool edge)
{
	struct ka_report r;

	assert_true(ka_pointer_take(p, &r));
	assert_int_equal(r.function, function);
	assert_hex(r.data, r.len, hex);
	assert_int_equal(r.edge, edge);
}

static void assert_idle(struct ka_pointer *p)
{
	struct ka_report r;

	assert_false(ka_pointer_take(p, &r));
}

static void test_click_before_any_move_does_not_move(void **state)
{
	struct ka_pointer *p = *state;

	assert_idle(p);
	ka_pointer_button(p, 1, KA_BUTTON_LEFT, true);
	assert_next(p, KA_REPORT_REL, "01 00 00 00 00", true);
	assert_idle(p);
	ka_pointer_button(p, 1, KA_BUTTON_LEFT, false);
	assert_next(p, KA_REPORT_REL, "00 00 00 00 00", true);
	assert_idle(p);
}

static void test_move_then_click_are_two_reports(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_move_abs(p, 0x1234, 32767);
	assert_next(p, KA_REPORT_ABS, "00 3412 ff7f 00 00", false);
	ka_pointer_button(p, 1, KA_BUTTON_FORWARD, true);
	assert_next(p, KA_REPORT_ABS, "10 3412 ff7f 00 00", true);
	ka_pointer_move_abs(p, 65535, 0);
	assert_next(p, KA_REPORT_ABS, "10 ff7f 0000 00 00", false);
	/* The same place again is still a move: the relative device may have been there in between. */
	ka_pointer_move_abs(p, 32767, 0);
	assert_next(p, KA_REPORT_ABS, "10 ff7f 0000 00 00", false);
	assert_idle(p);
}

static void test_button_goes_up_where_it_went_down(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_move_rel(p, 1, 0);
	assert_next(p, KA_REPORT_REL, "00 01 00 00 00", false);
	ka_pointer_button(p, 1, KA_BUTTON_LEFT, true);
	assert_next(p, KA_REPORT_REL, "01 00 00 00 00", true);
	ka_pointer_move_abs(p, 5, 6);
	assert_next(p, KA_REPORT_ABS, "00 0500 0600 00 00", false);
	/* Somebody else's press of the same button joins the one that is down. */
	ka_pointer_button(p, 2, KA_BUTTON_LEFT, true);
	assert_idle(p);
	ka_pointer_button(p, 1, KA_BUTTON_RIGHT, true);
	assert_next(p, KA_REPORT_ABS, "02 0500 0600 00 00", true);
	ka_pointer_button(p, 1, KA_BUTTON_LEFT | KA_BUTTON_RIGHT, false);
	assert_next(p, KA_REPORT_ABS, "00 0500 0600 00 00", true);
	assert_idle(p);
	ka_pointer_button(p, 2, KA_BUTTON_LEFT, false);
	assert_next(p, KA_REPORT_REL, "00 00 00 00 00", true);
	assert_idle(p);
}

static void test_repeated_and_unknown_buttons_do_nothing(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_button(p, 1, 0xe0, true);
	ka_pointer_button(p, 1, KA_BUTTON_LEFT, false);
	assert_idle(p);
	ka_pointer_button(p, 1, KA_BUTTON_MIDDLE, true);
	assert_next(p, KA_REPORT_REL, "04 00 00 00 00", true);
	ka_pointer_button(p, 1, KA_BUTTON_MIDDLE, true);
	ka_pointer_move_abs(p, 0, 0);
	assert_next(p, KA_REPORT_ABS, "00 0000 0000 00 00", false);
	ka_pointer_button(p, 1, KA_BUTTON_MIDDLE, true);
	assert_idle(p);
}

static void test_long_way_is_split(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_move_rel(p, 300, -128);
	assert_next(p, KA_REPORT_REL, "00 7f 81 00 00", false);
	assert_next(p, KA_REPORT_REL, "00 7f ff 00 00", false);
	assert_next(p, KA_REPORT_REL, "00 2e 00 00 00", false);
	assert_idle(p);
}

static void test_absurd_way_is_bounded(void **state)
{
	struct ka_pointer *p = *state;
	struct ka_report r;
	int sum = 0;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 1000; i++)
		ka_pointer_move_rel(p, 32767, -32768);
	while (ka_pointer_take(p, &r)) {
		sum += (int8_t)r.data[1];
		assert_true(++n <= 256);
	}
	assert_int_equal(sum, KA_POINTER_REL_MAX);
}

static void test_wheel_keeps_remainders(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_wheel(p, 0, 119);
	assert_idle(p);
	ka_pointer_wheel(p, 0, 1);
	assert_next(p, KA_REPORT_REL, "00 00 00 01 00", false);
	ka_pointer_wheel(p, 0, -60);
	ka_pointer_wheel(p, 30, 0);
	assert_idle(p);
	ka_pointer_wheel(p, 90, -61);
	assert_next(p, KA_REPORT_REL, "00 00 00 ff 01", false);
	/* -1 is left over. */
	ka_pointer_wheel(p, 0, -119);
	assert_next(p, KA_REPORT_REL, "00 00 00 ff 00", false);
	ka_pointer_wheel(p, -240, 0);
	assert_next(p, KA_REPORT_REL, "00 00 00 00 fe", false);
	assert_idle(p);
}

static void test_far_wheel_is_split_on_the_device_moved_last(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_move_abs(p, 1, 1);
	assert_next(p, KA_REPORT_ABS, "00 0100 0100 00 00", false);
	ka_pointer_wheel(p, 0, -32768);
	assert_next(p, KA_REPORT_ABS, "00 0100 0100 81 00", false);
	assert_next(p, KA_REPORT_ABS, "00 0100 0100 81 00", false);
	assert_next(p, KA_REPORT_ABS, "00 0100 0100 ed 00", false);
	assert_idle(p);
}

static void test_release_lets_go_of_one_source_or_all(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_button(p, 1, KA_BUTTON_LEFT, true);
	assert_next(p, KA_REPORT_REL, "01 00 00 00 00", true);
	ka_pointer_move_abs(p, 0, 0);
	ka_pointer_button(p, 2, KA_BUTTON_RIGHT, true);
	assert_next(p, KA_REPORT_ABS, "02 0000 0000 00 00", true);
	assert_true(ka_pointer_pressed(p, 1));
	ka_pointer_release_source(p, 1);
	assert_false(ka_pointer_pressed(p, 1));
	assert_true(ka_pointer_pressed(p, 2));
	assert_next(p, KA_REPORT_REL, "00 00 00 00 00", true);
	ka_pointer_release_all(p);
	assert_next(p, KA_REPORT_ABS, "00 0000 0000 00 00", true);
	assert_idle(p);
}

static void test_resend_says_what_is_known(void **state)
{
	struct ka_pointer *p = *state;

	ka_pointer_resend(p);
	assert_next(p, KA_REPORT_REL, "00 00 00 00 00", false);
	assert_idle(p);
	ka_pointer_move_abs(p, 9, 9);
	assert_next(p, KA_REPORT_ABS, "00 0900 0900 00 00", false);
	ka_pointer_resend(p);
	assert_next(p, KA_REPORT_ABS, "00 0900 0900 00 00", false);
	assert_next(p, KA_REPORT_REL, "00 00 00 00 00", false);
	assert_idle(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_click_before_any_move_does_not_move),
		TEST(test_move_then_click_are_two_reports),
		TEST(test_button_goes_up_where_it_went_down),
		TEST(test_repeated_and_unknown_buttons_do_nothing),
		TEST(test_long_way_is_split),
		TEST(test_absurd_way_is_bounded),
		TEST(test_wheel_keeps_remainders),
		TEST(test_far_wheel_is_split_on_the_device_moved_last),
		TEST(test_release_lets_go_of_one_source_or_all),
		TEST(test_resend_says_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
