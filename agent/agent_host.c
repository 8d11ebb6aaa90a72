/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/agent_host.h"

#include <stdlib.h>

#include "agent/desk.h"
#include "base/clock.h"

static struct ka_video_wish to_video(const struct ka_host_wish *w)
{
	return (struct ka_video_wish){.kbps = w->kbps, .fps = w->fps, .narrow = w->narrow, .codec = w->codec};
}

void ka_agent_codecs(const struct ka_agent_parts *p, struct ka_codec_list *out)
{
	ka_capture_codecs(p->displays[0].capture, out);
	for (size_t i = 1; i < p->n_displays; i++) {
		struct ka_codec_list l;

		ka_capture_codecs(p->displays[i].capture, &l);
		out->working &= l.working;
	}
}

static void codecs(void *ctx, struct ka_codec_list *out)
{
	ka_agent_codecs(ctx, out);
}

static int watch(void *ctx, size_t display, const struct ka_host_wish *wish, struct ka_wake wake, void **viewer,
		 struct ka_hub_sub **sub)
{
	struct ka_agent_parts *p = ctx;
	struct ka_video_wish w = to_video(wish);
	struct ka_viewer *v;
	int ret = ka_viewer_new(&v, p->displays[display].capture, &w, wake);

	if (ret < 0)
		return ret;
	*viewer = v;
	*sub = ka_viewer_sub(v);
	return 0;
}

static void unwatch(void *ctx, void *viewer)
{
	(void)ctx;
	ka_viewer_free(viewer);
}

static void set_wish(void *ctx, void *viewer, const struct ka_host_wish *wish)
{
	struct ka_video_wish w = to_video(wish);

	(void)ctx;
	ka_viewer_set(viewer, &w);
}

static void sent(void *ctx, void *viewer, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us)
{
	(void)ctx;
	ka_viewer_sent(viewer, at, taken_us, sent_us);
}

static void request_key(void *ctx, void *viewer)
{
	(void)ctx;
	ka_viewer_request_key(viewer);
}

/* What the size of a display most probably is that has not been captured yet: a target follows the EDID. */
static void guess_size(struct ka_capture *c, struct ka_geometry *g)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_capture_stats stats;

	ka_capture_stats(c, &stats);
	if (!stats.captured && ka_capture_modes(c, modes))
		*g = (struct ka_geometry){modes[0].width, modes[0].height};
}

static bool is_off(const struct ka_signal *s)
{
	return s->cause == -KA_E_NO_DEVICE || s->cause == -KA_E_NO_CABLE || s->cause == -KA_E_NO_SIGNAL;
}

static size_t list_displays(void *ctx, struct ka_host_display out[static KA_HOST_DISPLAYS_MAX])
{
	struct ka_desk_place places[KA_HOST_DISPLAYS_MAX];
	struct ka_agent_parts *p = ctx;

	for (size_t i = 0; i < p->n_displays; i++) {
		const struct ka_config_display *cfg = p->displays[i].config;
		struct ka_capture *c = p->displays[i].capture;
		struct ka_signal signal;

		ka_capture_signal(c, &signal);
		if (p->n_displays > 1 && !signal.watched)
			guess_size(c, &signal.geometry);
		places[i] = (struct ka_desk_place){.fixed = cfg->placed,
						   .x = cfg->x,
						   .y = cfg->y,
						   .width = (int32_t)signal.geometry.width,
						   .height = (int32_t)signal.geometry.height};
		out[i] = (struct ka_host_display){.name = cfg->name,
						  .width = signal.geometry.width,
						  .height = signal.geometry.height,
						  .kbps = ka_capture_kbps(c),
						  .off = is_off(&signal)};
	}
	ka_desk_arrange(places, p->n_displays);
	for (size_t i = 0; i < p->n_displays; i++) {
		out[i].x = places[i].x;
		out[i].y = places[i].y;
	}
	return p->n_displays;
}

static size_t modes(void *ctx, size_t display, struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	struct ka_agent_parts *p = ctx;

	return ka_capture_modes(p->displays[display].capture, out);
}

static int set_mode(void *ctx, size_t display, const struct ka_video_mode *mode)
{
	struct ka_agent_parts *p = ctx;

	return ka_capture_prefer(p->displays[display].capture, mode);
}

static int snapshot(void *ctx, size_t display, size_t max_bytes, struct ka_wake done, void **out)
{
	struct ka_agent_parts *p = ctx;
	struct ka_snapshot *s;
	int ret = ka_capture_snapshot(p->displays[display].capture, max_bytes, done, &s);

	if (ret == 0)
		*out = s;
	return ret;
}

static int snapshot_take(void *ctx, void *taken, struct ka_bytes *png)
{
	(void)ctx;
	return ka_snapshot_take(taken, png);
}

static void snapshot_drop(void *ctx, void *taken)
{
	(void)ctx;
	ka_snapshot_drop(taken);
}

static void input(void *ctx, struct ka_input *event)
{
	struct ka_agent_parts *p = ctx;
	bool pass;

	pthread_mutex_lock(&p->lock);
	pass = ka_arbiter_pass(&p->arbiter, event, event->at_us);
	pthread_mutex_unlock(&p->lock);
	if (pass)
		ka_hid_post(p->hid, event);
	else if (event->kind == KA_INPUT_TEXT)
		free(event->text.utf8);
}

static int restart(void *ctx)
{
	struct ka_agent_parts *p = ctx;

	return ka_atx_request(&p->atx, KA_ATX_RESET);
}

static void console(void *ctx, const struct ka_host_caller *caller, const char *line, char *answer, size_t answer_size)
{
	struct ka_agent_parts *p = ctx;

	ka_console_chat(p->console, caller, line, answer, answer_size);
}

void ka_agent_host_release(struct ka_agent_parts *parts, uint32_t session)
{
	struct ka_input event = {.kind = KA_INPUT_RELEASE, .source = session, .at_us = ka_clock_us()};

	input(parts, &event);
}

void ka_agent_host_init(struct ka_host *out, struct ka_agent_parts *parts, unsigned int hold_ms)
{
	pthread_mutex_init(&parts->lock, NULL);
	ka_arbiter_init(&parts->arbiter, hold_ms);
	*out = (struct ka_host){
		.ctx = parts,
		.codecs = codecs,
		.watch = watch,
		.unwatch = unwatch,
		.set_wish = set_wish,
		.request_key = request_key,
		.sent = sent,
		.displays = list_displays,
		.modes = modes,
		.set_mode = set_mode,
		.snapshot = snapshot,
		.snapshot_take = snapshot_take,
		.snapshot_drop = snapshot_drop,
		.input = input,
		.restart = ka_atx_can(&parts->atx, KA_ATX_RESET) ? restart : NULL,
		.console = parts->console ? console : NULL,
	};
}

void ka_agent_host_fini(struct ka_agent_parts *parts)
{
	pthread_mutex_destroy(&parts->lock);
}
