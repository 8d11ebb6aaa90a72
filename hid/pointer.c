/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/pointer.h"

#include <string.h>

#include "base/attr.h"
#include "base/input.h"

#define FOR_REL 0x100
#define BUTTONS 0x1f

void ka_pointer_init(struct ka_pointer *p)
{
	memset(p, 0, sizeof(*p));
	p->rel_active = true;
}

void ka_pointer_move_abs(struct ka_pointer *p, uint16_t x, uint16_t y)
{
	p->x = KA_MIN(x, KA_INPUT_ABS_MAX);
	p->y = KA_MIN(y, KA_INPUT_ABS_MAX);
	p->placed = true;
	p->rel_active = false;
	p->abs.moved = true;
}

void ka_pointer_move_rel(struct ka_pointer *p, int dx, int dy)
{
	p->dx = KA_CLAMP(p->dx + dx, -KA_POINTER_REL_MAX, KA_POINTER_REL_MAX);
	p->dy = KA_CLAMP(p->dy + dy, -KA_POINTER_REL_MAX, KA_POINTER_REL_MAX);
	p->rel_active = true;
}

static void press(struct ka_pointer *p, uint32_t source, uint16_t bit)
{
	bool rel = p->rel_active;

	if (ka_holds_has(&p->holds, source, bit) || ka_holds_has(&p->holds, source, bit | FOR_REL))
		return;
	/* Where another source holds it already, it stays. */
	if (ka_holds_any(&p->holds, bit))
		rel = false;
	else if (ka_holds_any(&p->holds, bit | FOR_REL))
		rel = true;
	ka_holds_add(&p->holds, source, rel ? bit | FOR_REL : bit);
}

void ka_pointer_button(struct ka_pointer *p, uint32_t source, uint8_t mask, bool down)
{
	for (uint16_t bit = 1; bit & BUTTONS; bit = (uint16_t)(bit << 1)) {
		if (!(mask & bit))
			continue;
		if (down) {
			press(p, source, bit);
		} else {
			ka_holds_remove(&p->holds, source, bit);
			ka_holds_remove(&p->holds, source, bit | FOR_REL);
		}
	}
}

void ka_pointer_wheel(struct ka_pointer *p, int x, int y)
{
	struct ka_pointer_device *d = p->rel_active ? &p->rel : &p->abs;

	d->wheel += y;
	d->pan += x;
}

void ka_pointer_release_source(struct ka_pointer *p, uint32_t source)
{
	ka_holds_remove_source(&p->holds, source);
}

void ka_pointer_release_all(struct ka_pointer *p)
{
	p->holds.count = 0;
}

bool ka_pointer_pressed(const struct ka_pointer *p, uint32_t source)
{
	for (unsigned int i = 0; i < p->holds.count; i++) {
		if (p->holds.items[i].source == source)
			return true;
	}
	return false;
}

void ka_pointer_resend(struct ka_pointer *p)
{
	p->rel.moved = true;
	p->abs.moved = p->placed;
}

static uint8_t buttons_of(const struct ka_pointer *p, uint16_t device)
{
	uint8_t buttons = 0;

	for (unsigned int i = 0; i < p->holds.count; i++) {
		if ((p->holds.items[i].code & FOR_REL) == device)
			buttons |= (uint8_t)p->holds.items[i].code;
	}
	return buttons;
}

/* Whole notches of *rest, as many as a report carries. */
static int8_t take_notches(int32_t *rest)
{
	int32_t notches = KA_CLAMP(*rest / KA_WHEEL_NOTCH, -KA_REPORT_STEP, KA_REPORT_STEP);

	*rest -= notches * KA_WHEEL_NOTCH;
	return (int8_t)notches;
}

static int8_t take_counts(int32_t *rest)
{
	int32_t step = KA_CLAMP(*rest, -KA_REPORT_STEP, KA_REPORT_STEP);

	*rest -= step;
	return (int8_t)step;
}

static bool take_device(struct ka_pointer_device *d, struct ka_report_pointer *out, bool *edge)
{
	bool due = d->moved || out->dx || out->dy;

	*edge = out->buttons != d->buttons_sent;
	out->wheel = take_notches(&d->wheel);
	out->pan = take_notches(&d->pan);
	d->buttons_sent = out->buttons;
	d->moved = false;
	return due || *edge || out->wheel || out->pan;
}

bool ka_pointer_take(struct ka_pointer *p, struct ka_report *out)
{
	struct ka_report_pointer abs = {.buttons = buttons_of(p, 0), .x = p->x, .y = p->y};
	struct ka_report_pointer rel = {.buttons = buttons_of(p, FOR_REL)};
	bool edge;

	if (take_device(&p->abs, &abs, &edge)) {
		ka_report_abs(out, &abs, edge);
		return true;
	}
	rel.dx = take_counts(&p->dx);
	rel.dy = take_counts(&p->dy);
	if (take_device(&p->rel, &rel, &edge)) {
		ka_report_rel(out, &rel, edge);
		return true;
	}
	return false;
}
