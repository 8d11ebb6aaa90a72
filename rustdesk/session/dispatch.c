/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which message is handled in which state: one table, so that nothing but login is reachable before login. */
#include "rustdesk/session/session_priv.h"

#include "base/clock.h"
#include "base/log.h"

typedef int (*handler_fn)(struct ka_session *s, const Rd__Message *msg);

/* Built anew: what we do not know of the question is not repeated. Answers that pile up count towards the output's
 * limit. */
static int echo_probe(struct ka_session *s, const Rd__TestDelay *asked)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__TestDelay echo = RD__TEST_DELAY__INIT;

	echo.time = asked->time;
	echo.from_client = true;
	echo.last_delay = asked->last_delay;
	echo.target_bitrate = asked->target_bitrate;
	msg.union_case = RD__MESSAGE__UNION_TEST_DELAY;
	msg.test_delay = &echo;
	return ka_session_send(s, &msg);
}

static int on_test_delay(struct ka_session *s, const Rd__Message *msg)
{
	if (msg->test_delay->from_client)
		return echo_probe(s, msg->test_delay);
	if (s->probe_sent_us)
		s->delay_ms = (uint32_t)((s->last_rx_us - s->probe_sent_us) / 1000);
	s->probe_sent_us = 0;
	ka_qos_probe_answered(&s->video.qos, s->last_rx_us);
	/* What was held back because of it may go. */
	return s->state == KA_SES_ACTIVE ? ka_video_pump(s) : 0;
}

/* Before login the only thing of Misc that counts is good-bye. */
static int on_early_misc(struct ka_session *s, const Rd__Message *msg)
{
	if (msg->misc->union_case == RD__MISC__UNION_CLOSE_REASON)
		ka_session_bye(s);
	return 0;
}

static const struct {
	Rd__Message__UnionCase which;
	handler_fn login;
	handler_fn active;
	uint32_t needs; /* permissions, when active */
} table[] = {
	{RD__MESSAGE__UNION_TEST_DELAY, on_test_delay, on_test_delay},
	{RD__MESSAGE__UNION_LOGIN_REQUEST, ka_login_request, NULL},
	{RD__MESSAGE__UNION_AUTH_2FA, ka_login_code, NULL},
	{RD__MESSAGE__UNION_MISC, on_early_misc, ka_misc_message},
	{RD__MESSAGE__UNION_MOUSE_EVENT, NULL, ka_input_mouse, KA_RD_MAY_KEYBOARD},
	{RD__MESSAGE__UNION_KEY_EVENT, NULL, ka_input_key, KA_RD_MAY_KEYBOARD},
	{RD__MESSAGE__UNION_VOICE_CALL_REQUEST, NULL, ka_menu_voice_call},
	{RD__MESSAGE__UNION_SCREENSHOT_REQUEST, NULL, ka_screenshot_request},
};

/* Of a controller that is in. */
static bool allowed(const struct ka_session *s, const Rd__Message *msg, uint32_t needs)
{
	return ka_session_may(s, needs) && ka_scope_allows(s->kind, msg);
}

int ka_dispatch_message(struct ka_session *s, uint8_t *data, size_t len)
{
	const Rd__Message *msg;

	/* A key-less controller's empty message may arrive late; it never means anything here. */
	if (!len)
		return 0;
	msg = (const Rd__Message *)ka_pb_decode(&s->pb, &rd__message__descriptor, data, len);
	if (!msg) {
		ka_log_every(WARN, KA_SEC(10), "session", "garbage", "n=%u from=%s bytes=%zu", s->cfg.number,
			     s->peer_text, len);
		return -KA_E_PEER;
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(table); i++) {
		handler_fn fn = s->state == KA_SES_LOGIN ? table[i].login : table[i].active;

		if (table[i].which != msg->union_case)
			continue;
		if (table[i].needs & KA_RD_MAY_KEYBOARD)
			s->last_input_us = s->last_rx_us;
		if (!fn || (s->state != KA_SES_LOGIN && !allowed(s, msg, table[i].needs)))
			return 0;
		return fn(s, msg);
	}
	return 0;
}
