/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What menus of a client offer and this device mostly has not. Each answer leaves the client showing the true state;
 * where the protocol has no answer of its own, a message box says it in words.
 */
#include "rustdesk/session/session_priv.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

/* Values of BackNotification. */
enum { PRIVACY_NOT_SUPPORTED = 3, BLOCK_ON_FAILED = 3, BLOCK_OFF_SUCCEEDED = 4 };

#define IMPL_KEY_MAX 64 /* bytes; stock's names are shorter */

int ka_menu_say(struct ka_session *s, const char *title, const char *text)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__MessageBox box = RD__MESSAGE_BOX__INIT;
	/* A button to close it and nothing else: without "custom" its OK would end the session. */
	char type[] = "custom-nook-nocancel-hasclose";
	char title_copy[64];
	char text_copy[160];

	snprintf(title_copy, sizeof(title_copy), "%s", title);
	snprintf(text_copy, sizeof(text_copy), "%s", text);
	box.msgtype = type;
	box.title = title_copy;
	box.text = text_copy;
	msg.union_case = RD__MESSAGE__UNION_MESSAGE_BOX;
	msg.message_box = &box;
	return ka_session_send(s, &msg);
}

int ka_menu_block_input(struct ka_session *s, bool on)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__BackNotification back = RD__BACK_NOTIFICATION__INIT;
	char text[] = "A KVM cannot block the target's own keyboard and mouse";

	back.union_case = RD__BACK_NOTIFICATION__UNION_BLOCK_INPUT_STATE;
	/* They never are blocked: asked to let go of them there is nothing to refuse. */
	back.block_input_state = on ? BLOCK_ON_FAILED : BLOCK_OFF_SUCCEEDED;
	if (on)
		back.details = text;
	misc.union_case = RD__MISC__UNION_BACK_NOTIFICATION;
	misc.back_notification = &back;
	return ka_session_send_misc(s, &misc);
}

int ka_menu_privacy(struct ka_session *s, char *impl_key)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__BackNotification back = RD__BACK_NOTIFICATION__INIT;

	back.union_case = RD__BACK_NOTIFICATION__UNION_PRIVACY_MODE_STATE;
	back.privacy_mode_state = PRIVACY_NOT_SUPPORTED;
	/* What is not UTF-8 would make the client refuse our whole message. */
	if (impl_key && ka_utf8_valid(impl_key, IMPL_KEY_MAX))
		back.impl_key = impl_key;
	misc.union_case = RD__MISC__UNION_BACK_NOTIFICATION;
	misc.back_notification = &back;
	return ka_session_send_misc(s, &misc);
}

int ka_menu_elevate(struct ka_session *s)
{
	Rd__Misc misc = RD__MISC__INIT;
	char text[] = "No need to elevate"; /* in stock's words, which clients translate */

	misc.union_case = RD__MISC__UNION_ELEVATION_RESPONSE;
	misc.elevation_response = text;
	return ka_session_send_misc(s, &misc);
}

int ka_menu_voice_call(struct ka_session *s, const Rd__Message *msg)
{
	Rd__Message answer = RD__MESSAGE__INIT;
	Rd__VoiceCallResponse response = RD__VOICE_CALL_RESPONSE__INIT;
	int ret;

	if (!msg->voice_call_request->is_connect)
		return 0;
	response.req_timestamp = msg->voice_call_request->req_timestamp;
	response.ack_timestamp = ka_clock_wall_us() / 1000;
	answer.union_case = RD__MESSAGE__UNION_VOICE_CALL_RESPONSE;
	answer.voice_call_response = &response;
	ret = ka_session_send(s, &answer);
	return ret ? ret : ka_menu_say(s, "Voice call", "Nobody sits at this device to take a call");
}

/* The client has no answer of its own for that: it waits for the picture of a target that starts anew. */
int ka_menu_restart(struct ka_session *s)
{
	static const char title[] = "Restart remote device";
	const struct ka_host *host = s->cfg.host;
	int ret;

	if (!host->restart)
		return ka_menu_say(s, title, "This device has no wire to the target's reset button");
	if (!ka_session_may(s, KA_RD_MAY_POWER))
		return ka_menu_say(s, title, "Your password does not open the target's reset button");
	ret = host->restart(host->ctx);
	ka_log_burst(INFO, KA_SES_REPEATED_LINES, KA_SES_REPEATED_PERIOD_US, "session", "restart",
		     "n=%u id=\"%s\" name=\"%s\" result=\"%s\"", s->cfg.number, s->peer_id, s->peer_name,
		     ret ? ka_err_str(ret) : "pressed");
	if (ret == -EBUSY)
		return ka_menu_say(s, title, "A button of the target is being pressed already");
	return ret ? ka_menu_say(s, title, "The target's reset button cannot be reached now") : 0;
}

int ka_menu_switch_sides(struct ka_session *s)
{
	return ka_menu_say(s, "Switch Sides", "This device has no screen to show yours on");
}

int ka_menu_virtual_display(struct ka_session *s)
{
	return ka_menu_say(s, "Virtual display", "This device shows the one display that the cable brings");
}

int ka_menu_codec(struct ka_session *s)
{
	return ka_menu_say(s, "Codec", "This device does not send what you chose");
}

int ka_menu_show_cursor(struct ka_session *s)
{
	return ka_menu_say(s, "Show my cursor", "A KVM cannot draw on the target's screen");
}
