/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/ring.h"

#include <errno.h>

static void empty(struct ka_ring_slot *s)
{
	ka_frame_unref(&s->f);
	s->luma = s->chroma = 0;
}

void ka_ring_clear(struct ka_ring *r)
{
	for (unsigned int i = 0; i < KA_RING_MAX; i++)
		empty(&r->slots[i]);
}

int ka_ring_take(struct ka_ring *r, uint32_t width, uint32_t height, struct ka_ring_slot **out)
{
	struct ka_ring_slot *best = NULL;
	struct ka_ring_slot *unused = NULL;
	int ret;

	for (unsigned int i = 0; i < KA_RING_MAX; i++) {
		struct ka_ring_slot *s = &r->slots[i];

		/* Of another size: readers keep their references. */
		if (s->f && (s->f->width != width || s->f->height != height))
			empty(s);
		if (!s->f)
			unused = s;
		else if (ka_frame_writable(s->f) && (!best || s->chroma > best->chroma))
			best = s;
	}
	*out = best ? best : unused;
	if (best)
		return 0;
	if (!unused)
		return -EBUSY;
	ret = ka_frame_alloc(&unused->f, r->format, width, height);
	if (ret < 0)
		return ret;
	unused->f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	return 0;
}
