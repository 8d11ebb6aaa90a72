/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Misc messages of a controller that is in. What is not here is for other kinds of devices, or from us to clients. */
#include "rustdesk/session/session_priv.h"

static void refresh_all(struct ka_session *s)
{
	for (size_t i = 0; i < s->video.n_displays; i++)
		ka_video_restart(s, i);
}

/* Displays and pictures; false = something else. */
static bool about_video(struct ka_session *s, const Rd__Misc *m, int *ret)
{
	switch (m->union_case) {
	case RD__MISC__UNION_REFRESH_VIDEO:
		if (m->refresh_video)
			refresh_all(s);
		return true;
	case RD__MISC__UNION_REFRESH_VIDEO_DISPLAY:
		if (ka_displays_have(s, m->refresh_video_display))
			ka_video_restart(s, (size_t)m->refresh_video_display);
		return true;
	case RD__MISC__UNION_VIDEO_RECEIVED:
		s->video.ack_pending = false;
		*ret = ka_video_pump(s);
		return true;
	case RD__MISC__UNION_AUTO_ADJUST_FPS:
		ka_options_auto_fps(s, m->auto_adjust_fps);
		return true;
	case RD__MISC__UNION_CAPTURE_DISPLAYS:
		*ret = ka_displays_capture(s, m->capture_displays);
		return true;
	case RD__MISC__UNION_SWITCH_DISPLAY:
		*ret = ka_displays_switch(s, m->switch_display);
		return true;
	case RD__MISC__UNION_MESSAGE_QUERY:
		*ret = ka_displays_query(s, m->message_query->switch_display);
		return true;
	case RD__MISC__UNION_CHANGE_RESOLUTION:
		*ret = ka_displays_resize(s, (int32_t)s->video.current, m->change_resolution);
		return true;
	case RD__MISC__UNION_CHANGE_DISPLAY_RESOLUTION:
		*ret = ka_displays_resize(s, m->change_display_resolution->display,
					  m->change_display_resolution->resolution);
		return true;
	default:
		return false;
	}
}

int ka_misc_message(struct ka_session *s, const Rd__Message *msg)
{
	const Rd__Misc *m = msg->misc;
	int ret = 0;

	if (about_video(s, m, &ret))
		return ret;
	switch (m->union_case) {
	case RD__MISC__UNION_CLOSE_REASON:
		ka_session_bye(s);
		return 0;
	case RD__MISC__UNION_OPTION:
		return ka_options_apply(s, m->option, true);
	case RD__MISC__UNION_CHAT_MESSAGE:
		return ka_chat_message(s, m->chat_message->text);
	case RD__MISC__UNION_TOGGLE_PRIVACY_MODE:
		return ka_menu_privacy(s, m->toggle_privacy_mode->impl_key);
	case RD__MISC__UNION_ELEVATION_REQUEST:
		return ka_menu_elevate(s);
	case RD__MISC__UNION_RESTART_REMOTE_DEVICE:
		return m->restart_remote_device ? ka_menu_restart(s) : 0;
	case RD__MISC__UNION_SWITCH_SIDES_REQUEST:
		return ka_menu_switch_sides(s);
	case RD__MISC__UNION_TOGGLE_VIRTUAL_DISPLAY:
		return ka_menu_virtual_display(s);
	default:
		return 0;
	}
}
