/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "hid/control.h"
#include "hid/keyboard.h"

static void assert_keys(const struct ka_keyboard *k, const char *hex)
{
	struct ka_report r;

	ka_keyboard_report(k, &r);
	assert_hex(r.data, r.len, hex);
}

static void test_keyboard_knows_its_usages(void **state)
{
	(void)state;
	assert_false(ka_keyboard_has(0));
	assert_false(ka_keyboard_has(3));
	assert_true(ka_keyboard_has(4));
	assert_true(ka_keyboard_has(0xdd));
	assert_false(ka_keyboard_has(0xde));
	assert_true(ka_keyboard_has(0xe0));
	assert_true(ka_keyboard_has(0xe7));
	assert_false(ka_keyboard_has(0xe8));
	assert_false(ka_keyboard_has(0x104));
}

static void test_key_stays_down_while_any_source_holds_it(void **state)
{
	struct ka_keyboard k = {0};

	(void)state;
	assert_true(ka_keyboard_press(&k, 1, 4));
	assert_false(ka_keyboard_press(&k, 1, 4));
	assert_true(ka_keyboard_press(&k, 2, 4));
	assert_keys(&k, "00 00 04 00 00 00 00 00");
	assert_true(ka_keyboard_release(&k, 1, 4));
	assert_false(ka_keyboard_release(&k, 1, 4));
	assert_keys(&k, "00 00 04 00 00 00 00 00");
	assert_true(ka_keyboard_release(&k, 2, 4));
	assert_keys(&k, "00 00 00 00 00 00 00 00");
}

static void test_seven_keys_roll_over_and_come_back(void **state)
{
	struct ka_keyboard k = {0};

	(void)state;
	for (uint16_t usage = 4; usage < 10; usage++)
		ka_keyboard_press(&k, 1, usage);
	ka_keyboard_press(&k, 2, 5);
	ka_keyboard_press(&k, 1, 0xe1);
	assert_keys(&k, "02 00 04 05 06 07 08 09");
	ka_keyboard_press(&k, 1, 10);
	assert_keys(&k, "02 00 01 01 01 01 01 01");
	ka_keyboard_release(&k, 1, 4);
	assert_keys(&k, "02 00 05 06 07 08 09 0a");
}

static void test_one_source_lets_go_of_its_own_only(void **state)
{
	struct ka_keyboard k = {0};

	(void)state;
	ka_keyboard_press(&k, 1, 4);
	ka_keyboard_press(&k, 2, 5);
	ka_keyboard_press(&k, 1, 0xe0);
	ka_keyboard_press(&k, 2, 0xe0 | KA_KEYBOARD_FOR_CLICK);
	assert_true(ka_keyboard_release_source(&k, 1));
	assert_false(ka_keyboard_release_source(&k, 1));
	assert_keys(&k, "01 00 05 00 00 00 00 00");
	assert_true(ka_keyboard_release_source(&k, 2));
	assert_keys(&k, "00 00 00 00 00 00 00 00");
}

static void test_shape_adds_and_hides_modifiers(void **state)
{
	struct ka_keyboard k = {0};

	(void)state;
	ka_keyboard_press(&k, 1, 0xe0);
	ka_keyboard_press(&k, 1, 0xe5);
	assert_true(ka_keyboard_shape(&k, 0x02, 0x20));
	assert_false(ka_keyboard_shape(&k, 0x02, 0x20));
	assert_int_equal(ka_keyboard_mods(&k), 0x21);
	assert_keys(&k, "03 00 00 00 00 00 00 00");
	/* What is added is sent though hidden. */
	ka_keyboard_shape(&k, 0x02, 0xff);
	assert_keys(&k, "02 00 00 00 00 00 00 00");
	ka_keyboard_shape(&k, 0, 0);
	assert_keys(&k, "21 00 00 00 00 00 00 00");
}

static void test_full_table_refuses_and_recovers(void **state)
{
	struct ka_keyboard k = {0};

	(void)state;
	for (uint32_t source = 1; source <= KA_HOLDS_MAX; source++)
		assert_true(ka_keyboard_press(&k, source, 4));
	assert_false(ka_keyboard_press(&k, 1, 5));
	assert_false(ka_keyboard_release(&k, 1, 5));
	for (uint32_t source = 1; source <= KA_HOLDS_MAX; source++)
		assert_true(ka_keyboard_release_source(&k, source));
	assert_keys(&k, "00 00 00 00 00 00 00 00");
	assert_true(ka_keyboard_press(&k, 1, 5));
}

static void assert_control(struct ka_control *c, const char *hex)
{
	struct ka_report r;

	assert_true(ka_control_take(c, &r));
	assert_hex(r.data, r.len, hex);
	assert_false(ka_control_take(c, &r));
}

static void test_control_shows_the_key_pressed_last(void **state)
{
	struct ka_control c = {0};
	struct ka_report r;

	(void)state;
	assert_false(ka_control_take(&c, &r));
	ka_control_consumer(&c, 1, 0xe9, true);
	assert_control(&c, "01 e900");
	ka_control_consumer(&c, 2, 0xe2, true);
	assert_control(&c, "01 e200");
	ka_control_consumer(&c, 2, 0xe2, false);
	assert_control(&c, "01 e900");
	ka_control_system(&c, 1, 0x82, true);
	assert_control(&c, "02 02");
	ka_control_release_source(&c, 2);
	assert_false(ka_control_take(&c, &r));
	ka_control_release_source(&c, 1);
	assert_true(ka_control_take(&c, &r));
	assert_hex(r.data, r.len, "01 0000");
	assert_control(&c, "02 00");
}

static void test_control_ignores_what_it_does_not_have(void **state)
{
	struct ka_control c = {0};
	struct ka_report r;

	(void)state;
	ka_control_consumer(&c, 1, 0, true);
	ka_control_consumer(&c, 1, 0x400, true);
	ka_control_system(&c, 1, 0x80, true);
	ka_control_system(&c, 1, 0x84, true);
	ka_control_system(&c, 1, 0x81, false);
	assert_false(ka_control_take(&c, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keyboard_knows_its_usages),
		cmocka_unit_test(test_key_stays_down_while_any_source_holds_it),
		cmocka_unit_test(test_seven_keys_roll_over_and_come_back),
		cmocka_unit_test(test_one_source_lets_go_of_its_own_only),
		cmocka_unit_test(test_shape_adds_and_hides_modifiers),
		cmocka_unit_test(test_full_table_refuses_and_recovers),
		cmocka_unit_test(test_control_shows_the_key_pressed_last),
		cmocka_unit_test(test_control_ignores_what_it_does_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
