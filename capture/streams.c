/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/streams.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct ka_streams {
	struct ka_stage_encode_cfg cfg;
	struct ka_latest *latest[KA_RENDITIONS];
	pthread_mutex_t lock; /* guards the making of stages, and stopped */
	bool stopped;
	_Atomic(struct ka_stage_encode *) stages[KA_RENDITIONS];
};

int ka_streams_new(struct ka_streams **out, const struct ka_stage_encode_cfg *cfg)
{
	struct ka_streams *s = calloc(1, sizeof(*s));
	int ret = 0;

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->cfg = *cfg;
	for (unsigned int i = 0; ret == 0 && i < KA_RENDITIONS; i++)
		ret = ka_latest_new(&s->latest[i]);
	if (ret < 0) {
		ka_streams_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

void ka_streams_free(struct ka_streams *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		ka_stage_encode_free(atomic_load(&s->stages[i]));
		ka_latest_free(s->latest[i]);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct ka_latest *ka_streams_latest(struct ka_streams *s, unsigned int rendition)
{
	return s->latest[rendition];
}

static int make_stage(struct ka_streams *s, unsigned int rendition)
{
	struct ka_stage_encode_cfg cfg = s->cfg;
	struct ka_stage_encode *stage;
	int ret;

	cfg.encoder = ka_codecs_encoder(cfg.codecs, ka_rendition_codec(rendition));
	cfg.latest = s->latest[rendition];
	cfg.rendition = rendition;
	if (!cfg.encoder)
		return -ENODEV;
	ret = ka_stage_encode_new(&stage, &cfg);
	if (ret < 0)
		return ret;
	ret = ka_stage_encode_start(stage);
	if (ret < 0) {
		ka_stage_encode_free(stage);
		return ret;
	}
	atomic_store(&s->stages[rendition], stage);
	return 0;
}

int ka_streams_need(struct ka_streams *s, unsigned int rendition)
{
	int ret = 0;

	pthread_mutex_lock(&s->lock);
	if (s->stopped)
		ret = -ECANCELED;
	else if (!atomic_load(&s->stages[rendition]))
		ret = make_stage(s, rendition);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

void ka_streams_stop(struct ka_streams *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopped = true;
	pthread_mutex_unlock(&s->lock);
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		struct ka_stage_encode *stage = atomic_load(&s->stages[i]);

		if (stage)
			ka_stage_encode_stop(stage);
	}
}

void ka_streams_join(struct ka_streams *s)
{
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		struct ka_stage_encode *stage = atomic_load(&s->stages[i]);

		if (stage)
			ka_stage_encode_join(stage);
	}
}

void ka_streams_wake(struct ka_streams *s)
{
	for (unsigned int i = 0; i < KA_RENDITIONS; i++)
		ka_streams_wake_one(s, i);
}

void ka_streams_wake_one(struct ka_streams *s, unsigned int rendition)
{
	struct ka_stage_encode *stage = atomic_load(&s->stages[rendition]);

	if (stage)
		ka_stage_encode_wake(stage);
}

bool ka_streams_alive(struct ka_streams *s)
{
	bool alive = true;

	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		if (atomic_load(&s->stages[i]) && !ka_latest_alive(s->latest[i]))
			alive = false;
	}
	return alive;
}

uint32_t ka_streams_kbps(struct ka_streams *s)
{
	uint32_t kbps = 0;

	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		struct ka_stage_encode *stage = atomic_load(&s->stages[i]);

		if (stage)
			kbps = KA_MAX(kbps, ka_stage_encode_kbps(stage));
	}
	return kbps;
}
