/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row of key events, six bytes each: kind and mode, flags, code in three, modifiers. Whatever they are, modifiers
 * that were pressed for a key are let go of once all keys are up.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/span.h"
#include "rustdesk/session/keymap.h"

#define EVENTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct row {
	struct ka_key_event events[EVENTS_MAX];
	int32_t modifiers[EVENTS_MAX][8];
	char texts[EVENTS_MAX][8];
	size_t n;
	bool down[8]; /* the target's modifiers */
};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void read_event(struct row *row, struct ka_span *s)
{
	static const int32_t numbers[] = {4, 29, 1, 23, 74, 73, 75, 64};
	struct ka_key_event *e = &row->events[row->n];
	int32_t *modifiers = row->modifiers[row->n];
	uint8_t kind = ka_span_u8(s);
	uint8_t flags = ka_span_u8(s);
	uint8_t mods;

	e->what = (enum ka_key_what)(kind % 6);
	e->mode = (enum ka_key_mode)(kind / 6 % 3);
	e->down = flags & 1;
	e->press = flags & 2;
	e->code = (int32_t)(ka_span_le(s, 3) << (flags >> 2 & 8));
	if (flags & 0x40)
		e->code = -(e->code & 0xffffff);
	/* Bytes of the code as text, whatever they are. */
	memcpy(row->texts[row->n], &e->code, sizeof(e->code));
	e->seq = row->texts[row->n];
	mods = ka_span_u8(s);
	for (size_t i = 0; i < 8; i++) {
		if (mods & 1u << i)
			modifiers[e->n_modifiers++] = numbers[i];
	}
	e->modifiers = modifiers;
	row->n++;
}

static void check_out(struct row *row, const struct ka_input *out, size_t n)
{
	demand(n <= KA_KEYMAP_OUT);
	for (size_t i = 0; i < n; i++) {
		if (out[i].kind == KA_INPUT_KEY && out[i].key.usage >= 0xe0)
			row->down[out[i].key.usage - 0xe0] = out[i].key.down;
		if (out[i].kind == KA_INPUT_KEY)
			demand(out[i].key.usage >= 0x04 && out[i].key.usage <= 0xe7 &&
			       out[i].key.hint <= KA_LOCK_NUM_ON);
		else if (out[i].kind == KA_INPUT_CHAR)
			demand(out[i].chr.cp && out[i].chr.cp <= 0x10ffff &&
			       (out[i].chr.cp < 0xd800 || out[i].chr.cp > 0xdfff));
		else
			demand(out[i].kind == KA_INPUT_CONSUMER || out[i].kind == KA_INPUT_SYSTEM);
	}
}

static void play(struct row *row, struct ka_keymap *m)
{
	struct ka_input out[KA_KEYMAP_OUT];

	for (size_t i = 0; i < row->n; i++)
		check_out(row, out, ka_keymap_translate(m, &row->events[i], out));
	for (size_t i = 0; i < row->n; i++) {
		struct ka_key_event *e = &row->events[i];

		/* Text is never let go of; it must not have left anything. */
		if (e->what == KA_KEY_UNICODE || e->what == KA_KEY_SEQ)
			continue;
		e->down = e->press = false;
		e->n_modifiers = 0;
		check_out(row, out, ka_keymap_translate(m, e, out));
	}
	demand(!m->held);
	for (size_t i = 0; i < KA_KEYMAP_ADDED; i++)
		demand(!m->added[i].key);
	for (size_t i = 0; i < 8; i++)
		demand(!row->down[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_span s = ka_span_make(data, size);
	enum ka_key_codes codes = ka_span_u8(&s) % 3;
	struct row *row = calloc(1, sizeof(*row));
	struct ka_keymap m;

	demand(row);
	while (row->n < EVENTS_MAX && ka_span_left(&s) >= 6)
		read_event(row, &s);
	ka_keymap_init(&m, codes);
	play(row, &m);
	free(row);
	return 0;
}
