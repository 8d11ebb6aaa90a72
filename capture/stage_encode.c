/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/stage_encode.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "capture/change.h"
#include "capture/encode_rate.h"
#include "capture/log_lines.h"
#include "capture/refine.h"
#include "capture/slate.h"

/* A new viewer's key picture waits so long for a new frame, then takes the last one. */
#define JOIN_GRACE_US KA_MS(20)
/* Viewers that lost pictures get a key picture at most so often. */
#define KEY_GAP_US KA_MS(300)
/* After a key picture the client may decode a picture and not show it: repeat a still for a while. */
#define REPEAT_FOR_US KA_SEC(2)
#define REPEAT_EVERY_US KA_MS(250)
#define ENCODER_RETRY_US KA_SEC(1)
/* Passes of refinement leave the line free in between. */
#define PASS_GAP_MAX_US KA_SEC(1)
#define NEVER INT64_MAX

struct ka_stage_encode {
	struct ka_stage_encode_cfg cfg;
	struct ka_thread thread;
	atomic_bool stop;
	_Atomic uint32_t kbps;
	/* All below: the encoder's thread. */
	struct ka_slate *slate;
	struct ka_encoder *enc;
	struct ka_encode_rate rate;  /* asked of the encoder */
	struct ka_geometry geometry; /* of the encoder, or of the last one */
	struct ka_frame *last;	     /* what viewers see, or shall see next */
	bool waits;		     /* it has not been encoded yet */
	bool on_slate;		     /* last is a slate */
	bool failed;		     /* the encoder, the last time */
	struct ka_stamps stamps;     /* of last, until the first try to encode it */
	uint64_t seen;		     /* number of the picture that the encoder had last; 0 = none, or one without */
	uint8_t *changed;	     /* for each block of the encoder's pictures */
	struct ka_refine refine;
	int64_t slate_us; /* when the last slate was drawn */
	int64_t last_pts_ms;
	int64_t open_again_us; /* not before, after a failure */
	int64_t encoded_us;    /* last picture */
	int64_t key_us;	       /* last key picture */
	int64_t key_due_us;    /* somebody waits for one; NEVER = nobody */
};

int ka_stage_encode_new(struct ka_stage_encode **out, const struct ka_stage_encode_cfg *cfg)
{
	struct ka_stage_encode *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	s->geometry = cfg->geometry;
	s->key_due_us = NEVER;
	ret = ka_slate_new(&s->slate, cfg->device);
	if (ret < 0) {
		ka_stage_encode_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

static void close_encoder(struct ka_stage_encode *s)
{
	s->cfg.encoder->close(s->enc);
	s->enc = NULL;
	s->seen = 0;
	ka_refine_stop(&s->refine);
}

void ka_stage_encode_free(struct ka_stage_encode *s)
{
	if (!s)
		return;
	close_encoder(s);
	ka_frame_unref(&s->last);
	ka_slate_free(s->slate);
	free(s->changed);
	free(s);
}

static int open_encoder(struct ka_stage_encode *s, const struct ka_frame *f, const struct ka_encode_rate *r)
{
	size_t blocks = ka_frame_block_count(f->width, f->height);
	struct ka_encoder_cfg settings = s->cfg.settings;
	const struct ka_encoder_ops *best = NULL;
	int ret;

	if (s->cfg.codecs)
		best = ka_codecs_encoder(s->cfg.codecs, s->cfg.encoder->codec);
	if (best)
		s->cfg.encoder = best;
	free(s->changed);
	s->changed = malloc(blocks);
	if (!s->changed)
		return -ENOMEM;
	settings.width = f->width;
	settings.height = f->height;
	settings.kbps = r->kbps;
	settings.burst_ms = r->burst_ms;
	ret = s->cfg.encoder->open(&s->enc, &settings);
	if (ret < 0)
		return ret;
	s->geometry = (struct ka_geometry){f->width, f->height};
	ka_cap_state_set_geometry(s->cfg.state, s->geometry);
	s->rate = (struct ka_encode_rate){r->kbps, settings.fps, r->burst_ms};
	ka_log_burst(INFO, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "encode", "opened", "n=%u encoder=%s w=%u h=%u kbps=%u",
		     s->cfg.rendition, s->cfg.encoder->name, f->width, f->height, r->kbps);
	return 0;
}

/* An encoder for this picture, or to refine it, at the rate wished for. */
static int prepare_encoder(struct ka_stage_encode *s, const struct ka_frame *f, bool refine)
{
	bool narrow;
	struct ka_encode_rate wanted =
		ka_encode_rate_wanted(s->cfg.wishes, s->cfg.rendition, s->cfg.state,
				      (struct ka_geometry){f->width, f->height}, s->cfg.settings.fps, &narrow);
	struct ka_encode_rate r = refine ? ka_encode_rate_still(wanted, narrow) : wanted;
	int ret = 0;

	if (s->enc && (s->geometry.width != f->width || s->geometry.height != f->height))
		close_encoder(s);
	if (!s->enc)
		ret = open_encoder(s, f, &wanted);
	if (ret == 0 && !ka_encode_rate_same(&r, &s->rate))
		ret = s->cfg.encoder->set_rate(s->enc, r.kbps, r.fps, r.burst_ms);
	s->rate = r;
	atomic_store(&s->kbps, wanted.kbps);
	return ret;
}

/* What has changed since the encoder's last picture; NULL = it may be anything. */
static const uint8_t *find_changes(struct ka_stage_encode *s, const struct ka_frame *f)
{
	size_t blocks = ka_frame_block_count(f->width, f->height);
	const uint64_t *stamps;

	if (!s->waits) {
		memset(s->changed, 0, blocks);
		return s->changed;
	}
	if (!f->stamps || !s->seen)
		return NULL;
	stamps = (const uint64_t *)(const void *)f->stamps->data;
	for (size_t i = 0; i < blocks; i++)
		s->changed[i] = stamps[i] > s->seen;
	return s->changed;
}

/* p is published. */
static void publish(struct ka_stage_encode *s, struct ka_packet *p, struct ka_cap_encoded *sums)
{
	p->sequence = s->last->sequence;
	p->rendition = (uint8_t)s->cfg.rendition;
	p->encoded_us = ka_clock_us();
	s->encoded_us = p->encoded_us;
	sums->key = p->key;
	sums->bytes = p->size;
	sums->latency_us = p->encoded_us - p->captured_us;
	if (p->key) {
		s->key_us = p->encoded_us;
		s->key_due_us = NEVER;
	}
	/* Before: who has seen the picture finds it counted. */
	p->stamps.encoded_us = p->encoded_us;
	ka_stages_encoded(ka_cap_state_stages(s->cfg.state), &p->stamps);
	ka_cap_state_add_encoded(s->cfg.state, sums);
	ka_hub_publish(s->cfg.hub, p);
}

static void tell(struct ka_stage_encode *s, bool good, int64_t now)
{
	s->failed = !good;
	if (s->cfg.codecs)
		ka_codecs_told(s->cfg.codecs, s->cfg.encoder, good, now);
}

/* After a picture of `size` bytes: is there something to gain from standing still? */
static void note_stillness(struct ka_stage_encode *s, const struct ka_encode_ask *ask, bool news, bool more,
			   size_t size)
{
	/* The line carries a kbit in a ms. */
	int64_t gap_us = (int64_t)size * 8000 / KA_MAX(s->rate.kbps, 1u);
	int64_t period_us = 1000000 / s->rate.fps;

	if (s->on_slate)
		ka_refine_stop(&s->refine);
	else if (news)
		ka_refine_moved(&s->refine, period_us, s->encoded_us);
	else if (ask->refine)
		ka_refine_done(&s->refine, more, KA_MAX(KA_MIN(gap_us, PASS_GAP_MAX_US), period_us), s->encoded_us);
}

static void fail_encoder(struct ka_stage_encode *s, int ret, int64_t now)
{
	ka_log_every(ERROR, KA_SEC(10), "encode", "failed", "encoder=%s cause=\"%s\"", s->cfg.encoder->name,
		     ka_err_str(ret));
	close_encoder(s);
	tell(s, false, now);
	s->open_again_us = now + ENCODER_RETRY_US;
	s->encoded_us = now;
	s->key_due_us = NEVER; /* a new encoder begins with one */
	s->waits = s->last != NULL;
}

static void note_key_wish(struct ka_stage_encode *s, int64_t now)
{
	switch (ka_wishes_take_key(s->cfg.wishes, s->cfg.rendition)) {
	case KA_KEY_NONE:
		return;
	case KA_KEY_ASKED:
		s->key_due_us = KA_MIN(s->key_due_us, KA_MAX(now, s->key_us + KEY_GAP_US));
		return;
	case KA_KEY_JOIN:
		s->key_due_us = now;
		return;
	}
}

/* Encodes `last`. */
static void encode_last(struct ka_stage_encode *s)
{
	struct ka_cap_encoded sums = {0};
	int64_t now = ka_clock_us();
	struct ka_packet *p = NULL;
	struct ka_encode_ask ask = {0};
	struct ka_stamps stamps = s->stamps;
	size_t size;
	bool key;
	int ret;

	s->stamps = (struct ka_stamps){0};
	if (now < s->open_again_us)
		return;
	/* Consumed before the picture is encoded: a viewer who asks meanwhile gets the next one. */
	note_key_wish(s, now);
	ask.key = s->key_due_us <= now;
	ask.refine = !s->waits && !ask.key && now >= ka_refine_due(&s->refine);
	ret = prepare_encoder(s, s->last, ask.refine);
	if (ret < 0) {
		fail_encoder(s, ret, now);
		return;
	}
	ask.changed = find_changes(s, s->last);
	ask.pts_ms = KA_MAX(s->last_pts_ms + 1, (now - s->cfg.epoch_us) / 1000);
	ret = s->cfg.encoder->encode(s->enc, s->last, &ask, &p);
	if (ret < 0) {
		fail_encoder(s, ret, now);
		return;
	}
	if (s->failed)
		tell(s, true, now);
	s->last_pts_ms = ask.pts_ms;
	s->seen = s->last->number;
	sums.encode_us = ka_clock_us() - now;
	/* Nothing has changed since: it shows what there is now. */
	p->captured_us = s->waits ? s->last->captured_us : now;
	p->stamps = stamps;
	p->stamps.begun_us = now;
	size = p->size;
	key = p->key;
	publish(s, p, &sums);
	note_stillness(s, &ask, s->waits || key, ret > 0, size);
	s->waits = false;
}

/* f: becomes the stage's. */
static void show(struct ka_stage_encode *s, struct ka_frame *f, bool slate)
{
	ka_frame_unref(&s->last);
	s->last = f;
	s->waits = true;
	s->on_slate = slate;
	s->stamps = (struct ka_stamps){0};
	if (!slate)
		s->stamps = (struct ka_stamps){f->captured_us, f->dequeued_us, f->prepared_us};
	encode_last(s);
}

static bool is_same_slate(const struct ka_stage_encode *s, const struct ka_frame *f)
{
	return s->on_slate && !s->waits && s->last && s->last->width == f->width && s->last->height == f->height &&
	       s->key_due_us == NEVER && !ka_change_find(s->last, f, s->changed);
}

static void show_slate(struct ka_stage_encode *s, const struct ka_cap_cause *cause)
{
	struct ka_frame *f = NULL;
	int ret = ka_slate_draw(s->slate, s->geometry, cause, &f);

	s->slate_us = ka_clock_us();
	if (ret < 0) {
		s->open_again_us = s->slate_us + ENCODER_RETRY_US; /* no memory: not at once again */
		return;
	}
	if (is_same_slate(s, f))
		ka_frame_unref(&f);
	else
		show(s, f, true);
}

/* When a slate has to be there; NEVER while pictures are live or expected. */
static int64_t slate_due(const struct ka_stage_encode *s, const struct ka_cap_cause *cause, int64_t now)
{
	if (cause->code && s->on_slate)
		return s->slate_us + 1000000 / s->cfg.slate_fps;
	return ka_slate_due(cause, now);
}

/* When `last` has to be encoded, or once more. */
static int64_t again_due(const struct ka_stage_encode *s, int64_t now)
{
	int64_t due = ka_refine_due(&s->refine);

	if (!s->last)
		return NEVER;
	if (s->waits)
		return now;
	if (now < s->key_us + REPEAT_FOR_US)
		due = KA_MIN(due, s->encoded_us + REPEAT_EVERY_US);
	/* Give a fresh frame the chance to become the key picture; a slate is as good now as later. */
	if (s->key_due_us != NEVER)
		due = KA_MIN(due, s->key_due_us + (s->on_slate ? 0 : JOIN_GRACE_US));
	return due;
}

static void go_idle(struct ka_stage_encode *s)
{
	close_encoder(s);
	atomic_store(&s->kbps, 0);
	ka_frame_unref(&s->last);
	s->waits = s->on_slate = false;
	s->open_again_us = 0;
	s->key_due_us = NEVER;
}

/* One wait and at most one picture. */
static void take_turn(struct ka_stage_encode *s)
{
	int64_t now = ka_clock_us();
	struct ka_cap_cause cause;
	struct ka_frame *f;
	int64_t slate, again;

	note_key_wish(s, now);
	ka_cap_state_cause(s->cfg.state, &cause);
	/* It has been idle for a moment that the capture thread did not notice. */
	if (!s->last && !cause.code && (f = ka_latest_again(s->cfg.latest)))
		show(s, f, false);
	slate = slate_due(s, &cause, now);
	again = again_due(s, now);
	/* Now and then it looks whether the capture thread is still alive. */
	f = ka_latest_wait(s->cfg.latest,
			   KA_MIN(KA_MAX(KA_MIN(slate, again), s->open_again_us), now + KA_CAP_STATE_HUNG_US / 2));
	now = ka_clock_us();
	if (atomic_load(&s->stop))
		ka_frame_unref(&f);
	else if (f)
		show(s, f, false);
	else if (now >= slate && now >= s->open_again_us)
		show_slate(s, &cause);
	else if (now >= again && now >= s->open_again_us)
		encode_last(s);
}

static void *run_thread(void *arg)
{
	struct ka_stage_encode *s = arg;

	while (!atomic_load(&s->stop)) {
		struct ka_wishes_now w;

		ka_wishes_get(s->cfg.wishes, s->cfg.rendition, &w);
		if (w.viewers) {
			take_turn(s);
		} else {
			struct ka_frame *f;

			go_idle(s);
			f = ka_latest_wait(s->cfg.latest, NEVER);
			/* The first picture may be here before the news that somebody watches. */
			ka_wishes_get(s->cfg.wishes, s->cfg.rendition, &w);
			if (f && w.viewers && !atomic_load(&s->stop))
				show(s, f, false);
			else
				ka_frame_unref(&f);
		}
	}
	go_idle(s);
	return NULL;
}

int ka_stage_encode_start(struct ka_stage_encode *s)
{
	char name[16];

	snprintf(name, sizeof(name), "ka-enc-%u", s->cfg.rendition % 10);
	return ka_thread_start(&s->thread, name, run_thread, s);
}

void ka_stage_encode_stop(struct ka_stage_encode *s)
{
	atomic_store(&s->stop, true);
	ka_latest_kick(s->cfg.latest);
}

void ka_stage_encode_join(struct ka_stage_encode *s)
{
	ka_thread_join(&s->thread);
}

void ka_stage_encode_wake(struct ka_stage_encode *s)
{
	ka_latest_kick(s->cfg.latest);
}

uint32_t ka_stage_encode_kbps(struct ka_stage_encode *s)
{
	return atomic_load(&s->kbps);
}
