/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/cap_state.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

struct ka_cap_state {
	struct ka_stages stages;
	pthread_mutex_t lock; /* guards all below */
	struct ka_cap_cause cause;
	int64_t turn_us; /* the capture thread is at work since; 0 = it waits */
	struct ka_geometry geometry;
	uint32_t fps_mhz;
	struct ka_capture_stats stats;
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n_modes;
	struct ka_video_mode wanted; /* width 0 = none */
};

int ka_cap_state_new(struct ka_cap_state **out, struct ka_geometry geometry)
{
	struct ka_cap_state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	pthread_mutex_init(&st->lock, NULL);
	st->geometry = geometry;
	*out = st;
	return 0;
}

void ka_cap_state_free(struct ka_cap_state *st)
{
	if (!st)
		return;
	pthread_mutex_destroy(&st->lock);
	free(st);
}

bool ka_cap_state_set_cause(struct ka_cap_state *st, int code, const char *detail, uint32_t fps_mhz)
{
	bool changed;

	pthread_mutex_lock(&st->lock);
	changed = st->cause.code != code;
	if (changed)
		st->cause.since_us = ka_clock_us();
	st->cause.code = code;
	ka_str_copy(st->cause.detail, sizeof(st->cause.detail), detail);
	st->fps_mhz = fps_mhz;
	pthread_mutex_unlock(&st->lock);
	return changed;
}

int64_t ka_cap_state_turn(struct ka_cap_state *st, bool begins)
{
	int64_t now = ka_clock_us();
	int64_t took;

	pthread_mutex_lock(&st->lock);
	took = begins ? 0 : now - st->turn_us;
	st->turn_us = begins ? now : 0;
	pthread_mutex_unlock(&st->lock);
	return took;
}

/* Under the lock. What was told of a lasting trouble stays: that may well be what is waited for. */
static struct ka_cap_cause cause_now(const struct ka_cap_state *st)
{
	struct ka_cap_cause hung = {-ETIMEDOUT, st->turn_us + KA_CAP_STATE_HUNG_US, ""};

	if (!st->turn_us || (st->cause.code && st->cause.code != -EINPROGRESS) || ka_clock_us() < hung.since_us)
		return st->cause;
	return hung;
}

void ka_cap_state_cause(struct ka_cap_state *st, struct ka_cap_cause *out)
{
	pthread_mutex_lock(&st->lock);
	*out = cause_now(st);
	pthread_mutex_unlock(&st->lock);
}

void ka_cap_state_set_geometry(struct ka_cap_state *st, struct ka_geometry g)
{
	pthread_mutex_lock(&st->lock);
	st->geometry = g;
	pthread_mutex_unlock(&st->lock);
}

void ka_cap_state_add_captured(struct ka_cap_state *st, uint64_t captured, uint64_t dropped)
{
	pthread_mutex_lock(&st->lock);
	st->stats.captured += captured;
	st->stats.dropped += dropped;
	pthread_mutex_unlock(&st->lock);
}

void ka_cap_state_add_converted(struct ka_cap_state *st, int64_t us)
{
	pthread_mutex_lock(&st->lock);
	st->stats.convert_us += us;
	pthread_mutex_unlock(&st->lock);
}

void ka_cap_state_add_encoded(struct ka_cap_state *st, const struct ka_cap_encoded *e)
{
	pthread_mutex_lock(&st->lock);
	st->stats.encoded++;
	st->stats.key_frames += e->key;
	st->stats.bytes += e->bytes;
	st->stats.encode_us += e->encode_us;
	st->stats.latency_us = e->latency_us;
	pthread_mutex_unlock(&st->lock);
}

void ka_cap_state_set_modes(struct ka_cap_state *st, const struct ka_video_mode *modes, size_t n)
{
	pthread_mutex_lock(&st->lock);
	memcpy(st->modes, modes, n * sizeof(*modes));
	st->n_modes = n;
	pthread_mutex_unlock(&st->lock);
}

size_t ka_cap_state_modes(struct ka_cap_state *st, struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	size_t n;

	pthread_mutex_lock(&st->lock);
	n = st->n_modes;
	memcpy(out, st->modes, n * sizeof(*out));
	pthread_mutex_unlock(&st->lock);
	return n;
}

int ka_cap_state_want_mode(struct ka_cap_state *st, const struct ka_video_mode *mode)
{
	int ret = -ENOENT;

	pthread_mutex_lock(&st->lock);
	for (size_t i = 0; i < st->n_modes && ret < 0; i++) {
		if (!memcmp(&st->modes[i], mode, sizeof(*mode)))
			ret = i > 0 || st->wanted.width;
	}
	if (ret > 0)
		st->wanted = *mode;
	pthread_mutex_unlock(&st->lock);
	return ret;
}

bool ka_cap_state_take_mode(struct ka_cap_state *st, struct ka_video_mode *out)
{
	bool taken;

	pthread_mutex_lock(&st->lock);
	*out = st->wanted;
	taken = out->width > 0;
	st->wanted.width = 0;
	pthread_mutex_unlock(&st->lock);
	return taken;
}

struct ka_stages *ka_cap_state_stages(struct ka_cap_state *st)
{
	return &st->stages;
}

void ka_cap_state_signal(struct ka_cap_state *st, struct ka_signal *out)
{
	pthread_mutex_lock(&st->lock);
	*out = (struct ka_signal){.cause = cause_now(st).code, .geometry = st->geometry, .source_fps_mhz = st->fps_mhz};
	pthread_mutex_unlock(&st->lock);
}

void ka_cap_state_stats(struct ka_cap_state *st, struct ka_capture_stats *out)
{
	pthread_mutex_lock(&st->lock);
	*out = st->stats;
	pthread_mutex_unlock(&st->lock);
}
