/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tables say, typed into libxkbcommon's own keyboard and composer: every character of every layout comes back
 * as itself. The composer is X11's for en_US.UTF-8.
 */
#include "tests/check/check.h"

#include <linux/input-event-codes.h>
#include <stdio.h>
#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon.h>

#include "base/input.h"
#include "hid/layout.h"

#define XKB_OFFSET 8

/* Usages of the keyboard page, as Linux names them. */
static const uint8_t evdev_of[0x100] = {
	[0x04] = KEY_A,		 [0x05] = KEY_B,	 [0x06] = KEY_C,	 [0x07] = KEY_D,
	[0x08] = KEY_E,		 [0x09] = KEY_F,	 [0x0a] = KEY_G,	 [0x0b] = KEY_H,
	[0x0c] = KEY_I,		 [0x0d] = KEY_J,	 [0x0e] = KEY_K,	 [0x0f] = KEY_L,
	[0x10] = KEY_M,		 [0x11] = KEY_N,	 [0x12] = KEY_O,	 [0x13] = KEY_P,
	[0x14] = KEY_Q,		 [0x15] = KEY_R,	 [0x16] = KEY_S,	 [0x17] = KEY_T,
	[0x18] = KEY_U,		 [0x19] = KEY_V,	 [0x1a] = KEY_W,	 [0x1b] = KEY_X,
	[0x1c] = KEY_Y,		 [0x1d] = KEY_Z,	 [0x1e] = KEY_1,	 [0x1f] = KEY_2,
	[0x20] = KEY_3,		 [0x21] = KEY_4,	 [0x22] = KEY_5,	 [0x23] = KEY_6,
	[0x24] = KEY_7,		 [0x25] = KEY_8,	 [0x26] = KEY_9,	 [0x27] = KEY_0,
	[0x2c] = KEY_SPACE,	 [0x2d] = KEY_MINUS,	 [0x2e] = KEY_EQUAL,	 [0x2f] = KEY_LEFTBRACE,
	[0x30] = KEY_RIGHTBRACE, [0x31] = KEY_BACKSLASH, [0x33] = KEY_SEMICOLON, [0x34] = KEY_APOSTROPHE,
	[0x35] = KEY_GRAVE,	 [0x36] = KEY_COMMA,	 [0x37] = KEY_DOT,	 [0x38] = KEY_SLASH,
	[0x39] = KEY_CAPSLOCK,	 [0x58] = KEY_KPENTER,	 [0x64] = KEY_102ND,	 [0x65] = KEY_COMPOSE,
	[0x87] = KEY_RO,	 [0x89] = KEY_YEN,	 [0xe0] = KEY_LEFTCTRL,	 [0xe1] = KEY_LEFTSHIFT,
	[0xe2] = KEY_LEFTALT,	 [0xe3] = KEY_LEFTMETA,	 [0xe4] = KEY_RIGHTCTRL, [0xe5] = KEY_RIGHTSHIFT,
	[0xe6] = KEY_RIGHTALT,	 [0xe7] = KEY_RIGHTMETA,
};

struct host {
	struct xkb_context *ctx;
	struct xkb_compose_table *table;
};

static int open_host(void **state)
{
	struct host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->ctx = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	assert_non_null(h->ctx);
	h->table = xkb_compose_table_new_from_locale(h->ctx, "en_US.UTF-8", XKB_COMPOSE_COMPILE_NO_FLAGS);
	assert_non_null(h->table);
	*state = h;
	return 0;
}

static int close_host(void **state)
{
	struct host *h = *state;

	xkb_compose_table_unref(h->table);
	xkb_context_unref(h->ctx);
	free(h);
	return 0;
}

static void turn(struct xkb_state *xkb, uint8_t usage, bool down)
{
	if (!evdev_of[usage])
		fail_msg("usage %02x", usage);
	xkb_state_update_key(xkb, evdev_of[usage] + XKB_OFFSET, down ? XKB_KEY_DOWN : XKB_KEY_UP);
}

static void turn_all(struct xkb_state *xkb, const struct ka_stroke *s, bool down)
{
	for (unsigned int i = 0; i < 8; i++) {
		if (s->mods & 1u << i)
			turn(xkb, (uint8_t)(0xe0 + i), down);
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(s->levels) && s->levels[i]; i++)
		turn(xkb, s->levels[i], down);
}

/* The character that the strokes make, 0 for none or several. */
static uint32_t type(struct host *h, struct xkb_keymap *keymap, const struct ka_strokes *strokes)
{
	struct xkb_state *xkb = xkb_state_new(keymap);
	struct xkb_compose_state *compose = xkb_compose_state_new(h->table, XKB_COMPOSE_STATE_NO_FLAGS);
	enum xkb_compose_status status = XKB_COMPOSE_NOTHING;
	xkb_keysym_t sym = XKB_KEY_NoSymbol;

	assert_true(xkb && compose);
	for (unsigned int i = 0; i < strokes->count; i++) {
		const struct ka_stroke *s = &strokes->items[i];

		turn_all(xkb, s, true);
		sym = xkb_state_key_get_one_sym(xkb, evdev_of[s->usage] + XKB_OFFSET);
		turn(xkb, s->usage, true);
		turn(xkb, s->usage, false);
		turn_all(xkb, s, false);
		assert_int_equal(xkb_state_serialize_mods(xkb, XKB_STATE_MODS_EFFECTIVE), 0);
		xkb_compose_state_feed(compose, sym);
		status = xkb_compose_state_get_status(compose);
		if (i + 1 < strokes->count && status != XKB_COMPOSE_COMPOSING)
			sym = XKB_KEY_NoSymbol;
	}
	if (status == XKB_COMPOSE_COMPOSED)
		sym = xkb_compose_state_get_one_sym(compose);
	else if (status != XKB_COMPOSE_NOTHING)
		sym = XKB_KEY_NoSymbol;
	xkb_compose_state_unref(compose);
	xkb_state_unref(xkb);
	return xkb_keysym_to_utf32(sym);
}

/* Composed by Unicode's rules, but not in X11's table: S with caron and dot; Greek on the Ohm sign's key. The layout
 * that is left out names its keys by the codes of a font. */
static bool composer_lacks(const char *variant, uint32_t cp)
{
	return cp == 0x1e66 || cp == 0x1e67 || cp == 0x38f || cp == 0x1ffa || !strcmp(variant, "tam_tamilnet_TSCII");
}

/* Returns how many characters the layout types. */
static unsigned int check_layout(struct host *h, const char *layout, const char *variant)
{
	struct xkb_rule_names names = {.rules = "evdev", .model = "pc105", .layout = layout, .variant = variant};
	struct xkb_keymap *keymap = xkb_keymap_new_from_names(h->ctx, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	char name[64];
	struct ka_layout *l;
	uint32_t cp;
	unsigned int n = 0;

	snprintf(name, sizeof(name), *variant ? "%s(%s)" : "%s", layout, variant);
	assert_non_null(keymap);
	if (ka_layout_new(&l, name, KA_DEAD_LINUX, NULL) < 0)
		fail_msg("%s", name);
	for (; ka_layout_nth(l, n, &cp); n++) {
		struct ka_strokes s;
		uint32_t back;

		assert_true(ka_layout_find(l, cp, &s));
		back = type(h, keymap, &s);
		if (s.count == 2 && composer_lacks(variant, cp))
			continue;
		if (back != cp)
			print_error("%s: U+%04X comes back as U+%04X (%u strokes: %02x/%02x %02x/%02x)\n", name, cp,
				    back, s.count, s.items[0].usage, s.items[0].mods, s.items[1].usage,
				    s.items[1].mods);
		assert_true(back == cp);
	}
	ka_layout_free(l);
	xkb_keymap_unref(keymap);
	return n;
}

static void test_every_character_of_many_layouts_comes_back(void **state)
{
	static const struct {
		const char *layout, *variant;
		unsigned int least;
	} all[] = {
		{"us", "", 95},		  {"us", "intl", 180}, {"us", "dvorak", 95},  {"us", "colemak", 120},
		{"gb", "", 150},	  {"gb", "intl", 150}, {"de", "", 190},	      {"de", "nodeadkeys", 120},
		{"de", "neo", 200},	  {"de", "mac", 150},  {"at", "", 150},	      {"ch", "", 180},
		{"ch", "fr", 180},	  {"fr", "", 180},     {"fr", "oss", 180},    {"fr", "bepo", 200},
		{"fr", "azerty", 150},	  {"be", "", 180},     {"es", "", 180},	      {"es", "cat", 150},
		{"latam", "", 150},	  {"pt", "", 180},     {"br", "", 180},	      {"br", "nativo", 150},
		{"it", "", 150},	  {"pl", "", 150},     {"cz", "", 150},	      {"cz", "qwerty", 150},
		{"sk", "", 150},	  {"hu", "", 150},     {"ro", "", 120},	      {"hr", "", 150},
		{"si", "", 150},	  {"dk", "", 150},     {"no", "", 150},	      {"se", "", 150},
		{"fi", "", 150},	  {"is", "", 150},     {"ee", "", 150},	      {"lv", "", 120},
		{"lt", "", 120},	  {"tr", "", 150},     {"tr", "f", 120},      {"gr", "", 120},
		{"gr", "polytonic", 150}, {"ru", "", 90},      {"ua", "", 90},	      {"bg", "", 90},
		{"rs", "", 90},		  {"il", "", 60},      {"ara", "", 60},	      {"ir", "", 90},
		{"in", "", 60},		  {"th", "", 90},      {"vn", "", 90},	      {"jp", "", 95},
		{"kr", "", 95},		  {"ca", "", 150},     {"ca", "multix", 150}, {"ca", "eng", 95},
		{"ie", "", 120},	  {"nl", "", 150},     {"mt", "", 95},	      {"by", "", 90},
	};

	for (size_t i = 0; i < KA_ARRAY_LEN(all); i++) {
		unsigned int n = check_layout(*state, all[i].layout, all[i].variant);

		if (n < all[i].least)
			print_error("%s(%s): %u characters\n", all[i].layout, all[i].variant, n);
		assert_true(n >= all[i].least);
	}
}

/* "  nodeadkeys      de: German (no dead keys)" */
static void test_every_layout_that_xkb_lists(void **state)
{
	FILE *list = fopen("/usr/share/X11/xkb/rules/evdev.lst", "re");
	enum { NONE, LAYOUTS, VARIANTS } section = NONE;
	char line[256], name[64], layout[64];
	unsigned int layouts = 0;

	assert_non_null(list);
	while (fgets(line, sizeof(line), list)) {
		if (line[0] == '!')
			section = strstr(line, "layout") ? LAYOUTS : strstr(line, "variant") ? VARIANTS : NONE;
		else if (section == LAYOUTS && sscanf(line, " %63s", name) == 1 && strcmp(name, "custom") != 0)
			layouts += check_layout(*state, name, "") > 0;
		else if (section == VARIANTS && sscanf(line, " %63s %63[^:]:", name, layout) == 2)
			layouts += check_layout(*state, layout, name) > 0;
	}
	fclose(list);
	assert_true(layouts > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_character_of_many_layouts_comes_back, open_host, close_host),
		cmocka_unit_test_setup_teardown(test_every_layout_that_xkb_lists, open_host, close_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
