/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/stage_encode.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/bitrate.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "capture/slate.h"

/* So long a source may take for its first picture before the slate says "starting". */
#define START_GRACE_US KA_MS(300)
/* A new viewer's key picture waits so long for a new frame, then takes the last one. */
#define JOIN_GRACE_US KA_MS(20)
/* Viewers that lost pictures get a key picture at most so often. */
#define KEY_GAP_US KA_MS(300)
/* After a key picture the client may decode a picture and not show it: repeat a still for a while. */
#define REPEAT_FOR_US KA_SEC(2)
#define REPEAT_EVERY_US KA_MS(250)
#define ENCODER_RETRY_US KA_SEC(1)
/* On a narrow link no picture takes longer than this to get across, even a key picture; longer where text could not be
 * read in so few bytes. */
#define NARROW_BURST_MS 250u
#define NARROW_BURST_MOST_MS 750u
#define LEGIBLE_PIXELS_A_BYTE 33u
#define NEVER INT64_MAX

struct rate {
	uint32_t kbps, fps, burst_ms;
};

struct ka_stage_encode {
	struct ka_stage_encode_cfg cfg;
	struct ka_thread thread;
	atomic_bool stop;
	_Atomic uint32_t kbps;
	/* All below: the encoder's thread. */
	struct ka_slate *slate;
	struct ka_encoder *enc;
	struct rate rate;	     /* asked of the encoder */
	struct ka_geometry geometry; /* of the encoder, or of the last one */
	struct ka_frame *last;	     /* what was encoded last; as the encoder takes it */
	struct ka_stamps stamps;     /* of last, until the first try to encode it */
	bool on_slate;		     /* last is a slate */
	bool failed;		     /* the encoder, the last time */
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
}

void ka_stage_encode_free(struct ka_stage_encode *s)
{
	if (!s)
		return;
	close_encoder(s);
	ka_frame_unref(&s->last);
	ka_slate_free(s->slate);
	free(s);
}

static uint32_t narrow_burst_ms(const struct ka_frame *f, uint32_t kbps)
{
	uint64_t legible_bits = 8ull * f->width * f->height / LEGIBLE_PIXELS_A_BYTE;

	return (uint32_t)KA_CLAMP(legible_bits / KA_MAX(kbps, 1u), (uint64_t)NARROW_BURST_MS,
				  (uint64_t)NARROW_BURST_MOST_MS);
}

/* What the viewers' wishes and the source come to. */
static struct rate wanted_rate(struct ka_stage_encode *s, const struct ka_frame *f)
{
	struct rate r = {.fps = s->cfg.settings.fps};
	struct ka_wishes_now w;
	struct ka_signal signal;

	ka_wishes_get(s->cfg.wishes, s->cfg.rendition, &w);
	ka_cap_state_signal(s->cfg.state, &signal);
	r.kbps = w.kbps ? w.kbps : ka_bitrate_kbps(f->width, f->height, 0);
	r.burst_ms = w.narrow ? narrow_burst_ms(f, r.kbps) : 0;
	if (w.fps)
		r.fps = KA_MIN(r.fps, w.fps);
	if (signal.source_fps_mhz)
		r.fps = KA_CLAMP((signal.source_fps_mhz + 500) / 1000, 1u, r.fps);
	return r;
}

static int open_encoder(struct ka_stage_encode *s, const struct ka_frame *f, struct rate r)
{
	struct ka_encoder_cfg settings = s->cfg.settings;
	const struct ka_encoder_ops *best = NULL;
	int ret;

	if (s->cfg.codecs)
		best = ka_codecs_encoder(s->cfg.codecs, s->cfg.encoder->codec);
	if (best)
		s->cfg.encoder = best;
	settings.width = f->width;
	settings.height = f->height;
	settings.kbps = r.kbps;
	settings.burst_ms = r.burst_ms;
	ret = s->cfg.encoder->open(&s->enc, &settings);
	if (ret < 0)
		return ret;
	s->geometry = (struct ka_geometry){f->width, f->height};
	ka_cap_state_set_geometry(s->cfg.state, s->geometry);
	s->rate = (struct rate){r.kbps, settings.fps, r.burst_ms};
	ka_log(INFO, "encode", "opened", "n=%u encoder=%s w=%u h=%u kbps=%u", s->cfg.rendition, s->cfg.encoder->name,
	       f->width, f->height, r.kbps);
	return 0;
}

/* An encoder for this picture at the rate wished for. */
static int prepare_encoder(struct ka_stage_encode *s, const struct ka_frame *f)
{
	struct rate r = wanted_rate(s, f);
	int ret = 0;

	if (s->enc && (s->geometry.width != f->width || s->geometry.height != f->height))
		close_encoder(s);
	if (!s->enc)
		ret = open_encoder(s, f, r);
	if (ret == 0 && (r.kbps != s->rate.kbps || r.fps != s->rate.fps || r.burst_ms != s->rate.burst_ms))
		ret = s->cfg.encoder->set_rate(s->enc, r.kbps, r.fps, r.burst_ms);
	s->rate = r;
	atomic_store(&s->kbps, r.kbps);
	return ret;
}

/* p is published. */
static void publish(struct ka_stage_encode *s, struct ka_packet *p, struct ka_cap_encoded *sums)
{
	p->captured_us = s->last->captured_us;
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

static void fail_encoder(struct ka_stage_encode *s, int ret, int64_t now)
{
	ka_log_every(ERROR, KA_SEC(10), "encode", "failed", "encoder=%s cause=\"%s\"", s->cfg.encoder->name,
		     ka_err_str(ret));
	close_encoder(s);
	tell(s, false, now);
	s->open_again_us = now + ENCODER_RETRY_US;
	s->encoded_us = now;
	s->key_due_us = NEVER; /* a new encoder begins with one */
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
	int ret;

	s->stamps = (struct ka_stamps){0};
	if (now < s->open_again_us)
		return;
	/* Consumed before the picture is encoded: a viewer who asks meanwhile gets the next one. */
	note_key_wish(s, now);
	ask.key = s->key_due_us <= now;
	ret = prepare_encoder(s, s->last);
	if (ret < 0) {
		fail_encoder(s, ret, now);
		return;
	}
	ask.pts_ms = KA_MAX(s->last_pts_ms + 1, (now - s->cfg.epoch_us) / 1000);
	ret = s->cfg.encoder->encode(s->enc, s->last, &ask, &p);
	if (ret < 0) {
		fail_encoder(s, ret, now);
		return;
	}
	if (s->failed)
		tell(s, true, now);
	s->last_pts_ms = ask.pts_ms;
	sums.encode_us = ka_clock_us() - now;
	p->stamps = stamps;
	p->stamps.begun_us = now;
	publish(s, p, &sums);
}

static void show_frame(struct ka_stage_encode *s, struct ka_frame *f)
{
	ka_frame_unref(&s->last);
	s->last = f;
	s->on_slate = false;
	s->stamps = (struct ka_stamps){f->captured_us, f->dequeued_us, f->prepared_us};
	encode_last(s);
}

static void show_slate(struct ka_stage_encode *s, const struct ka_cap_cause *cause)
{
	ka_frame_unref(&s->last);
	s->on_slate = true;
	s->stamps = (struct ka_stamps){0};
	if (ka_slate_draw(s->slate, s->geometry, cause, &s->last) == 0)
		encode_last(s);
	else
		s->encoded_us = ka_clock_us(); /* no memory: not at once again */
}

/* When a slate has to be there; NEVER while pictures are live or expected. */
static int64_t slate_due(const struct ka_stage_encode *s, const struct ka_cap_cause *cause, int64_t now)
{
	int64_t period = 1000000 / s->cfg.slate_fps;

	if (!cause->code)
		return NEVER;
	if (!s->on_slate)
		return cause->code == -EINPROGRESS ? cause->since_us + START_GRACE_US : now;
	return s->encoded_us + period;
}

static int64_t repeat_due(const struct ka_stage_encode *s, int64_t now)
{
	return s->last && now < s->key_us + REPEAT_FOR_US ? s->encoded_us + REPEAT_EVERY_US : NEVER;
}

static void go_idle(struct ka_stage_encode *s)
{
	close_encoder(s);
	atomic_store(&s->kbps, 0);
	ka_frame_unref(&s->last);
	s->on_slate = false;
	s->open_again_us = 0;
	s->key_due_us = NEVER;
}

/* One wait and at most one picture. */
static void take_turn(struct ka_stage_encode *s)
{
	int64_t now = ka_clock_us();
	struct ka_cap_cause cause;
	struct ka_frame *f;
	int64_t slate, repeat;

	note_key_wish(s, now);
	ka_cap_state_cause(s->cfg.state, &cause);
	/* It has been idle for a moment that the capture thread did not notice. */
	if (!s->last && !cause.code && (f = ka_latest_again(s->cfg.latest)))
		show_frame(s, f);
	slate = slate_due(s, &cause, now);
	repeat = repeat_due(s, now);
	/* Give a fresh frame the chance to become the key picture; a slate is as good now as later. */
	if (s->last && s->key_due_us != NEVER)
		repeat = KA_MIN(repeat, s->key_due_us + (s->on_slate ? 0 : JOIN_GRACE_US));
	f = ka_latest_wait(s->cfg.latest, KA_MAX(KA_MIN(slate, repeat), s->open_again_us));
	now = ka_clock_us();
	if (atomic_load(&s->stop))
		ka_frame_unref(&f);
	else if (f)
		show_frame(s, f);
	else if (now >= slate && now >= s->open_again_us)
		show_slate(s, &cause);
	else if (now >= repeat && now >= s->open_again_us)
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
				show_frame(s, f);
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
