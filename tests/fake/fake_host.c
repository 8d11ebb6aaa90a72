/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_host.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"

#define PATIENCE_S 20

struct viewer {
	size_t display;
	struct ka_hub_sub *sub;
};

static void codecs(void *ctx, struct ka_codec_list *out)
{
	struct fake_host *h = ctx;

	pthread_mutex_lock(&h->lock);
	*out = h->codecs;
	pthread_mutex_unlock(&h->lock);
}

static int watch(void *ctx, size_t display, const struct ka_host_wish *wish, struct ka_wake wake, void **viewer,
		 struct ka_hub_sub **sub)
{
	struct fake_host *h = ctx;
	struct viewer *v;
	int ret;

	pthread_mutex_lock(&h->lock);
	ret = h->watch_error;
	h->watched++;
	h->wishes[display] = *wish;
	h->watching[display] += !ret;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	if (ret)
		return ret;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->display = display;
	ret = ka_hub_subscribe(h->hubs[display], 5, wake, &v->sub);
	if (ret < 0) {
		free(v);
		return ret;
	}
	*sub = v->sub;
	ka_hub_set_rendition(v->sub, ka_rendition(wish->codec, false));
	*viewer = v;
	return 0;
}

static void unwatch(void *ctx, void *viewer)
{
	struct fake_host *h = ctx;
	struct viewer *v = viewer;

	ka_hub_unsubscribe(v->sub);
	pthread_mutex_lock(&h->lock);
	h->unwatched++;
	h->watching[v->display]--;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	free(v);
}

static void set_wish(void *ctx, void *viewer, const struct ka_host_wish *wish)
{
	struct fake_host *h = ctx;
	const struct viewer *v = viewer;

	ka_hub_set_rendition(v->sub, ka_rendition(wish->codec, false));
	pthread_mutex_lock(&h->lock);
	h->wishes[v->display] = *wish;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void request_key(void *ctx, void *viewer)
{
	struct fake_host *h = ctx;
	const struct viewer *v = viewer;

	pthread_mutex_lock(&h->lock);
	h->keys_requested++;
	h->keys[v->display]++;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void sent(void *ctx, void *viewer, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us)
{
	struct fake_host *h = ctx;

	(void)viewer;
	ka_stages_sent(&h->stages, at, taken_us, sent_us);
}

static size_t displays(void *ctx, struct ka_host_display out[static KA_HOST_DISPLAYS_MAX])
{
	struct fake_host *h = ctx;

	pthread_mutex_lock(&h->lock);
	memcpy(out, h->displays, h->n_displays * sizeof(*out));
	pthread_mutex_unlock(&h->lock);
	return h->n_displays;
}

static int snapshot(void *ctx, size_t display, size_t max_bytes, struct ka_wake done, void **out)
{
	struct fake_host *h = ctx;
	int ret;

	pthread_mutex_lock(&h->lock);
	ret = h->shot_error;
	h->shots++;
	h->shot_max = max_bytes;
	h->shot_display = display;
	h->shot_done = false;
	h->shot_wake = done;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
	if (!ret)
		*out = h;
	return ret;
}

static int snapshot_take(void *ctx, void *taken, struct ka_bytes *png)
{
	struct fake_host *h = ctx;
	int ret = -EAGAIN;

	(void)taken;
	pthread_mutex_lock(&h->lock);
	if (h->shot_done) {
		ret = h->shot_result;
		*png = h->shot_png;
		h->shot_png = (struct ka_bytes){0};
	}
	pthread_mutex_unlock(&h->lock);
	return ret;
}

static void snapshot_drop(void *ctx, void *taken)
{
	struct fake_host *h = ctx;

	(void)taken;
	pthread_mutex_lock(&h->lock);
	h->shots_dropped++;
	h->shot_wake = (struct ka_wake){0};
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void input(void *ctx, struct ka_input *event)
{
	struct fake_host *h = ctx;

	pthread_mutex_lock(&h->lock);
	if (h->n_inputs < FAKE_HOST_INPUTS)
		h->inputs[h->n_inputs++] = *event;
	else if (event->kind == KA_INPUT_TEXT)
		free(event->text.utf8);
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

int fake_host_init(struct fake_host *h)
{
	pthread_condattr_t attr;

	memset(h, 0, sizeof(*h));
	h->host = (struct ka_host){.ctx = h,
				   .codecs = codecs,
				   .watch = watch,
				   .unwatch = unwatch,
				   .set_wish = set_wish,
				   .request_key = request_key,
				   .sent = sent,
				   .displays = displays,
				   .snapshot = snapshot,
				   .snapshot_take = snapshot_take,
				   .snapshot_drop = snapshot_drop,
				   .input = input};
	h->codecs = (struct ka_codec_list){
		{KA_CODEC_H264, KA_CODEC_VP9, KA_CODEC_VP9_444, KA_CODEC_VP8}, KA_CODECS, (1u << KA_CODECS) - 1};
	fake_host_give_displays(h, 1);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->changed, &attr);
	pthread_condattr_destroy(&attr);
	for (size_t i = 0; i < KA_HOST_DISPLAYS_MAX; i++) {
		int ret = ka_hub_new(&h->hubs[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

void fake_host_fini(struct fake_host *h)
{
	for (unsigned int i = 0; i < h->n_inputs; i++) {
		if (h->inputs[i].kind == KA_INPUT_TEXT)
			free(h->inputs[i].text.utf8);
	}
	ka_bytes_fini(&h->shot_png);
	for (size_t i = 0; i < KA_HOST_DISPLAYS_MAX; i++)
		ka_hub_free(h->hubs[i]);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
}

void fake_host_give_displays(struct fake_host *h, size_t n)
{
	static const char *const names[KA_HOST_DISPLAYS_MAX] = {"HDMI", "HDMI-2", "HDMI-3", "HDMI-4"};

	h->n_displays = n;
	for (size_t i = 0; i < n; i++)
		h->displays[i] = (struct ka_host_display){
			.name = names[i],
			.x = (int32_t)i * 1280,
			.width = 1280,
			.height = 720,
			.kbps = 2000,
		};
}

void fake_host_place(struct fake_host *h, size_t display, int32_t x, int32_t y, uint32_t width, uint32_t height)
{
	struct ka_host_display *d = &h->displays[display];

	pthread_mutex_lock(&h->lock);
	d->x = x;
	d->y = y;
	d->width = width;
	d->height = height;
	pthread_mutex_unlock(&h->lock);
}

void fake_host_publish(struct fake_host *h, int64_t pts_ms, bool key, uint32_t width, uint32_t height, size_t size)
{
	fake_host_publish_on(h, 0, pts_ms, key, width, height, size);
}

void fake_host_publish_on(struct fake_host *h, size_t display, int64_t pts_ms, bool key, uint32_t width,
			  uint32_t height, size_t size)
{
	struct ka_packet *p;

	if (ka_packet_new(&p, size) < 0)
		return;
	memset(p->data, (int)pts_ms, size);
	p->pts_ms = pts_ms;
	p->key = key;
	p->width = width;
	p->height = height;
	p->stamps.captured_us = p->stamps.encoded_us = ka_clock_us();
	ka_hub_publish(h->hubs[display], p);
}

void fake_host_publish_as(struct fake_host *h, enum ka_codec codec, int64_t pts_ms, bool key)
{
	struct ka_packet *p;

	if (ka_packet_new(&p, 100) < 0)
		return;
	memset(p->data, (int)pts_ms, 100);
	p->codec = codec;
	p->rendition = (uint8_t)ka_rendition(codec, false);
	p->pts_ms = pts_ms;
	p->key = key;
	p->width = 1280;
	p->height = 720;
	ka_hub_publish(h->hubs[0], p);
}

bool fake_host_wait_codec(struct fake_host *h, enum ka_codec codec)
{
	struct timespec deadline;
	int ret = 0;
	bool seen;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&h->lock);
	while (h->wishes[0].codec != codec && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&h->changed, &h->lock, &deadline);
	seen = h->wishes[0].codec == codec;
	pthread_mutex_unlock(&h->lock);
	return seen;
}

static bool wait_count(struct fake_host *h, const unsigned int *what, unsigned int n)
{
	struct timespec deadline;
	int ret = 0;
	bool seen;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&h->lock);
	while (*what < n && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&h->changed, &h->lock, &deadline);
	seen = *what >= n;
	pthread_mutex_unlock(&h->lock);
	return seen;
}

void fake_host_finish_shot(struct fake_host *h, int result, size_t size)
{
	uint8_t *at;

	pthread_mutex_lock(&h->lock);
	ka_bytes_init(&h->shot_png, size);
	h->shot_result = result;
	h->shot_done = true;
	at = size ? ka_bytes_extend(&h->shot_png, size) : NULL;
	if (at)
		memset(at, 0x5a, size);
	ka_wake_call(&h->shot_wake);
	pthread_mutex_unlock(&h->lock);
}

bool fake_host_wait_shots(struct fake_host *h, unsigned int n)
{
	return wait_count(h, &h->shots, n);
}

bool fake_host_wait_shots_dropped(struct fake_host *h, unsigned int n)
{
	return wait_count(h, &h->shots_dropped, n);
}

bool fake_host_wait_inputs(struct fake_host *h, unsigned int n)
{
	return wait_count(h, &h->n_inputs, n);
}

bool fake_host_wait_keys(struct fake_host *h, unsigned int n)
{
	return wait_count(h, &h->keys_requested, n);
}

bool fake_host_wait_keys_on(struct fake_host *h, size_t display, unsigned int n)
{
	return wait_count(h, &h->keys[display], n);
}

bool fake_host_wait_unwatched(struct fake_host *h, unsigned int n)
{
	return wait_count(h, &h->unwatched, n);
}

unsigned int fake_host_count(struct fake_host *h, const unsigned int *what)
{
	unsigned int n;

	pthread_mutex_lock(&h->lock);
	n = *what;
	pthread_mutex_unlock(&h->lock);
	return n;
}

struct ka_input fake_host_input(struct fake_host *h, unsigned int i)
{
	struct ka_input in;

	pthread_mutex_lock(&h->lock);
	in = h->inputs[i];
	pthread_mutex_unlock(&h->lock);
	return in;
}

struct ka_host_wish fake_host_wish(struct fake_host *h)
{
	return fake_host_wish_on(h, 0);
}

struct ka_host_wish fake_host_wish_on(struct fake_host *h, size_t display)
{
	struct ka_host_wish wish;

	pthread_mutex_lock(&h->lock);
	wish = h->wishes[display];
	pthread_mutex_unlock(&h->lock);
	return wish;
}

static void console(void *ctx, const struct ka_host_caller *caller, const char *line, char *answer, size_t answer_size)
{
	struct fake_host *h = ctx;

	pthread_mutex_lock(&h->lock);
	h->console_calls++;
	h->console_caller = *caller;
	ka_str_copy(h->console_line, sizeof(h->console_line), line);
	ka_str_copy(answer, answer_size, h->console_answer);
	pthread_mutex_unlock(&h->lock);
}

void fake_host_give_console(struct fake_host *h, const char *answer)
{
	h->console_answer = answer;
	h->host.console = console;
}

static int restart(void *ctx)
{
	struct fake_host *h = ctx;
	int ret;

	pthread_mutex_lock(&h->lock);
	h->restarts++;
	ret = h->restart_result;
	pthread_mutex_unlock(&h->lock);
	return ret;
}

void fake_host_give_restart(struct fake_host *h)
{
	h->host.restart = restart;
}

static size_t modes(void *ctx, size_t display, struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	struct fake_host *h = ctx;

	(void)display;
	for (size_t i = 0; i < h->n_modes; i++)
		out[i] = h->modes[i];
	return h->n_modes;
}

static int set_mode(void *ctx, size_t display, const struct ka_video_mode *mode)
{
	struct fake_host *h = ctx;

	pthread_mutex_lock(&h->lock);
	h->set_mode = *mode;
	h->set_display = display;
	h->modes_set++;
	pthread_mutex_unlock(&h->lock);
	return 0;
}

void fake_host_give_modes(struct fake_host *h, const struct ka_video_mode *given, size_t n)
{
	h->modes = given;
	h->n_modes = n;
	h->host.modes = modes;
	h->host.set_mode = set_mode;
}
