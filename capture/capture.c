/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/capture.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/cap_state.h"
#include "capture/capture_priv.h"
#include "capture/edid_wish.h"
#include "capture/codecs.h"
#include "capture/snapshot.h"
#include "capture/source_card.h"
#include "capture/source_v4l2.h"
#include "capture/stage_capture.h"
#include "capture/streams.h"
#include "capture/wishes.h"

/* A quarter of a second at 30 per second: a viewer further behind starts afresh at a key picture. */
#define VIEWER_QUEUE 8u

struct ka_capture {
	struct ka_wishes *wishes;
	struct ka_cap_state *state;
	struct ka_hub *hub;
	struct ka_codecs *codecs;
	struct ka_streams *streams;
	struct ka_snapshots *snapshots;
	struct ka_stage_capture *cap;
	struct ka_source *source;
	struct ka_edid_wish edid;
};

struct ka_viewer {
	struct ka_capture *capture;
	struct ka_hub_sub *sub;
	struct ka_wish_entry entry;
};

static int check_size(const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	if (cfg->width >= KA_MIN_WIDTH && cfg->width <= KA_MAX_WIDTH && cfg->height >= KA_MIN_HEIGHT &&
	    cfg->height <= KA_MAX_HEIGHT && cfg->width % 2 == 0 && cfg->height % 2 == 0)
		return 0;
	ka_errbuf_set(eb, "video: %ux%u is not an even size from %ux%u to %ux%u", cfg->width, cfg->height, KA_MIN_WIDTH,
		      KA_MIN_HEIGHT, KA_MAX_WIDTH, KA_MAX_HEIGHT);
	return -KA_E_CONFIG;
}

static int check_cfg(const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	if (cfg->fps < 1 || cfg->fps > 120) {
		ka_errbuf_set(eb, "video: fps %u is not in 1..120", cfg->fps);
		return -KA_E_CONFIG;
	}
	if (cfg->slate_fps < 1 || cfg->slate_fps > 10) {
		ka_errbuf_set(eb, "video: slate_fps %u is not in 1..10", cfg->slate_fps);
		return -KA_E_CONFIG;
	}
	if (cfg->blank_s > 3600) {
		ka_errbuf_set(eb, "video: blank_slate %u is not in 0..3600", cfg->blank_s);
		return -KA_E_CONFIG;
	}
	if (cfg->card_noise > 100) {
		ka_errbuf_set(eb, "video: card_noise %u is more than 100 percent", cfg->card_noise);
		return -KA_E_CONFIG;
	}
	if (cfg->source == KA_SOURCE_CARD)
		return check_size(cfg, eb);
	if (!cfg->device || !cfg->device[0]) {
		ka_errbuf_set(eb, "video: no device is named");
		return -KA_E_CONFIG;
	}
	if (!cfg->width && !cfg->height)
		return 0;
	return check_size(cfg, eb);
}

static int read_edid(struct ka_capture *c, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	return ka_edid_wish_read(&c->edid, cfg->edid ? cfg->edid : "", cfg->edid_modes ? cfg->edid_modes : "",
				 cfg->edid_name ? cfg->edid_name : "", eb);
}

int ka_capture_check_edid(const char *edid, const char *modes, const char *name, struct ka_errbuf *eb)
{
	struct ka_edid_wish wish;

	return ka_edid_wish_read(&wish, edid, modes, name, eb);
}

int ka_capture_check_codecs(const char *codecs, struct ka_errbuf *eb)
{
	struct ka_codec_list l;

	return ka_codecs_read(&l, codecs, eb);
}

static int make_source(struct ka_capture *c, const struct ka_capture_cfg *cfg, const struct ka_v4l2_io *io)
{
	struct ka_source_v4l2_cfg v4l2 = {
		.device = cfg->device,
		.wish = {cfg->format, cfg->width, cfg->height, cfg->fps},
		.io = io,
		.edid = &c->edid,
		.home = ka_stage_capture_waker(c->cap),
	};

	if (cfg->source == KA_SOURCE_CARD)
		return ka_source_card_new(&c->source, &(struct ka_card_cfg){.width = cfg->width,
									    .height = cfg->height,
									    .fps = cfg->fps,
									    .noise_percent = cfg->card_noise});
	return ka_source_v4l2_new(&c->source, &v4l2);
}

static const char *shown_device(const struct ka_capture_cfg *cfg)
{
	return cfg->source == KA_SOURCE_V4L2 ? cfg->device : "";
}

static int make_streams(struct ka_capture *c, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	struct ka_geometry first =
		cfg->width ? (struct ka_geometry){cfg->width, cfg->height} : (struct ka_geometry){1280, 720};
	struct ka_stage_encode_cfg enc = {
		.settings = {.preset = cfg->preset, .tune = cfg->tune, .threads = cfg->threads, .fps = cfg->fps},
		.slate_fps = cfg->slate_fps,
		.device = shown_device(cfg),
		.geometry = first,
		.wishes = c->wishes,
		.state = c->state,
		.epoch_us = ka_clock_us(),
		.hub = c->hub,
	};
	int ret = ka_codecs_new(&c->codecs, ka_encoders, cfg->codecs ? cfg->codecs : "", &enc.settings, eb);

	if (ret < 0)
		return ret;
	enc.codecs = c->codecs;
	ka_cap_state_set_geometry(c->state, first);
	return ka_streams_new(&c->streams, &enc);
}

static int make_stage(struct ka_capture *c, const struct ka_capture_cfg *cfg)
{
	struct ka_stage_capture_cfg cap = {.fps = cfg->fps,
					   .blank_ms = cfg->blank_s * 1000,
					   .wishes = c->wishes,
					   .state = c->state,
					   .snapshots = c->snapshots};

	for (unsigned int i = 0; i < KA_RENDITIONS; i++)
		cap.latest[i] = ka_streams_latest(c->streams, i);
	return ka_stage_capture_new(&c->cap, &cap);
}

int ka_capture_new(struct ka_capture **out, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb)
{
	return ka_capture_new_io(out, cfg, &ka_v4l2_io_real, eb);
}

int ka_capture_new_io(struct ka_capture **out, const struct ka_capture_cfg *cfg, const struct ka_v4l2_io *io,
		      struct ka_errbuf *eb)
{
	struct ka_capture *c;
	int ret = check_cfg(cfg, eb);

	if (ret < 0)
		return ret;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	ret = cfg->source == KA_SOURCE_V4L2 ? read_edid(c, cfg, eb) : 0;
	if (ret == 0)
		ret = ka_wishes_new(&c->wishes);
	if (ret == 0)
		ret = ka_cap_state_new(&c->state, (struct ka_geometry){0});
	if (ret == 0)
		ret = ka_hub_new(&c->hub);
	if (ret == 0)
		ret = ka_snapshots_new(&c->snapshots, c->state, shown_device(cfg));
	if (ret == 0)
		ret = make_streams(c, cfg, eb);
	if (ret == 0)
		ret = make_stage(c, cfg);
	if (ret == 0)
		ret = make_source(c, cfg, io);
	if (ret < 0) {
		ka_capture_free(c);
		return ret;
	}
	*out = c;
	return 0;
}

int ka_capture_start(struct ka_capture *c)
{
	ka_codecs_probe(c->codecs);
	return ka_stage_capture_start(c->cap, c->source);
}

bool ka_capture_alive(struct ka_capture *c)
{
	/* Not the capture thread: a driver may hang, which its slate shows and which must cost nothing else. */
	return ka_streams_alive(c->streams);
}

void ka_capture_stop(struct ka_capture *c)
{
	ka_snapshots_stop(c->snapshots);
	ka_stage_capture_stop(c->cap);
	ka_streams_stop(c->streams);
}

void ka_capture_join(struct ka_capture *c)
{
	ka_snapshots_join(c->snapshots);
	ka_stage_capture_join(c->cap);
	ka_streams_join(c->streams);
}

void ka_capture_free(struct ka_capture *c)
{
	if (!c)
		return;
	/* Whoever may hold frames goes before the source, and the source before the loop it posts to. */
	ka_streams_free(c->streams);
	ka_codecs_free(c->codecs);
	ka_snapshots_free(c->snapshots);
	ka_source_free(c->source);
	ka_stage_capture_free(c->cap);
	ka_hub_free(c->hub);
	ka_cap_state_free(c->state);
	ka_wishes_free(c->wishes);
	free(c);
}

static void wake_stages(struct ka_capture *c)
{
	struct ka_wake cap = ka_stage_capture_waker(c->cap);

	ka_wake_call(&cap);
	ka_streams_wake(c->streams);
}

int ka_viewer_new(struct ka_viewer **out, struct ka_capture *c, const struct ka_video_wish *wish, struct ka_wake wake)
{
	unsigned int rendition = ka_wishes_suits(c->wishes, NULL, wish);
	struct ka_viewer *v;
	int ret = ka_streams_need(c->streams, rendition);

	if (ret < 0)
		return ret;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->capture = c;
	ret = ka_hub_subscribe(c->hub, VIEWER_QUEUE, wake, &v->sub);
	if (ret < 0) {
		free(v);
		return ret;
	}
	v->entry.rendition = rendition;
	ka_hub_set_rendition(v->sub, v->entry.rendition);
	/* After subscribing: the key picture asked for here must reach the queue. */
	ka_wishes_add(c->wishes, &v->entry, wish);
	wake_stages(c);
	*out = v;
	return 0;
}

struct ka_hub_sub *ka_viewer_sub(struct ka_viewer *v)
{
	return v->sub;
}

void ka_viewer_set(struct ka_viewer *v, const struct ka_video_wish *wish)
{
	struct ka_capture *c = v->capture;
	/* Others may change it meanwhile, between the two of a codec. */
	unsigned int rendition = ka_wishes_suits(c->wishes, &v->entry, wish);
	int ret = ka_streams_need(c->streams, rendition);

	if (ret < 0) {
		ka_log_every(WARN, KA_SEC(10), "capture", "no-stream", "codec=%s cause=\"%s\"",
			     ka_codec_name(wish->codec), ka_err_str(ret));
		return;
	}
	ka_wishes_set(c->wishes, &v->entry, wish, rendition);
	ka_hub_set_rendition(v->sub, rendition);
	wake_stages(c);
}

void ka_viewer_request_key(struct ka_viewer *v)
{
	ka_wishes_ask_key(v->capture->wishes, &v->entry);
	ka_streams_wake_one(v->capture->streams, v->entry.rendition);
}

void ka_viewer_sent(struct ka_viewer *v, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us)
{
	ka_stages_sent(ka_cap_state_stages(v->capture->state), at, taken_us, sent_us);
}

void ka_viewer_free(struct ka_viewer *v)
{
	if (!v)
		return;
	ka_wishes_remove(v->capture->wishes, &v->entry);
	ka_hub_unsubscribe(v->sub);
	wake_stages(v->capture);
	free(v);
}

size_t ka_capture_modes(struct ka_capture *c, struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	return ka_cap_state_modes(c->state, out);
}

int ka_capture_prefer(struct ka_capture *c, const struct ka_video_mode *mode)
{
	struct ka_wake wake = ka_stage_capture_waker(c->cap);
	int ret = ka_cap_state_want_mode(c->state, mode);

	if (ret > 0)
		ka_wake_call(&wake);
	return ret < 0 ? ret : 0;
}

int ka_capture_snapshot(struct ka_capture *c, size_t max_bytes, struct ka_wake done, struct ka_snapshot **out)
{
	if (!ka_hub_count(c->hub))
		return -ENODATA;
	return ka_snapshots_begin(c->snapshots, max_bytes, done, out);
}

void ka_capture_signal(struct ka_capture *c, struct ka_signal *out)
{
	ka_cap_state_signal(c->state, out);
	out->watched = ka_hub_count(c->hub) > 0;
}

void ka_capture_stats(struct ka_capture *c, struct ka_capture_stats *out)
{
	ka_cap_state_stats(c->state, out);
}

void ka_capture_stage(struct ka_capture *c, enum ka_stage stage, struct ka_percentiles *out)
{
	ka_histogram_read(&ka_cap_state_stages(c->state)->of[stage], out);
}

void ka_capture_codecs(struct ka_capture *c, struct ka_codec_list *out)
{
	ka_codecs_get(c->codecs, out);
}

uint32_t ka_capture_kbps(struct ka_capture *c)
{
	return ka_streams_kbps(c->streams);
}
