/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/touch_up.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/difference.h"

/* A block is worth its bits from here on: a sample differs by so much, or all do by so much on average. */
#define PEAK 4u
#define MEAN_PERCENT 75u
/* Bits for each step of a sample that differs, before any are known: text in an ordinary picture. */
#define BITS_FOR_STEP 1.0
#define BITS_MOST 4.0
#define BITS_LEAST 0.02

struct ka_touch_up {
	struct ka_frame *mix;
	uint32_t across, blocks;
	uint8_t *fine;	 /* for each block: as good as it gets */
	uint8_t *chosen; /* of the mixture */
	uint64_t steps;	 /* by which the chosen ones differ */
	double bits_for_step;
};

int ka_touch_up_new(struct ka_touch_up **out, uint32_t width, uint32_t height)
{
	struct ka_touch_up *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	t->across = ka_frame_blocks(width);
	t->blocks = t->across * ka_frame_blocks(height);
	t->bits_for_step = BITS_FOR_STEP;
	t->fine = calloc(t->blocks, 1);
	t->chosen = calloc(t->blocks, 1);
	ret = t->fine && t->chosen ? ka_frame_alloc(&t->mix, KA_PIX_NV12, width, height) : -ENOMEM;
	if (ret < 0) {
		ka_touch_up_free(t);
		return ret;
	}
	*out = t;
	return 0;
}

void ka_touch_up_free(struct ka_touch_up *t)
{
	if (!t)
		return;
	ka_frame_unref(&t->mix);
	free(t->fine);
	free(t->chosen);
	free(t);
}

void ka_touch_up_changed(struct ka_touch_up *t, const uint8_t *changed)
{
	if (!changed) {
		memset(t->fine, 0, t->blocks);
		return;
	}
	for (uint32_t i = 0; i < t->blocks; i++)
		t->fine[i] &= !changed[i];
}

/* A row of a block's samples in NV12's order; chroma of I420 is put in order in `room`. */
static const uint8_t *samples(const struct ka_frame *f, unsigned int plane, uint32_t x, uint32_t y, uint32_t n,
			      uint8_t *room)
{
	const uint8_t *u, *v;

	if (plane == 0 || f->format == KA_PIX_NV12)
		return ka_frame_row(f, plane, y) + x;
	u = ka_frame_row(f, 1, y) + x / 2;
	v = ka_frame_row(f, 2, y) + x / 2;
	for (uint32_t i = 0; i < n / 2; i++) {
		room[2 * i] = u[i];
		room[2 * i + 1] = v[i];
	}
	return room;
}

/* Luma and chroma of a block: the source's into the mixture, and how far they are from what is decoded. 0: it is good
 * enough. */
static uint32_t take_block(struct ka_touch_up *t, const struct ka_frame *f, const struct ka_decoded *d, uint32_t i)
{
	uint32_t x = i % t->across * KA_FRAME_BLOCK, top = i / t->across * KA_FRAME_BLOCK;
	uint32_t n = KA_MIN(KA_FRAME_BLOCK, f->width - x);
	struct ka_difference diff = {0};

	for (unsigned int p = 0; p < 2; p++) {
		uint32_t end = KA_MIN(top + KA_FRAME_BLOCK, f->height) >> p;

		for (uint32_t y = top >> p; y < end; y++) {
			const uint8_t *is = d->planes[p] + y * d->strides[p] + x;
			uint8_t room[KA_FRAME_BLOCK];
			const uint8_t *shall = samples(f, p, x, y, n, room);

			ka_difference_add(&diff, is, shall, n);
			memcpy(ka_frame_row(t->mix, p, y) + x, shall, n);
		}
	}
	return ka_difference_exceeds(&diff, PEAK, MEAN_PERCENT) ? diff.sum : 0;
}

static void leave_block(struct ka_touch_up *t, const struct ka_decoded *d, uint32_t i)
{
	uint32_t x = i % t->across * KA_FRAME_BLOCK, top = i / t->across * KA_FRAME_BLOCK;
	uint32_t n = KA_MIN(KA_FRAME_BLOCK, t->mix->width - x);

	for (unsigned int p = 0; p < 2; p++) {
		for (uint32_t y = top >> p; y < KA_MIN(top + KA_FRAME_BLOCK, t->mix->height) >> p; y++)
			memcpy(ka_frame_row(t->mix, p, y) + x, d->planes[p] + y * d->strides[p] + x, n);
	}
}

const struct ka_frame *ka_touch_up_mix(struct ka_touch_up *t, const struct ka_frame *f, const struct ka_decoded *d,
				       size_t bytes, bool *left)
{
	uint64_t most = (uint64_t)((double)bytes * 8 / t->bits_for_step);

	*left = false;
	t->steps = 0;
	for (uint32_t i = 0; i < t->blocks; i++) {
		uint32_t steps = t->fine[i] ? 0 : take_block(t, f, d, i);

		/* At least one, however dear. */
		t->chosen[i] = bytes && steps && (!t->steps || t->steps + steps <= most);
		*left |= steps && !t->chosen[i];
		if (t->chosen[i])
			t->steps += steps;
		else
			leave_block(t, d, i);
	}
	return t->mix;
}

void ka_touch_up_done(struct ka_touch_up *t, size_t bytes, bool fine)
{
	if (t->steps) {
		double bits = (double)bytes * 8 / (double)t->steps;

		/* Faster up than down: too many bits are worse than too few. */
		bits = KA_CLAMP(bits, BITS_LEAST, BITS_MOST);
		t->bits_for_step = bits > t->bits_for_step ? bits : (t->bits_for_step + bits) / 2;
	}
	for (uint32_t i = 0; fine && i < t->blocks; i++)
		t->fine[i] |= t->chosen[i];
}
