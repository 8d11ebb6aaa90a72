/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/keymap.h"

#include <string.h>

enum {
	CONTROL_CAPS_LOCK = 3,
	CONTROL_NUM_LOCK = 63,
	CONTROL_CTRL_ALT_DEL = 100,
	X11_OFFSET = 8,
	USAGE_DELETE = 0x4c,
	USAGE_L = 0x0f,
	USAGE_FIRST_MOD = 0xe0,
};

/* Events being made for one key event. */
struct made {
	struct ka_input *out;
	size_t n;
};

void ka_keymap_init(struct ka_keymap *m, bool windows)
{
	*m = (struct ka_keymap){.windows = windows};
}

bool ka_keymap_is_text(const struct ka_key_event *e)
{
	return e->what == KA_KEY_SEQ;
}

static const struct ka_key_row *find_control(int32_t control)
{
	for (size_t i = 0; control > 0 && i < ka_key_table_len; i++) {
		if (ka_key_table[i].control == control)
			return &ka_key_table[i];
	}
	return NULL;
}

static const struct ka_key_row *find_code(const struct ka_keymap *m, int32_t code)
{
	int64_t want = m->windows ? code : (int64_t)code - X11_OFFSET;

	for (size_t i = 0; want > 0 && i < ka_key_table_len; i++) {
		if ((m->windows ? ka_key_table[i].set1 : ka_key_table[i].evdev) == want)
			return &ka_key_table[i];
	}
	return NULL;
}

static uint8_t mod_bit(const struct ka_key_row *r)
{
	if (r->page != KA_PAGE_KEYBOARD || r->usage < USAGE_FIRST_MOD || r->usage > USAGE_FIRST_MOD + 7)
		return 0;
	return (uint8_t)(1u << (r->usage - USAGE_FIRST_MOD));
}

uint8_t ka_keymap_mods(const int32_t *modifiers, size_t n)
{
	uint8_t mods = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ka_key_row *r = find_control(modifiers[i]);

		if (r)
			mods |= mod_bit(r);
	}
	return mods;
}

static bool has_modifier(const struct ka_key_event *e, int32_t control)
{
	for (size_t i = 0; i < e->n_modifiers; i++) {
		if (e->modifiers[i] == control)
			return true;
	}
	return false;
}

static struct ka_input *next(struct made *made)
{
	/* At most four modifiers down, a click, eight up: it never is full. */
	if (made->n == KA_KEYMAP_OUT)
		return NULL;
	made->out[made->n] = (struct ka_input){0};
	return &made->out[made->n++];
}

static void add_usage(struct made *made, enum ka_input_kind kind, uint16_t usage, bool down, uint8_t hint)
{
	struct ka_input *in = next(made);

	if (!in)
		return;
	in->kind = kind;
	in->key.usage = usage;
	in->key.down = down;
	in->key.hint = hint;
}

static void add_mods(struct made *made, uint8_t mods, bool down)
{
	for (unsigned int i = 0; i < 8; i++) {
		if (mods & 1u << i)
			add_usage(made, KA_INPUT_KEY, (uint16_t)(USAGE_FIRST_MOD + i), down, KA_LOCK_NONE);
	}
}

/* Left and right count as one: a shortcut does not ask which. */
static uint8_t both_sides(uint8_t mods)
{
	return (uint8_t)(mods | mods >> 4 | mods << 4);
}

/* Modifiers listed with a key that the controller does not hold by key events of their own: at most four, no shortcut
 * has more. */
static uint8_t missing_mods(const struct ka_keymap *m, const struct ka_key_event *e)
{
	uint8_t mods = ka_keymap_mods(e->modifiers, e->n_modifiers) & (uint8_t)~both_sides(m->held);

	while (__builtin_popcount(mods) > 4)
		mods &= (uint8_t) ~(1u << (31 - __builtin_clz(mods)));
	return mods;
}

static int64_t key_name(const struct ka_key_event *e)
{
	return (int64_t)e->code | (int64_t)e->what << 32;
}

/* Where what is added for this key is kept, also when it repeats; NULL when there is no place. */
static uint8_t *place_for_added(struct ka_keymap *m, const struct ka_key_event *e)
{
	size_t at = KA_KEYMAP_ADDED;

	for (size_t i = KA_KEYMAP_ADDED; i-- > 0;) {
		if (m->added[i].key == key_name(e))
			return &m->added[i].mods;
		if (!m->added[i].key)
			at = i;
	}
	if (at == KA_KEYMAP_ADDED)
		return NULL;
	m->added[at].key = key_name(e);
	m->added[at].mods = 0;
	return &m->added[at].mods;
}

/* What was added for this key and is not needed by another one still down. */
static uint8_t forget_added(struct ka_keymap *m, const struct ka_key_event *e)
{
	uint8_t mods = 0;
	uint8_t others = 0;

	for (size_t i = 0; i < KA_KEYMAP_ADDED; i++) {
		if (m->added[i].key == key_name(e)) {
			mods |= m->added[i].mods;
			m->added[i].key = 0;
		} else if (m->added[i].key) {
			others |= m->added[i].mods;
		}
	}
	return (uint8_t)(mods & ~others & ~m->held);
}

/* Lock states come with the keys whose meaning depends on them; their absence means off. */
static uint8_t lock_hint(const struct ka_key_row *r, const struct ka_key_event *e)
{
	bool letter = r->usage >= 0x04 && r->usage <= 0x1d;
	bool near_letter =
		r->usage == 0x2f || r->usage == 0x30 || (r->usage >= 0x33 && r->usage <= 0x37 && r->usage != 0x35);
	bool keypad = r->usage >= 0x54 && r->usage <= 0x63 && r->usage != 0x58;

	if (r->page != KA_PAGE_KEYBOARD || !e->down)
		return KA_LOCK_NONE;
	if (letter || near_letter)
		return has_modifier(e, CONTROL_CAPS_LOCK) ? KA_LOCK_CAPS_ON : KA_LOCK_CAPS_OFF;
	if (keypad)
		return has_modifier(e, CONTROL_NUM_LOCK) ? KA_LOCK_NUM_ON : KA_LOCK_NUM_OFF;
	return KA_LOCK_NONE;
}

static void add_row(struct made *made, const struct ka_key_row *r, bool down, uint8_t hint)
{
	static const enum ka_input_kind kinds[] = {KA_INPUT_KEY, KA_INPUT_CONSUMER, KA_INPUT_SYSTEM};

	add_usage(made, kinds[r->page], r->usage, down, hint);
}

static void add_chr(struct made *made, uint32_t cp, bool down)
{
	struct ka_input *in = next(made);

	if (!in)
		return;
	in->kind = KA_INPUT_CHAR;
	in->chr.cp = cp;
	in->chr.down = down;
}

static void map_key(struct ka_keymap *m, const struct ka_key_event *e, struct made *made)
{
	/* Translate may carry the controller's virtual key in the high half. */
	const struct ka_key_row *r = find_code(m, e->mode == KA_KEY_TRANSLATE ? e->code & 0xffff : e->code);
	uint8_t bit = r ? mod_bit(r) : 0;

	if (!r)
		return;
	if (e->press) {
		add_row(made, r, true, lock_hint(r, e));
		add_row(made, r, false, KA_LOCK_NONE);
		return;
	}
	m->held = e->down ? m->held | bit : m->held & (uint8_t)~bit;
	add_row(made, r, e->down, lock_hint(r, e));
}

/* A chord the menus name: pressed and let go at once. */
static void add_chord(struct made *made, uint8_t mods, uint16_t usage)
{
	add_mods(made, mods, true);
	add_usage(made, KA_INPUT_KEY, usage, true, KA_LOCK_NONE);
	add_usage(made, KA_INPUT_KEY, usage, false, KA_LOCK_NONE);
	add_mods(made, mods, false);
}

static void legacy_key(struct ka_keymap *m, const struct ka_key_event *e, const struct ka_key_row *r, struct made *made)
{
	bool down = e->down || e->press;
	bool up = !e->down || e->press;
	uint8_t bit = r ? mod_bit(r) : 0;

	if (down) {
		/* A modifier's own event lists itself; nothing is added for it. */
		uint8_t mods = bit ? 0 : missing_mods(m, e);
		uint8_t *added = mods ? place_for_added(m, e) : NULL;

		/* What could not be remembered would stay down for ever: rather the key alone. */
		if (added) {
			add_mods(made, mods, true);
			*added |= mods;
		}
		if (r)
			add_row(made, r, true, KA_LOCK_NONE);
		else
			add_chr(made, (uint32_t)e->code, true);
		m->held |= bit;
	}
	if (up) {
		if (r)
			add_row(made, r, false, KA_LOCK_NONE);
		else
			add_chr(made, (uint32_t)e->code, false);
		m->held &= (uint8_t)~bit;
		add_mods(made, forget_added(m, e), false);
	}
}

static void control_key(struct ka_keymap *m, const struct ka_key_event *e, struct made *made)
{
	const struct ka_key_row *r = find_control(e->code);

	if (e->code == CONTROL_CTRL_ALT_DEL) {
		if (e->down || e->press)
			add_chord(made, KA_MOD_LCTRL | KA_MOD_LALT, USAGE_DELETE);
		return;
	}
	if (e->code == KA_KEY_LOCK_SCREEN) {
		if (e->down || e->press)
			add_chord(made, KA_MOD_LGUI, USAGE_L);
		return;
	}
	if (r)
		legacy_key(m, e, r, made);
}

static void type_once(struct ka_keymap *m, const struct ka_key_event *e, struct made *made)
{
	uint8_t mods = missing_mods(m, e);

	add_mods(made, mods, true);
	add_chr(made, (uint32_t)e->code, true);
	add_chr(made, (uint32_t)e->code, false);
	add_mods(made, mods, false);
}

static bool is_scalar(int32_t code)
{
	return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t ka_keymap_translate(struct ka_keymap *m, const struct ka_key_event *e, struct ka_input out[static KA_KEYMAP_OUT])
{
	struct made made = {.out = out};
	struct ka_key_event hot = *e;

	switch (e->what) {
	case KA_KEY_CONTROL:
		control_key(m, e, &made);
		break;
	case KA_KEY_CHR:
		if (e->mode == KA_KEY_MAP || e->mode == KA_KEY_TRANSLATE)
			map_key(m, e, &made);
		else if (is_scalar(e->code))
			legacy_key(m, e, NULL, &made);
		break;
	case KA_KEY_UNICODE:
		if (is_scalar(e->code))
			type_once(m, e, &made);
		break;
	case KA_KEY_HOTKEY:
		/* Low half: the character; high half: a virtual key we do not need. */
		hot.code = e->code & 0xffff;
		if (is_scalar(hot.code))
			legacy_key(m, &hot, NULL, &made);
		break;
	case KA_KEY_SEQ:
	case KA_KEY_NOTHING:
		break;
	}
	return made.n;
}
