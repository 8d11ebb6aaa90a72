/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/waiting.h"

#include <errno.h>

#include "hid/typist.h"

int ka_waiting_add(struct ka_waiting *w, const struct ka_input *e)
{
	if (w->count == KA_WAITING_EVENTS)
		return -EAGAIN;
	w->events[(w->head + w->count) % KA_WAITING_EVENTS] = *e;
	w->count++;
	return 0;
}

bool ka_waiting_take(struct ka_waiting *w, struct ka_input *e)
{
	if (!w->count)
		return false;
	*e = w->events[w->head];
	w->head = (w->head + 1) % KA_WAITING_EVENTS;
	w->count--;
	return true;
}

static void wipe(struct ka_input *e)
{
	if (e->kind == KA_INPUT_TEXT)
		ka_typist_wipe(e->text.utf8);
}

void ka_waiting_drop(struct ka_waiting *w, uint32_t source)
{
	for (unsigned int n = w->count; n; n--) {
		struct ka_input e;

		if (!ka_waiting_take(w, &e))
			return;
		if (e.source == source)
			wipe(&e);
		else
			(void)!ka_waiting_add(w, &e);
	}
}

bool ka_waiting_presses(const struct ka_input *e)
{
	return e->kind == KA_INPUT_CHAR ? e->chr.down : e->kind != KA_INPUT_TEXT && e->key.down;
}

void ka_waiting_drop_presses(struct ka_waiting *w, uint32_t source)
{
	for (unsigned int n = w->count; n; n--) {
		struct ka_input e;

		if (!ka_waiting_take(w, &e))
			return;
		if (e.source != source || !ka_waiting_presses(&e))
			(void)!ka_waiting_add(w, &e);
	}
}

void ka_waiting_clear(struct ka_waiting *w)
{
	struct ka_input e;

	while (ka_waiting_take(w, &e))
		wipe(&e);
}
