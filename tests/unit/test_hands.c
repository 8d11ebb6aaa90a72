/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events in, reports out: the rules between keys, locks, characters and the pointer. */
#include "tests/check/check.h"

#include "base/log.h"
#include "tests/fake/hands_bench.h"

#define CAPS 0x39
#define NUM 0x53

static void test_repeats_and_strays_send_nothing(void **state)
{
	struct bench *b = *state;

	key(b, 1, 4, false);
	key(b, 1, 0, true);
	key(b, 1, 0xffff, true);
	key(b, 1, 0xff, true);
	assert_out(b, "");
	key(b, 1, 4, true);
	key(b, 1, 4, true);
	key(b, 2, 4, true);
	assert_out(b, "k00,04 ");
	key(b, 1, 4, false);
	assert_out(b, "");
	key(b, 2, 4, false);
	assert_out(b, "k00 ");
}

static void test_release_of_a_source_leaves_the_others(void **state)
{
	struct bench *b = *state;

	key(b, 1, 0xe0, true);
	key(b, 2, 4, true);
	button(b, 1, 1, true, 0);
	assert_out(b, "k01 k01,04 r01 ");
	release(b, 1);
	assert_out(b, "k00,04 r00 ");
	release(b, 1);
	assert_out(b, "");
	ka_hands_release_all(&b->h);
	assert_out(b, "k00 ");
	assert_false(ka_hands_holding(&b->h));
}

static void test_hints_need_known_leds(void **state)
{
	struct bench *b = *state;

	key_hint(b, 4, true, KA_LOCK_CAPS_ON);
	key_hint(b, 4, false, KA_LOCK_CAPS_ON);
	assert_out(b, "k00,04 k00 ");
	ka_hands_set_leds(&b->h, 0, true);
	key_hint(b, 4, true, KA_LOCK_CAPS_OFF);
	key_hint(b, 4, false, KA_LOCK_CAPS_OFF);
	key_hint(b, 0x59, true, KA_LOCK_NUM_OFF);
	key_hint(b, 0x59, false, KA_LOCK_NUM_OFF);
	assert_out(b, "k00,04 k00 k00,59 k00 ");
}

static void test_differing_hint_clicks_the_lock_once(void **state)
{
	struct bench *b = *state;

	ka_hands_set_leds(&b->h, KA_LED_NUM, true);
	key_hint(b, 4, true, KA_LOCK_CAPS_ON);
	assert_out(b, "k00,39 k00 k00,04 ");
	/* The LED report is still on its way. */
	key_hint(b, 5, true, KA_LOCK_CAPS_ON);
	assert_out(b, "k00,04,05 ");
	key_hint(b, 0x59, true, KA_LOCK_NUM_OFF);
	assert_out(b, "k00,04,05,53 k00,04,05 k00,04,05,59 ");
	/* It comes: believed from now on. */
	ka_hands_set_leds(&b->h, KA_LED_NUM, true);
	key_hint(b, 6, true, KA_LOCK_NUM_OFF);
	assert_out(b, "k00,04,05,59,53 k00,04,05,59 k00,04,05,59,06 ");
	/* Released with a differing hint: nothing to do for that. */
	key_hint(b, 6, false, KA_LOCK_CAPS_ON);
	assert_out(b, "k00,04,05,59 ");
}

static void test_own_caps_key_counts_before_its_led_comes_back(void **state)
{
	struct bench *b = *state;

	ka_hands_set_leds(&b->h, 0, true);
	key(b, 1, CAPS, true);
	key(b, 1, CAPS, false);
	key_hint(b, 4, true, KA_LOCK_CAPS_ON);
	assert_out(b, "k00,39 k00 k00,04 ");
	/* While somebody holds the lock key it cannot be clicked. */
	key(b, 2, NUM, true);
	key_hint(b, 0x59, true, KA_LOCK_NUM_OFF);
	assert_out(b, "k00,04,53 k00,04,53,59 ");
}

static void test_char_gets_exactly_its_shift(void **state)
{
	struct bench *b = *state;

	chr(b, 'A', true);
	assert_out(b, "k02 k02,04 ");
	chr(b, 'A', true);
	assert_out(b, "");
	chr(b, 'A', false);
	assert_out(b, "k02 k00 ");
	/* The Shift a person holds is hidden for the stroke and comes back. */
	key(b, 1, 0xe5, true);
	chr(b, 'a', true);
	assert_out(b, "k20 k00 k00,04 ");
	chr(b, 'a', false);
	assert_out(b, "k00 k20 ");
	chr(b, '!', true);
	chr(b, '!', false);
	assert_out(b, "k22 k22,1e k22 k20 ");
}

static void test_rolling_chars_do_not_leak_shift(void **state)
{
	struct bench *b = *state;

	chr(b, 'A', true);
	chr(b, 'b', true);
	assert_out(b, "k02 k02,04 k00,04 k00,04,05 ");
	chr(b, 'A', false);
	chr(b, 'b', false);
	assert_out(b, "k00,05 k00 ");
	/* The same key twice without an up in between: the host sees two strokes. */
	chr(b, 'a', true);
	chr(b, 'A', true);
	assert_out(b, "k00,04 k00 k02 k02,04 ");
	/* A real key in between shows the host the real modifiers. */
	key(b, 1, 6, true);
	assert_out(b, "k00,04 k00,04,06 ");
	chr(b, 'A', false);
	key(b, 1, 6, false);
	assert_out(b, "k00,06 k00 ");
}

static void test_chars_with_ctrl_are_shortcuts(void **state)
{
	struct bench *b = *state;

	key(b, 1, 0xe0, true);
	assert_out(b, "k01 ");
	/* Upper case by the client's CapsLock: still Ctrl+C. */
	chr(b, 'C', true);
	chr(b, 'C', false);
	assert_out(b, "k01,06 k01 ");
	/* Ctrl+Shift+T keeps the Shift that is held. */
	key(b, 1, 0xe1, true);
	chr(b, 'T', true);
	chr(b, 'T', false);
	assert_out(b, "k03 k03,17 k03 ");
	/* A sign needs what it needs: '+' with, '/' without. */
	chr(b, '/', true);
	chr(b, '/', false);
	assert_out(b, "k01 k01,38 k01 k03 ");
	key(b, 1, 0xe1, false);
	chr(b, '+', true);
	chr(b, '+', false);
	assert_out(b, "k01 k03 k03,2e k03 k01 ");
}

static void test_altgr_chars(void **state)
{
	struct bench *b = *state;

	use(b, b->de);
	chr(b, 0x20ac, true);
	chr(b, 0x20ac, false);
	assert_out(b, "k40 k40,08 k40 k00 ");
	/* AltGr held by the person is no shortcut here, and hidden from characters that do not want it. */
	key(b, 1, 0xe6, true);
	chr(b, 'E', true);
	chr(b, 'E', false);
	assert_out(b, "k40 k02 k02,08 k02 k40 ");
	/* Where the layout has no AltGr the right Alt is a shortcut like the left one. */
	release(b, 1);
	assert_out(b, "k00 ");
	use(b, b->us);
	key(b, 1, 0xe6, true);
	chr(b, 'E', true);
	chr(b, 'E', false);
	assert_out(b, "k40 k40,08 k40 ");
}

static void test_untypable_char_does_nothing(void **state)
{
	struct bench *b = *state;

	chr(b, 0x20ac, true);
	chr(b, 0x20ac, false);
	chr(b, 0xffffffff, true);
	chr(b, 'x', false);
	assert_out(b, "");
	/* Told, but not once for each repetition. */
	assert_int_equal(b->notices, 2);
	chr(b, 0x20ac, true);
	chr(b, 0x20ac, true);
	assert_int_equal(b->notices, 3);
	assert_int_equal(b->notice.codes[0], 0x20ac);
}

static void test_char_of_two_strokes(void **state)
{
	struct bench *b = *state;

	use(b, b->de);
	chr(b, 0xe9, true);
	assert_out(b, "k00,2e k00 k00,08 ");
	chr(b, 0xe9, true);
	chr(b, 0xe9, false);
	assert_out(b, "k00 ");
	key(b, 1, 0xe1, true);
	chr(b, 0xe0, true);
	assert_out(b, "k02 k02,2e k02 k00 k00,04 ");
	chr(b, 0xe0, false);
	key(b, 1, 0xe1, false);
	assert_out(b, "k00 k02 k00 ");
	assert_false(ka_hands_holding(&b->h));
}

static void test_char_of_a_level_that_an_ordinary_key_shifts_to(void **state)
{
	struct bench *b = *state;
	struct ka_layout *neo;

	assert_int_equal(ka_layout_new(&neo, "de(neo)", KA_DEAD_COMMON, NULL), 0);
	use(b, neo);
	chr(b, '{', true);
	assert_out(b, "k00,39 k00,39,07 k00,39 k00 ");
	chr(b, '{', false);
	text(b, 1, "{");
	type_all(b);
	assert_out(b, "k00,39 k00,39,07 k00,39 k00 ");
	/* That CapsLock locks nothing: its LED is not believed. */
	ka_hands_set_leds(&b->h, KA_LED_CAPS, true);
	text(b, 1, "{");
	type_all(b);
	assert_out(b, "k00,39 k00,39,07 k00,39 k00 ");
	use(b, b->us);
	ka_layout_free(neo);
}

static void test_capslock_of_japan_takes_shift(void **state)
{
	struct bench *b = *state;
	struct ka_layout *jp;

	assert_int_equal(ka_layout_new(&jp, "jp", KA_DEAD_COMMON, NULL), 0);
	use(b, jp);
	ka_hands_set_leds(&b->h, 0, true);
	key_hint(b, 4, true, KA_LOCK_CAPS_ON);
	assert_out(b, "k02 k02,39 k02 k00 k00,04 ");
	key_hint(b, 4, false, KA_LOCK_NONE);
	/* Alone it is another key: letters stay as they are. */
	key(b, 1, 0x39, true);
	key(b, 1, 0x39, false);
	assert_out(b, "k00 k00,39 k00 ");
	key_hint(b, 4, true, KA_LOCK_CAPS_ON);
	assert_out(b, "k00,04 ");
	use(b, b->us);
	ka_layout_free(jp);
}

static void test_shortcut_whose_letter_the_layout_lacks(void **state)
{
	struct bench *b = *state;
	struct ka_layout *ru;

	assert_int_equal(ka_layout_new(&ru, "ru", KA_DEAD_COMMON, NULL), 0);
	use(b, ru);
	key(b, 1, 0xe0, true);
	chr(b, 'c', true);
	assert_out(b, "k01 k01,06 ");
	/* Ctrl goes up first. */
	key(b, 1, 0xe0, false);
	chr(b, 'c', false);
	assert_out(b, "k00,06 k00 ");
	assert_int_equal(b->notices, 0);
	chr(b, 'c', true);
	assert_out(b, "");
	assert_int_equal(b->notices, 1);
	use(b, b->us);
	ka_layout_free(ru);
}

static void test_char_turns_capslock_off_first(void **state)
{
	struct bench *b = *state;

	ka_hands_set_leds(&b->h, KA_LED_CAPS, true);
	chr(b, '\n', true);
	chr(b, '\n', false);
	assert_out(b, "k00,28 k00 ");
	chr(b, 'a', true);
	chr(b, 'a', false);
	assert_out(b, "k00,39 k00 k00,04 k00 ");
	chr(b, 'b', true);
	chr(b, 'b', false);
	assert_out(b, "k00,05 k00 ");
}

static void test_release_lifts_a_char_and_its_shift(void **state)
{
	struct bench *b = *state;

	chr(b, 'A', true);
	release(b, 1);
	assert_out(b, "k02 k02,04 k00,04 k00 ");
	assert_false(ka_hands_holding(&b->h));
}

static void test_click_brings_its_modifiers(void **state)
{
	struct bench *b = *state;

	button(b, 1, 1, true, KA_MOD_LCTRL | KA_MOD_LSHIFT);
	assert_out(b, "k03 r01 ");
	button(b, 1, 1, false, 0);
	assert_out(b, "r00 k00 ");
	/* What is held already is neither pressed nor let go. */
	key(b, 1, 0xe0, true);
	button(b, 1, 2, true, KA_MOD_LCTRL);
	button(b, 1, 2, false, KA_MOD_LCTRL);
	assert_out(b, "k01 r02 r00 ");
	/* The key may go up before the button does. */
	key(b, 1, 0xe0, false);
	button(b, 1, 1, true, KA_MOD_LALT);
	key(b, 1, 0xe2, true);
	key(b, 1, 0xe2, false);
	assert_out(b, "k00 k04 r01 ");
	release(b, 1);
	assert_out(b, "k00 r00 ");
}

static void test_resend_says_everything(void **state)
{
	struct bench *b = *state;
	struct ka_input move = {.kind = KA_INPUT_MOVE_ABS, .source = 1, .pos = {5, 5}};
	struct ka_input media = {.kind = KA_INPUT_CONSUMER, .source = 1, .key = {.usage = 0xe9, .down = true}};

	key(b, 1, 0xe0, true);
	ka_hands_apply(&b->h, &move);
	button(b, 1, 4, true, 0);
	ka_hands_apply(&b->h, &media);
	assert_out(b, "k01 a00 a04 ce9 ");
	ka_hands_resend(&b->h);
	assert_out(b, "k01 a04 r00 ce9 c00 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_repeats_and_strays_send_nothing),
		TEST(test_release_of_a_source_leaves_the_others),
		TEST(test_hints_need_known_leds),
		TEST(test_differing_hint_clicks_the_lock_once),
		TEST(test_own_caps_key_counts_before_its_led_comes_back),
		TEST(test_char_gets_exactly_its_shift),
		TEST(test_rolling_chars_do_not_leak_shift),
		TEST(test_chars_with_ctrl_are_shortcuts),
		TEST(test_altgr_chars),
		TEST(test_untypable_char_does_nothing),
		TEST(test_char_of_two_strokes),
		TEST(test_char_of_a_level_that_an_ordinary_key_shifts_to),
		TEST(test_capslock_of_japan_takes_shift),
		TEST(test_shortcut_whose_letter_the_layout_lacks),
		TEST(test_char_turns_capslock_off_first),
		TEST(test_release_lifts_a_char_and_its_shift),
		TEST(test_click_brings_its_modifiers),
		TEST(test_resend_says_everything),
	};

	ka_log_init(2, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
