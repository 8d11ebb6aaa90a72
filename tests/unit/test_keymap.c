/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Legacy mode, control keys, modifiers and the actions of the client's menu. */
#include "tests/check/check.h"

#include <stdio.h>

#include "rustdesk/session/keymap.h"

enum {
	CK_ALT = 1,
	CK_CAPS_LOCK = 3,
	CK_CONTROL = 4,
	CK_DELETE = 5,
	CK_META = 23,
	CK_SHIFT = 29,
	CK_NUM_LOCK = 63,
	CK_RWIN = 64,
	CK_RSHIFT = 73,
	CK_RCONTROL = 74,
	CK_RALT = 75,
	CK_CTRL_ALT_DEL = 100,
	CK_LOCK_SCREEN = 101,
};

struct hand {
	struct ka_keymap map;
	char said[512]; /* what came out, in short: "+e0 +'A' -'A' -e0 " */
};

static void say(struct hand *h, const struct ka_input *in)
{
	size_t used = strlen(h->said);

	switch (in->kind) {
	case KA_INPUT_KEY:
		snprintf(h->said + used, sizeof(h->said) - used, "%c%02x ", in->key.down ? '+' : '-', in->key.usage);
		break;
	case KA_INPUT_CONSUMER:
		snprintf(h->said + used, sizeof(h->said) - used, "%cc%02x ", in->key.down ? '+' : '-', in->key.usage);
		break;
	case KA_INPUT_SYSTEM:
		snprintf(h->said + used, sizeof(h->said) - used, "%cs%02x ", in->key.down ? '+' : '-', in->key.usage);
		break;
	case KA_INPUT_CHAR:
		snprintf(h->said + used, sizeof(h->said) - used, "%cU%x ", in->chr.down ? '+' : '-', in->chr.cp);
		break;
	default:
		fail_msg("kind %d", in->kind);
	}
}

/* Puts one event in and returns what came out. mods: control key numbers, 0 ends. */
static const char *put(struct hand *h, enum ka_key_what what, int32_t code, const char *how, const int32_t *mods)
{
	struct ka_key_event e = {
		.mode = KA_KEY_LEGACY,
		.what = what,
		.code = code,
		.down = !strcmp(how, "down"),
		.press = !strcmp(how, "press"),
		.modifiers = mods,
	};
	struct ka_input out[KA_KEYMAP_OUT];
	size_t n;

	while (mods && mods[e.n_modifiers])
		e.n_modifiers++;
	n = ka_keymap_translate(&h->map, &e, out);
	assert_true(n <= KA_KEYMAP_OUT);
	h->said[0] = '\0';
	for (size_t i = 0; i < n; i++)
		say(h, &out[i]);
	return h->said;
}

static struct hand new_hand(void)
{
	struct hand h;

	ka_keymap_init(&h.map, KA_CODES_X11);
	return h;
}

/* After this nothing may have been pressed that nothing lets go of. */
static void track(bool *down, const struct hand *h)
{
	for (const char *at = h->said; *at; at += strcspn(at, " ") + 1) {
		unsigned int usage;

		if (sscanf(at + 1, "%2x", &usage) == 1 && at[1] != 'U' && at[1] != 'c' && at[1] != 's')
			down[usage] = at[0] == '+';
	}
}

static void test_hostile_modifier_lists(void **state)
{
	int32_t many[1001];
	int32_t odd[] = {-1, 256 + CK_CONTROL, 4096, INT32_MAX, INT32_MIN, 0};
	int32_t all[] = {CK_CONTROL, CK_SHIFT, CK_ALT, CK_META, CK_RCONTROL, CK_RSHIFT, CK_RALT, CK_RWIN, 0};
	struct hand h = new_hand();

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		many[i] = CK_CONTROL;
	many[1000] = 0;
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "press", many), "+e0 +U63 -U63 -e0 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "press", odd), "+U63 -U63 ");
	/* At most four, and whatever was pressed is let go of. */
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "press", all), "+e0 +e1 +e2 +e3 +U63 -U63 -e0 -e1 -e2 -e3 ");
	assert_int_equal(ka_keymap_mods(all, 8), 0xff);
	assert_int_equal(ka_keymap_mods(odd, 5), 0);
	assert_int_equal(ka_keymap_mods(NULL, 0), 0);
}

static void test_codes_that_are_no_characters_are_ignored(void **state)
{
	static const int32_t codes[] = {0, -1, 0x110000, INT32_MAX, INT32_MIN, 0xd800, 0xdfff};
	struct hand h = new_hand();

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(codes); i++) {
		assert_string_equal(put(&h, KA_KEY_CHR, codes[i], "down", NULL), "");
		assert_string_equal(put(&h, KA_KEY_CHR, codes[i], "up", NULL), "");
		assert_string_equal(put(&h, KA_KEY_UNICODE, codes[i], "press", NULL), "");
	}
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x410000, "down", NULL), "");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0xba << 16 | 0xd800, "down", NULL), "");
	assert_string_equal(put(&h, KA_KEY_CHR, 0x10ffff, "down", NULL), "+U10ffff ");
}

static void test_unknown_control_keys_are_ignored(void **state)
{
	static const int32_t codes[] = {-1, 0, 49, 50, 80, 99, 102, 255, 256 + 4, 1000, INT32_MAX, INT32_MIN};
	struct hand h = new_hand();

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(codes); i++)
		assert_string_equal(put(&h, KA_KEY_CONTROL, codes[i], "press", NULL), "");
}

static void test_control_keys_by_number(void **state)
{
	/* F10 to F12 come before F2: the numbers follow the alphabet. Index = control key - 1. */
	static const char *const usages[] = {
		"e2", "2a", "39", "e0", "4c", "51", "4d", "29", "3a", "43", "44", "45",	 "3b",	"3c",  "3d",  "3e",
		"3f", "40", "41", "42", "4a", "50", "e3", "e2", "4e", "4b", "28", "4f",	 "e1",	"2c",  "2b",  "52",
		"62", "59", "5a", "5b", "5c", "5d", "5e", "5f", "60", "61", "48", "5d",	 "65",	"48",  "88",  "90",
		NULL, NULL, "91", "91", "8a", "77", "46", "74", "46", "49", "75", "s82", "85",	"47",  "53",  "e7",
		"65", "55", "57", "56", "63", "54", "67", "58", "e5", "e4", "e6", "ce2", "ce9", "cea", "s81",
	};
	struct hand h = new_hand();

	(void)state;
	assert_int_equal(KA_ARRAY_LEN(usages), 79);
	for (int32_t k = 1; k <= 79; k++) {
		char want[32] = "";

		if (usages[k - 1])
			snprintf(want, sizeof(want), "+%s -%s ", usages[k - 1], usages[k - 1]);
		assert_string_equal(put(&h, KA_KEY_CONTROL, k, "press", NULL), want);
	}
}

static void test_missing_modifiers_are_added_for_the_time_of_the_key(void **state)
{
	static const int32_t ctrl[] = {CK_CONTROL, CK_NUM_LOCK, 0};
	static const int32_t alt[] = {CK_ALT, 0};
	struct hand h = new_hand();

	(void)state;
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "down", ctrl), "+e0 +U63 ");
	/* A release lists what is held then: often nothing. */
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "up", NULL), "-U63 -e0 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_DELETE, "press", alt), "+e2 +4c -4c -e2 ");
	assert_string_equal(put(&h, KA_KEY_UNICODE, 0xe9, "down", alt), "+e2 +Ue9 -Ue9 -e2 ");
	assert_string_equal(put(&h, KA_KEY_UNICODE, 0xe9, "up", NULL), "+Ue9 -Ue9 ");
}

static void test_held_modifiers_are_not_added(void **state)
{
	static const int32_t ctrl[] = {CK_CONTROL, 0};
	static const int32_t ctrl_alt[] = {CK_CONTROL, CK_ALT, 0};
	struct hand h = new_hand();

	(void)state;
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CONTROL, "down", ctrl), "+e0 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "down", ctrl), "+U63 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "up", ctrl), "-U63 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'd', "down", ctrl_alt), "+e2 +U64 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CONTROL, "up", NULL), "-e0 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'd', "up", NULL), "-U64 -e2 ");
	/* The right one does as well. */
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_RCONTROL, "down", ctrl), "+e4 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "press", ctrl), "+U63 -U63 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_RCONTROL, "up", NULL), "-e4 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "press", ctrl), "+e0 +U63 -U63 -e0 ");
}

static void test_modifier_added_for_two_keys_stays_for_the_second(void **state)
{
	static const int32_t ctrl[] = {CK_CONTROL, 0};
	struct hand h = new_hand();

	(void)state;
	assert_string_equal(put(&h, KA_KEY_CHR, 'a', "down", ctrl), "+e0 +U61 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'b', "down", ctrl), "+e0 +U62 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'a', "up", NULL), "-U61 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'b', "up", NULL), "-U62 -e0 ");
	/* Pressed for real meanwhile: then it is the controller who lets go. */
	assert_string_equal(put(&h, KA_KEY_CHR, 'a', "down", ctrl), "+e0 +U61 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CONTROL, "down", ctrl), "+e0 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'a', "up", NULL), "-U61 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CONTROL, "up", NULL), "-e0 ");
}

static void test_repeats_and_many_keys_leave_no_modifier_behind(void **state)
{
	static const int32_t ctrl[] = {CK_CONTROL, 0};
	static const int32_t alt[] = {CK_ALT, 0};
	bool down[256] = {false};
	struct hand h = new_hand();

	(void)state;
	/* A key that repeats takes one place, however often. */
	for (int i = 0; i < 20; i++) {
		put(&h, KA_KEY_CHR, 'c', "down", ctrl);
		track(down, &h);
	}
	put(&h, KA_KEY_CHR, 'x', "down", alt);
	track(down, &h);
	assert_true(down[0xe2]);
	put(&h, KA_KEY_CHR, 'x', "up", NULL);
	track(down, &h);
	assert_false(down[0xe2]);
	put(&h, KA_KEY_CHR, 'c', "up", NULL);
	track(down, &h);
	assert_false(down[0xe0]);
	/* More keys at a time than there are places. */
	for (int32_t c = 'a'; c <= 'z'; c++) {
		put(&h, KA_KEY_CHR, c, "down", c % 2 ? ctrl : alt);
		track(down, &h);
	}
	for (int32_t c = 'a'; c <= 'z'; c++) {
		put(&h, KA_KEY_CHR, c, "up", NULL);
		track(down, &h);
	}
	for (int usage = 0; usage < 256; usage++)
		assert_false(down[usage]);
}

static void test_growing_modifiers_of_a_repeating_key_are_all_let_go(void **state)
{
	static const int32_t four[] = {CK_CONTROL, CK_SHIFT, CK_ALT, CK_META, 0};
	static const int32_t right[] = {CK_RCONTROL, CK_RSHIFT, CK_RALT, CK_RWIN, 0};
	bool down[256] = {false};
	struct hand h = new_hand();

	(void)state;
	put(&h, KA_KEY_CHR, 'c', "down", four);
	track(down, &h);
	put(&h, KA_KEY_CHR, 'c', "press", right);
	track(down, &h);
	for (int usage = 0; usage < 256; usage++)
		assert_false(down[usage]);
}

static void test_actions_of_the_menu(void **state)
{
	static const int32_t alt_ctrl[] = {CK_ALT, CK_CONTROL, 0};
	struct hand h = new_hand();

	(void)state;
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CTRL_ALT_DEL, "down", NULL), "+e0 +e2 +4c -4c -e0 -e2 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CTRL_ALT_DEL, "up", NULL), "");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_DELETE, "press", alt_ctrl), "+e0 +e2 +4c -4c -e0 -e2 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_LOCK_SCREEN, "down", NULL), "+e3 +0f -0f -e3 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_LOCK_SCREEN, "press", NULL), "+e3 +0f -0f -e3 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_LOCK_SCREEN, "up", NULL), "");
}

static void test_hot_keys_use_their_character(void **state)
{
	static const int32_t ctrl[] = {CK_CONTROL, 0};
	struct hand h = new_hand();

	(void)state;
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x430063, "down", ctrl), "+e0 +U63 -U63 -e0 ");
	/* The way up names the virtual key only: nothing may depend on it. */
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x430000, "up", NULL), "");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x430063, "up", ctrl), "");
	/* A Cyrillic es on the key of the C; a character beyond the virtual keys of letters stays what it is. */
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x430441, "down", ctrl), "+e0 +U63 -U63 -e0 ");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x3200e9, "down", ctrl), "+e0 +U32 -U32 -e0 ");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0xba00e9, "down", ctrl), "+e0 +Ue9 -Ue9 -e0 ");
	/* Characters that are keys: Backspace, what Ctrl makes of it, Return, Escape. */
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x080008, "down", NULL), "+2a -2a ");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x08007f, "down", ctrl), "+e0 +2a -2a -e0 ");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x0d000d, "down", NULL), "+28 -28 ");
	assert_string_equal(put(&h, KA_KEY_HOTKEY, 0x1b001b, "press", ctrl), "+e0 +29 -29 -e0 ");
}

static const char *put_text(struct hand *h, enum ka_key_mode mode, const char *seq)
{
	struct ka_key_event e = {.mode = mode, .what = KA_KEY_SEQ, .seq = seq, .down = true};
	struct ka_input out[KA_KEYMAP_OUT];
	size_t n = ka_keymap_translate(&h->map, &e, out);

	h->said[0] = '\0';
	if (ka_keymap_is_text(&h->map, &e)) {
		assert_int_equal(n, 0);
		return "text";
	}
	for (size_t i = 0; i < n; i++)
		say(h, &out[i]);
	return h->said;
}

static void test_a_character_of_translate_mode_is_a_shortcut_while_ctrl_is_held(void **state)
{
	struct ka_key_event e = {
		.mode = KA_KEY_TRANSLATE, .what = KA_KEY_CHR, .code = 37, .down = true}; /* left Ctrl */
	struct ka_input out[KA_KEYMAP_OUT];
	struct hand h = new_hand();

	(void)state;
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "c"), "text");
	assert_int_equal(ka_keymap_translate(&h.map, &e, out), 1);
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "c"), "+U63 -U63 ");
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "\xc3\xa9"), "+Ue9 -Ue9 ");
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "cd"), "text");
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, ""), "text");
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "\xff"), "text");
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "\xc3"), "text");
	/* "Send clipboard keystrokes" is Legacy: always text. */
	assert_string_equal(put_text(&h, KA_KEY_LEGACY, "c"), "text");
	e.down = false;
	assert_int_equal(ka_keymap_translate(&h.map, &e, out), 1);
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "c"), "text");
	/* Shift and AltGr make characters, no shortcuts. */
	e.code = 50;
	e.down = true;
	assert_int_equal(ka_keymap_translate(&h.map, &e, out), 1);
	e.code = 108;
	assert_int_equal(ka_keymap_translate(&h.map, &e, out), 1);
	assert_string_equal(put_text(&h, KA_KEY_TRANSLATE, "C"), "text");
}

static void test_modifiers_that_are_not_listed_any_more_are_let_go(void **state)
{
	static const int32_t ctrl[] = {CK_CONTROL, 0};
	static const int32_t shift[] = {CK_SHIFT, 0};
	struct ka_key_event map = {.mode = KA_KEY_MAP, .what = KA_KEY_CHR, .code = 64, .down = true}; /* left Alt */
	struct ka_input out[KA_KEYMAP_OUT];
	struct hand h = new_hand();

	(void)state;
	/* The way up of Alt was lost: Alt+Tab took the client's window away. */
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_ALT, "down", NULL), "+e2 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_CONTROL, "down", NULL), "-e2 +e0 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "down", ctrl), "+U63 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'c', "up", NULL), "-U63 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_DELETE, "down", shift), "-e0 +e1 +4c ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_DELETE, "up", NULL), "-4c -e1 ");
	/* Soft keyboards list nothing, and Map mode has keys of its own for modifiers: those stay. */
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_RCONTROL, "down", NULL), "+e4 ");
	assert_string_equal(put(&h, KA_KEY_CHR, 'x', "press", NULL), "+U78 -U78 ");
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_RCONTROL, "up", NULL), "-e4 ");
	assert_int_equal(ka_keymap_translate(&h.map, &map, out), 1);
	assert_string_equal(put(&h, KA_KEY_CHR, 'x', "down", NULL), "+U78 ");
	assert_int_equal(h.map.held, KA_MOD_LALT);
}

static uint8_t keypad_hint_of(int32_t control, bool press, const int32_t *mods, size_t n)
{
	struct ka_key_event e = {.what = KA_KEY_CONTROL, .code = control, .down = !press, .press = press};
	struct ka_input out[KA_KEYMAP_OUT];
	struct hand h = new_hand();

	e.modifiers = mods;
	e.n_modifiers = n;
	assert_true(ka_keymap_translate(&h.map, &e, out) > 0);
	return out[0].key.hint;
}

static void test_keypad_of_legacy_mode_tells_numlock(void **state)
{
	static const int32_t num[] = {CK_NUM_LOCK};

	(void)state;
	for (int32_t control = 33; control <= 42; control++) {
		assert_int_equal(keypad_hint_of(control, false, num, 1), KA_LOCK_NUM_ON);
		assert_int_equal(keypad_hint_of(control, false, NULL, 0), KA_LOCK_NUM_OFF);
		assert_int_equal(keypad_hint_of(control, true, NULL, 0), KA_LOCK_NONE);
	}
	/* The 5 without NumLock, from whatever keyboard. */
	assert_int_equal(keypad_hint_of(44, false, num, 1), KA_LOCK_NUM_OFF);
	assert_int_equal(keypad_hint_of(44, true, NULL, 0), KA_LOCK_NUM_OFF);
	assert_int_equal(keypad_hint_of(CK_DELETE, false, num, 1), KA_LOCK_NONE);
	assert_int_equal(keypad_hint_of(72, false, NULL, 0), KA_LOCK_NONE);
}

static void test_map_keys_hold_modifiers_for_legacy_ones(void **state)
{
	static const int32_t shift[] = {CK_SHIFT, 0};
	struct ka_key_event e = {.mode = KA_KEY_MAP, .what = KA_KEY_CHR, .code = 62, .down = true}; /* right Shift */
	struct ka_input out[KA_KEYMAP_OUT];
	struct hand h = new_hand();

	(void)state;
	assert_int_equal(ka_keymap_translate(&h.map, &e, out), 1);
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_DELETE, "press", shift), "+4c -4c ");
	ka_keymap_init(&h.map, KA_CODES_X11);
	assert_string_equal(put(&h, KA_KEY_CONTROL, CK_DELETE, "press", shift), "+e1 +4c -4c -e1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_modifier_lists),
		cmocka_unit_test(test_codes_that_are_no_characters_are_ignored),
		cmocka_unit_test(test_unknown_control_keys_are_ignored),
		cmocka_unit_test(test_control_keys_by_number),
		cmocka_unit_test(test_missing_modifiers_are_added_for_the_time_of_the_key),
		cmocka_unit_test(test_held_modifiers_are_not_added),
		cmocka_unit_test(test_modifier_added_for_two_keys_stays_for_the_second),
		cmocka_unit_test(test_repeats_and_many_keys_leave_no_modifier_behind),
		cmocka_unit_test(test_growing_modifiers_of_a_repeating_key_are_all_let_go),
		cmocka_unit_test(test_actions_of_the_menu),
		cmocka_unit_test(test_hot_keys_use_their_character),
		cmocka_unit_test(test_a_character_of_translate_mode_is_a_shortcut_while_ctrl_is_held),
		cmocka_unit_test(test_modifiers_that_are_not_listed_any_more_are_let_go),
		cmocka_unit_test(test_keypad_of_legacy_mode_tells_numlock),
		cmocka_unit_test(test_map_keys_hold_modifiers_for_legacy_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
