/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, at login and whenever the user changes one. Fields that are not set leave things as they are. */
#include "rustdesk/session/session_priv.h"

#include "base/log.h"
#include "rustdesk/session/quality.h"

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

/* Both chromas are VP9 to a user. */
static uint32_t codec_bits(enum ka_codec codec)
{
	return 1u << (codec == KA_CODEC_VP9_444 ? KA_CODEC_VP9 : codec);
}

static int apply_decoding(struct ka_session *s, const Rd__SupportedDecoding *d, bool live)
{
	struct ka_ses_video *v = &s->video;
	bool chosen = live && d->prefer && d->prefer != v->prefer;

	v->prefer = d->prefer;
	ka_codec_read(&v->ability, d);
	if (ka_video_choose_codec(s) < 0) {
		ka_log(WARN, "session", "no-codec", "n=%u", s->cfg.number);
		ka_session_close(s, "Decoding failed in this client, and this device sends nothing else");
		return 0;
	}
	/* The client's menu goes on showing what the user chose there. */
	if (chosen && !(v->ability.prefers & codec_bits(v->codec)))
		return ka_menu_codec(s);
	return 0;
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
	apply_picture(s, o);
	if (is_set(o->disable_keyboard))
		set_view_only(s, is_yes(o->disable_keyboard));
	if (is_set(o->lock_after_session_end))
		s->input.lock_at_end = is_yes(o->lock_after_session_end);
	if (o->supported_decoding)
		ret = apply_decoding(s, o->supported_decoding, live);
	if (s->state != KA_SES_ACTIVE)
		return ret;
	if (!ret && is_set(o->block_input))
		ret = ka_menu_block_input(s, is_yes(o->block_input));
	if (!ret && is_set(o->privacy_mode))
		ret = ka_menu_privacy(s, NULL);
	if (!ret && live && is_yes(o->show_my_cursor))
		ret = ka_menu_show_cursor(s);
	return ret;
}
