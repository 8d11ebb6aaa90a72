/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/hands_priv.h"

#define SHIFTS (KA_MOD_LSHIFT | KA_MOD_RSHIFT)
#define SHORTCUT_MODS (KA_MOD_LCTRL | KA_MOD_RCTRL | KA_MOD_LALT | KA_MOD_LGUI | KA_MOD_RGUI)

void ka_hands_apply_key(struct ka_hands *h, const struct ka_input *e)
{
	uint16_t usage = e->key.usage;
	bool was_down;

	if (!ka_keyboard_has(usage))
		return;
	ka_hands_settle(h);
	if (!e->key.down) {
		ka_keyboard_release(&h->keyboard, e->source, usage);
		ka_hands_send_keys(h);
		return;
	}
	if (ka_holds_has(&h->keyboard.holds, e->source, usage))
		return;
	ka_hands_apply_hint(h, e->key.hint);
	was_down = ka_holds_any(&h->keyboard.holds, usage);
	if (ka_keyboard_press(&h->keyboard, e->source, usage) && !was_down)
		ka_hands_note_lock(h, usage);
	ka_hands_send_keys(h);
}

/* Gives the host a key that is up, whoever holds it. */
void ka_hands_free_key(struct ka_hands *h, uint8_t usage)
{
	if (ka_holds_remove_code(&h->keyboard.holds, usage))
		ka_hands_send_keys(h);
}

/* Keys that CapsLock may act upon: letters everywhere, the top row too on some systems. */
static bool minds_caps(uint32_t cp)
{
	return cp > ' ';
}

static bool is_letter(uint32_t cp)
{
	return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp >= 0xc0;
}

/* A shortcut's letter that this layout does not have is where the keyboards of the USA have it: there programs on a
 * machine with, say, a Cyrillic layout look for it too. */
static bool find_shortcut(uint32_t cp, struct ka_strokes *out)
{
	uint8_t usage = 0;

	if ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z')
		usage = (uint8_t)(KA_KEY_A + ((cp | 0x20) - 'a'));
	*out = (struct ka_strokes){.items = {{.usage = usage}}, .count = 1};
	return usage != 0;
}

static bool is_shortcut(const struct ka_hands *h)
{
	uint8_t alts = ka_layout_has_altgr(h->cfg.layout) ? 0 : KA_MOD_RALT;

	return ka_keyboard_mods(&h->keyboard) & (SHORTCUT_MODS | alts);
}

/* The modifiers that a person holds and a stroke must not have. */
static uint8_t to_hide(const struct ka_hands *h, const struct ka_stroke *s, bool keep_shift)
{
	uint8_t hide = keep_shift || s->mods & KA_MOD_LSHIFT ? 0 : SHIFTS;

	if (ka_layout_has_altgr(h->cfg.layout) && !(s->mods & KA_MOD_RALT))
		hide |= KA_MOD_RALT;
	return hide;
}

static void press_char(struct ka_hands *h, const struct ka_input *e, const struct ka_strokes *strokes)
{
	bool shortcut = is_shortcut(h);
	/* Ctrl+C and Ctrl+Shift+C differ by the Shift that is held, not by the case of the letter. */
	bool keep_shift = shortcut && is_letter(e->chr.cp);
	const struct ka_stroke *last = &strokes->items[strokes->count - 1];

	if (ka_holds_has(&h->keyboard.holds, e->source, last->usage) && h->last_char.source == e->source &&
	    h->last_char.cp == e->chr.cp)
		return;
	if (!shortcut && minds_caps(e->chr.cp))
		ka_hands_want_lock(h, KA_KEY_CAPS_LOCK, false);
	for (const struct ka_stroke *s = strokes->items; s <= last; s++) {
		uint8_t add = keep_shift ? s->mods & (uint8_t)~KA_MOD_LSHIFT : s->mods;

		ka_hands_press_stroke(h, e->source, s, add, to_hide(h, s, keep_shift));
		/* Keys that shift levels mean something to whatever comes next: not kept while the character is held.
		 */
		if (s != last || s->levels[0]) {
			ka_hands_release_stroke(h, e->source, s);
			ka_hands_shape(h, 0, 0);
		}
	}
	h->last_char.source = e->source;
	h->last_char.cp = e->chr.cp;
}

static bool find_char(const struct ka_hands *h, const struct ka_input *e, struct ka_strokes *out)
{
	if (ka_layout_find(h->cfg.layout, e->chr.cp, out))
		return true;
	/* When it goes up, the Ctrl that made it a shortcut may be up already. */
	return (!e->chr.down || is_shortcut(h)) && find_shortcut(e->chr.cp, out);
}

void ka_hands_apply_char(struct ka_hands *h, const struct ka_input *e)
{
	struct ka_strokes strokes;

	if (!find_char(h, e, &strokes)) {
		if (e->chr.down)
			ka_hands_tell_left_out(h, e->source, e->chr.cp);
		return;
	}
	ka_hands_end_stroke(h);
	if (e->chr.down) {
		press_char(h, e, &strokes);
		return;
	}
	if (!ka_keyboard_release(&h->keyboard, e->source, strokes.items[strokes.count - 1].usage))
		return;
	ka_hands_send_keys(h);
	if (h->last_char.source == e->source && h->last_char.cp == e->chr.cp)
		ka_hands_shape(h, 0, 0);
}
