/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "agent/arbiter.h"
#include "base/clock.h"

#define HOLD_MS 1500
#define T0 KA_SEC(5000)
#define ANN 7u
#define BOB 9u

static bool key(struct ka_arbiter *a, uint32_t who, bool down, int64_t at_ms)
{
	return ka_arbiter_pass(
		a, &(struct ka_input){.kind = KA_INPUT_KEY, .source = who, .key = {.usage = 4, .down = down}},
		T0 + KA_MS(at_ms));
}

static bool chr(struct ka_arbiter *a, uint32_t who, bool down, int64_t at_ms)
{
	return ka_arbiter_pass(
		a, &(struct ka_input){.kind = KA_INPUT_CHAR, .source = who, .chr = {.cp = 97, .down = down}},
		T0 + KA_MS(at_ms));
}

static bool button(struct ka_arbiter *a, uint32_t who, uint8_t mask, bool down)
{
	return ka_arbiter_pass(
		a, &(struct ka_input){.kind = KA_INPUT_BUTTON, .source = who, .button = {.mask = mask, .down = down}},
		T0);
}

static bool other(struct ka_arbiter *a, uint32_t who, enum ka_input_kind kind, int64_t at_ms)
{
	return ka_arbiter_pass(a, &(struct ka_input){.kind = kind, .source = who}, T0 + KA_MS(at_ms));
}

static void test_releases_and_key_ups_always_pass(void **state)
{
	struct ka_arbiter a;

	(void)state;
	ka_arbiter_init(&a, HOLD_MS);
	assert_true(key(&a, BOB, true, 0));
	assert_true(button(&a, BOB, KA_BUTTON_LEFT, true));
	assert_true(key(&a, ANN, false, 1));
	assert_true(chr(&a, ANN, false, 1));
	assert_true(button(&a, ANN, KA_BUTTON_LEFT, false));
	assert_true(other(&a, ANN, KA_INPUT_RELEASE, 1));
	/* None of it took anything from Bob. */
	assert_false(key(&a, ANN, true, 2));
	assert_false(other(&a, ANN, KA_INPUT_MOVE_ABS, 2));
}

static void test_who_typed_last_holds_the_keyboard_for_a_while(void **state)
{
	struct ka_arbiter a;

	(void)state;
	ka_arbiter_init(&a, HOLD_MS);
	assert_true(key(&a, ANN, true, 0));
	assert_true(key(&a, ANN, false, 100));
	assert_false(key(&a, BOB, true, 200));
	assert_false(chr(&a, BOB, true, 300));
	assert_false(other(&a, BOB, KA_INPUT_TEXT, 400));
	/* Trying does not prolong it; typing does, letting go does not. */
	assert_true(chr(&a, ANN, true, 1000));
	assert_true(chr(&a, ANN, false, 2400));
	assert_false(key(&a, BOB, true, 2499));
	assert_true(key(&a, BOB, true, 2500));
	assert_false(key(&a, ANN, true, 2501));
	assert_true(other(&a, ANN, KA_INPUT_TEXT, 4000));
	assert_false(key(&a, BOB, true, 4001));
	/* The pointer is another matter. */
	assert_true(other(&a, BOB, KA_INPUT_MOVE_ABS, 4002));
	/* Who leaves takes nothing along. */
	assert_true(other(&a, ANN, KA_INPUT_RELEASE, 4003));
	assert_true(key(&a, BOB, true, 4004));
}

static void test_nobody_moves_the_pointer_in_a_drag_of_somebody_else(void **state)
{
	static const enum ka_input_kind moves[] = {KA_INPUT_MOVE_ABS, KA_INPUT_MOVE_REL, KA_INPUT_WHEEL};
	struct ka_arbiter a;

	(void)state;
	ka_arbiter_init(&a, HOLD_MS);
	assert_true(button(&a, ANN, KA_BUTTON_LEFT, true));
	assert_true(button(&a, ANN, KA_BUTTON_RIGHT, true));
	for (size_t i = 0; i < KA_ARRAY_LEN(moves); i++) {
		assert_true(other(&a, ANN, moves[i], 10000));
		assert_false(other(&a, BOB, moves[i], 10000));
	}
	assert_false(button(&a, BOB, KA_BUTTON_MIDDLE, true));
	assert_true(button(&a, ANN, KA_BUTTON_LEFT, false));
	assert_false(other(&a, BOB, KA_INPUT_MOVE_ABS, 10001));
	assert_true(button(&a, ANN, KA_BUTTON_RIGHT, false));
	assert_true(other(&a, BOB, KA_INPUT_MOVE_ABS, 10002));
	assert_true(button(&a, BOB, KA_BUTTON_LEFT, true));
	assert_false(other(&a, ANN, KA_INPUT_MOVE_ABS, 10003));
	/* A session that ends in a drag. */
	assert_true(other(&a, BOB, KA_INPUT_RELEASE, 10004));
	assert_true(other(&a, ANN, KA_INPUT_MOVE_ABS, 10005));
}

static void test_zero_lets_everything_pass(void **state)
{
	struct ka_arbiter a;

	(void)state;
	ka_arbiter_init(&a, 0);
	assert_true(key(&a, ANN, true, 0));
	assert_true(key(&a, BOB, true, 0));
	assert_true(button(&a, ANN, KA_BUTTON_LEFT, true));
	assert_true(other(&a, BOB, KA_INPUT_MOVE_ABS, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_releases_and_key_ups_always_pass),
		cmocka_unit_test(test_who_typed_last_holds_the_keyboard_for_a_while),
		cmocka_unit_test(test_nobody_moves_the_pointer_in_a_drag_of_somebody_else),
		cmocka_unit_test(test_zero_lets_everything_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
