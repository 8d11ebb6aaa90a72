/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/arbiter.h"

#include "base/clock.h"

void ka_arbiter_init(struct ka_arbiter *a, unsigned int hold_ms)
{
	*a = (struct ka_arbiter){.hold_us = KA_MS(hold_ms)};
}

static bool pass_typing(struct ka_arbiter *a, const struct ka_input *in, int64_t now_us)
{
	if (a->typist && a->typist != in->source && now_us - a->typed_us < a->hold_us)
		return false;
	a->typist = in->source;
	a->typed_us = now_us;
	return true;
}

static bool pass_button(struct ka_arbiter *a, const struct ka_input *in)
{
	bool own = a->dragger == in->source;

	if (!in->button.down) {
		if (own)
			a->buttons &= (uint8_t)~in->button.mask;
		if (!a->buttons)
			a->dragger = 0;
		return true;
	}
	if (a->dragger && !own)
		return false;
	a->dragger = in->source;
	a->buttons |= in->button.mask;
	return true;
}

static void forget(struct ka_arbiter *a, uint32_t source)
{
	if (a->typist == source)
		a->typist = 0;
	if (a->dragger == source) {
		a->dragger = 0;
		a->buttons = 0;
	}
}

bool ka_arbiter_pass(struct ka_arbiter *a, const struct ka_input *in, int64_t now_us)
{
	if (!a->hold_us)
		return true;
	switch (in->kind) {
	case KA_INPUT_KEY:
	case KA_INPUT_CONSUMER:
	case KA_INPUT_SYSTEM:
		return !in->key.down || pass_typing(a, in, now_us);
	case KA_INPUT_CHAR:
		return !in->chr.down || pass_typing(a, in, now_us);
	case KA_INPUT_TEXT:
		return pass_typing(a, in, now_us);
	case KA_INPUT_BUTTON:
		return pass_button(a, in);
	case KA_INPUT_MOVE_ABS:
	case KA_INPUT_MOVE_REL:
	case KA_INPUT_WHEEL:
		return !a->dragger || a->dragger == in->source;
	case KA_INPUT_RELEASE:
		forget(a, in->source);
		return true;
	}
	return true;
}
