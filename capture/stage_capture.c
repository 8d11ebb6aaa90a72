/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/stage_capture.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/thread.h"
#include "capture/blank.h"
#include "capture/fd_watch.h"
#include "capture/log_lines.h"
#include "capture/outlets.h"
#include "capture/reception.h"

#define PREFER_GAP_US KA_SEC(2) /* between two pulls of the hot-plug line */

struct ka_stage_capture {
	struct ka_stage_capture_cfg cfg;
	struct ka_thread thread;
	struct ka_owner owner;
	struct ka_loop loop;
	uv_timer_t timer;
	/* All below: the capture thread. */
	struct ka_source *source;
	struct ka_fd_watch watch;
	struct ka_reception reception;
	struct ka_blank *blank;
	struct ka_errbuf why;	    /* what the source said when it failed last, or what its blank picture is like */
	uint64_t captured, dropped; /* of the source, already counted */
	uint64_t captured_before;   /* the last start */
	int64_t started_us;
	struct ka_source_info info;
	bool prepared;	   /* it has been open once, so it has its EDID */
	bool not_ready;	   /* that has been tried in vain, and said */
	int64_t prefer_us; /* not before: another mode */
	struct ka_outlets *outlets;
};

static void take_turn(struct ka_stage_capture *s, bool polled);
static void on_readable(void *arg);

static void on_wake(void *arg)
{
	struct ka_stage_capture *s = arg;

	if (s->source)
		take_turn(s, false);
}

int ka_stage_capture_new(struct ka_stage_capture **out, const struct ka_stage_capture_cfg *cfg)
{
	struct ka_stage_capture *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	ka_reception_init(&s->reception, (int64_t)cfg->blank_ms * 1000);
	s->watch = (struct ka_fd_watch){.loop = &s->loop.uv, .on_event = on_readable, .arg = s};
	ret = ka_blank_new(&s->blank);
	if (ret == 0)
		ret = ka_outlets_new(&s->outlets, s->cfg.latest);
	if (ret == 0)
		ret = ka_loop_init(&s->loop, on_wake, s);
	if (ret < 0) {
		ka_outlets_free(s->outlets);
		ka_blank_free(s->blank);
		free(s);
		return ret;
	}
	uv_timer_init(&s->loop.uv, &s->timer);
	*out = s;
	return 0;
}

void ka_stage_capture_free(struct ka_stage_capture *s)
{
	if (!s)
		return;
	if (!uv_is_closing((uv_handle_t *)&s->timer))
		uv_close((uv_handle_t *)&s->timer, NULL);
	ka_loop_fini(&s->loop);
	ka_outlets_free(s->outlets);
	ka_blank_free(s->blank);
	free(s);
}

struct ka_wake ka_stage_capture_waker(struct ka_stage_capture *s)
{
	return ka_loop_waker(&s->loop);
}

/* Why the picture is what it is, for those who show and tell it. */
static void tell_cause(struct ka_stage_capture *s)
{
	int cause = s->reception.cause;
	bool words = cause && cause != -EINPROGRESS;
	const char *detail = s->reception.detail ? s->reception.detail : words ? s->why.text : "";

	if (!ka_cap_state_set_cause(s->cfg.state, cause, detail, s->info.fps_mhz))
		return;
	if (s->reception.state == KA_RECEPTION_STREAMING)
		ka_log_burst(INFO, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "capture", "live",
			     "source=%s w=%u h=%u fps_mhz=%u pictures=%u ms=%u", s->source->ops->name, s->info.width,
			     s->info.height, s->info.fps_mhz, (unsigned int)(s->source->captured - s->captured_before),
			     (unsigned int)((ka_clock_us() - s->started_us) / 1000));
	else if (words)
		ka_log_burst(WARN, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "capture", "no_picture",
			     "state=%s cause=\"%s\" detail=\"%s\"", ka_reception_name(s->reception.state),
			     ka_err_str(cause), detail);
	for (unsigned int i = 0; i < KA_RENDITIONS; i++)
		ka_latest_kick(s->cfg.latest[i]);
	ka_snapshots_kick(s->cfg.snapshots);
}

static void count_frames(struct ka_stage_capture *s, unsigned int dropped)
{
	uint64_t captured = s->source->captured - s->captured;

	dropped += (unsigned int)(s->source->dropped - s->dropped);
	s->captured = s->source->captured;
	s->dropped = s->source->dropped;
	if (captured || dropped)
		ka_cap_state_add_captured(s->cfg.state, captured, dropped);
}

static void drop_pending(struct ka_stage_capture *s)
{
	count_frames(s, ka_outlets_forget(s->outlets));
}

static void tell_modes(struct ka_stage_capture *s)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];

	if (s->source->ops->modes)
		ka_cap_state_set_modes(s->cfg.state, modes, s->source->ops->modes(s->source, modes));
}

static void open_source(struct ka_stage_capture *s)
{
	int ret;

	s->why.text[0] = '\0';
	ret = s->source->ops->open(s->source, &s->why);
	ka_reception_tell(&s->reception, ret < 0 ? KA_RECEPTION_OPEN_FAILED : KA_RECEPTION_OPENED, ret, ka_clock_us());
	if (ret == 0) {
		s->prepared = true;
		s->not_ready = false;
		tell_modes(s);
	} else if (s->reception.want == KA_RECEPTION_VISIT && !s->not_ready) {
		s->not_ready = true;
		ka_log(WARN, "capture", "not ready", "cause=\"%s\" detail=\"%s\"", ka_err_str(ret), s->why.text);
	}
}

static void start_source(struct ka_stage_capture *s)
{
	struct ka_source_info info = {0};
	int64_t now;
	int checks;
	int ret;

	s->why.text[0] = '\0';
	ret = s->source->ops->start(s->source, &info, &s->why);
	now = ka_clock_us();
	if (ret < 0) {
		ka_reception_tell(&s->reception, KA_RECEPTION_START_FAILED, ret, now);
		return;
	}
	s->info = info;
	s->started_us = now;
	s->captured_before = s->source->captured;
	ka_outlets_renew(s->outlets);
	checks = !info.knows_signal || !s->source->ops->check ? 0 : info.announces ? 1 : 2;
	ka_reception_tell(&s->reception, KA_RECEPTION_STARTED, checks, now);
}

static void check_source(struct ka_stage_capture *s)
{
	int ret = s->source->ops->check(s->source);

	if (ret == -KA_E_SOURCE_CHANGED)
		ka_reception_tell(&s->reception, KA_RECEPTION_CHANGED, 0, ka_clock_us());
	else if (ret < 0)
		ka_reception_tell(&s->reception, KA_RECEPTION_ERROR, ret, ka_clock_us());
}

/* One thing that the signal's state asks for; false when there is nothing to do now. */
static bool act(struct ka_stage_capture *s)
{
	switch (ka_reception_next(&s->reception, ka_clock_us())) {
	case KA_RECEPTION_WAIT:
		return false;
	case KA_RECEPTION_OPEN:
		open_source(s);
		break;
	case KA_RECEPTION_START:
		start_source(s);
		break;
	case KA_RECEPTION_CHECK:
		check_source(s);
		break;
	case KA_RECEPTION_STOP:
		s->source->ops->stop(s->source);
		drop_pending(s);
		break;
	case KA_RECEPTION_CLOSE:
		ka_fd_watch_drop(&s->watch); /* before the source closes the fd */
		s->source->ops->close(s->source);
		drop_pending(s);
		break;
	}
	tell_cause(s);
	return true;
}

/* The target goes dark for a moment each time: not as fast as somebody can click. */
static void prefer_mode(struct ka_stage_capture *s, int64_t now)
{
	struct ka_video_mode mode;
	int ret;

	if (!s->source->ops->prefer || now < s->prefer_us || !ka_cap_state_take_mode(s->cfg.state, &mode))
		return;
	ret = s->source->ops->prefer(s->source, &mode);
	if (ret == -EBUSY) {
		/* Not while it has buffers: opened anew, it sets the mode first. */
		ka_reception_tell(&s->reception, KA_RECEPTION_REOPEN, 0, now);
		(void)act(s);
		ret = s->source->ops->prefer(s->source, &mode);
	}
	if (ret < 0)
		ka_log(WARN, "capture", "mode not set", "mode=%ux%u@%u cause=\"%s\"", mode.width, mode.height, mode.hz,
		       ka_err_str(ret));
	s->prefer_us = now + PREFER_GAP_US;
	/* Closed, it only keeps it in mind. */
	s->prepared = ka_reception_is_open(&s->reception);
	ka_reception_hurry(&s->reception, now);
	tell_modes(s);
}

/* What a picture is to the signal's state. One that it is time for is compared with the one before. A device that does
 * not know whether it has a signal shows that by its pictures only. */
static enum ka_reception_event judge(struct ka_stage_capture *s, struct ka_frame *f, int64_t now)
{
	bool doubtful = s->cfg.blank_ms && !s->info.knows_signal;
	enum ka_reception_event what =
		doubtful && ka_blank_check(s->blank, f, now) ? KA_RECEPTION_UNIFORM : KA_RECEPTION_PICTURE;
	int64_t begin = ka_clock_us();
	int ret;

	/* A slate was shown meanwhile: whatever comes is late enough, and new. */
	if (s->reception.cause)
		ka_outlets_renew(s->outlets);
	if (!ka_outlets_due(s->outlets, now))
		return what;
	ret = ka_outlets_look(s->outlets, f);
	ka_cap_state_add_converted(s->cfg.state, ka_clock_us() - begin);
	if (ret == 0)
		return what;
	ka_log_every(WARN, KA_SEC(10), "capture", "bad_picture", "cause=\"%s\"", ka_err_str(ret));
	return KA_RECEPTION_BROKEN;
}

/* False: it is not to be shown. */
static bool note_picture(struct ka_stage_capture *s, struct ka_frame *f, int64_t now)
{
	enum ka_reception_event what = judge(s, f, now);
	int before = s->reception.cause;

	ka_reception_tell(&s->reception, what, 0, now);
	if (s->reception.state == KA_RECEPTION_BLANK && before != s->reception.cause)
		ka_blank_words(s->blank, s->why.text, sizeof(s->why.text));
	return what != KA_RECEPTION_BROKEN && s->reception.cause == 0;
}

static void give(struct ka_stage_capture *s, struct ka_frame *f)
{
	int64_t begin = ka_clock_us();

	/* Before: who has seen the picture finds it counted, and nobody draws a slate after it. */
	count_frames(s, 0);
	tell_cause(s);
	count_frames(s, ka_outlets_give(s->outlets));
	ka_cap_state_add_converted(s->cfg.state, ka_clock_us() - begin);
	ka_snapshots_offer(s->cfg.snapshots, f);
	ka_frame_unref(&f);
}

/* polled: the descriptor said that there is something. */
static void pull(struct ka_stage_capture *s, bool polled)
{
	uint64_t before = s->source->captured;
	struct ka_frame *f = NULL;
	int64_t begin = ka_clock_us();
	int ret = s->source->ops->dequeue(s->source, &f);
	int64_t now = ka_clock_us();

	ka_reception_excuse(&s->reception, now - begin);
	if (f && note_picture(s, f, now)) {
		give(s, f);
		return;
	}
	count_frames(s, f != NULL);
	if (ret == -KA_E_SOURCE_CHANGED) {
		ka_reception_tell(&s->reception, KA_RECEPTION_CHANGED, 0, now);
	} else if (ret < 0) {
		ka_log_burst(WARN, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "capture", "interrupted", "cause=\"%s\"",
			     ka_err_str(ret));
		ka_reception_tell(&s->reception, KA_RECEPTION_ERROR, ret, now);
	} else if (!f && s->source->captured != before) {
		ka_reception_tell(&s->reception, KA_RECEPTION_BROKEN, 0, now);
	} else if (!f && polled) {
		ka_reception_tell(&s->reception, KA_RECEPTION_EMPTY, 0, now);
	}
	tell_cause(s);
	ka_frame_unref(&f);
}

static void on_timer(uv_timer_t *t)
{
	take_turn(t->data, false);
}

static void on_readable(void *arg)
{
	take_turn(arg, true);
}

/* Says when the next turn is due; now: when this one began. */
static void arm(struct ka_stage_capture *s, int64_t now)
{
	struct ka_source_wait w = {.fd = -1, .deadline_us = INT64_MAX};
	int64_t deadline = ka_reception_due(&s->reception);
	int64_t delay;

	if (ka_reception_is_open(&s->reception))
		s->source->ops->wait(s->source, &w);
	deadline = KA_MIN(deadline, w.deadline_us);
	if (s->prefer_us > now)
		deadline = KA_MIN(deadline, s->prefer_us);
	ka_fd_watch_set(&s->watch, w.fd, (w.readable ? UV_READABLE : 0) | (w.priority ? UV_PRIORITIZED : 0));
	if (deadline == INT64_MAX) {
		uv_timer_stop(&s->timer);
		return;
	}
	delay = deadline - ka_clock_us();
	ka_timer_once(&s->timer, on_timer, delay > 0 ? (uint64_t)(delay + 999) / 1000 : 0);
}

/* Which renditions are watched and how many pictures each takes; false when nobody watches. */
static bool read_wishes(struct ka_stage_capture *s)
{
	uint32_t most = 0;

	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		struct ka_wishes_now w;
		uint32_t fps;

		ka_wishes_get(s->cfg.wishes, i, &w);
		fps = w.fps ? KA_MIN(w.fps, s->cfg.fps) : s->cfg.fps;
		if (!w.viewers)
			fps = 0;
		count_frames(s, ka_outlets_want(s->outlets, i, fps, ka_rendition_codec(i) == KA_CODEC_VP9_444));
		most = KA_MAX(most, fps);
	}
	s->source->fps_limit = most ? most : s->cfg.fps;
	return most > 0;
}

/* Nobody watches, but the target must find a monitor all the same: the device is opened for as long as that takes. */
static enum ka_reception_want wanted(struct ka_stage_capture *s)
{
	if (read_wishes(s))
		return KA_RECEPTION_WATCH;
	return !s->prepared && s->source->ops->modes ? KA_RECEPTION_VISIT : KA_RECEPTION_REST;
}

static void note_wishes(struct ka_stage_capture *s, int64_t now)
{
	enum ka_reception_want want = wanted(s);

	if (want == s->reception.want)
		return;
	if (s->reception.want == KA_RECEPTION_WATCH)
		ka_log(INFO, "capture", "idle", "nobody watches");
	ka_reception_want(&s->reception, want, now);
	tell_cause(s);
}

/* polled: the descriptor said that there is something. */
static void take_turn(struct ka_stage_capture *s, bool polled)
{
	int64_t now = ka_clock_us();
	int64_t took;

	KA_OWNER(s);
	(void)ka_cap_state_turn(s->cfg.state, true);
	if (polled && ka_reception_is_open(&s->reception))
		pull(s, true);
	note_wishes(s, now);
	if (!ka_reception_is_running(&s->reception))
		s->source->ops->stop(s->source); /* buffers may have come home */
	else if (!polled)
		pull(s, false);
	prefer_mode(s, now);
	/* A choice may need a visit, and a visit is over once it was made. */
	do
		note_wishes(s, now);
	while (act(s));
	arm(s, now);
	took = ka_cap_state_turn(s->cfg.state, false);
	if (took < KA_CAP_STATE_HUNG_US)
		return;
	/* Meanwhile there was a slate. */
	ka_outlets_renew(s->outlets);
	ka_log_burst(WARN, KA_LINES_AT_ONCE, KA_LINE_GAP_US, "capture", "driver_hung", "ms=%d", (int)(took / 1000));
}

static void *run_thread(void *arg)
{
	struct ka_stage_capture *s = arg;

	ka_owner_bind(&s->owner);
	s->timer.data = s;
	take_turn(s, false);
	ka_loop_run(&s->loop);
	ka_reception_want(&s->reception, KA_RECEPTION_REST, ka_clock_us());
	while (act(s))
		;
	uv_close((uv_handle_t *)&s->timer, NULL);
	ka_owner_unbind(&s->owner);
	return NULL;
}

int ka_stage_capture_start(struct ka_stage_capture *s, struct ka_source *source)
{
	s->source = source;
	return ka_thread_start(&s->thread, "ka-cap", run_thread, s);
}

void ka_stage_capture_stop(struct ka_stage_capture *s)
{
	ka_loop_stop(&s->loop);
}

void ka_stage_capture_join(struct ka_stage_capture *s)
{
	ka_thread_join(&s->thread);
}
