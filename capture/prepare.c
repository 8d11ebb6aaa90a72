/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/prepare.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "capture/change.h"
#include "capture/convert.h"
#include "capture/mjpeg.h"
#include "capture/ring.h"

enum { SUBSAMPLED, FULL, OUTPUTS };

struct ka_prepare {
	struct ka_convert *convert;
	struct ka_mjpeg *mjpeg;
	struct ka_frame *raw;	 /* the newest picture; a JPEG: the newest that could be decoded */
	struct ka_frame *pixels; /* of JPEGs, NV12: what has been given out */
	struct ka_frame *fresh;	 /* of JPEGs, NV12: what the newest decoded to */
	uint64_t number;	 /* of the newest picture */
	bool any;		 /* there is one */
	uint64_t sequence;	 /* of its source */
	int64_t captured_us, dequeued_us;
	/* For each block. */
	uint32_t across, down;
	uint64_t *stamps;
	uint8_t *map;
	struct ka_buf *stamped; /* the stamps as of the newest picture; NULL = not copied yet */
	struct output {
		struct ka_ring ring;
		struct ka_frame *made; /* the newest picture, or NULL */
	} outputs[OUTPUTS];
	struct ka_frame *lent[KA_PREPARE_LENT]; /* with a raw picture's memory in them */
};

int ka_prepare_new(struct ka_prepare **out)
{
	struct ka_prepare *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	p->outputs[SUBSAMPLED].ring.format = KA_PIX_NV12;
	p->outputs[FULL].ring.format = KA_PIX_I444;
	ret = ka_convert_new(&p->convert);
	if (ret == 0)
		ret = ka_mjpeg_new(&p->mjpeg);
	if (ret < 0) {
		ka_prepare_free(p);
		return ret;
	}
	*out = p;
	return 0;
}

/* What was made of the newest picture is not the newest any more. */
static void drop_made(struct ka_prepare *p)
{
	for (unsigned int i = 0; i < OUTPUTS; i++)
		ka_frame_unref(&p->outputs[i].made);
	ka_buf_unref(&p->stamped);
}

void ka_prepare_forget(struct ka_prepare *p)
{
	drop_made(p);
	for (unsigned int i = 0; i < OUTPUTS; i++)
		ka_ring_clear(&p->outputs[i].ring);
	for (unsigned int i = 0; i < KA_PREPARE_LENT; i++)
		ka_frame_unref(&p->lent[i]);
	ka_frame_unref(&p->raw);
	ka_frame_unref(&p->pixels);
	ka_frame_unref(&p->fresh);
	p->any = false;
}

void ka_prepare_free(struct ka_prepare *p)
{
	if (!p)
		return;
	ka_prepare_forget(p);
	ka_convert_free(p->convert);
	ka_mjpeg_free(p->mjpeg);
	free(p->stamps);
	free(p->map);
	free(p);
}

static bool is_alike(const struct ka_frame *a, const struct ka_frame *b)
{
	return a->format == b->format && a->width == b->width && a->height == b->height &&
	       a->colour.matrix == b->colour.matrix && a->colour.range == b->colour.range;
}

/* A picture of another kind than those before. */
static int begin(struct ka_prepare *p, const struct ka_frame *raw)
{
	uint32_t across = ka_frame_blocks(raw->width);
	uint32_t down = ka_frame_blocks(raw->height);
	int ret = 0;

	ka_prepare_forget(p);
	if (across != p->across || down != p->down) {
		free(p->stamps);
		free(p->map);
		p->stamps = calloc((size_t)across * down, sizeof(*p->stamps));
		p->map = malloc((size_t)across * down);
		p->across = across;
		p->down = down;
		if (!p->stamps || !p->map) {
			p->across = p->down = 0;
			return -ENOMEM;
		}
	}
	if (raw->format == KA_PIX_MJPEG) {
		ret = ka_frame_alloc(&p->pixels, KA_PIX_NV12, raw->width, raw->height);
		if (ret == 0)
			ret = ka_frame_alloc(&p->fresh, KA_PIX_NV12, raw->width, raw->height);
		if (ret < 0)
			return ret;
		p->pixels->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
		p->fresh->colour = p->pixels->colour;
		/* A first JPEG that ends early leaves the rest as it is: black. */
		memset(p->fresh->planes[0].data, 16, p->fresh->planes[0].size);
		memset(p->fresh->planes[1].data, 128, p->fresh->planes[1].size);
	}
	return ret;
}

static int decode(struct ka_prepare *p, const struct ka_frame *raw)
{
	struct ka_recolour colour;
	struct ka_mjpeg_dst dst = {
		.rows = {p->fresh->planes[0].data, p->fresh->planes[1].data, p->fresh->planes[0].stride,
			 p->fresh->planes[1].stride},
		.width = raw->width,
		.height = raw->height,
	};

	if (ka_recolour_init(&colour, raw->colour, false))
		dst.colour = &colour;
	return ka_mjpeg_decode(p->mjpeg, raw->planes[0].data, raw->planes[0].size, &dst);
}

/* Calls for each run of blocks in a row of them, from the first to the last one that is newer than `than`. */
static void convert_newer(struct ka_prepare *p, const struct ka_frame *in, const struct ka_frame *to, uint64_t than,
			  bool luma)
{
	for (uint32_t by = 0; by < p->down; by++) {
		const uint64_t *row = p->stamps + (size_t)by * p->across;
		uint32_t first = 0;
		uint32_t end = p->across;
		struct ka_area a = {.y = by * KA_FRAME_BLOCK};

		while (first < end && row[first] <= than)
			first++;
		while (end > first && row[end - 1] <= than)
			end--;
		if (first == end)
			continue;
		a.x = first * KA_FRAME_BLOCK;
		a.width = KA_MIN(end * KA_FRAME_BLOCK, in->width) - a.x;
		a.height = KA_MIN(KA_FRAME_BLOCK, in->height - a.y);
		ka_convert_area(p->convert, in, to, &a, luma);
	}
}

/* The picture whose changes the map tells (first: all of it) is the newest from now on. */
static void adopt(struct ka_prepare *p, const struct ka_frame *raw, bool first)
{
	p->number++;
	for (size_t i = 0; i < (size_t)p->across * p->down; i++) {
		if (first || p->map[i])
			p->stamps[i] = p->number;
	}
	p->sequence = raw->sequence;
	p->captured_us = raw->captured_us;
	p->dequeued_us = raw->dequeued_us;
	p->any = true;
	drop_made(p);
}

static void hold(struct ka_prepare *p, struct ka_frame *raw)
{
	ka_frame_unref(&p->raw);
	p->raw = ka_frame_ref(raw);
}

static int look_jpeg(struct ka_prepare *p, struct ka_frame *raw, bool first)
{
	const struct ka_plane *now = &raw->planes[0];
	int ret;

	/* Many devices send the very same bytes for the same picture. */
	if (!first && now->size == p->raw->planes[0].size && memcmp(now->data, p->raw->planes[0].data, now->size) == 0)
		return 0;
	ret = decode(p, raw);
	if (ret < 0)
		return ret;
	hold(p, raw);
	if (!first && !ka_change_find_lossy(p->pixels, p->fresh, p->map))
		return 0;
	adopt(p, raw, first);
	/* Unchanged blocks between changed ones keep the old pixels as well, else drift would pass for stillness. */
	for (uint32_t i = 0; i < p->across * p->down; i++) {
		struct ka_area a = {i % p->across * KA_FRAME_BLOCK, i / p->across * KA_FRAME_BLOCK};

		a.width = KA_MIN(KA_FRAME_BLOCK, raw->width - a.x);
		a.height = KA_MIN(KA_FRAME_BLOCK, raw->height - a.y);
		if (p->stamps[i] == p->number)
			ka_convert_area(p->convert, p->fresh, p->pixels, &a, true);
	}
	return 1;
}

/* Raw pictures that no encoder reads any more go home. */
static unsigned int count_lent(struct ka_prepare *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < KA_PREPARE_LENT; i++) {
		if (p->lent[i] && p->lent[i] != p->outputs[SUBSAMPLED].made && ka_ref_only(&p->lent[i]->ref))
			ka_frame_unref(&p->lent[i]);
		n += p->lent[i] != NULL;
	}
	return n;
}

int ka_prepare_look(struct ka_prepare *p, struct ka_frame *raw)
{
	bool first = !p->raw || !is_alike(p->raw, raw);
	int ret;

	if (raw->width % 2 || raw->height % 2)
		return -KA_E_FORMAT;
	if (first) {
		ret = begin(p, raw);
		if (ret < 0) {
			ka_prepare_forget(p);
			return ret;
		}
	}
	(void)count_lent(p);
	if (raw->format == KA_PIX_MJPEG)
		return look_jpeg(p, raw, first);
	if (!first && !ka_change_find(p->raw, raw, p->map))
		return 0;
	hold(p, raw);
	adopt(p, raw, first);
	return 1;
}

uint64_t ka_prepare_number(const struct ka_prepare *p)
{
	return p->any ? p->number : 0;
}

static int copy_stamps(struct ka_prepare *p)
{
	size_t bytes = (size_t)p->across * p->down * sizeof(*p->stamps);
	int ret;

	/* Encoders read it once it has been given out. */
	if (p->stamped)
		return 0;
	ret = ka_buf_new(&p->stamped, bytes);
	if (ret == 0)
		memcpy(p->stamped->data, p->stamps, bytes);
	return ret;
}

/* A frame of memory of one or two others. */
static int wrap(struct ka_prepare *p, const struct ka_frame *luma, const struct ka_frame *chroma, struct ka_frame **out)
{
	struct ka_frame d = *chroma;
	int ret;

	for (unsigned int i = 0; i < KA_FRAME_PLANES; i++) {
		if (d.bufs[i])
			ka_buf_ref(d.bufs[i]);
	}
	if (luma != chroma) {
		/* chroma is a ring's: one buffer for all planes. */
		d.planes[0] = luma->planes[0];
		d.bufs[1] = d.bufs[0];
		d.bufs[0] = ka_buf_ref(luma->bufs[0]);
	}
	d.colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
	d.sequence = p->sequence;
	d.captured_us = p->captured_us;
	d.dequeued_us = p->dequeued_us;
	d.prepared_us = ka_clock_us();
	d.number = p->number;
	d.stamps = ka_buf_ref(p->stamped);
	ret = ka_frame_new(out, &d);
	if (ret == 0)
		return 0;
	for (unsigned int i = 0; i < KA_FRAME_PLANES; i++)
		ka_buf_unref(&d.bufs[i]);
	ka_buf_unref(&d.stamps);
	return ret;
}

static void note_lent(struct ka_prepare *p, struct ka_frame *f)
{
	for (unsigned int i = 0; i < KA_PREPARE_LENT; i++) {
		if (!p->lent[i]) {
			p->lent[i] = ka_frame_ref(f);
			return;
		}
	}
}

static int make(struct ka_prepare *p, struct output *o, struct ka_frame **out)
{
	const struct ka_frame *in = p->pixels ? p->pixels : p->raw;
	bool may_lend = o == &p->outputs[SUBSAMPLED] && !p->pixels && count_lent(p) < KA_PREPARE_LENT;
	enum ka_convert_way way = may_lend ? ka_convert_way(p->raw) : KA_CONVERT_ALL;
	struct ka_ring_slot *slot;
	int ret = copy_stamps(p);

	if (ret < 0)
		return ret;
	if (way == KA_CONVERT_PASS) {
		ret = wrap(p, in, in, out);
		if (ret == 0)
			note_lent(p, *out);
		return ret;
	}
	ret = ka_ring_take(&o->ring, in->width, in->height, &slot);
	if (ret < 0)
		return ret;
	if (way == KA_CONVERT_CHROMA) {
		convert_newer(p, in, slot->f, slot->chroma, false);
		slot->chroma = p->number;
		ret = wrap(p, in, slot->f, out);
		if (ret == 0)
			note_lent(p, *out);
		return ret;
	}
	convert_newer(p, in, slot->f, KA_MIN(slot->luma, slot->chroma), true);
	slot->luma = slot->chroma = p->number;
	return wrap(p, slot->f, slot->f, out);
}

int ka_prepare_get(struct ka_prepare *p, bool full_chroma, struct ka_frame **out)
{
	struct output *o = &p->outputs[full_chroma ? FULL : SUBSAMPLED];

	if (!p->any)
		return -ENODATA;
	if (!o->made) {
		int ret = make(p, o, &o->made);

		if (ret < 0) {
			o->made = NULL;
			return ret;
		}
	}
	*out = ka_frame_ref(o->made);
	return 0;
}
