/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/session_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* Mouse mask: type in the low three bits, buttons above. */
enum mouse_type { MOUSE_MOVE, MOUSE_DOWN, MOUSE_UP, MOUSE_WHEEL, MOUSE_TRACKPAD, MOUSE_RELATIVE };

#define WHEEL_MAX 100 /* notches in one event; more is nonsense */
#define REL_MAX 10000 /* counts in one event */
#define SILENCE_US KA_SEC(3)

static void post(struct ka_session *s, struct ka_input *in)
{
	in->source = s->cfg.number;
	in->at_us = s->last_rx_us;
	s->cfg.host->input(s->cfg.host->ctx, in);
}

enum ka_key_codes ka_input_codes(enum ka_rd_platform platform)
{
	static const enum ka_key_codes codes[] = {
		[KA_RD_LINUX] = KA_CODES_X11, [KA_RD_WINDOWS] = KA_CODES_SET1, [KA_RD_MACOS] = KA_CODES_MAC};

	return codes[platform];
}

static void let_go(struct ka_session *s, bool keep_texts)
{
	struct ka_input in = {.kind = KA_INPUT_RELEASE, .release = {.keep_texts = keep_texts}};

	ka_keymap_init(&s->input.map, s->input.map.codes);
	post(s, &in);
}

void ka_input_release(struct ka_session *s)
{
	if (s->entered)
		let_go(s, false);
}

void ka_input_watch_silence(struct ka_session *s, int64_t now)
{
	/* While a screenshot is on its way nothing is asked, so no answer says nothing. */
	bool silent = now - s->last_rx_us > SILENCE_US && !ka_screenshot_under_way(s);

	/* Its key-ups may be on their way; until they come a held key would repeat on the target. */
	if (silent && !s->input.silent && s->entered && !s->input.left) {
		ka_log_burst(INFO, KA_SES_REPEATED_LINES, KA_SES_REPEATED_PERIOD_US, "session", "silent",
			     "n=%u released=all", s->cfg.number);
		let_go(s, true);
	}
	s->input.silent = silent;
}

static void lock_target(struct ka_session *s)
{
	struct ka_key_event e = {.what = KA_KEY_CONTROL, .code = KA_KEY_LOCK_SCREEN, .down = true};
	struct ka_input out[KA_KEYMAP_OUT];
	size_t n = ka_keymap_translate(&s->input.map, &e, out);

	for (size_t i = 0; i < n; i++)
		post(s, &out[i]);
}

void ka_input_leave(struct ka_session *s)
{
	if (s->input.left)
		return;
	ka_input_release(s);
	if (s->input.lock_at_end && s->input.enabled && ka_session_may(s, KA_RD_MAY_KEYBOARD))
		lock_target(s);
	s->input.left = true;
}

static uint16_t scale(int64_t v, uint32_t size)
{
	int64_t max = (int64_t)size - 1;
	int64_t clamped = KA_CLAMP(v, (int64_t)0, max);

	return (uint16_t)((clamped * KA_INPUT_ABS_MAX + max / 2) / max);
}

static void move(struct ka_session *s, const Rd__MouseEvent *m)
{
	struct ka_input in = {.kind = KA_INPUT_MOVE_ABS};
	struct ka_ses_desk desk;

	/* The pointer's range is the target's whole desktop. */
	ka_displays_desk(s, &desk);
	in.pos.x = scale((int64_t)m->x - desk.x, desk.width);
	in.pos.y = scale((int64_t)m->y - desk.y, desk.height);
	post(s, &in);
}

static void button(struct ka_session *s, const Rd__MouseEvent *m, bool down)
{
	struct ka_input in = {.kind = KA_INPUT_BUTTON};

	in.button.mask = (uint8_t)((uint32_t)m->mask >> 3 & 31);
	in.button.down = down;
	/* The protocol names the modifiers of a click; they count on the way down only. */
	in.button.mods = down ? ka_keymap_mods(m->modifiers, m->n_modifiers) : 0;
	/* Exactly one button an event. */
	if (in.button.mask && !(in.button.mask & (in.button.mask - 1)))
		post(s, &in);
}

/* unit: what 1 stands for, in 1/120 notch. Positive x means left on the wire, right in HID. */
static void wheel(struct ka_session *s, const Rd__MouseEvent *m, int32_t unit)
{
	struct ka_input in = {.kind = KA_INPUT_WHEEL};
	int32_t max = WHEEL_MAX * KA_WHEEL_NOTCH / unit;

	in.wheel.x = (int16_t)(-KA_CLAMP(m->x, -max, max) * unit);
	in.wheel.y = (int16_t)(KA_CLAMP(m->y, -max, max) * unit);
	if (in.wheel.x || in.wheel.y)
		post(s, &in);
}

static void relative(struct ka_session *s, const Rd__MouseEvent *m)
{
	struct ka_input in = {.kind = KA_INPUT_MOVE_REL};

	in.rel.dx = (int16_t)KA_CLAMP(m->x, -REL_MAX, REL_MAX);
	in.rel.dy = (int16_t)KA_CLAMP(m->y, -REL_MAX, REL_MAX);
	if (in.rel.dx || in.rel.dy)
		post(s, &in);
}

int ka_input_mouse(struct ka_session *s, const Rd__Message *msg)
{
	const Rd__MouseEvent *m = msg->mouse_event;

	/* Before the first picture clients send wake-up clicks meant for a sleeping desktop; on a KVM they would open a
	 * context menu. */
	if (!s->input.enabled || !s->video.first_sent)
		return 0;
	switch ((uint32_t)m->mask & 7) {
	case MOUSE_MOVE:
		move(s, m);
		break;
	case MOUSE_DOWN:
		button(s, m, true);
		break;
	case MOUSE_UP:
		button(s, m, false);
		break;
	case MOUSE_WHEEL:
		wheel(s, m, KA_WHEEL_NOTCH);
		break;
	case MOUSE_TRACKPAD:
		/* "Linux" peers get lines, others raw units of 1/120 notch. */
		wheel(s, m, s->cfg.rd->platform == KA_RD_LINUX ? KA_WHEEL_NOTCH : 1);
		break;
	case MOUSE_RELATIVE:
		relative(s, m);
		break;
	}
	return 0;
}

/* Whole or not at all: what half a script does, nobody can tell. */
static int type_text(struct ka_session *s, const char *text)
{
	struct ka_input in = {.kind = KA_INPUT_TEXT};
	size_t len = strlen(text);
	char words[96];

	if (len > KA_INPUT_TEXT_MAX) {
		ka_log_burst(WARN, KA_SES_REPEATED_LINES, KA_SES_REPEATED_PERIOD_US, "session", "text-refused",
			     "n=%u bytes=%zu limit=%d", s->cfg.number, len, KA_INPUT_TEXT_MAX);
		snprintf(words, sizeof(words), "Not typed: %zu bytes at once, %d can be", len, KA_INPUT_TEXT_MAX);
		return ka_chat_answer(s, words);
	}
	if (!len)
		return 0;
	in.text.utf8 = strdup(text);
	if (!in.text.utf8)
		return -ENOMEM;
	post(s, &in);
	return 0;
}

static struct ka_key_event read_event(const Rd__KeyEvent *k)
{
	struct ka_key_event e = {
		.mode = k->mode == KA_KEY_MAP || k->mode == KA_KEY_TRANSLATE ? (enum ka_key_mode)k->mode
									     : KA_KEY_LEGACY,
		.down = k->down,
		.press = k->press,
		.modifiers = k->modifiers,
		.n_modifiers = k->n_modifiers,
	};

	switch (k->union_case) {
	case RD__KEY_EVENT__UNION_CONTROL_KEY:
		e.what = KA_KEY_CONTROL;
		e.code = k->control_key;
		break;
	case RD__KEY_EVENT__UNION_CHR:
		e.what = KA_KEY_CHR;
		e.code = (int32_t)KA_MIN(k->chr, (uint32_t)INT32_MAX);
		break;
	case RD__KEY_EVENT__UNION_UNICODE:
		e.what = KA_KEY_UNICODE;
		e.code = (int32_t)KA_MIN(k->unicode, (uint32_t)INT32_MAX);
		break;
	case RD__KEY_EVENT__UNION_SEQ:
		e.what = KA_KEY_SEQ;
		e.seq = k->seq;
		break;
	case RD__KEY_EVENT__UNION_WIN2WIN_HOTKEY:
		e.what = KA_KEY_HOTKEY;
		e.code = (int32_t)(k->win2win_hotkey & INT32_MAX);
		break;
	default:
		break;
	}
	return e;
}

int ka_input_key(struct ka_session *s, const Rd__Message *msg)
{
	struct ka_input out[KA_KEYMAP_OUT];
	struct ka_key_event e = read_event(msg->key_event);
	size_t n;

	if (!s->input.enabled)
		return 0;
	if (ka_keymap_is_text(&s->input.map, &e))
		return type_text(s, e.seq);
	n = ka_keymap_translate(&s->input.map, &e, out);
	for (size_t i = 0; i < n; i++)
		post(s, &out[i]);
	return 0;
}
