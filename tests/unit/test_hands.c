/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events in, reports out: the rules between keyboard, locks, characters, texts and pointer. */
#include "tests/check/check.h"

#include <stdio.h>

#include "base/log.h"
#include "hid/hands.h"

#define CAPS 0x39
#define NUM 0x53

struct bench {
	struct ka_layout *us, *de;
	struct ka_hands h;
	char out[8192]; /* "k:0200.." "a:" "r:" "c:" */
};

static void on_emit(void *arg, const struct ka_report *r)
{
	struct bench *b = arg;
	size_t len = strlen(b->out);

	if (r->function == KA_REPORT_KEYBOARD) {
		/* Modifiers and the keys that are there. */
		len += (size_t)snprintf(b->out + len, sizeof(b->out) - len, "k%02x", r->data[0]);
		for (unsigned int i = 2; i < 8 && r->data[i]; i++)
			len += (size_t)snprintf(b->out + len, sizeof(b->out) - len, ",%02x", r->data[i]);
		snprintf(b->out + len, sizeof(b->out) - len, " ");
		return;
	}
	snprintf(b->out + len, sizeof(b->out) - len, "%c%02x ", "?arc"[r->function],
		 r -> function == KA_REPORT_CONTROL ? r -> data[1] : r -> data[0]);
}

static void use(struct bench *b, struct ka_layout *l)
{
	ka_hands_fini(&b->h);
	ka_hands_init(&b->h, &(struct ka_hands_cfg){.layout = l, .type_interval_ms = 10, .emit = on_emit, .arg = b});
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(ka_layout_new(&b->us, "us", NULL), 0);
	assert_int_equal(ka_layout_new(&b->de, "de", NULL), 0);
	use(b, b->us);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	ka_hands_fini(&b->h);
	ka_layout_free(b->us);
	ka_layout_free(b->de);
	free(b);
	return 0;
}

static void assert_out(struct bench *b, const char *expected)
{
	assert_string_equal(b->out, expected);
	b->out[0] = '\0';
}

static void key(struct bench *b, uint32_t source, uint16_t usage, bool down)
{
	struct ka_input e = {.kind = KA_INPUT_KEY, .source = source, .key = {.usage = usage, .down = down}};

	ka_hands_apply(&b->h, &e);
}

static void key_hint(struct bench *b, uint16_t usage, bool down, enum ka_lock_hint hint)
{
	struct ka_input e = {
		.kind = KA_INPUT_KEY, .source = 1, .key = {.usage = usage, .down = down, .hint = (uint8_t)hint}};

	ka_hands_apply(&b->h, &e);
}

static void chr(struct bench *b, uint32_t cp, bool down)
{
	struct ka_input e = {.kind = KA_INPUT_CHAR, .source = 1, .chr = {.cp = cp, .down = down}};

	ka_hands_apply(&b->h, &e);
}

static void text(struct bench *b, uint32_t source, const char *utf8)
{
	struct ka_input e = {.kind = KA_INPUT_TEXT, .source = source, .text = {.utf8 = strdup(utf8)}};

	ka_hands_apply(&b->h, &e);
}

static void button(struct bench *b, uint32_t source, uint8_t mask, bool down, uint8_t mods)
{
	struct ka_input e = {
		.kind = KA_INPUT_BUTTON, .source = source, .button = {.mask = mask, .down = down, .mods = mods}};

	ka_hands_apply(&b->h, &e);
}

static void release(struct bench *b, uint32_t source)
{
	struct ka_input e = {.kind = KA_INPUT_RELEASE, .source = source};

	ka_hands_apply(&b->h, &e);
}

static void type_all(struct bench *b)
{
	unsigned int ticks = 0;

	while (ka_hands_tick(&b->h))
		assert_true(++ticks < 10000);
	assert_false(ka_hands_typing(&b->h));
}

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
		TEST(test_char_turns_capslock_off_first),
		TEST(test_release_lifts_a_char_and_its_shift),
		TEST(test_text_is_typed_stroke_by_stroke),
		TEST(test_text_hides_held_modifiers_and_frees_held_keys),
		TEST(test_keys_wait_for_the_end_of_a_text),
		TEST(test_buttons_do_not_wait_for_a_text),
		TEST(test_waiting_keys_go_with_their_source),
		TEST(test_too_many_waiting_keys_release_everything),
		TEST(test_release_cancels_the_text_of_its_source),
		TEST(test_capslock_is_off_for_a_text_and_on_again_after),
		TEST(test_text_of_unknown_characters_only_ends),
		TEST(test_too_many_texts_are_refused),
		TEST(test_click_brings_its_modifiers),
		TEST(test_resend_says_everything),
	};

	ka_log_init(2, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
