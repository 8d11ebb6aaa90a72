/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/session_priv.h"

#include <assert.h>

#include "base/bitrate.h"
#include "base/clock.h"
#include "base/log.h"

#define KEY_BACKOFF_MIN_US KA_MS(300)
#define KEY_BACKOFF_MAX_US KA_SEC(5)
#define ACK_TIMEOUT_US KA_SEC(3)
#define STOP_AFTER_US KA_SEC(2)
#define UNDER_WAY_MS 20 /* looks so often whether a screenshot has arrived */

static uint32_t chosen_fps(const struct ka_ses_video *v)
{
	return v->custom_fps && v->auto_fps ? KA_MIN(v->custom_fps, v->auto_fps) : KA_MAX(v->custom_fps, v->auto_fps);
}

/* Bits that the displays deserve that are watched, all together, at a quality in percent. While there are none: the one
 * shown last. */
static uint32_t deserved_kbps(const struct ka_ses_video *v, uint32_t percent)
{
	uint32_t kbps = 0;

	for (size_t i = 0; i < v->n_displays; i++) {
		if (v->displays[i].wanted)
			kbps += ka_bitrate_kbps(v->displays[i].width, v->displays[i].height, percent);
	}
	return kbps ? kbps : ka_bitrate_kbps(v->displays[v->current].width, v->displays[v->current].height, percent);
}

static uint32_t count_watched(const struct ka_ses_video *v)
{
	uint32_t n = 0;

	for (size_t i = 0; i < v->n_displays; i++)
		n += v->displays[i].wanted;
	return n;
}

/* Pictures a second of each display: what a slow client keeps up with, it does with all of them together. */
static uint32_t share_fps(const struct ka_ses_video *v, uint32_t fps)
{
	uint32_t n = count_watched(v);

	return n && v->qos.client_fps ? KA_MIN(fps, KA_MAX(v->qos.client_fps / n, 1u)) : fps;
}

/* Shared among the displays by what each deserves. */
static void set_wish(struct ka_session *s, struct ka_qos_wish wish)
{
	struct ka_ses_video *v = &s->video;
	uint64_t all = deserved_kbps(v, 0);

	v->wish = wish;
	for (size_t i = 0; i < v->n_displays; i++) {
		struct ka_ses_display *d = &v->displays[i];
		uint64_t share = ka_bitrate_kbps(d->width, d->height, 0);

		if (!d->wanted)
			continue;
		d->wish = (struct ka_host_wish){.kbps = (uint32_t)KA_MAX(wish.kbps * share / all, (uint64_t)1),
						.fps = share_fps(v, wish.fps),
						.narrow = wish.narrow,
						.codec = v->codec};
		if (d->viewer)
			s->cfg.host->set_wish(s->cfg.host->ctx, d->viewer, &d->wish);
	}
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
	ka_qos_limit(&v->qos, deserved_kbps(v, v->ratio_percent), chosen_fps(v), deserved_kbps(v, 0));
	set_wish(s, ka_qos_decide(&v->qos, now));
}

/* A key picture has been asked for already: give it time before asking again. */
static void expect_key(struct ka_ses_display *d)
{
	d->next_key_request_us = ka_clock_us() + d->key_backoff_us;
}

int ka_video_start(struct ka_session *s, size_t display)
{
	struct ka_ses_display *d = &s->video.displays[display];
	int ret;

	d->stop_at_us = 0;
	d->wanted = true;
	if (d->viewer)
		return 0;
	d->key_backoff_us = KEY_BACKOFF_MIN_US;
	d->fresh = true;
	expect_key(d);
	ka_video_update_wish(s);
	ret = s->cfg.host->watch(s->cfg.host->ctx, display, &d->wish, ka_loop_waker(&s->loop), &d->viewer, &d->sub);
	if (ret < 0) {
		d->wanted = false;
		ka_log(ERROR, "session", "no-video", "n=%u display=%zu cause=\"%s\"", s->cfg.number, display,
		       ka_err_str(ret));
	}
	return ret;
}

static void unwatch(struct ka_session *s, struct ka_ses_display *d)
{
	if (d->viewer)
		s->cfg.host->unwatch(s->cfg.host->ctx, d->viewer);
	d->viewer = NULL;
	d->sub = NULL;
	d->wanted = false;
	d->stop_at_us = 0;
}

void ka_video_leave(struct ka_session *s, size_t display)
{
	struct ka_ses_display *d = &s->video.displays[display];

	if (!d->wanted)
		return;
	d->wanted = false;
	d->stop_at_us = ka_clock_us() + STOP_AFTER_US;
}

int ka_video_choose_codec(struct ka_session *s)
{
	struct ka_ses_video *v = &s->video;
	enum ka_codec before = v->codec;
	bool useless;
	int ret;

	s->cfg.host->codecs(s->cfg.host->ctx, &v->codecs);
	ret = ka_codec_choose(&v->ability, &v->codecs, &v->codec);
	if (ret < 0 || v->codec == before)
		return ret;
	ka_log_burst(INFO, KA_SES_REPEATED_LINES, KA_SES_REPEATED_PERIOD_US, "session", "codec", "n=%u codec=%s",
		     s->cfg.number, ka_codec_name(v->codec));
	useless = !(v->ability.can & 1u << before);
	for (size_t i = 0; useless && i < v->n_displays; i++) {
		struct ka_ses_display *d = &v->displays[i];

		if (!d->viewer)
			continue;
		d->fresh = true;
		expect_key(d);
		ka_hub_restart(d->sub);
	}
	if (v->n_displays)
		ka_video_update_wish(s);
	return 0;
}

/* Encoders come and go; who watches gets another codec, and the menu is told. */
static int follow_codecs(struct ka_session *s)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__SupportedEncoding encoding;
	Rd__CodecAbility i444;
	struct ka_codec_list now;

	s->cfg.host->codecs(s->cfg.host->ctx, &now);
	if (now.working == s->video.codecs.working || s->state != KA_SES_ACTIVE)
		return 0;
	/* Nothing is worse than what there is while all fail. */
	if (ka_video_choose_codec(s) < 0)
		return 0;
	ka_codec_tell(&s->video.codecs, &encoding, &i444);
	misc.union_case = RD__MISC__UNION_SUPPORTED_ENCODING;
	misc.supported_encoding = &encoding;
	return ka_session_send_misc(s, &misc);
}

int ka_video_tick(struct ka_session *s, int64_t now_us)
{
	for (size_t i = 0; i < s->video.n_displays; i++) {
		struct ka_ses_display *d = &s->video.displays[i];

		if (d->stop_at_us && now_us >= d->stop_at_us)
			unwatch(s, d);
	}
	return follow_codecs(s);
}

void ka_video_stop(struct ka_session *s)
{
	for (size_t i = 0; i < s->video.n_displays; i++)
		unwatch(s, &s->video.displays[i]);
	if (s->handles_open)
		uv_timer_stop(&s->pace);
}

static void request_key(struct ka_session *s, struct ka_ses_display *d, int64_t now)
{
	if (now < d->next_key_request_us)
		return;
	s->cfg.host->request_key(s->cfg.host->ctx, d->viewer);
	d->next_key_request_us = now + d->key_backoff_us;
	/* A peer that falls behind again and again must not turn everybody's stream into key pictures. */
	d->key_backoff_us = KA_MIN(d->key_backoff_us * 2, KEY_BACKOFF_MAX_US);
}

void ka_video_restart(struct ka_session *s, size_t display)
{
	struct ka_ses_display *d = &s->video.displays[display];

	/* A newcomer's requests before its first picture come to one key picture, which it has been promised anyway. */
	if (!d->viewer || d->fresh)
		return;
	d->fresh = true;
	expect_key(d);
	ka_hub_restart(d->sub);
	s->cfg.host->request_key(s->cfg.host->ctx, d->viewer);
}

/* The client makes a new decoder by itself when the member is another one; of the chromas of VP9 the stream tells. */
static Rd__VideoFrame__UnionCase union_of(enum ka_codec codec)
{
	switch (codec) {
	case KA_CODEC_VP9:
	case KA_CODEC_VP9_444:
		return RD__VIDEO_FRAME__UNION_VP9S;
	case KA_CODEC_VP8:
		return RD__VIDEO_FRAME__UNION_VP8S;
	case KA_CODEC_H264:
		break;
	}
	return RD__VIDEO_FRAME__UNION_H264S;
}

static int send_packet(struct ka_session *s, struct ka_ses_display *d, struct ka_packet *p)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__VideoFrame video = RD__VIDEO_FRAME__INIT;
	Rd__EncodedVideoFrames frames = RD__ENCODED_VIDEO_FRAMES__INIT;
	Rd__EncodedVideoFrame frame = RD__ENCODED_VIDEO_FRAME__INIT;
	Rd__EncodedVideoFrame *list[] = {&frame};

	frame.data = (ProtobufCBinaryData){.len = p->size, .data = p->data};
	frame.key = p->key;
	if (p->rendition != d->rendition)
		d->pts_least = d->pts_ms;
	d->rendition = p->rendition;
	d->pts_ms = KA_MAX(p->pts_ms, d->pts_least);
	frame.pts = d->pts_ms;
	frames.n_frames = 1;
	frames.frames = list;
	video.union_case = union_of(p->codec);
	video.h264s = &frames; /* all members are of one type, at one place */
	video.display = (int32_t)(d - s->video.displays);
	msg.union_case = RD__MESSAGE__UNION_VIDEO_FRAME;
	msg.video_frame = &video;
	return ka_session_send(s, &msg);
}

static int send_next(struct ka_session *s, size_t display, struct ka_packet *p)
{
	struct ka_ses_video *v = &s->video;
	struct ka_ses_display *d = &v->displays[display];
	int ret = 0;

	if (p->width != d->width || p->height != d->height) {
		/* Sizes change at key packets only, so the fresh decoder this message makes gets what it needs. */
		assert(p->key);
		ret = ka_displays_resized(s, display, p->width, p->height);
		ka_video_update_wish(s);
	}
	if (!ret)
		ret = send_packet(s, d, p);
	if (ret < 0)
		return ret;
	if (!v->first_sent)
		ka_log(INFO, "session", "first-picture", "n=%u after_ms=%d", s->cfg.number,
		       (int)((ka_clock_us() - s->login_us) / 1000));
	v->first_sent = true;
	d->fresh = false;
	v->sent++;
	v->ack_pending = v->ack_required;
	v->ack_since_us = ka_clock_us();
	if (!p->key && d->key_backoff_us > KEY_BACKOFF_MIN_US && !ka_conn_pending(s->conn))
		d->key_backoff_us -= d->key_backoff_us / 64;
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
	return count_watched(&s->video) && s->video.held ? now_us - s->video.moved_us : 0;
}

/* The oldest picture of the display whose turn it is, or of the next one that has any: none waits while another one
 * sends twice. Displays that starve ask for a key picture. */
static struct ka_packet *take_next(struct ka_session *s, int64_t now, size_t *display)
{
	struct ka_ses_video *v = &s->video;

	for (size_t i = 0; i < v->n_displays; i++) {
		struct ka_ses_display *d = &v->displays[ *display = (v->turn + i) % v->n_displays];
		struct ka_packet *p = d->wanted ? ka_hub_take(d->sub) : NULL;

		if (p) {
			v->turn = *display + 1;
			return p;
		}
		if (d->wanted && ka_hub_starved(d->sub))
			request_key(s, d, now);
	}
	return NULL;
}

/* Tells when the kernel has the last picture. */
static void follow(struct ka_session *s)
{
	struct ka_ses_on_way *w = &s->video.on_way;
	void *viewer = s->video.displays[w->display].viewer;

	if (!w->stamps.captured_us || ka_conn_pending(s->conn))
		return;
	if (viewer && s->cfg.host->sent)
		s->cfg.host->sent(s->cfg.host->ctx, viewer, &w->stamps, w->taken_us, ka_clock_us());
	w->stamps = (struct ka_stamps){0};
}

int ka_video_pump(struct ka_session *s)
{
	struct ka_ses_video *v = &s->video;
	int64_t now = ka_clock_us();
	int ret = 0;

	follow(s);
	/* Only what the kernel takes at once leaves the queue, so what waits is dropped by the hub, not buffered here.
	 */
	while (count_watched(v) && !ret && !ka_conn_pending(s->conn)) {
		struct ka_packet *p;
		size_t display;

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
		p = take_next(s, now, &display);
		if (!p)
			break;
		v->on_way = (struct ka_ses_on_way){display, p->stamps, ka_clock_us()};
		ret = send_next(s, display, p);
		follow(s);
		ka_packet_unref(&p);
	}
	return ret;
}
