/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/report.h"

#include <string.h>

static void begin(struct ka_report *r, enum ka_report_function function, uint8_t len, bool edge)
{
	memset(r, 0, sizeof(*r));
	r->function = (uint8_t)function;
	r->len = len;
	r->edge = edge;
}

void ka_report_keyboard(struct ka_report *r, uint8_t mods, const uint8_t *keys, unsigned int count)
{
	begin(r, KA_REPORT_KEYBOARD, 8, true);
	r->data[0] = mods;
	if (count > KA_REPORT_KEYS)
		memset(r->data + 2, KA_REPORT_ROLLOVER, KA_REPORT_KEYS);
	else if (count)
		memcpy(r->data + 2, keys, count);
}

void ka_report_abs(struct ka_report *r, const struct ka_report_pointer *p, bool edge)
{
	begin(r, KA_REPORT_ABS, 7, edge);
	r->data[0] = p->buttons;
	r->data[1] = (uint8_t)(p->x & 0xff);
	r->data[2] = (uint8_t)(p->x >> 8);
	r->data[3] = (uint8_t)(p->y & 0xff);
	r->data[4] = (uint8_t)(p->y >> 8);
	r->data[5] = (uint8_t)p->wheel;
	r->data[6] = (uint8_t)p->pan;
}

void ka_report_rel(struct ka_report *r, const struct ka_report_pointer *p, bool edge)
{
	begin(r, KA_REPORT_REL, 5, edge);
	r->data[0] = p->buttons;
	r->data[1] = (uint8_t)p->dx;
	r->data[2] = (uint8_t)p->dy;
	r->data[3] = (uint8_t)p->wheel;
	r->data[4] = (uint8_t)p->pan;
}

void ka_report_consumer(struct ka_report *r, uint16_t usage)
{
	begin(r, KA_REPORT_CONTROL, 3, true);
	r->data[0] = 1;
	r->data[1] = (uint8_t)(usage & 0xff);
	r->data[2] = (uint8_t)(usage >> 8);
}

void ka_report_system(struct ka_report *r, uint16_t usage)
{
	begin(r, KA_REPORT_CONTROL, 2, true);
	r->data[0] = 2;
	r->data[1] = usage >= 0x81 && usage <= 0x83 ? (uint8_t)(usage - 0x80) : 0;
}

/* data[first..len) hold signed steps: adds those of next when every sum still fits. */
static bool add_steps(struct ka_report *last, const struct ka_report *next, unsigned int first)
{
	int sum[KA_REPORT_MAX] = {0};

	for (unsigned int i = first; i < last->len; i++) {
		sum[i] = (int8_t)last->data[i] + (int8_t)next->data[i];
		if (sum[i] > KA_REPORT_STEP || sum[i] < -KA_REPORT_STEP)
			return false;
	}
	for (unsigned int i = first; i < last->len; i++)
		last->data[i] = (uint8_t)sum[i];
	return true;
}

static bool merge_abs(struct ka_report *last, const struct ka_report *next)
{
	bool same_place = !memcmp(last->data + 1, next->data + 1, 4);

	/* Wheel steps belong to the place where they were made. */
	if (!same_place && (last->data[5] || last->data[6]))
		return false;
	if (!add_steps(last, next, 5))
		return false;
	memcpy(last->data + 1, next->data + 1, 4);
	return true;
}

static bool merge_rel(struct ka_report *last, const struct ka_report *next)
{
	if ((last->data[3] || last->data[4]) && (next->data[1] || next->data[2]))
		return false;
	return add_steps(last, next, 1);
}

bool ka_report_merge(struct ka_report *last, const struct ka_report *next)
{
	if (last->function != next->function || last->edge || next->edge || last->data[0] != next->data[0])
		return false;
	if (last->function == KA_REPORT_ABS)
		return merge_abs(last, next);
	if (last->function == KA_REPORT_REL)
		return merge_rel(last, next);
	return false;
}

const char *ka_report_name(unsigned int function)
{
	static const char *const names[KA_REPORT_FUNCTIONS] = {"keyboard", "abs", "rel", "control"};

	return function < KA_REPORT_FUNCTIONS ? names[function] : "none";
}
