/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Misc messages: what the menus of a client ask for, and the answers that leave them in the true state. */
#include "rustdesk/session/session_priv.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "rustdesk/session/quality.h"

#define STOP_AFTER_US KA_SEC(2)

enum { PRIVACY_NOT_SUPPORTED = 3, BLOCK_ON_FAILED = 3, BLOCK_OFF_FAILED = 5 };

static bool fps_valid(int64_t fps)
{
	return fps >= 1 && fps <= 120;
}

static int send_block_input_refused(struct ka_session *s, bool on)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__BackNotification back = RD__BACK_NOTIFICATION__INIT;
	char text[] = "A KVM cannot block the target's own keyboard and mouse";

	back.union_case = RD__BACK_NOTIFICATION__UNION_BLOCK_INPUT_STATE;
	back.block_input_state = on ? BLOCK_ON_FAILED : BLOCK_OFF_FAILED;
	back.details = text;
	misc.union_case = RD__MISC__UNION_BACK_NOTIFICATION;
	misc.back_notification = &back;
	return ka_session_send_misc(s, &misc);
}

static int send_privacy_refused(struct ka_session *s, char *impl_key)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__BackNotification back = RD__BACK_NOTIFICATION__INIT;

	back.union_case = RD__BACK_NOTIFICATION__UNION_PRIVACY_MODE_STATE;
	back.privacy_mode_state = PRIVACY_NOT_SUPPORTED;
	if (impl_key)
		back.impl_key = impl_key;
	misc.union_case = RD__MISC__UNION_BACK_NOTIFICATION;
	misc.back_notification = &back;
	return ka_session_send_misc(s, &misc);
}

static int send_elevation_refused(struct ka_session *s)
{
	Rd__Misc misc = RD__MISC__INIT;
	char text[] = "No need to elevate: a KVM has the same rights everywhere";

	misc.union_case = RD__MISC__UNION_ELEVATION_RESPONSE;
	misc.elevation_response = text;
	return ka_session_send_misc(s, &misc);
}

static void set_view_only(struct ka_session *s, bool view_only)
{
	if (s->input.enabled && view_only)
		ka_input_release(s);
	s->input.enabled = !view_only;
}

int ka_options_apply(struct ka_session *s, const Rd__OptionMessage *o)
{
	uint32_t ratio;
	int ret = 0;

	if (!o)
		return 0;
	if (o->supported_decoding && o->supported_decoding->ability_h264 <= 0) {
		ka_log(WARN, "session", "no-codec", "n=%u", s->cfg.number);
		ka_session_close(s, "Decoding H.264 failed in this client, and this device sends nothing else");
		return 0;
	}
	ratio = ka_quality_ratio(o->image_quality, o->custom_image_quality);
	if (ratio)
		s->video.ratio_percent = ratio;
	if (fps_valid(o->custom_fps))
		s->video.custom_fps = (uint32_t)o->custom_fps;
	if (o->disable_keyboard != RD__BOOL_OPTION__BOOL_NOT_SET)
		set_view_only(s, o->disable_keyboard == RD__BOOL_OPTION__BOOL_YES);
	if (o->block_input != RD__BOOL_OPTION__BOOL_NOT_SET)
		ret = send_block_input_refused(s, o->block_input == RD__BOOL_OPTION__BOOL_YES);
	if (!ret && o->privacy_mode == RD__BOOL_OPTION__BOOL_YES)
		ret = send_privacy_refused(s, NULL);
	ka_video_update_wish(s);
	return ret;
}

static bool contains_display_0(const int32_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == 0)
			return true;
	}
	return false;
}

/* add goes before sub goes before set; lists of displays we do not have say nothing. */
static int capture_displays(struct ka_session *s, const Rd__CaptureDisplays *c)
{
	if (c->n_add ? contains_display_0(c->add, c->n_add) : !c->n_sub && contains_display_0(c->set, c->n_set)) {
		int ret;

		s->video.stop_at_us = 0;
		ret = ka_video_start(s);
		ka_video_restart(s);
		return ret;
	}
	/* Not at once: each new start costs everybody a key picture, and a window that moves stops and starts. */
	if (!c->n_add && contains_display_0(c->sub, c->n_sub))
		s->video.stop_at_us = ka_clock_us() + STOP_AFTER_US;
	return 0;
}

static int query_display(struct ka_session *s, int32_t display)
{
	int ret;

	if (display)
		return 0;
	ret = ka_peer_info_send_switch(s);
	/* The client throws its decoder away on SwitchDisplay: no difference picture may follow. */
	ka_video_restart(s);
	return ret;
}

int ka_options_misc(struct ka_session *s, const Rd__Message *msg)
{
	const Rd__Misc *m = msg->misc;

	switch (m->union_case) {
	case RD__MISC__UNION_CLOSE_REASON:
		ka_session_end(s, "closed by the controller");
		return 0;
	case RD__MISC__UNION_OPTION:
		return ka_options_apply(s, m->option);
	case RD__MISC__UNION_REFRESH_VIDEO:
		if (m->refresh_video)
			ka_video_restart(s);
		return 0;
	case RD__MISC__UNION_REFRESH_VIDEO_DISPLAY:
		if (m->refresh_video_display == 0)
			ka_video_restart(s);
		return 0;
	case RD__MISC__UNION_VIDEO_RECEIVED:
		s->video.ack_pending = false;
		return ka_video_pump(s);
	case RD__MISC__UNION_AUTO_ADJUST_FPS:
		if (fps_valid(m->auto_adjust_fps))
			s->video.auto_fps = m->auto_adjust_fps;
		ka_video_update_wish(s);
		return 0;
	case RD__MISC__UNION_CAPTURE_DISPLAYS:
		return capture_displays(s, m->capture_displays);
	case RD__MISC__UNION_SWITCH_DISPLAY:
		return query_display(s, m->switch_display->display);
	case RD__MISC__UNION_MESSAGE_QUERY:
		return query_display(s, m->message_query->switch_display);
	case RD__MISC__UNION_TOGGLE_PRIVACY_MODE:
		return send_privacy_refused(s, m->toggle_privacy_mode->impl_key);
	case RD__MISC__UNION_ELEVATION_REQUEST:
		return send_elevation_refused(s);
	default:
		return 0;
	}
}
