/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/desk.h"

#include "base/attr.h"

static bool covers(const struct ka_desk_place *a, const struct ka_desk_place *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height && b->y < a->y + a->height;
}

/* Out of the other's way, in the direction where it is not far. */
static void push(struct ka_desk_place *p, const struct ka_desk_place *from)
{
	int32_t right = from->x + from->width - p->x;
	int32_t left = p->x + p->width - from->x;
	int32_t down = from->y + from->height - p->y;
	int32_t up = p->y + p->height - from->y;
	int32_t least = KA_MIN(KA_MIN(right, left), KA_MIN(down, up));

	if (right == least)
		p->x += right;
	else if (left == least)
		p->x -= left;
	else if (down == least)
		p->y += down;
	else
		p->y -= up;
}

void ka_desk_arrange(struct ka_desk_place *places, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ka_desk_place *p = &places[i];
		/* Among several it may be pushed to and fro. */
		size_t pushes = n;

		if (!p->fixed) {
			p->x = i ? p[-1].x + p[-1].width : 0;
			p->y = i ? p[-1].y : 0;
		}
		for (size_t j = 0; j < i && pushes; j++) {
			if (!covers(p, &places[j]))
				continue;
			push(p, &places[j]);
			pushes--;
			j = SIZE_MAX;
		}
	}
}
