/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/stage_capture.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/thread.h"
#include "capture/pacing.h"

#define SIGNAL_RETRY_US KA_MS(500) /* for receivers that announce nothing */
/* Frames of the last run come back within a picture or two; longer means that another program has the device. */
#define BUSY_RETRY_US KA_MS(50)
#define BUSY_RETRIES 20
#define PREFER_GAP_US KA_SEC(2)	  /* between two pulls of the hot-plug line */
#define RESTART_GAP_US KA_MS(100) /* between two starts, however often the source changes */
#define OPEN_RETRY_MIN_US KA_MS(250)
#define OPEN_RETRY_MAX_US KA_SEC(4)
/* Some capture sticks just stop when the signal goes. */
#define STALL_US KA_SEC(2)
/* A device in error is readable for ever and gives nothing. */
#define EMPTY_POLLS_MAX 50

enum phase { IDLE, CLOSED, READY, LIVE };

/* libuv frees a handle's memory only after its close callback, so each watched fd gets its own. */
struct watch {
	uv_poll_t poll;
	struct ka_stage_capture *stage;
	int fd;
	int events;
};

struct ka_stage_capture {
	struct ka_stage_capture_cfg cfg;
	struct ka_thread thread;
	struct ka_owner owner;
	struct ka_loop loop;
	uv_timer_t timer;
	/* All below: the capture thread. */
	struct ka_source *source;
	struct watch *watch;
	enum phase phase;
	int code; /* last cause told */
	int64_t retry_us;
	int64_t open_retry_us; /* next back-off */
	int64_t started_us;
	int busy_retries;
	int64_t picture_us;	    /* when the last one came */
	unsigned int empty_polls;   /* wake-ups of the fd in a row that brought nothing */
	uint64_t captured, dropped; /* of the source, already counted */
	struct ka_source_info info;
	bool prepared;	   /* it has been open once, so it has its EDID */
	int64_t prefer_us; /* not before: another mode */
	struct rendition {
		struct ka_pacing pacing;
		uint32_t fps; /* 0 = nobody watches it */
	} renditions[KA_RENDITIONS];
};

static void take_turn(struct ka_stage_capture *s, bool polled);

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
	s->open_retry_us = OPEN_RETRY_MIN_US;
	ret = ka_loop_init(&s->loop, on_wake, s);
	if (ret < 0) {
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
	free(s);
}

struct ka_wake ka_stage_capture_waker(struct ka_stage_capture *s)
{
	return ka_loop_waker(&s->loop);
}

static void set_cause(struct ka_stage_capture *s, int code, const char *detail)
{
	s->code = code;
	if (!ka_cap_state_set_cause(s->cfg.state, code, detail, s->info.fps_mhz))
		return;
	if (code == 0)
		ka_log(INFO, "capture", "live", "source=%s w=%u h=%u fps_mhz=%u", s->source->ops->name, s->info.width,
		       s->info.height, s->info.fps_mhz);
	else if (code != -EINPROGRESS)
		ka_log(WARN, "capture", "no_picture", "cause=\"%s\" detail=\"%s\"", ka_err_str(code), detail);
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

static void free_watch(uv_handle_t *h)
{
	free(h);
}

static void unwatch(struct ka_stage_capture *s)
{
	if (s->watch)
		uv_close((uv_handle_t *)&s->watch->poll, free_watch);
	s->watch = NULL;
}

static void drop_pending(struct ka_stage_capture *s)
{
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		if (ka_latest_put(s->cfg.latest[i], NULL))
			count_frames(s, 1);
	}
}

static void go_idle(struct ka_stage_capture *s)
{
	if (s->phase == IDLE)
		return;
	unwatch(s); /* before the source closes the fd */
	s->source->ops->close(s->source);
	s->phase = IDLE;
	drop_pending(s);
	/* Nothing is known; the next viewer's wait for a first picture begins anew. */
	s->code = 0;
	ka_cap_state_set_cause(s->cfg.state, 0, "", 0);
	ka_log(INFO, "capture", "idle", "nobody watches");
}

static void back_off(struct ka_stage_capture *s, int64_t now)
{
	s->retry_us = now + s->open_retry_us;
	s->open_retry_us = KA_MIN(s->open_retry_us * 2, OPEN_RETRY_MAX_US);
}

static void close_and_retry(struct ka_stage_capture *s, int64_t now)
{
	unwatch(s);
	s->source->ops->close(s->source);
	s->phase = CLOSED;
	back_off(s, now);
}

static void tell_modes(struct ka_stage_capture *s)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];

	if (s->source->ops->modes)
		ka_cap_state_set_modes(s->cfg.state, modes, s->source->ops->modes(s->source, modes));
}

/* The target goes dark for a moment each time: not as fast as somebody can click. */
static void prefer_mode(struct ka_stage_capture *s, int64_t now)
{
	struct ka_video_mode mode;
	int ret;

	if (!s->source->ops->prefer || now < s->prefer_us || !ka_cap_state_take_mode(s->cfg.state, &mode))
		return;
	/* Closed, it only keeps it in mind. */
	s->prepared = s->phase >= READY;
	ret = s->source->ops->prefer(s->source, &mode);
	if (ret == -EBUSY) {
		/* Not while it has buffers: opened anew, it sets the mode first. */
		set_cause(s, -EINPROGRESS, "");
		drop_pending(s);
		close_and_retry(s, now);
		ret = s->source->ops->prefer(s->source, &mode);
	}
	if (ret < 0)
		ka_log(WARN, "capture", "mode not set", "mode=%ux%u@%u cause=\"%s\"", mode.width, mode.height, mode.hz,
		       ka_err_str(ret));
	s->prefer_us = now + PREFER_GAP_US;
	if (s->phase < READY)
		s->retry_us = now;
	tell_modes(s);
}

static void open_source(struct ka_stage_capture *s, int64_t now)
{
	struct ka_errbuf eb = {""};
	int ret = s->source->ops->open(s->source, &eb);

	if (ret < 0) {
		set_cause(s, ret, eb.text);
		close_and_retry(s, now);
		return;
	}
	s->phase = READY;
	s->retry_us = now;
	s->prepared = true;
	tell_modes(s);
}

/* Causes that pass by themselves while the device stays open. */
static bool is_signal_cause(int code)
{
	return code == -KA_E_NO_CABLE || code == -KA_E_NO_SIGNAL || code == -KA_E_NO_SYNC ||
	       code == -KA_E_OUT_OF_RANGE || code == -KA_E_FORMAT;
}

static void start_source(struct ka_stage_capture *s)
{
	struct ka_errbuf eb = {""};
	int ret = s->source->ops->start(s->source, &s->info, &eb);
	int64_t now = ka_clock_us();

	s->started_us = now;
	if (ret == 0) {
		s->phase = LIVE;
		s->picture_us = now;
		for (unsigned int i = 0; i < KA_RENDITIONS; i++)
			s->renditions[i].pacing = (struct ka_pacing){0};
		s->busy_retries = 0;
		s->empty_polls = 0;
	} else if (ret == -EBUSY && s->busy_retries++ < BUSY_RETRIES) {
		s->retry_us = now + BUSY_RETRY_US;
	} else {
		set_cause(s, ret, eb.text);
		s->retry_us = now + SIGNAL_RETRY_US;
		/* A device that stays busy too: closing gives back what of ours may be the reason. */
		if (!is_signal_cause(ret))
			close_and_retry(s, now);
	}
}

static void restart(struct ka_stage_capture *s, int64_t now)
{
	s->source->ops->stop(s->source);
	drop_pending(s);
	s->phase = READY;
	s->retry_us = KA_MAX(now, s->started_us + RESTART_GAP_US);
}

static void give(struct ka_stage_capture *s, struct ka_frame *f, int64_t now)
{
	unsigned int given = 0;
	unsigned int replaced = 0;

	s->picture_us = now;
	s->open_retry_us = OPEN_RETRY_MIN_US;
	/* Before: who has seen the picture finds it counted. */
	count_frames(s, 0);
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		struct rendition *r = &s->renditions[i];

		if (!r->fps || !ka_pacing_pass(&r->pacing, now, r->fps))
			continue;
		/* Before the frame, so that nobody draws a slate after it. */
		set_cause(s, 0, "");
		given++;
		replaced += ka_latest_put(s->cfg.latest[i], ka_frame_ref(f));
	}
	ka_snapshots_offer(s->cfg.snapshots, f);
	ka_frame_unref(&f);
	count_frames(s, given ? replaced : 1);
}

static void pull(struct ka_stage_capture *s, bool polled)
{
	struct ka_frame *f = NULL;
	int ret = s->source->ops->dequeue(s->source, &f);
	int64_t now = ka_clock_us();

	if (ret != 0 || f)
		s->empty_polls = 0;
	if (ret == 0 && f) {
		give(s, f, now);
		return;
	}
	count_frames(s, 0);
	if (ret == 0 && polled && ++s->empty_polls > EMPTY_POLLS_MAX)
		ret = -EIO;
	if (ret == -KA_E_SOURCE_CHANGED) {
		if (s->phase == LIVE)
			set_cause(s, -EINPROGRESS, "");
		restart(s, now);
	} else if (ret < 0) {
		ka_log(WARN, "capture", "interrupted", "cause=\"%s\"", ka_err_str(ret));
		/* After a good run it is worth a quiet second try; opening will tell what is wrong. */
		set_cause(s, s->open_retry_us == OPEN_RETRY_MIN_US ? -EINPROGRESS : ret, "");
		drop_pending(s);
		close_and_retry(s, now);
	} else if (s->phase == LIVE && now - s->picture_us >= STALL_US) {
		set_cause(s, -KA_E_NO_SIGNAL, "The capture device has stopped sending pictures.");
		restart(s, now);
		s->retry_us = now + SIGNAL_RETRY_US;
	}
}

static void on_timer(uv_timer_t *t)
{
	take_turn(t->data, false);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct watch *w = KA_CONTAINER_OF(p, struct watch, poll);

	(void)events;
	if (status < 0) /* libuv has stopped watching: the device is in error */
		w->events = 0;
	/* The fd may be gone by the time a queued callback runs. */
	if (w->stage->watch != w)
		return;
	if (w->stage->phase >= READY)
		pull(w->stage, true);
	take_turn(w->stage, true);
}

static void watch_fd(struct ka_stage_capture *s, int fd, int events)
{
	struct watch *w = s->watch;

	if (w && (w->fd != fd || !events)) {
		unwatch(s);
		w = NULL;
	}
	if (fd < 0 || !events)
		return;
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w || uv_poll_init(&s->loop.uv, &w->poll, fd) < 0) {
			/* The timer still drives the source, only slower. */
			free(w);
			return;
		}
		w->stage = s;
		w->fd = fd;
		s->watch = w;
	}
	if (w->events != events && uv_poll_start(&w->poll, events, on_poll) == 0)
		w->events = events;
}

static bool must_prepare(const struct ka_stage_capture *s)
{
	return !s->prepared && s->source->ops->modes;
}

/* Nobody watches, but the target must find a monitor all the same: the device is opened for as long as that takes. */
static void prepare(struct ka_stage_capture *s, int64_t now)
{
	struct ka_errbuf eb = {""};
	int ret;

	prefer_mode(s, now);
	if (!must_prepare(s) || now < s->retry_us)
		return;
	ret = s->source->ops->open(s->source, &eb);
	if (ret == 0) {
		tell_modes(s);
		s->source->ops->close(s->source);
		s->prepared = true;
		s->open_retry_us = OPEN_RETRY_MIN_US;
		return;
	}
	if (s->open_retry_us == OPEN_RETRY_MIN_US)
		ka_log(WARN, "capture", "not ready", "cause=\"%s\" detail=\"%s\"", ka_err_str(ret), eb.text);
	back_off(s, now);
}

/* Says when the next turn is due; now: when this one began. */
static void arm(struct ka_stage_capture *s, int64_t now)
{
	struct ka_source_wait w = {.fd = -1, .deadline_us = INT64_MAX};
	int64_t deadline = INT64_MAX;
	int64_t delay;

	if (s->phase >= READY)
		s->source->ops->wait(s->source, &w);
	if (s->phase == LIVE)
		deadline = KA_MIN(w.deadline_us, s->picture_us + STALL_US);
	else if (s->phase != IDLE || must_prepare(s))
		deadline = s->retry_us;
	if (s->prefer_us > now)
		deadline = KA_MIN(deadline, s->prefer_us);
	watch_fd(s, w.fd, (w.readable ? UV_READABLE : 0) | (w.priority ? UV_PRIORITIZED : 0));
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
		s->renditions[i].fps = w.viewers ? fps : 0;
		most = KA_MAX(most, s->renditions[i].fps);
	}
	s->source->fps_limit = most ? most : s->cfg.fps;
	return most > 0;
}

/* polled: the source has been asked already in this turn. */
static void take_turn(struct ka_stage_capture *s, bool polled)
{
	int64_t now = ka_clock_us();

	KA_OWNER(s);
	if (!read_wishes(s)) {
		go_idle(s);
		prepare(s, now);
	} else if (s->phase == IDLE) {
		s->phase = CLOSED;
		s->retry_us = now;
		s->open_retry_us = OPEN_RETRY_MIN_US;
		set_cause(s, -EINPROGRESS, "");
	}
	if (s->phase != LIVE)
		s->source->ops->stop(s->source); /* buffers may have come home */
	else if (!polled)
		pull(s, false);
	if (s->phase >= READY)
		prefer_mode(s, now);
	if (s->phase == CLOSED && now >= s->retry_us)
		open_source(s, now);
	if (s->phase == READY && now >= s->retry_us)
		start_source(s);
	arm(s, now);
}

static void *run_thread(void *arg)
{
	struct ka_stage_capture *s = arg;

	ka_owner_bind(&s->owner);
	s->timer.data = s;
	take_turn(s, false);
	ka_loop_run(&s->loop);
	go_idle(s);
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
