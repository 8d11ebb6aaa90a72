/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts: strokes, and what else happens meanwhile. */
#include "tests/check/check.h"

#include "base/log.h"
#include "tests/fake/hands_bench.h"

static void test_text_is_typed_stroke_by_stroke(void **state)
{
	struct bench *b = *state;

	text(b, 1, "aA");
	assert_true(ka_hands_typing(&b->h));
	assert_out(b, "");
	assert_int_equal(ka_hands_tick(&b->h), 5);
	assert_out(b, "k00,04 ");
	assert_int_equal(ka_hands_tick(&b->h), 5);
	assert_out(b, "k00 ");
	assert_int_equal(ka_hands_tick(&b->h), 5);
	assert_out(b, "k02 k02,04 ");
	assert_int_equal(ka_hands_tick(&b->h), 5);
	assert_out(b, "k02 k00 ");
	assert_int_equal(ka_hands_tick(&b->h), 0);
	assert_false(ka_hands_typing(&b->h));
	assert_int_equal(ka_hands_tick(&b->h), 0);
}

static void test_text_hides_held_modifiers_and_frees_held_keys(void **state)
{
	struct bench *b = *state;

	key(b, 1, 0xe0, true);
	key(b, 1, 4, true);
	assert_out(b, "k01 k01,04 ");
	text(b, 2, "a");
	type_all(b);
	assert_out(b, "k01 k00 k00,04 k00 k01 ");
	/* Its up comes later and finds nothing to do. */
	key(b, 1, 4, false);
	assert_out(b, "");
}

static void test_keys_wait_for_the_end_of_a_text(void **state)
{
	struct bench *b = *state;

	text(b, 2, "AB");
	ka_hands_tick(&b->h);
	assert_out(b, "k02 k02,04 ");
	key(b, 1, 6, true);
	key(b, 1, 6, false);
	text(b, 1, "d");
	key(b, 2, 0x28, true);
	key(b, 2, 0x28, false);
	assert_out(b, "");
	type_all(b);
	assert_out(b, "k02 k00 k02 k02,05 k02 k00 k00,06 k00 k00,07 k00 k00,28 k00 ");
	assert_false(ka_hands_holding(&b->h));
}

static void test_buttons_do_not_wait_for_a_text(void **state)
{
	struct bench *b = *state;

	text(b, 2, "AB");
	ka_hands_tick(&b->h);
	assert_out(b, "k02 k02,04 ");
	button(b, 1, 1, true, 0);
	assert_out(b, "k02 k00 r01 ");
	button(b, 1, 1, false, 0);
	assert_out(b, "r00 ");
	type_all(b);
	assert_out(b, "k02 k02,05 k02 k00 ");
}

static void test_release_cancels_the_text_of_its_source(void **state)
{
	struct bench *b = *state;

	text(b, 1, "Abc");
	text(b, 2, "d");
	ka_hands_tick(&b->h);
	release(b, 1);
	assert_out(b, "k02 k02,04 k02 k00 ");
	assert_true(ka_hands_typing(&b->h));
	type_all(b);
	assert_out(b, "k00,07 k00 ");
	text(b, 2, "d");
	ka_hands_release_all(&b->h);
	assert_false(ka_hands_typing(&b->h));
	assert_out(b, "");
}

static void test_capslock_is_off_for_a_text_and_on_again_after(void **state)
{
	struct bench *b = *state;

	ka_hands_set_leds(&b->h, KA_LED_CAPS, true);
	text(b, 1, "ab");
	type_all(b);
	assert_out(b, "k00,39 k00 k00,04 k00 k00,05 k00 k00,39 k00 ");
	/* Cancelled half way: on again too. */
	text(b, 1, "ab");
	ka_hands_tick(&b->h);
	ka_hands_tick(&b->h);
	assert_out(b, "k00,39 k00 k00,04 k00 ");
	release(b, 1);
	assert_out(b, "k00,39 k00 ");
	assert_false(ka_hands_typing(&b->h));
}

static void test_text_of_unknown_characters_only_ends(void **state)
{
	struct bench *b = *state;

	text(b, 1, "\xe2\x82\xac\xff");
	text(b, 1, "");
	text(b, 1, "x");
	type_all(b);
	assert_out(b, "k00,1b k00 ");
}

static void test_too_many_texts_are_refused(void **state)
{
	struct bench *b = *state;

	for (unsigned int i = 0; i < KA_TYPIST_TEXTS + 3; i++)
		text(b, 1, "a");
	type_all(b);
	assert_int_equal(strlen(b->out), KA_TYPIST_TEXTS * strlen("k00,04 k00 "));
	assert_int_equal(b->notices, 3);
	assert_int_equal(b->notice.kind, KA_HID_REFUSED);
	assert_int_equal(b->notice.source, 1);
}

static void test_what_was_left_out_is_told_to_its_source(void **state)
{
	struct bench *b = *state;

	text(b, 3,
	     "a\xe2\x82\xac"
	     "b\xe2\x82\xac\xc3\xa9");
	type_all(b);
	assert_out(b, "k00,04 k00 k00,05 k00 ");
	assert_int_equal(b->notices, 1);
	assert_int_equal(b->notice.kind, KA_HID_LEFT_OUT);
	assert_int_equal(b->notice.source, 3);
	assert_int_equal(b->notice.count, 3);
	assert_int_equal(b->notice.named, 2);
	assert_int_equal(b->notice.codes[0], 0x20ac);
	assert_int_equal(b->notice.codes[1], 0xe9);
}

static void test_dead_key_and_its_base(void **state)
{
	struct bench *b = *state;

	use(b, b->de);
	text(b, 1, "\xc3\xa9\xc3\x82");
	type_all(b);
	assert_out(b, "k00,2e k00 k00,08 k00 k00,35 k00 k02 k02,04 k02 k00 ");
}

static void test_dead_key_does_not_wait_for_a_base_that_never_comes(void **state)
{
	struct bench *b = *state;

	use(b, b->de);
	text(b, 1, "\xc3\xa9x");
	ka_hands_tick(&b->h);
	assert_out(b, "k00,2e ");
	release(b, 1);
	assert_out(b, "k00 k00,08 k00 ");
	assert_false(ka_hands_typing(&b->h));
}

static void test_escape_of_another_is_a_key_like_any_other(void **state)
{
	struct bench *b = *state;

	text(b, 1, "ab");
	ka_hands_tick(&b->h);
	key(b, 2, 0x29, true);
	key(b, 2, 0x29, false);
	type_all(b);
	assert_out(b, "k00,04 k00 k00,05 k00 k00,29 k00 ");
	assert_int_equal(b->notices, 0);
}

static void test_stopped_text_takes_its_return_along(void **state)
{
	struct bench *b = *state;

	text(b, 1, "abc");
	ka_hands_tick(&b->h);
	key(b, 1, 0x28, true);
	key(b, 1, 0x28, false);
	key(b, 2, 7, true);
	assert_out(b, "k00,04 ");
	key(b, 1, 0x29, true);
	key(b, 1, 0x29, true);
	/* No Return, no Escape; the other one's key has its turn. */
	assert_out(b, "k00 k00,07 ");
	assert_int_equal(b->notice.kind, KA_HID_STOPPED);
	assert_int_equal(b->notice.source, 1);
	assert_int_equal(b->notice.count, 2);
	key(b, 1, 0x29, false);
	key(b, 2, 7, false);
	assert_out(b, "k00 ");
	/* From now on it is a key again. */
	key(b, 1, 0x29, true);
	key(b, 1, 0x29, false);
	assert_out(b, "k00,29 k00 ");
}

static void test_release_that_keeps_texts(void **state)
{
	struct bench *b = *state;
	struct ka_input e = {.kind = KA_INPUT_RELEASE, .source = 1, .release = {.keep_texts = true}};

	key(b, 1, 6, true);
	key(b, 2, 7, true);
	text(b, 1, "ab");
	key(b, 1, 8, true);
	text(b, 1, "c");
	key(b, 2, 7, false);
	assert_out(b, "k00,06 k00,06,07 ");
	ka_hands_apply(&b->h, &e);
	assert_out(b, "k00,07 ");
	type_all(b);
	assert_out(b, "k00,07,04 k00,07 k00,07,05 k00,07 k00,07,06 k00,07 k00 ");
	assert_false(ka_hands_holding(&b->h));
}

static void test_stopping_all_lets_go_of_what_was_held(void **state)
{
	struct bench *b = *state;

	key(b, 1, 6, true);
	text(b, 2, "ab");
	text(b, 3, "c");
	key(b, 1, 6, false);
	key(b, 1, 7, true);
	assert_out(b, "k00,06 ");
	ka_hands_stop_texts(&b->h, 0);
	assert_out(b, "k00 ");
	assert_false(ka_hands_typing(&b->h));
	assert_false(ka_hands_holding(&b->h));
	assert_int_equal(b->notices, 2);
}

static void test_waiting_keys_go_with_their_source(void **state)
{
	struct bench *b = *state;

	text(b, 1, "ab");
	key(b, 1, 6, true);
	key(b, 2, 7, true);
	release(b, 1);
	/* The text and the key of source 1 are gone, the other one's key has had its turn. */
	assert_out(b, "k00,07 ");
	assert_false(ka_hands_typing(&b->h));
	release(b, 2);
	assert_out(b, "k00 ");
}

static void test_too_many_waiting_keys_release_everything(void **state)
{
	struct bench *b = *state;

	key(b, 1, 0xe1, true);
	text(b, 1, "abc");
	for (unsigned int i = 0; i <= KA_WAITING_EVENTS; i++)
		key(b, 1, 6, i % 2 == 0);
	assert_false(ka_hands_typing(&b->h));
	assert_false(ka_hands_holding(&b->h));
	assert_int_equal(b->h.waiting.count, 0);
}

static void test_key_up_that_waited_is_not_lost_when_texts_are_dropped(void **state)
{
	struct bench *b = *state;

	key(b, 1, 6, true);
	text(b, 2, "a");
	key(b, 1, 6, false);
	text(b, 1, "b");
	assert_out(b, "k00,06 ");
	ka_hands_cancel_texts(&b->h);
	assert_out(b, "k00 ");
	assert_false(ka_hands_typing(&b->h));
	assert_false(ka_hands_holding(&b->h));
	/* Left behind for good: nothing leaks. */
	text(b, 2, "a");
	key(b, 1, 6, true);
	text(b, 1, "b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_text_is_typed_stroke_by_stroke),
		TEST(test_text_hides_held_modifiers_and_frees_held_keys),
		TEST(test_keys_wait_for_the_end_of_a_text),
		TEST(test_buttons_do_not_wait_for_a_text),
		TEST(test_release_cancels_the_text_of_its_source),
		TEST(test_capslock_is_off_for_a_text_and_on_again_after),
		TEST(test_text_of_unknown_characters_only_ends),
		TEST(test_too_many_texts_are_refused),
		TEST(test_what_was_left_out_is_told_to_its_source),
		TEST(test_dead_key_and_its_base),
		TEST(test_dead_key_does_not_wait_for_a_base_that_never_comes),
		TEST(test_escape_of_another_is_a_key_like_any_other),
		TEST(test_stopped_text_takes_its_return_along),
		TEST(test_stopping_all_lets_go_of_what_was_held),
		TEST(test_release_that_keeps_texts),
		TEST(test_waiting_keys_go_with_their_source),
		TEST(test_too_many_waiting_keys_release_everything),
		TEST(test_key_up_that_waited_is_not_lost_when_texts_are_dropped),
	};

	ka_log_init(2, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
