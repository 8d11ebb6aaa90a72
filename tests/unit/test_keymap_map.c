/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Map and Translate mode: every code of both platforms. */
#include "tests/check/check.h"

#include "rustdesk/session/keymap.h"
#include "tests/unit/keymap_rows_table.h"

#define CAPS_LOCK 3
#define NUM_LOCK 63

static struct ka_key_event map_event(int32_t code, bool down)
{
	return (struct ka_key_event){.mode = KA_KEY_MAP, .what = KA_KEY_CHR, .code = code, .down = down};
}

struct wanted {
	enum ka_input_kind kind;
	uint16_t usage;
};

static void expect_rows(struct wanted *all, enum ka_key_codes codes, enum ka_input_kind kind,
			const struct key_names *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t code = codes == KA_CODES_X11	 ? rows[i].x11
				: codes == KA_CODES_SET1 ? rows[i].set1
							 : rows[i].mac;

		if (codes == KA_CODES_MAC ? code != NO_MAC : code)
			all[code] = (struct wanted){.kind = kind, .usage = rows[i].usage};
	}
}

static void check_every_code(enum ka_key_codes codes)
{
	struct wanted *all = calloc(0x10000, sizeof(*all));
	struct ka_keymap m;

	assert_non_null(all);
	expect_rows(all, codes, KA_INPUT_KEY, keyboard_rows, KA_ARRAY_LEN(keyboard_rows));
	expect_rows(all, codes, KA_INPUT_CONSUMER, consumer_rows, KA_ARRAY_LEN(consumer_rows));
	expect_rows(all, codes, KA_INPUT_SYSTEM, system_rows, KA_ARRAY_LEN(system_rows));
	for (int32_t code = 0; code < 0x10000; code++) {
		for (int down = 1; down >= 0; down--) {
			struct ka_key_event e = map_event(code, down);
			struct ka_input out[KA_KEYMAP_OUT];
			size_t n;

			ka_keymap_init(&m, codes);
			n = ka_keymap_translate(&m, &e, out);
			if (n != (all[code].usage ? 1 : 0) ||
			    (n && (out[0].kind != all[code].kind || out[0].key.usage != all[code].usage ||
				   out[0].key.down != down)))
				fail_msg("codes %d: code %#x", codes, (unsigned int)code);
		}
	}
	free(all);
}

static void test_every_x11_code(void **state)
{
	(void)state;
	check_every_code(KA_CODES_X11);
}

static void test_every_set1_code(void **state)
{
	(void)state;
	check_every_code(KA_CODES_SET1);
}

static void test_every_mac_code(void **state)
{
	(void)state;
	check_every_code(KA_CODES_MAC);
}

static void test_codes_beyond_any_keyboard_are_ignored(void **state)
{
	static const int32_t codes[] = {-1, INT32_MIN, INT32_MAX, 0x10000 + 38, 0x10000 + 0x1e, 0x7fff0026};
	struct ka_input out[KA_KEYMAP_OUT];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(codes); i++) {
		struct ka_key_event e = map_event(codes[i], true);
		struct ka_keymap m;

		ka_keymap_init(&m, KA_CODES_X11);
		assert_int_equal(ka_keymap_translate(&m, &e, out), 0);
		ka_keymap_init(&m, KA_CODES_SET1);
		assert_int_equal(ka_keymap_translate(&m, &e, out), 0);
	}
}

static void test_translate_counts_the_low_half_only(void **state)
{
	struct ka_key_event e = map_event(0x41 << 16 | 38, true);
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_keymap m;

	(void)state;
	e.mode = KA_KEY_TRANSLATE;
	ka_keymap_init(&m, KA_CODES_X11);
	assert_int_equal(ka_keymap_translate(&m, &e, out), 1);
	assert_int_equal(out[0].key.usage, 0x04);
	e.code = 0x41 << 16 | 0x1e;
	ka_keymap_init(&m, KA_CODES_SET1);
	assert_int_equal(ka_keymap_translate(&m, &e, out), 1);
	assert_int_equal(out[0].key.usage, 0x04);
	/* The release of a key whose press came as text: let go of, harmless. */
	e.down = false;
	assert_int_equal(ka_keymap_translate(&m, &e, out), 1);
	assert_false(out[0].key.down);
}

static void test_repeats_are_passed_on_as_they_come(void **state)
{
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_keymap m;

	(void)state;
	ka_keymap_init(&m, KA_CODES_X11);
	for (int i = 0; i < 100; i++) {
		struct ka_key_event e = map_event(38, true);

		assert_int_equal(ka_keymap_translate(&m, &e, out), 1);
		assert_true(out[0].key.down);
	}
}

static void test_press_is_a_click(void **state)
{
	struct ka_key_event e = map_event(38, false);
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_keymap m;

	(void)state;
	e.press = true;
	ka_keymap_init(&m, KA_CODES_X11);
	assert_int_equal(ka_keymap_translate(&m, &e, out), 2);
	assert_true(out[0].key.down);
	assert_false(out[1].key.down);
	assert_int_equal(out[0].key.usage, out[1].key.usage);
}

static uint8_t hint_of(int32_t code, bool down, const int32_t *modifiers, size_t n)
{
	struct ka_key_event e = map_event(code, down);
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_keymap m;

	e.modifiers = modifiers;
	e.n_modifiers = n;
	ka_keymap_init(&m, KA_CODES_X11);
	assert_int_equal(ka_keymap_translate(&m, &e, out), 1);
	return out[0].key.hint;
}

static void test_lock_states_come_with_the_keys_that_depend_on_them(void **state)
{
	static const int32_t caps[] = {CAPS_LOCK};
	static const int32_t num[] = {NUM_LOCK};
	static const int32_t both[] = {NUM_LOCK, CAPS_LOCK};
	/* a z q [ ] ; ' , . */
	static const int32_t letters[] = {38, 52, 24, 34, 35, 47, 48, 59, 60};
	/* 7 8 9 - 4 5 6 + 1 2 3 0 . / * of the keypad */
	static const int32_t keypad[] = {79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 106, 63};
	/* Esc 1 - = Backspace Tab Enter Ctrl ` Shift \ / Space CapsLock F1 NumLock ScrollLock KP-Enter Up */
	static const int32_t others[] = {9, 10, 20, 21, 22, 23, 36, 37, 49, 50, 51, 61, 65, 66, 67, 77, 78, 104, 111};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(letters); i++) {
		assert_int_equal(hint_of(letters[i], true, NULL, 0), KA_LOCK_CAPS_OFF);
		assert_int_equal(hint_of(letters[i], true, num, 1), KA_LOCK_CAPS_OFF);
		assert_int_equal(hint_of(letters[i], true, caps, 1), KA_LOCK_CAPS_ON);
		assert_int_equal(hint_of(letters[i], true, both, 2), KA_LOCK_CAPS_ON);
		assert_int_equal(hint_of(letters[i], false, both, 2), KA_LOCK_NONE);
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(keypad); i++) {
		assert_int_equal(hint_of(keypad[i], true, NULL, 0), KA_LOCK_NUM_OFF);
		assert_int_equal(hint_of(keypad[i], true, caps, 1), KA_LOCK_NUM_OFF);
		assert_int_equal(hint_of(keypad[i], true, both, 2), KA_LOCK_NUM_ON);
		assert_int_equal(hint_of(keypad[i], false, both, 2), KA_LOCK_NONE);
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(others); i++)
		assert_int_equal(hint_of(others[i], true, both, 2), KA_LOCK_NONE);
}

static void test_text_is_told_apart(void **state)
{
	struct ka_key_event e = {.mode = KA_KEY_TRANSLATE, .what = KA_KEY_SEQ, .seq = "abc", .down = true};
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_keymap m;

	(void)state;
	ka_keymap_init(&m, KA_CODES_X11);
	assert_true(ka_keymap_is_text(&m, &e));
	assert_int_equal(ka_keymap_translate(&m, &e, out), 0);
	e.what = KA_KEY_NOTHING;
	assert_false(ka_keymap_is_text(&m, &e));
	assert_int_equal(ka_keymap_translate(&m, &e, out), 0);
	e = map_event(38, true);
	assert_false(ka_keymap_is_text(&m, &e));
}

static void test_names_in_the_table_are_unique(void **state)
{
	(void)state;
	for (size_t a = 0; a < ka_key_table_len; a++) {
		for (size_t b = 0; b < a; b++) {
			const struct ka_key_row *x = &ka_key_table[a];
			const struct ka_key_row *y = &ka_key_table[b];

			if (x->evdev == y->evdev || (x->mac != KA_KEY_NO_MAC && x->mac == y->mac) ||
			    (x->page == y->page && x->usage == y->usage))
				fail_msg("rows %zu and %zu", a, b);
			for (int i = 0; i < 4; i++) {
				uint16_t set1 = x->set1[i / 2];
				uint8_t control = x->control[i / 2];

				if ((set1 && set1 == y->set1[i % 2]) || (control && control == y->control[i % 2]))
					fail_msg("rows %zu and %zu", a, b);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_x11_code),
		cmocka_unit_test(test_every_set1_code),
		cmocka_unit_test(test_every_mac_code),
		cmocka_unit_test(test_codes_beyond_any_keyboard_are_ignored),
		cmocka_unit_test(test_translate_counts_the_low_half_only),
		cmocka_unit_test(test_repeats_are_passed_on_as_they_come),
		cmocka_unit_test(test_press_is_a_click),
		cmocka_unit_test(test_lock_states_come_with_the_keys_that_depend_on_them),
		cmocka_unit_test(test_text_is_told_apart),
		cmocka_unit_test(test_names_in_the_table_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
