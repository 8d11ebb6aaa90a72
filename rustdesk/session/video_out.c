/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/session_priv.h"

#include <assert.h>

#include "base/bitrate.h"
#include "base/clock.h"
#include "base/log.h"

#define KEY_BACKOFF_MIN_US KA_MS(300)
#define KEY_BACKOFF_MAX_US KA_SEC(5)
#define ACK_TIMEOUT_US KA_SEC(3)
#define UNDER_WAY_MS 20 /* looks so often whether a screenshot has arrived */

static uint32_t chosen_fps(const struct ka_ses_video *v)
{
	return v->custom_fps && v->auto_fps ? KA_MIN(v->custom_fps, v->auto_fps) : KA_MAX(v->custom_fps, v->auto_fps);
}

static void set_wish(struct ka_session *s, struct ka_qos_wish wish)
{
	struct ka_ses_video *v = &s->video;

	v->wish = (struct ka_host_wish){.kbps = wish.kbps, .fps = wish.fps, .narrow = wish.narrow};
	if (v->viewer)
		s->cfg.host->set_wish(s->cfg.host->ctx, v->viewer, &v->wish);
}

/* What the socket says. */
static void feed_link(struct ka_session *s, int64_t now)
{
	struct ka_ses_video *v = &s->video;
	struct ka_conn_link link;

	ka_conn_get_link(s->conn, &link);
	if (link.acked != v->acked || !v->held)
		v->moved_us = now;
	v->acked = link.acked;
	ka_qos_link(&v->qos, now,
		    &(struct ka_qos_link){.acked = link.acked,
					  .outstanding = link.outstanding,
					  .unsent = link.unsent,
					  .mss = link.mss,
					  .rtt_us = link.rtt_us});
}

void ka_video_update_wish(struct ka_session *s)
{
	struct ka_ses_video *v = &s->video;
	int64_t now = ka_clock_us();

	/* First: how far away the controller is decides how the wish is approached. */
	feed_link(s, now);
	ka_qos_limit(&v->qos, ka_bitrate_kbps(v->width, v->height, v->ratio_percent), chosen_fps(v),
		     ka_bitrate_kbps(v->width, v->height, 0));
	set_wish(s, ka_qos_decide(&v->qos, now));
}

/* A key picture has been asked for already: give it time before asking again. */
static void expect_key(struct ka_ses_video *v)
{
	v->next_key_request_us = ka_clock_us() + v->key_backoff_us;
}

int ka_video_start(struct ka_session *s)
{
	struct ka_ses_video *v = &s->video;
	int ret;

	if (v->viewer)
		return 0;
	v->key_backoff_us = KEY_BACKOFF_MIN_US;
	v->fresh = true;
	expect_key(v);
	ka_video_update_wish(s);
	ret = s->cfg.host->watch(s->cfg.host->ctx, &v->wish, ka_loop_waker(&s->loop), &v->viewer, &v->sub);
	if (ret < 0)
		ka_log(ERROR, "session", "no-video", "n=%u cause=\"%s\"", s->cfg.number, ka_err_str(ret));
	return ret;
}

void ka_video_stop(struct ka_session *s)
{
	if (!s->video.viewer)
		return;
	s->cfg.host->unwatch(s->cfg.host->ctx, s->video.viewer);
	uv_timer_stop(&s->pace);
	s->video.viewer = NULL;
	s->video.sub = NULL;
}

static void request_key(struct ka_session *s, int64_t now)
{
	struct ka_ses_video *v = &s->video;

	if (now < v->next_key_request_us)
		return;
	s->cfg.host->request_key(s->cfg.host->ctx, v->viewer);
	v->next_key_request_us = now + v->key_backoff_us;
	/* A peer that falls behind again and again must not turn everybody's stream into key pictures. */
	v->key_backoff_us = KA_MIN(v->key_backoff_us * 2, KEY_BACKOFF_MAX_US);
}

void ka_video_restart(struct ka_session *s)
{
	/* A newcomer's requests before its first picture come to one key picture, which it has been promised anyway. */
	if (!s->video.viewer || s->video.fresh)
		return;
	s->video.fresh = true;
	expect_key(&s->video);
	ka_hub_restart(s->video.sub);
	s->cfg.host->request_key(s->cfg.host->ctx, s->video.viewer);
}

static int send_packet(struct ka_session *s, struct ka_packet *p)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__VideoFrame video = RD__VIDEO_FRAME__INIT;
	Rd__EncodedVideoFrames frames = RD__ENCODED_VIDEO_FRAMES__INIT;
	Rd__EncodedVideoFrame frame = RD__ENCODED_VIDEO_FRAME__INIT;
	Rd__EncodedVideoFrame *list[] = {&frame};

	frame.data = (ProtobufCBinaryData){.len = p->size, .data = p->data};
	frame.key = p->key;
	if (p->rendition != s->video.rendition)
		s->video.pts_least = s->video.pts_ms;
	s->video.rendition = p->rendition;
	s->video.pts_ms = KA_MAX(p->pts_ms, s->video.pts_least);
	frame.pts = s->video.pts_ms;
	frames.n_frames = 1;
	frames.frames = list;
	video.union_case = RD__VIDEO_FRAME__UNION_H264S;
	video.h264s = &frames;
	msg.union_case = RD__MESSAGE__UNION_VIDEO_FRAME;
	msg.video_frame = &video;
	return ka_session_send(s, &msg);
}

static int send_next(struct ka_session *s, struct ka_packet *p)
{
	struct ka_ses_video *v = &s->video;
	int ret = 0;

	if (p->width != v->width || p->height != v->height) {
		/* Sizes change at key packets only, so the fresh decoder this message makes gets what it needs. */
		assert(p->key);
		v->width = p->width;
		v->height = p->height;
		ret = ka_peer_info_send_switch(s);
		ka_video_update_wish(s);
	}
	if (!ret)
		ret = send_packet(s, p);
	if (ret < 0)
		return ret;
	if (!v->first_sent)
		ka_log(INFO, "session", "first-picture", "n=%u after_ms=%d", s->cfg.number,
		       (int)((ka_clock_us() - s->login_us) / 1000));
	v->first_sent = true;
	v->fresh = false;
	v->sent++;
	v->ack_pending = v->ack_required;
	v->ack_since_us = ka_clock_us();
	if (!p->key && v->key_backoff_us > KEY_BACKOFF_MIN_US && !ka_conn_pending(s->conn))
		v->key_backoff_us -= v->key_backoff_us / 64;
	return 0;
}

static void on_pace(uv_timer_t *t)
{
	struct ka_session *s = t->data;

	ka_session_pump(s);
}

/* A wish that has changed goes to the encoder. */
static void read_link(struct ka_session *s, int64_t now)
{
	struct ka_ses_video *v = &s->video;
	struct ka_qos_wish wish;

	feed_link(s, now);
	wish = ka_qos_decide(&v->qos, now);
	if (wish.kbps == v->wish.kbps && wish.fps == v->wish.fps && wish.narrow == v->wish.narrow)
		return;
	ka_log(DEBUG, "session", "wish",
	       "n=%u kbps=%u fps=%u narrow=%d lag_ms=%d probe_ms=%d rate_kbps=%d outstanding=%zu rtt_ms=%d",
	       s->cfg.number, wish.kbps, wish.fps, wish.narrow, (int)(ka_qos_lag_us(&v->qos, now) / 1000),
	       (int)(v->qos.probe_us / 1000), (int)(v->qos.rate / 125), v->qos.link.outstanding,
	       (int)(v->qos.link.rtt_us / 1000));
	set_wish(s, wish);
}

/* True: not now; the timer tries again. */
static bool hold_back(struct ka_session *s, int64_t now)
{
	int64_t hold = ka_qos_hold_us(&s->video.qos, now);

	s->video.held = hold > 0;
	if (hold)
		ka_timer_once(&s->pace, on_pace, (uint64_t)(hold + 999) / 1000);
	return hold > 0;
}

int64_t ka_video_stalled_us(const struct ka_session *s, int64_t now_us)
{
	return s->video.viewer && s->video.held ? now_us - s->video.moved_us : 0;
}

int ka_video_pump(struct ka_session *s)
{
	struct ka_ses_video *v = &s->video;
	int64_t now = ka_clock_us();
	int ret = 0;

	/* Only what the kernel takes at once leaves the queue, so what waits is dropped by the hub, not buffered here.
	 */
	while (v->viewer && !ret && !ka_conn_pending(s->conn)) {
		struct ka_packet *p;

		if (v->ack_pending && now - v->ack_since_us < ACK_TIMEOUT_US)
			break;
		if (ka_screenshot_under_way(s)) {
			v->held = false;
			ka_timer_once(&s->pace, on_pace, UNDER_WAY_MS);
			break;
		}
		read_link(s, now);
		if (hold_back(s, now))
			break;
		p = ka_hub_take(v->sub);
		if (!p) {
			if (ka_hub_starved(v->sub))
				request_key(s, now);
			break;
		}
		ret = send_next(s, p);
		ka_packet_unref(&p);
	}
	return ret;
}
