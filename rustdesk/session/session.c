/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/session_priv.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define RX_TIMEOUT_US KA_SEC(30) /* nothing heard: a living peer echoes TestDelay each second */
#define TX_STALL_US KA_SEC(12)	 /* nothing taken */
#define LINGER_MS 1000		 /* for the last words, as stock waits */
#define TICK_MS 1000
#define STOP_LINGER_MS 100

int ka_session_send(struct ka_session *s, Rd__Message *msg)
{
	return ka_conn_send(s->conn, &msg->base);
}

int ka_session_send_misc(struct ka_session *s, Rd__Misc *misc)
{
	Rd__Message msg = RD__MESSAGE__INIT;

	msg.union_case = RD__MESSAGE__UNION_MISC;
	msg.misc = misc;
	return ka_session_send(s, &msg);
}

static void finish(struct ka_session *s)
{
	ka_conn_close(s->conn);
	ka_loop_stop(&s->loop);
}

/* Once the stream has ended, what could not be sent any more is not the reason. */
static void fail(struct ka_session *s, int err)
{
	if (!s->end_reason)
		s->end_reason = ka_err_str(err);
	finish(s);
}

static void on_deadline(uv_timer_t *t)
{
	struct ka_session *s = t->data;

	switch (s->state) {
	case KA_SES_HANDSHAKE:
		s->end_reason = "no answer in the handshake";
		break;
	case KA_SES_LOGIN:
		/* In these words clients do not call again by themselves. */
		ka_session_close(s, "No login in time: waiting any longer is not allowed");
		return;
	case KA_SES_ACTIVE:
	case KA_SES_ENDING:
		break;
	}
	finish(s);
}

static void on_tick(uv_timer_t *t);

void ka_session_enter(struct ka_session *s, enum ka_ses_state state, uint64_t deadline_ms)
{
	KA_OWNER(s);
	/* The first TestDelay follows the Hash at once. */
	if (state == KA_SES_LOGIN && s->state != state)
		uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
	s->state = state;
	if (deadline_ms)
		ka_timer_once(&s->deadline, on_deadline, deadline_ms);
	else
		uv_timer_stop(&s->deadline);
}

static void end_after(struct ka_session *s, const char *reason, uint64_t ms)
{
	KA_OWNER(s);
	if (s->state == KA_SES_ENDING)
		return;
	s->end_reason = reason;
	ka_screenshot_drop(s);
	ka_video_stop(s);
	ka_input_leave(s);
	uv_timer_stop(&s->tick);
	ka_session_enter(s, KA_SES_ENDING, ms);
}

void ka_session_end(struct ka_session *s, const char *reason)
{
	end_after(s, reason, LINGER_MS);
}

void ka_session_bye(struct ka_session *s)
{
	/* Not from within the message that says so: its buffer is in use. */
	end_after(s, "closed by the controller", 1);
}

void ka_session_close(struct ka_session *s, const char *reason)
{
	Rd__Misc misc = RD__MISC__INIT;
	char text[128];

	if (s->state == KA_SES_ENDING)
		return;
	snprintf(text, sizeof(text), "%s", reason);
	misc.union_case = RD__MISC__UNION_CLOSE_REASON;
	misc.close_reason = text;
	/* It ends either way. */
	(void)ka_session_send_misc(s, &misc);
	ka_session_end(s, reason);
}

static int send_probe(struct ka_session *s, int64_t now)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__TestDelay probe = RD__TEST_DELAY__INIT;
	struct ka_host_display displays[KA_HOST_DISPLAYS_MAX];

	/* Behind pending video it would measure our own queue, and pile up. */
	if (s->probe_sent_us)
		return 0;
	s->cfg.host->displays(s->cfg.host->ctx, displays);
	probe.last_delay = s->delay_ms;
	for (size_t i = 0; i < s->video.n_displays; i++)
		probe.target_bitrate += s->video.displays[i].wanted ? displays[i].kbps : 0;
	msg.union_case = RD__MESSAGE__UNION_TEST_DELAY;
	msg.test_delay = &probe;
	s->probe_sent_us = now;
	ka_qos_probe_sent(&s->video.qos, now);
	return ka_session_send(s, &msg);
}

static void on_tick(uv_timer_t *t)
{
	struct ka_session *s = t->data;
	int64_t now = ka_clock_us();
	int ret = 0;

	if (!ka_login_tick(s, now))
		return;
	if (now - s->last_rx_us > RX_TIMEOUT_US) {
		ka_session_close(s, "Timeout");
		return;
	}
	if (KA_MAX(ka_conn_stalled_us(s->conn, now), ka_video_stalled_us(s, now)) > TX_STALL_US) {
		s->end_reason = "the controller stopped reading";
		finish(s);
		return;
	}
	ret = ka_video_tick(s, now);
	ka_input_watch_silence(s, now);
	if (!ret && ka_screenshot_under_way(s))
		return;
	if (!ret && (s->state == KA_SES_LOGIN || s->state == KA_SES_ACTIVE))
		ret = send_probe(s, now);
	if (!ret && s->state == KA_SES_ACTIVE) {
		/* Said again each second: which encoder suits depends on what the others want by now. */
		ka_video_update_wish(s);
		ret = ka_displays_follow(s);
		if (!ret)
			ret = ka_video_pump(s);
	}
	if (ret < 0)
		fail(s, ret);
}

static int on_message(void *arg, uint8_t *data, size_t len)
{
	struct ka_session *s = arg;

	s->last_rx_us = ka_clock_us();
	switch (s->state) {
	case KA_SES_HANDSHAKE:
		return ka_handshake_message(s, data, len);
	case KA_SES_LOGIN:
		if (++s->early_messages > KA_SES_EARLY_MESSAGES)
			return -KA_E_LIMIT;
		return ka_dispatch_message(s, data, len);
	case KA_SES_ACTIVE:
		return ka_dispatch_message(s, data, len);
	case KA_SES_ENDING:
		break;
	}
	return 0;
}

void ka_session_pump(struct ka_session *s)
{
	int ret = s->state == KA_SES_ACTIVE ? ka_screenshot_pump(s) : 0;

	if (!ret && s->state == KA_SES_ACTIVE)
		ret = ka_chat_pump(s);
	if (!ret && s->state == KA_SES_ACTIVE)
		ret = ka_video_pump(s);
	if (ret < 0)
		fail(s, ret);
}

static void on_drained(void *arg)
{
	ka_session_pump(arg);
}

/* The stream ended without an error of ours. */
static const char *early_end(const struct ka_session *s)
{
	/* hbbr says nothing to those whose key it does not like, and not to those whom nobody joins either. */
	if (s->in.path != KA_PATH_RELAY || s->state != KA_SES_HANDSHAKE)
		return "closed by the controller";
	if (s->last_rx_us - s->started_us == 0 && ka_clock_us() - s->started_us < KA_SEC(1))
		return "the relay hung up at once: is 'key' the server's public key? (or it lost the other leg; the "
		       "client tries again)";
	return "nobody joined at the relay";
}

static void on_conn_end(void *arg, int err)
{
	struct ka_session *s = arg;

	if (!s->end_reason)
		s->end_reason = err ? ka_err_str(err) : early_end(s);
	finish(s);
}

/* A wake means: new packets, a chat line, let in, or stop. */
static void on_wake(void *arg)
{
	struct ka_session *s = arg;
	const char *reason;

	/* The stream ended a moment ago, in the same turn of the loop. */
	if (atomic_load(&s->loop.stop))
		return;
	reason = atomic_exchange(&s->stop_reason, NULL);
	if (reason) {
		ka_session_close(s, reason);
		/* Strangers are stopped to make room. */
		if (!s->login_us && !ka_conn_pending(s->conn)) {
			finish(s);
			return;
		}
		/* The process may be going down: give the last words a moment, not the whole linger time. Who asks
		 * again and again does not put off the end. */
		if (uv_timer_get_due_in(&s->deadline) > STOP_LINGER_MS)
			ka_timer_once(&s->deadline, on_deadline, STOP_LINGER_MS);
		return;
	}
	ka_login_wake(s);
	ka_session_pump(s);
}

static int open_conn(struct ka_session *s)
{
	struct ka_conn_cfg cfg = {
		.uv = &s->loop.uv,
		.in_limit = KA_SES_IN_LIMIT_LOGIN,
		.out_limit = KA_SES_OUT_LIMIT_LOGIN,
		.on_message = on_message,
		.on_drained = on_drained,
		.on_end = on_conn_end,
		.arg = s,
	};
	int fd = s->in.fd;

	s->in.fd = -1;
	return ka_conn_new(&s->conn, &cfg, fd);
}

/* Only direct access is plain by nature; elsewhere hbbs, or whoever poses as it, may have said so. */
static int begin(struct ka_session *s)
{
	if (s->in.secure)
		return ka_handshake_start(s);
	if (s->in.path != KA_PATH_DIRECT && s->cfg.rd->encryption == KA_RD_ENCRYPT_REQUIRED)
		return ka_handshake_refuse_plain(s, "the controller was let in without encryption by the server");
	return ka_login_start(s);
}

static void init_timer(struct ka_session *s, uv_timer_t *t)
{
	uv_timer_init(&s->loop.uv, t);
	t->data = s;
}

#define WHO_FORMAT "n=%u path=%s from=%s id=\"%s\" name=\"%s\" reason=\"%s\""
#define WHO(s, reason)                                                                                                 \
	(s)->cfg.number, ka_path_name((s)->in.path), (s)->peer_text, (s)->peer_id, (s)->peer_name, (reason)

void ka_session_log_refusal(const struct ka_session *s, const char *reason, bool counted)
{
	if (counted)
		ka_log(WARN, "session", "refused", WHO_FORMAT, WHO(s, reason));
	else
		ka_log_burst(WARN, KA_SES_STRANGERS_LINES, KA_SES_STRANGERS_PERIOD_US, "session", "refused", WHO_FORMAT,
			     WHO(s, reason));
}

static void log_end(const struct ka_session *s)
{
	const char *reason = s->end_reason ? s->end_reason : "stopped";

	if (s->login_us)
		ka_log(INFO, "session", "end", WHO_FORMAT " seconds=%" PRId64 " pictures=%" PRIu64, WHO(s, reason),
		       (ka_clock_us() - s->login_us) / KA_SEC(1), s->video.sent);
	else if (s->refused)
		ka_log(DEBUG, "session", "closed", WHO_FORMAT, WHO(s, reason));
	else if (s->peer_id[0] || s->peer_name[0])
		ka_log_burst(INFO, KA_SES_STRANGERS_LINES, KA_SES_STRANGERS_PERIOD_US, "session", "gone", WHO_FORMAT,
			     WHO(s, reason));
	else
		/* Has not said who it is; there may be many of these. */
		ka_log_every(INFO, KA_SEC(1), "session", "gone", WHO_FORMAT, WHO(s, reason));
}

int ka_session_open(struct ka_session *s)
{
	int ret;

	ka_owner_bind(&s->owner);
	s->started_us = s->last_rx_us = ka_clock_us();
	ka_log(DEBUG, "session", "open", "n=%u path=%s from=%s", s->cfg.number, ka_path_name(s->in.path), s->peer_text);
	init_timer(s, &s->tick);
	init_timer(s, &s->deadline);
	init_timer(s, &s->pace);
	s->handles_open = true;
	ret = open_conn(s);
	if (!ret)
		ret = begin(s);
	if (ret < 0)
		s->end_reason = ka_err_str(ret);
	else
		uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
	return ret;
}

void ka_session_leave(struct ka_session *s)
{
	struct ka_wake ended = s->cfg.ended;

	ka_screenshot_drop(s);
	ka_video_stop(s);
	ka_input_leave(s);
	ka_chat_leave(s);
	ka_login_leave(s);
	ka_conn_close(s->conn);
	if (s->handles_open) {
		uv_close((uv_handle_t *)&s->tick, NULL);
		uv_close((uv_handle_t *)&s->deadline, NULL);
		uv_close((uv_handle_t *)&s->pace, NULL);
	}
	log_end(s);
	ka_owner_unbind(&s->owner);
	atomic_store(&s->ended, true);
	ka_wake_call(&ended);
}

static void *session_main(void *arg)
{
	struct ka_session *s = arg;

	if (ka_session_open(s) == 0)
		ka_loop_run(&s->loop);
	ka_session_leave(s);
	return NULL;
}

int ka_session_new(struct ka_session **out, const struct ka_session_cfg *cfg, const struct ka_incoming *in)
{
	struct ka_session *s = calloc(1, sizeof(*s));
	int ret;

	if (!s) {
		close(in->fd);
		return -ENOMEM;
	}
	s->cfg = *cfg;
	s->in = *in;
	ka_listing_init(s);
	s->input.enabled = true;
	ka_qos_init(&s->video.qos, in->path == KA_PATH_RELAY);
	ka_keymap_init(&s->input.map, ka_input_codes(cfg->rd->platform));
	ka_addr_text(s->peer_text, &in->peer);
	ka_pb_init(&s->pb, KA_SES_PB_BUDGET_LOGIN);
	ret = ka_loop_init(&s->loop, on_wake, s);
	if (ret < 0) {
		ka_session_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

int ka_session_start(struct ka_session **out, const struct ka_session_cfg *cfg, const struct ka_incoming *in)
{
	struct ka_session *s;
	char name[16];
	int ret = ka_session_new(&s, cfg, in);

	if (ret < 0)
		return ret;
	snprintf(name, sizeof(name), "ka-ses-%u", cfg->number % 100000);
	ret = ka_thread_start(&s->thread, name, session_main, s);
	if (ret < 0) {
		ka_session_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

void ka_session_stop(struct ka_session *s, const char *reason)
{
	atomic_store(&s->stop_reason, reason);
	ka_loop_wake(&s->loop);
}

bool ka_session_asked(struct ka_session *s)
{
	return atomic_load(&s->asked);
}

bool ka_session_logged_in(struct ka_session *s)
{
	return atomic_load(&s->logged_in);
}

bool ka_session_ended(struct ka_session *s)
{
	return atomic_load(&s->ended);
}

bool ka_session_pk_rejected(struct ka_session *s)
{
	return atomic_load(&s->pk_rejected);
}

void ka_session_free(struct ka_session *s)
{
	if (!s)
		return;
	ka_thread_join(&s->thread);
	/* Only now: until the free, stop may wake the loop from any thread. */
	ka_loop_fini(&s->loop);
	if (s->in.fd >= 0)
		close(s->in.fd);
	ka_conn_free(s->conn);
	ka_pb_fini(&s->pb);
	ka_box_pair_wipe(&s->box);
	ka_listing_fini(s);
	free(s);
}
