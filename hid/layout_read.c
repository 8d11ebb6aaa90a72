/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

#include "base/input.h"
#include "hid/keyboard.h"
#include "hid/layout_priv.h"

#define XKB_OFFSET 8 /* XKB keycode = evdev code + 8 */
#define EXTRA_COST 4
#define COMPOSED_COST 16
#define USAGE_SPACE 0x2c
#define USAGE_FIRST_MOD 0xe0
#define DEAD_MAX 32

/* Keys that type, most common ones first. The last ones exist on some keyboards only, and hosts with other layouts give
 * them other meanings: used when nothing else types the character. */
#define FIRST_EXTRA_USAGE 0x64
static const struct key {
	uint8_t usage;
	uint8_t evdev;
} keys[] = {
	{0x04, KEY_A},		{0x05, KEY_B},	       {0x06, KEY_C},	      {0x07, KEY_D},
	{0x08, KEY_E},		{0x09, KEY_F},	       {0x0a, KEY_G},	      {0x0b, KEY_H},
	{0x0c, KEY_I},		{0x0d, KEY_J},	       {0x0e, KEY_K},	      {0x0f, KEY_L},
	{0x10, KEY_M},		{0x11, KEY_N},	       {0x12, KEY_O},	      {0x13, KEY_P},
	{0x14, KEY_Q},		{0x15, KEY_R},	       {0x16, KEY_S},	      {0x17, KEY_T},
	{0x18, KEY_U},		{0x19, KEY_V},	       {0x1a, KEY_W},	      {0x1b, KEY_X},
	{0x1c, KEY_Y},		{0x1d, KEY_Z},	       {0x1e, KEY_1},	      {0x1f, KEY_2},
	{0x20, KEY_3},		{0x21, KEY_4},	       {0x22, KEY_5},	      {0x23, KEY_6},
	{0x24, KEY_7},		{0x25, KEY_8},	       {0x26, KEY_9},	      {0x27, KEY_0},
	{0x2c, KEY_SPACE},	{0x2d, KEY_MINUS},     {0x2e, KEY_EQUAL},     {0x2f, KEY_LEFTBRACE},
	{0x30, KEY_RIGHTBRACE}, {0x31, KEY_BACKSLASH}, {0x33, KEY_SEMICOLON}, {0x34, KEY_APOSTROPHE},
	{0x35, KEY_GRAVE},	{0x36, KEY_COMMA},     {0x37, KEY_DOT},	      {0x38, KEY_SLASH},
	{0x64, KEY_102ND},	{0x87, KEY_RO},	       {0x89, KEY_YEN},
};

/* Keys that may shift to the third or fifth level, the usual one first. */
static const struct key shifters[] = {
	{0xe6, KEY_RIGHTALT},  {0xe4, KEY_RIGHTCTRL}, {0xe7, KEY_RIGHTMETA}, {0x65, KEY_COMPOSE},
	{0xe3, KEY_LEFTMETA},  {0xe2, KEY_LEFTALT},   {0x39, KEY_CAPSLOCK},  {0x64, KEY_102ND},
	{0x31, KEY_BACKSLASH}, {0x35, KEY_GRAVE},     {0x58, KEY_KPENTER},
};

/* Dead keys whose accent Unicode has as a combining mark, and the accent that stands alone (0 = none that all have). */
static const struct accent {
	xkb_keysym_t sym;
	uint16_t mark;
	uint16_t alone;
} accents[] = {
	{XKB_KEY_dead_grave, 0x300, '`'},
	{XKB_KEY_dead_acute, 0x301, 0xb4},
	{XKB_KEY_dead_circumflex, 0x302, '^'},
	{XKB_KEY_dead_tilde, 0x303, '~'},
	{XKB_KEY_dead_macron, 0x304, 0xaf},
	{XKB_KEY_dead_breve, 0x306, 0x2d8},
	{XKB_KEY_dead_abovedot, 0x307, 0x2d9},
	{XKB_KEY_dead_diaeresis, 0x308, 0xa8},
	{XKB_KEY_dead_hook, 0x309, 0},
	{XKB_KEY_dead_abovering, 0x30a, 0xb0},
	{XKB_KEY_dead_doubleacute, 0x30b, 0x2dd},
	{XKB_KEY_dead_caron, 0x30c, 0x2c7},
	{XKB_KEY_dead_doublegrave, 0x30f, 0},
	{XKB_KEY_dead_invertedbreve, 0x311, 0},
	{XKB_KEY_dead_psili, 0x313, 0},
	{XKB_KEY_dead_dasia, 0x314, 0},
	{XKB_KEY_dead_horn, 0x31b, 0},
	{XKB_KEY_dead_belowdot, 0x323, 0},
	{XKB_KEY_dead_belowdiaeresis, 0x324, 0},
	{XKB_KEY_dead_belowring, 0x325, 0},
	{XKB_KEY_dead_belowcomma, 0x326, 0},
	{XKB_KEY_dead_cedilla, 0x327, 0xb8},
	{XKB_KEY_dead_ogonek, 0x328, 0x2db},
	{XKB_KEY_dead_belowcircumflex, 0x32d, 0},
	{XKB_KEY_dead_belowbreve, 0x32e, 0},
	{XKB_KEY_dead_belowtilde, 0x330, 0},
	{XKB_KEY_dead_belowmacron, 0x331, 0},
	{XKB_KEY_dead_iota, 0x345, 0x37a},
};

/* What is held while the keys of one level are read. */
struct level {
	struct ka_stroke with; /* its usage is not used */
	uint8_t evdev[3];
	unsigned int held;
};

struct dead {
	const struct accent *accent;
	struct ka_stroke stroke;
	uint8_t cost;
};

struct reader {
	struct ka_layout *layout;
	struct xkb_keymap *keymap;
	const struct key *third, *fifth; /* NULL = the layout has no such key */
	struct dead dead[KA_ARRAY_LEN(accents)];
};

static uint8_t cost_of(const struct ka_stroke *s)
{
	unsigned int cost = (unsigned int)__builtin_popcount(s->mods);

	for (size_t i = 0; i < KA_ARRAY_LEN(s->levels); i++)
		cost += s->levels[i] ? 2 : 0;
	return (uint8_t)(cost + (s->usage >= FIRST_EXTRA_USAGE ? EXTRA_COST : 0));
}

static void hold(struct level *l, const struct key *k)
{
	unsigned int at = l->with.levels[0] ? 1 : 0;

	if (k->usage >= USAGE_FIRST_MOD)
		l->with.mods |= (uint8_t)(1u << (k->usage - USAGE_FIRST_MOD));
	else
		l->with.levels[at] = k->usage;
	l->evdev[l->held++] = k->evdev;
}

static void note_dead(struct reader *r, xkb_keysym_t sym, const struct ka_stroke *s)
{
	for (size_t i = 0; i < KA_ARRAY_LEN(accents); i++) {
		struct dead *d = &r->dead[i];

		if (accents[i].sym == sym && (!d->accent || cost_of(s) < d->cost))
			*d = (struct dead){.accent = &accents[i], .stroke = *s, .cost = cost_of(s)};
	}
}

/* Systems make two characters of the ligatures of lam and alef, and of codes that Unicode has not assigned. */
static bool comes_as_itself(uint32_t cp)
{
	return cp >= 0x20 && cp != 0x7f && (cp < 0xfef5 || cp > 0xfefc) &&
	       !uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Cn);
}

static void note_sym(struct reader *r, xkb_keysym_t sym, const struct ka_stroke *s)
{
	struct ka_layout_entry e = {.strokes = {.items = {*s}, .count = 1}, .cost = cost_of(s)};

	e.cp = xkb_keysym_to_utf32(sym);
	if (comes_as_itself(e.cp))
		ka_layout_learn(r->layout, &e);
	else
		note_dead(r, sym, s);
}

/* Holds the keys as a person would and asks what each other key types: needs no knowledge of XKB's modifiers. */
static int read_level(struct reader *r, const struct level *l)
{
	struct xkb_state *state = xkb_state_new(r->keymap);

	if (!state)
		return -ENOMEM;
	for (unsigned int i = 0; i < l->held; i++)
		xkb_state_update_key(state, l->evdev[i] + XKB_OFFSET, XKB_KEY_DOWN);
	for (size_t i = 0; i < KA_ARRAY_LEN(keys); i++) {
		struct ka_stroke s = l->with;

		s.usage = keys[i].usage;
		if (s.usage != s.levels[0] && s.usage != s.levels[1])
			note_sym(r, xkb_state_key_get_one_sym(state, keys[i].evdev + XKB_OFFSET), &s);
	}
	if (xkb_state_key_get_one_sym(state, KEY_CAPSLOCK + XKB_OFFSET) == XKB_KEY_Caps_Lock &&
	    !r->layout->caps.usage && !(l->with.mods & ~KA_MOD_LSHIFT) && !l->with.levels[0]) {
		r->layout->caps = l->with;
		r->layout->caps.usage = KA_KEY_CAPS_LOCK;
	}
	xkb_state_unref(state);
	return 0;
}

static const struct key *find_shifter(struct xkb_state *state, xkb_keysym_t sym)
{
	for (size_t i = 0; i < KA_ARRAY_LEN(shifters); i++) {
		if (xkb_state_key_get_one_sym(state, shifters[i].evdev + XKB_OFFSET) == sym)
			return &shifters[i];
	}
	return NULL;
}

static int find_shifters(struct reader *r)
{
	struct xkb_state *state = xkb_state_new(r->keymap);

	if (!state)
		return -ENOMEM;
	r->third = find_shifter(state, XKB_KEY_ISO_Level3_Shift);
	if (!r->third)
		r->third = find_shifter(state, XKB_KEY_Mode_switch);
	r->fifth = find_shifter(state, XKB_KEY_ISO_Level5_Shift);
	xkb_state_unref(state);
	return 0;
}

static void learn_pair(struct reader *r, uint32_t cp, const struct dead *d, const struct ka_stroke *base)
{
	struct ka_layout_entry e = {.cp = cp, .strokes = {.items = {d->stroke, *base}, .count = 2}};

	e.cost = (uint8_t)(COMPOSED_COST + d->cost + cost_of(base));
	ka_layout_learn(r->layout, &e);
}

/* Dead key and space, or the dead key twice: for most accents both do the same everywhere. */
static void learn_alone(struct reader *r, const struct dead *d, enum ka_dead_keys mode)
{
	struct ka_stroke space = {.usage = USAGE_SPACE};
	uint32_t cp = d->accent->alone;

	if (!cp)
		return;
	if (cp != 0xb4 && cp != 0xa8) {
		learn_pair(r, cp, d, &space);
		return;
	}
	if (mode == KA_DEAD_WINDOWS)
		learn_pair(r, cp, d, &space);
	if (mode != KA_DEAD_LINUX)
		return;
	learn_pair(r, cp, d, &d->stroke);
	learn_pair(r, cp == 0xb4 ? '\'' : '"', d, &space);
}

/* Letters only; no composer has the Greek hook with an accent. */
static bool is_base(uint32_t cp)
{
	return uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_L) && cp != 0x3d2;
}

/* Bases are what has a stroke of its own: what is composed here is not composed further. */
static int learn_composed(struct reader *r, enum ka_dead_keys mode)
{
	unsigned int n = r->layout->count;
	struct ka_layout_entry *bases = n ? calloc(n, sizeof(*bases)) : NULL;

	if (!bases)
		return n ? -ENOMEM : 0;
	memcpy(bases, r->layout->entries, n * sizeof(*bases));
	for (size_t i = 0; i < KA_ARRAY_LEN(accents); i++) {
		const struct dead *d = &r->dead[i];

		for (unsigned int b = 0; d->accent && b < n; b++) {
			ucs4_t cp = is_base(bases[b].cp) ? uc_composition(bases[b].cp, d->accent->mark) : 0;

			if (cp)
				learn_pair(r, cp, d, &bases[b].strokes.items[0]);
		}
		if (d->accent)
			learn_alone(r, d, mode);
	}
	free(bases);
	return 0;
}

int ka_layout_read(struct ka_layout *l, struct xkb_keymap *keymap, enum ka_dead_keys dead_keys)
{
	static const struct key shift = {0xe1, KEY_LEFTSHIFT};
	struct reader r = {.layout = l, .keymap = keymap};
	int ret = find_shifters(&r);

	for (unsigned int i = 0; !ret && i < 8; i++) {
		struct level level = {0};

		if ((i & 2 && !r.third) || (i & 4 && !r.fifth))
			continue;
		if (i & 1)
			hold(&level, &shift);
		if (i & 2)
			hold(&level, r.third);
		if (i & 4)
			hold(&level, r.fifth);
		ret = read_level(&r, &level);
	}
	for (unsigned int i = 0; i < l->count; i++)
		l->has_altgr |= (l->entries[i].strokes.items[0].mods & KA_MOD_RALT) != 0;
	if (!ret && dead_keys != KA_DEAD_NONE)
		ret = learn_composed(&r, dead_keys);
	return ret;
}
