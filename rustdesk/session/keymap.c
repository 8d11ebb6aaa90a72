/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/keymap.h"

#include <string.h>

#include "base/str.h"

#define HOT_MODS (KA_MOD_LCTRL | KA_MOD_RCTRL | KA_MOD_LALT | KA_MOD_LGUI | KA_MOD_RGUI)

enum {
	CONTROL_CAPS_LOCK = 3,
	CONTROL_BACKSPACE = 2,
	CONTROL_ESCAPE = 8,
	CONTROL_RETURN = 27,
	CONTROL_CLEAR = 44,
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

void ka_keymap_init(struct ka_keymap *m, enum ka_key_codes codes)
{
	*m = (struct ka_keymap){.codes = codes};
}

/* The one character of a text in Translate mode that comes while the controller holds Ctrl, Alt or GUI: a client that
 * looks keys up by its own layout says a shortcut so. 0 = it is not one. */
static uint32_t shortcut_char(const struct ka_keymap *m, const struct ka_key_event *e)
{
	uint32_t cp = 0;
	size_t len;

	if (e->what != KA_KEY_SEQ || e->mode != KA_KEY_TRANSLATE || !(m->held & HOT_MODS))
		return 0;
	len = strlen(e->seq);
	return ka_utf8_decode(e->seq, len, &cp) == len ? cp : 0;
}

bool ka_keymap_is_text(const struct ka_keymap *m, const struct ka_key_event *e)
{
	return e->what == KA_KEY_SEQ && !shortcut_char(m, e);
}

static const struct ka_key_row *find_control(int32_t control)
{
	for (size_t i = 0; control > 0 && i < ka_key_table_len; i++) {
		if (ka_key_table[i].control[0] == control || ka_key_table[i].control[1] == control)
			return &ka_key_table[i];
	}
	return NULL;
}

static bool has_code(const struct ka_key_row *r, enum ka_key_codes codes, int32_t code)
{
	switch (codes) {
	case KA_CODES_X11:
		return r->evdev && r->evdev == (int64_t)code - X11_OFFSET;
	case KA_CODES_SET1:
		return code > 0 && (r->set1[0] == code || r->set1[1] == code);
	case KA_CODES_MAC:
		return r->mac != KA_KEY_NO_MAC && r->mac == code;
	}
	return false;
}

static const struct ka_key_row *find_code(const struct ka_keymap *m, int32_t code)
{
	for (size_t i = 0; i < ka_key_table_len; i++) {
		if (has_code(&ka_key_table[i], m->codes, code))
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
	/* At most eight stale modifiers up, four down, a click, eight up: it never is full. */
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
	m->legacy &= (uint8_t)~bit;
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

/* A key that goes down lists the modifiers the controller holds: one that we hold and it does not was let go of unseen,
 * for instance while its window had no focus. Soft keyboards list nothing. */
static void drop_stale_mods(struct ka_keymap *m, const struct ka_key_event *e, uint8_t own, struct made *made)
{
	uint8_t listed = both_sides(ka_keymap_mods(e->modifiers, e->n_modifiers));
	uint8_t stale = m->legacy & (uint8_t)~listed & (uint8_t)~own;

	if (e->press || e->mode != KA_KEY_LEGACY)
		return;
	add_mods(made, stale, false);
	m->held &= (uint8_t)~stale;
	m->legacy &= (uint8_t)~stale;
}

/* Controllers in Legacy mode say NumLock with the keypad; towards Windows they send what the key means without it, and
 * Clear is the 5 without it. Soft keyboards say nothing. */
static uint8_t keypad_hint(const struct ka_key_row *r, const struct ka_key_event *e)
{
	if (e->code == CONTROL_CLEAR)
		return KA_LOCK_NUM_OFF;
	return e->press ? KA_LOCK_NONE : lock_hint(r, e);
}

static void legacy_key(struct ka_keymap *m, const struct ka_key_event *e, const struct ka_key_row *r, struct made *made)
{
	bool down = e->down || e->press;
	bool up = !e->down || e->press;
	uint8_t bit = r ? mod_bit(r) : 0;

	if (down) {
		drop_stale_mods(m, e, bit, made);
		/* A modifier's own event lists itself; nothing is added for it. */
		uint8_t mods = bit ? 0 : missing_mods(m, e);
		uint8_t *added = mods ? place_for_added(m, e) : NULL;

		/* What could not be remembered would stay down for ever: rather the key alone. */
		if (added) {
			add_mods(made, mods, true);
			*added |= mods;
		}
		if (r)
			add_row(made, r, true, keypad_hint(r, e));
		else
			add_chr(made, (uint32_t)e->code, true);
		m->held |= bit;
		m->legacy |= bit;
	}
	if (up) {
		if (r)
			add_row(made, r, false, KA_LOCK_NONE);
		else
			add_chr(made, (uint32_t)e->code, false);
		m->held &= (uint8_t)~bit;
		m->legacy &= (uint8_t)~bit;
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

static void type_once(struct ka_keymap *m, const struct ka_key_event *e, uint32_t cp, struct made *made)
{
	uint8_t mods = missing_mods(m, e);

	add_mods(made, mods, true);
	add_chr(made, cp, true);
	add_chr(made, cp, false);
	add_mods(made, mods, false);
}

static bool is_scalar(int32_t code)
{
	return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static int32_t key_of_control_char(uint32_t c)
{
	switch (c) {
	case '\b':
	case 0x7f: /* what Ctrl makes of Backspace */
		return CONTROL_BACKSPACE;
	case '\n':
	case '\r':
		return CONTROL_RETURN;
	case 0x1b:
		return CONTROL_ESCAPE;
	default:
		return 0;
	}
}

/* Low half: the character, on the way down only; high half: the virtual key, which for Latin letters and digits is the
 * character too. A click: the way up cannot be told from that of a key that came by its code, and the client repeats.
 */
static void hot_key(struct ka_keymap *m, const struct ka_key_event *e, struct made *made)
{
	uint32_t cp = (uint32_t)e->code & 0xffff;
	uint32_t virtual = (uint32_t)e->code >> 16;
	const struct ka_key_row *r = find_control(key_of_control_char(cp));
	uint8_t mods = missing_mods(m, e);

	if (!e->down && !e->press)
		return;
	if (cp >= 0x80 && ((virtual >= '0' && virtual <= '9') || (virtual >= 'A' && virtual <= 'Z')))
		cp = virtual >= 'A' ? virtual + ('a' - 'A') : virtual;
	if (!r && is_scalar((int32_t)cp)) {
		type_once(m, e, cp, made);
		return;
	}
	if (r) {
		add_mods(made, mods, true);
		add_row(made, r, true, KA_LOCK_NONE);
		add_row(made, r, false, KA_LOCK_NONE);
		add_mods(made, mods, false);
	}
}

size_t ka_keymap_translate(struct ka_keymap *m, const struct ka_key_event *e, struct ka_input out[static KA_KEYMAP_OUT])
{
	struct made made = {.out = out};
	uint32_t cp;

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
			type_once(m, e, (uint32_t)e->code, &made);
		break;
	case KA_KEY_HOTKEY:
		hot_key(m, e, &made);
		break;
	case KA_KEY_SEQ:
		cp = shortcut_char(m, e);
		if (cp)
			type_once(m, e, cp, &made);
		break;
	case KA_KEY_NOTHING:
		break;
	}
	return made.n;
}
