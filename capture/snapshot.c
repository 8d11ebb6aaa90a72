/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "capture/pngout.h"
#include "capture/slate.h"

/* A source that shows nothing new for so long is not shown at all. */
#define PATIENCE_US KA_SEC(3)
/* Sticks send a broken JPEG now and then. */
#define TRIES 3
#define NICE 10

/* One place. Its thread runs while it is busy and not ended. */
struct ka_snapshot {
	struct ka_snapshots *all;
	struct ka_thread thread;
	size_t max_bytes;
	struct ka_wake done;
	atomic_bool cancel;
	/* All below: under the lock. */
	bool busy;    /* somebody's, until dropped and ended */
	bool dropped; /* nobody wants it any more */
	bool ended;   /* the thread has only to return */
	bool waits;   /* for a frame */
	bool kicked;
	struct ka_frame *frame;
	struct ka_bytes png;
	int result;
};

struct ka_snapshots {
	struct ka_cap_state *state;
	const char *device;
	pthread_mutex_t lock; /* guards what the places say */
	pthread_cond_t changed;
	bool stopped;
	struct ka_snapshot places[KA_SNAPSHOTS];
};

int ka_snapshots_new(struct ka_snapshots **out, struct ka_cap_state *st, const char *device)
{
	struct ka_snapshots *all = calloc(1, sizeof(*all));
	pthread_condattr_t attr;

	if (!all)
		return -ENOMEM;
	all->state = st;
	all->device = device;
	pthread_mutex_init(&all->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&all->changed, &attr);
	pthread_condattr_destroy(&attr);
	for (unsigned int i = 0; i < KA_SNAPSHOTS; i++)
		all->places[i].all = all;
	*out = all;
	return 0;
}

void ka_snapshots_stop(struct ka_snapshots *all)
{
	pthread_mutex_lock(&all->lock);
	all->stopped = true;
	for (unsigned int i = 0; i < KA_SNAPSHOTS; i++)
		atomic_store(&all->places[i].cancel, true);
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

void ka_snapshots_join(struct ka_snapshots *all)
{
	for (unsigned int i = 0; i < KA_SNAPSHOTS; i++)
		ka_thread_join(&all->places[i].thread);
}

void ka_snapshots_free(struct ka_snapshots *all)
{
	if (!all)
		return;
	ka_snapshots_stop(all);
	ka_snapshots_join(all);
	for (unsigned int i = 0; i < KA_SNAPSHOTS; i++)
		ka_bytes_fini(&all->places[i].png);
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

void ka_snapshots_offer(struct ka_snapshots *all, struct ka_frame *f)
{
	pthread_mutex_lock(&all->lock);
	for (unsigned int i = 0; i < KA_SNAPSHOTS; i++) {
		struct ka_snapshot *s = &all->places[i];

		if (!s->waits)
			continue;
		s->waits = false;
		s->frame = ka_frame_ref(f);
		pthread_cond_broadcast(&all->changed);
	}
	pthread_mutex_unlock(&all->lock);
}

void ka_snapshots_kick(struct ka_snapshots *all)
{
	pthread_mutex_lock(&all->lock);
	for (unsigned int i = 0; i < KA_SNAPSHOTS; i++)
		all->places[i].kicked = true;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->lock);
}

/* The next frame of the source, or NULL: the deadline has passed, or something else has changed. */
static struct ka_frame *wait_frame(struct ka_snapshot *s, int64_t deadline_us)
{
	struct timespec deadline = {.tv_sec = deadline_us / 1000000, .tv_nsec = deadline_us % 1000000 * 1000};
	struct ka_snapshots *all = s->all;
	struct ka_frame *f;
	int ret = 0;

	pthread_mutex_lock(&all->lock);
	s->waits = true;
	while (!s->frame && !s->kicked && !atomic_load(&s->cancel) && !ret)
		ret = pthread_cond_timedwait(&all->changed, &all->lock, &deadline);
	f = s->frame;
	s->frame = NULL;
	s->waits = false;
	s->kicked = false;
	pthread_mutex_unlock(&all->lock);
	return f;
}

/* Into memory of our own, because the driver wants its buffer back. */
static int copy_frame(const struct ka_frame *f, struct ka_frame **out)
{
	/* Not all of it: the count of references is others' business. */
	struct ka_frame d = {.format = f->format, .colour = f->colour, .width = f->width, .height = f->height};
	struct ka_frame *copy;
	int ret;

	if (f->format == KA_PIX_MJPEG) {
		d.planes[0].size = f->planes[0].size;
		ret = ka_buf_new(&d.bufs[0], f->planes[0].size);
		if (ret < 0)
			return ret;
		d.planes[0].data = memcpy(d.bufs[0]->data, f->planes[0].data, f->planes[0].size);
		ret = ka_frame_new(out, &d);
		if (ret < 0)
			ka_buf_unref(&d.bufs[0]);
		return ret;
	}
	ret = ka_frame_alloc(&copy, f->format, f->width, f->height);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < ka_pixfmt_planes(f->format); i++)
		ka_frame_copy_plane(copy, f, i);
	copy->colour = f->colour;
	*out = copy;
	return 0;
}

static int draw_slate(struct ka_snapshot *s, const struct ka_cap_cause *cause, struct ka_frame **out)
{
	struct ka_signal signal;
	struct ka_slate *slate;
	int ret = ka_slate_new(&slate, s->all->device);

	if (ret < 0)
		return ret;
	ka_cap_state_signal(s->all->state, &signal);
	ret = ka_slate_draw(slate, signal.geometry, cause, out);
	ka_slate_free(slate);
	return ret;
}

/* What a viewer sees from now on, in memory of our own. */
static int take_picture(struct ka_snapshot *s, struct ka_frame **out)
{
	int64_t until = ka_clock_us() + PATIENCE_US;

	while (!atomic_load(&s->cancel)) {
		int64_t now = ka_clock_us();
		struct ka_cap_cause cause;
		struct ka_frame *f;
		int64_t slate;
		int ret;

		ka_cap_state_cause(s->all->state, &cause);
		slate = ka_slate_due(&cause, now);
		if (now >= slate)
			return draw_slate(s, &cause, out);
		if (now >= until)
			return -ETIMEDOUT;
		f = wait_frame(s, KA_MIN(until, slate));
		if (!f)
			continue;
		ret = copy_frame(f, out);
		ka_frame_unref(&f);
		return ret;
	}
	return -ECANCELED;
}

static int make_file(struct ka_snapshot *s, struct ka_bytes *png)
{
	int ret = -KA_E_FORMAT;

	for (int i = 0; i < TRIES && ret == -KA_E_FORMAT; i++) {
		struct ka_frame *f = NULL;

		ret = take_picture(s, &f);
		if (ret < 0)
			return ret;
		ka_bytes_clear(png);
		ret = ka_pngout_encode(png, f, &s->cancel);
		ka_frame_unref(&f);
	}
	return ret;
}

static void *run_thread(void *arg)
{
	struct ka_snapshot *s = arg;
	int64_t begin_us = ka_clock_us();
	struct ka_bytes png;
	int ret;

	/* The stream comes first; where that is not allowed it works all the same. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	ka_bytes_init(&png, s->max_bytes);
	ret = make_file(s, &png);
	if (ret < 0 && ret != -ECANCELED)
		ka_log(WARN, "capture", "no-screenshot", "cause=\"%s\"", ka_err_str(ret));
	else
		ka_log(DEBUG, "capture", "screenshot", "bytes=%zu ms=%d", png.len,
		       (int)((ka_clock_us() - begin_us) / 1000));
	if (ret < 0)
		ka_bytes_fini(&png);
	pthread_mutex_lock(&s->all->lock);
	s->png = png;
	s->result = ret;
	s->ended = true;
	if (!s->dropped)
		ka_wake_call(&s->done);
	pthread_mutex_unlock(&s->all->lock);
	return NULL;
}

/* Under the lock. A thread that has ended does not need the lock any more, so this does not wait for long. */
static bool is_free(struct ka_snapshot *s)
{
	if (!s->busy)
		return true;
	if (!s->dropped || !s->ended)
		return false;
	ka_thread_join(&s->thread);
	ka_bytes_fini(&s->png);
	s->busy = false;
	return true;
}

/* Under the lock. */
static int begin(struct ka_snapshot *s, unsigned int number, size_t max_bytes, struct ka_wake done)
{
	char name[16];
	int ret;

	s->max_bytes = max_bytes;
	s->done = done;
	s->dropped = s->ended = s->kicked = false;
	atomic_store(&s->cancel, false);
	snprintf(name, sizeof(name), "ka-snap-%u", number % 10);
	ret = ka_thread_start(&s->thread, name, run_thread, s);
	s->busy = ret == 0;
	return ret;
}

int ka_snapshots_begin(struct ka_snapshots *all, size_t max_bytes, struct ka_wake done, struct ka_snapshot **out)
{
	int ret = -KA_E_LIMIT;

	pthread_mutex_lock(&all->lock);
	for (unsigned int i = 0; i < KA_SNAPSHOTS && ret == -KA_E_LIMIT && !all->stopped; i++) {
		if (!is_free(&all->places[i]))
			continue;
		ret = begin(&all->places[i], i, max_bytes, done);
		if (ret == 0)
			*out = &all->places[i];
	}
	pthread_mutex_unlock(&all->lock);
	return ret;
}

int ka_snapshot_take(struct ka_snapshot *s, struct ka_bytes *png)
{
	int ret = -EAGAIN;

	pthread_mutex_lock(&s->all->lock);
	if (s->ended) {
		ret = s->result;
		*png = s->png;
		ka_bytes_init(&s->png, s->max_bytes);
	}
	pthread_mutex_unlock(&s->all->lock);
	return ret;
}

void ka_snapshot_drop(struct ka_snapshot *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->all->lock);
	s->dropped = true;
	atomic_store(&s->cancel, true);
	pthread_cond_broadcast(&s->all->changed);
	pthread_mutex_unlock(&s->all->lock);
}
