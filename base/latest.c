/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/latest.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/pulse.h"

struct ka_latest {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct ka_frame *frame;
	bool fresh; /* nobody has taken it */
	bool kicked;
	struct ka_pulse pulse;
};

int ka_latest_new(struct ka_latest **out)
{
	struct ka_latest *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attr);
	pthread_condattr_destroy(&attr);
	*out = l;
	return 0;
}

void ka_latest_free(struct ka_latest *l)
{
	if (!l)
		return;
	ka_frame_unref(&l->frame);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

bool ka_latest_put(struct ka_latest *l, struct ka_frame *f)
{
	struct ka_frame *old;
	bool missed;

	pthread_mutex_lock(&l->lock);
	old = l->frame;
	missed = l->fresh;
	l->frame = f;
	l->fresh = f != NULL;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	ka_frame_unref(&old);
	return missed;
}

void ka_latest_kick(struct ka_latest *l)
{
	pthread_mutex_lock(&l->lock);
	l->kicked = true;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

bool ka_latest_alive(struct ka_latest *l)
{
	if (!ka_pulse_ask(&l->pulse))
		return false;
	ka_latest_kick(l);
	return true;
}

struct ka_frame *ka_latest_again(struct ka_latest *l)
{
	struct ka_frame *f;

	pthread_mutex_lock(&l->lock);
	f = l->frame && !l->fresh ? ka_frame_ref(l->frame) : NULL;
	pthread_mutex_unlock(&l->lock);
	return f;
}

struct ka_frame *ka_latest_wait(struct ka_latest *l, int64_t deadline_us)
{
	struct timespec deadline = {.tv_sec = deadline_us / 1000000, .tv_nsec = deadline_us % 1000000 * 1000};
	struct ka_frame *f;
	int ret = 0;

	ka_pulse_answer(&l->pulse);
	pthread_mutex_lock(&l->lock);
	/* Not only ETIMEDOUT: a deadline before the epoch is EINVAL, and past all the same. */
	while (!l->fresh && !l->kicked && !ret) {
		if (deadline_us == INT64_MAX)
			ret = pthread_cond_wait(&l->changed, &l->lock);
		else
			ret = pthread_cond_timedwait(&l->changed, &l->lock, &deadline);
	}
	f = l->fresh ? ka_frame_ref(l->frame) : NULL;
	l->fresh = false;
	l->kicked = false;
	pthread_mutex_unlock(&l->lock);
	return f;
}
