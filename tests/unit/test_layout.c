/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>

#include "base/input.h"
#include "hid/layout.h"

static struct ka_layout *load(const char *name)
{
	struct ka_layout *l = NULL;
	struct ka_errbuf eb = {.text = ""};
	int ret = ka_layout_new(&l, name, KA_DEAD_COMMON, &eb);

	if (ret < 0)
		fail_msg("%s: %s", name, eb.text);
	return l;
}

static void assert_stroke(const struct ka_layout *l, uint32_t cp, uint8_t usage, uint8_t mods)
{
	struct ka_strokes s;

	if (!ka_layout_find(l, cp, &s))
		fail_msg("U+%04X is not there", cp);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.items[0].usage, usage);
	assert_int_equal(s.items[0].mods, mods);
	assert_int_equal(s.items[0].levels[0], 0);
}

static void assert_pair(const struct ka_layout *l, uint32_t cp, uint8_t usage, uint8_t mods, uint8_t usage2,
			uint8_t mods2)
{
	struct ka_strokes s;

	if (!ka_layout_find(l, cp, &s))
		fail_msg("U+%04X is not there", cp);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.items[0].usage, usage);
	assert_int_equal(s.items[0].mods, mods);
	assert_int_equal(s.items[1].usage, usage2);
	assert_int_equal(s.items[1].mods, mods2);
}

static struct ka_layout *load_for(const char *name, enum ka_dead_keys dead_keys)
{
	struct ka_layout *l = NULL;

	assert_int_equal(ka_layout_new(&l, name, dead_keys, NULL), 0);
	return l;
}

static void test_bad_names_are_refused(void **state)
{
	static const char *const bad[] = {"",	      "nosuch", "us(",	   "us)",	"us()",
					  "us(nope)", "../us",	"us,de",   "us(intl)x", "(intl)",
					  "us(a)(b)", "a/b",	"us de\n", "us(../x)",	"%s%s%s%n"};
	char longest[300];
	struct ka_layout *l;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		struct ka_errbuf eb = {.text = ""};

		if (ka_layout_new(&l, bad[i], KA_DEAD_NONE, &eb) != -KA_E_CONFIG)
			fail_msg("'%s' was taken", bad[i]);
		assert_true(eb.text[0]);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(ka_layout_new(&l, longest, KA_DEAD_NONE, NULL), -KA_E_CONFIG);
	ka_layout_free(NULL);
}

static void test_us_types_all_of_ascii(void **state)
{
	struct ka_layout *l = load("us");
	struct ka_strokes s;

	(void)state;
	for (uint32_t cp = 0x20; cp < 0x7f; cp++) {
		if (!ka_layout_find(l, cp, &s))
			fail_msg("U+%04X is not there", cp);
		assert_int_equal(s.count, 1);
		assert_int_equal(s.items[0].mods & ~KA_MOD_LSHIFT, 0);
		/* Not the extra ISO key, which means something else to many hosts. */
		assert_true(s.items[0].usage < 0x64);
	}
	assert_stroke(l, 'a', 0x04, 0);
	assert_stroke(l, 'A', 0x04, KA_MOD_LSHIFT);
	assert_stroke(l, '<', 0x36, KA_MOD_LSHIFT);
	assert_stroke(l, '|', 0x31, KA_MOD_LSHIFT);
	assert_stroke(l, '@', 0x1f, KA_MOD_LSHIFT);
	assert_stroke(l, '\n', 0x28, 0);
	assert_stroke(l, '\r', 0x28, 0);
	assert_stroke(l, '\t', 0x2b, 0);
	assert_false(ka_layout_has_altgr(l));
	assert_false(ka_layout_find(l, 0x20ac, &s));
	assert_false(ka_layout_find(l, 0, &s));
	assert_false(ka_layout_find(l, 0x1b, &s));
	assert_false(ka_layout_find(l, 0x7f, &s));
	assert_false(ka_layout_find(l, 0xffffffff, &s));
	ka_layout_free(l);
}

static void test_german_uses_altgr_and_the_extra_key(void **state)
{
	struct ka_layout *l = load("de");
	struct ka_strokes s;

	(void)state;
	assert_stroke(l, 'z', 0x1c, 0);
	assert_stroke(l, 'y', 0x1d, 0);
	assert_stroke(l, 0xe4, 0x34, 0);
	assert_stroke(l, 0xc4, 0x34, KA_MOD_LSHIFT);
	assert_stroke(l, 0xdf, 0x2d, 0);
	assert_stroke(l, '@', 0x14, KA_MOD_RALT);
	assert_stroke(l, 0x20ac, 0x08, KA_MOD_RALT);
	assert_stroke(l, '\\', 0x2d, KA_MOD_RALT);
	assert_stroke(l, '<', 0x64, 0);
	assert_stroke(l, '|', 0x64, KA_MOD_RALT);
	assert_stroke(l, '/', 0x24, KA_MOD_LSHIFT);
	assert_true(ka_layout_has_altgr(l));
	/* Dead in this variant, plain in the other. */
	assert_pair(l, '^', 0x35, 0, 0x2c, 0);
	ka_layout_free(l);
	l = load_for("de", KA_DEAD_NONE);
	assert_false(ka_layout_find(l, '^', &s));
	assert_false(ka_layout_find(l, 0xe9, &s));
	ka_layout_free(l);
	l = load("de(nodeadkeys)");
	assert_stroke(l, '^', 0x35, 0);
	ka_layout_free(l);
}

static void test_dead_keys_compose_letters(void **state)
{
	struct ka_layout *l = load("de");

	(void)state;
	assert_pair(l, 0xe9, 0x2e, 0, 0x08, 0);		    /* acute, e */
	assert_pair(l, 0xc9, 0x2e, 0, 0x08, KA_MOD_LSHIFT); /* acute, E */
	assert_pair(l, 0xe0, 0x2e, KA_MOD_LSHIFT, 0x04, 0); /* grave, a */
	assert_pair(l, 0xd4, 0x35, 0, 0x12, KA_MOD_LSHIFT); /* circumflex, O */
	assert_stroke(l, 0xe4, 0x34, 0);		    /* has a key: not composed */
	assert_pair(l, '`', 0x2e, KA_MOD_LSHIFT, 0x2c, 0);
	ka_layout_free(l);
	l = load("fr");
	assert_pair(l, 0xea, 0x2f, 0, 0x08, 0);
	assert_pair(l, 0xeb, 0x2f, KA_MOD_LSHIFT, 0x08, 0);
	assert_stroke(l, '1', 0x1e, KA_MOD_LSHIFT);
	ka_layout_free(l);
	l = load("br");
	assert_pair(l, 0xe3, 0x34, 0, 0x04, 0);
	assert_pair(l, 0xc3, 0x34, 0, 0x04, KA_MOD_LSHIFT);
	assert_stroke(l, 0xe7, 0x33, 0);
	/* The key of the slash is one that other keyboards lack. */
	assert_stroke(l, '/', 0x14, KA_MOD_RALT);
	assert_stroke(l, 0xb0, 0x08, KA_MOD_RALT);
	ka_layout_free(l);
}

static void test_accents_alone_go_by_what_the_target_does(void **state)
{
	static const struct {
		enum ka_dead_keys mode;
		bool acute, by_space;
	} modes[] = {{KA_DEAD_NONE, false, false},
		     {KA_DEAD_COMMON, false, false},
		     {KA_DEAD_LINUX, true, false},
		     {KA_DEAD_WINDOWS, true, true}};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(modes); i++) {
		struct ka_layout *l = load_for("de", modes[i].mode);
		struct ka_strokes s;

		assert_int_equal(ka_layout_find(l, 0xb4, &s), modes[i].acute);
		if (modes[i].acute) {
			assert_int_equal(s.items[0].usage, 0x2e);
			assert_int_equal(s.items[1].usage, modes[i].by_space ? 0x2c : 0x2e);
		}
		/* A quote has a key: it is not made of an accent. */
		assert_stroke(l, '\'', 0x31, KA_MOD_LSHIFT);
		ka_layout_free(l);
	}
}

static void test_levels_that_other_keys_shift_to(void **state)
{
	/* Neo: CapsLock and the key of the backslash shift to the third level, AltGr and the ISO key to the fifth. */
	struct ka_layout *l = load("de(neo)");
	struct ka_strokes s;
	struct ka_stroke caps;

	(void)state;
	assert_true(ka_layout_find(l, '{', &s));
	assert_int_equal(s.count, 1);
	assert_int_equal(s.items[0].mods, 0);
	assert_int_equal(s.items[0].levels[0], 0x39);
	assert_false(ka_layout_caps(l, &caps));
	ka_layout_free(l);
	/* In Japan CapsLock takes Shift; alone it does something else. */
	l = load("jp");
	assert_true(ka_layout_caps(l, &caps));
	assert_int_equal(caps.mods, KA_MOD_LSHIFT);
	ka_layout_free(l);
	l = load("us");
	assert_true(ka_layout_caps(l, &caps));
	assert_int_equal(caps.usage, 0x39);
	assert_int_equal(caps.mods, 0);
	ka_layout_free(l);
}

static void test_other_layouts_load(void **state)
{
	static const char *const names[] = {"gb", "fr", "es", "it", "ch", "br",	      "pt",
					    "pl", "ru", "jp", "se", "tr", "us(intl)", "cz(qwerty)"};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(names); i++) {
		struct ka_layout *l = load(names[i]);
		struct ka_strokes s;

		assert_true(ka_layout_find(l, ' ', &s));
		assert_int_equal(s.items[0].usage, 0x2c);
		assert_true(ka_layout_find(l, '1', &s));
		ka_layout_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_names_are_refused),
		cmocka_unit_test(test_us_types_all_of_ascii),
		cmocka_unit_test(test_german_uses_altgr_and_the_extra_key),
		cmocka_unit_test(test_dead_keys_compose_letters),
		cmocka_unit_test(test_accents_alone_go_by_what_the_target_does),
		cmocka_unit_test(test_levels_that_other_keys_shift_to),
		cmocka_unit_test(test_other_layouts_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
