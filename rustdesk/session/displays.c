/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What controllers ask about displays. There is one, number 0, and its size is what the target makes it. */
#include "rustdesk/session/session_priv.h"

#include "base/clock.h"

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
