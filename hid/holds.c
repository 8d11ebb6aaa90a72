/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/holds.h"

#include <string.h>

static void remove_at(struct ka_holds *h, unsigned int i)
{
	h->count--;
	memmove(&h->items[i], &h->items[i + 1], (h->count - i) * sizeof(h->items[0]));
}

static bool find(const struct ka_holds *h, uint32_t source, uint16_t code, unsigned int *at)
{
	for (unsigned int i = 0; i < h->count; i++) {
		if (h->items[i].source == source && h->items[i].code == code) {
			*at = i;
			return true;
		}
	}
	return false;
}

bool ka_holds_add(struct ka_holds *h, uint32_t source, uint16_t code)
{
	unsigned int at;

	if (h->count == KA_HOLDS_MAX || find(h, source, code, &at))
		return false;
	h->items[h->count++] = (struct ka_hold){.source = source, .code = code};
	return true;
}

bool ka_holds_remove(struct ka_holds *h, uint32_t source, uint16_t code)
{
	unsigned int at;

	if (!find(h, source, code, &at))
		return false;
	remove_at(h, at);
	return true;
}

bool ka_holds_remove_source(struct ka_holds *h, uint32_t source)
{
	unsigned int before = h->count;

	for (unsigned int i = h->count; i-- > 0;) {
		if (h->items[i].source == source)
			remove_at(h, i);
	}
	return h->count != before;
}

bool ka_holds_remove_code(struct ka_holds *h, uint16_t code)
{
	unsigned int before = h->count;

	for (unsigned int i = h->count; i-- > 0;) {
		if (h->items[i].code == code)
			remove_at(h, i);
	}
	return h->count != before;
}

bool ka_holds_has(const struct ka_holds *h, uint32_t source, uint16_t code)
{
	unsigned int at;

	return find(h, source, code, &at);
}

bool ka_holds_any(const struct ka_holds *h, uint16_t code)
{
	for (unsigned int i = 0; i < h->count; i++) {
		if (h->items[i].code == code)
			return true;
	}
	return false;
}

uint16_t ka_holds_newest(const struct ka_holds *h)
{
	return h->count ? h->items[h->count - 1].code : 0;
}
