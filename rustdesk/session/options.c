/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, at login and whenever the user changes one. Fields that are not set leave things as they are. */
#include "rustdesk/session/session_priv.h"

#include "base/log.h"
#include "rustdesk/session/quality.h"

enum { PREFER_AUTO = 0, PREFER_H264 = 2 };

static bool fps_valid(int64_t fps)
{
	return fps >= 1 && fps <= 120;
}

void ka_options_auto_fps(struct ka_session *s, uint32_t fps)
{
	if (fps_valid(fps))
		s->video.auto_fps = fps;
	ka_video_update_wish(s);
}

static void set_view_only(struct ka_session *s, bool view_only)
{
	if (s->input.enabled && view_only)
		ka_input_release(s);
	s->input.enabled = !view_only;
}

static bool is_yes(Rd__BoolOption o)
{
	return o == RD__BOOL_OPTION__BOOL_YES;
}

static bool is_set(Rd__BoolOption o)
{
	return is_yes(o) || o == RD__BOOL_OPTION__BOOL_NO;
}

/* The client's menu goes on showing the codec the user chose there. */
static int apply_preference(struct ka_session *s, const Rd__SupportedDecoding *d, bool live)
{
	bool changed = d->prefer != s->video.prefer;

	s->video.prefer = d->prefer;
	if (!live || !changed || d->prefer == PREFER_AUTO || d->prefer == PREFER_H264)
		return 0;
	return ka_menu_codec(s);
}

static void apply_picture(struct ka_session *s, const Rd__OptionMessage *o)
{
	uint32_t ratio = ka_quality_ratio(o->image_quality, o->custom_image_quality);

	if (ratio)
		s->video.ratio_percent = ratio;
	if (fps_valid(o->custom_fps))
		s->video.custom_fps = (uint32_t)o->custom_fps;
	ka_video_update_wish(s);
}

int ka_options_apply(struct ka_session *s, const Rd__OptionMessage *o, bool live)
{
	int ret = 0;

	if (!o)
		return 0;
	if (o->supported_decoding && o->supported_decoding->ability_h264 <= 0) {
		ka_log(WARN, "session", "no-codec", "n=%u", s->cfg.number);
		ka_session_close(s, "Decoding H.264 failed in this client, and this device sends nothing else");
		return 0;
	}
	apply_picture(s, o);
	if (is_set(o->disable_keyboard))
		set_view_only(s, is_yes(o->disable_keyboard));
	if (is_set(o->lock_after_session_end))
		s->input.lock_at_end = is_yes(o->lock_after_session_end);
	if (o->supported_decoding)
		ret = apply_preference(s, o->supported_decoding, live);
	if (!ret && is_set(o->block_input))
		ret = ka_menu_block_input(s, is_yes(o->block_input));
	if (!ret && is_set(o->privacy_mode))
		ret = ka_menu_privacy(s, NULL);
	if (!ret && live && is_yes(o->show_my_cursor))
		ret = ka_menu_show_cursor(s);
	return ret;
}
