/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What controllers ask about displays. There is one, number 0, and its size is what the target makes it. */
#include "rustdesk/session/session_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define STOP_AFTER_US KA_SEC(2)

static bool contains_display_0(const int32_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == 0)
			return true;
	}
	return false;
}

int ka_displays_capture(struct ka_session *s, const Rd__CaptureDisplays *c)
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

/* The fastest of the modes with that size. */
static bool find_mode(const struct ka_session *s, const Rd__Resolution *size, struct ka_video_mode *out)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n = host->modes ? host->modes(host->ctx, modes) : 0;
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (modes[i].width != size->width || modes[i].height != size->height)
			continue;
		/* The preferred one needs no change. */
		if (!found || (modes[i].hz > out->hz && memcmp(out, &modes[0], sizeof(*out)) != 0))
			*out = modes[i];
		found = true;
	}
	return found;
}

/* Whether the target follows, and when, is its own affair: the size of the picture says so. Told the size there is,
 * clients forget one they wished for in vain. */
int ka_displays_resize(struct ka_session *s, int32_t display, const Rd__Resolution *size)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_video_mode mode;
	bool other = size && ((uint32_t)size->width != s->video.width || (uint32_t)size->height != s->video.height);

	if (display || !other || !ka_session_may(s, KA_RD_MAY_KEYBOARD) || !find_mode(s, size, &mode) ||
	    host->set_mode(host->ctx, &mode) < 0)
		return ka_displays_query(s, display);
	ka_log_burst(INFO, KA_SES_REPEATED_LINES, KA_SES_REPEATED_PERIOD_US, "session", "mode", "n=%u mode=%ux%u@%u",
		     s->cfg.number, mode.width, mode.height, mode.hz);
	return 0;
}

int ka_displays_query(struct ka_session *s, int32_t display)
{
	int ret;

	if (display)
		return 0;
	ret = ka_peer_info_send_switch(s);
	/* The client throws its decoder away on SwitchDisplay: no difference picture may follow. */
	ka_video_restart(s);
	return ret;
}
