/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What controllers ask about displays, and what they are told of them. How many there are never changes; where they are
 * and how large is what the target makes it. How the stock device treats CaptureDisplays and SwitchDisplay:
 * src/server/connection.rs and src/server.rs of RustDesk 1.4.
 */
#include "rustdesk/session/session_priv.h"

#include <string.h>

#include "base/log.h"

void ka_displays_init(struct ka_session *s)
{
	struct ka_host_display now[KA_HOST_DISPLAYS_MAX];

	s->video.n_displays = s->cfg.host->displays(s->cfg.host->ctx, now);
	for (size_t i = 0; i < s->video.n_displays; i++)
		s->video.displays[i] = (struct ka_ses_display){
			.name = now[i].name,
			.x = now[i].x,
			.y = now[i].y,
			.width = now[i].width,
			.height = now[i].height,
			.off = now[i].off,
		};
}

bool ka_displays_have(const struct ka_session *s, int32_t display)
{
	return display >= 0 && (size_t)display < s->video.n_displays;
}

/* As bits; what we do not have is left out. */
static uint32_t read_list(const struct ka_session *s, const int32_t *list, size_t n)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		if (ka_displays_have(s, list[i]))
			bits |= 1u << list[i];
	}
	return bits;
}

/* show: those whose decoder starts now; keep: those that go on if they are watched already. */
static int watch(struct ka_session *s, uint32_t show, uint32_t keep)
{
	int ret = 0;

	for (size_t i = 0; i < s->video.n_displays; i++) {
		if (!((show | keep) & 1u << i))
			ka_video_leave(s, i);
	}
	for (size_t i = 0; i < s->video.n_displays && !ret; i++) {
		if (!(show & 1u << i))
			continue;
		ret = ka_video_start(s, i);
		ka_video_restart(s, i);
	}
	/* What the link carries is shared by others now. */
	ka_video_update_wish(s);
	return ret;
}

int ka_displays_capture(struct ka_session *s, const Rd__CaptureDisplays *c)
{
	uint32_t add = read_list(s, c->add, c->n_add);
	uint32_t sub = read_list(s, c->sub, c->n_sub);
	uint32_t set = read_list(s, c->set, c->n_set);

	if (c->n_add)
		return add ? watch(s, add, UINT32_MAX) : 0;
	/* Its name notwithstanding it says which of those that are watched to go on with. */
	if (c->n_sub)
		return sub ? watch(s, 0, sub) : 0;
	return set || !c->n_set ? watch(s, set, set) : 0;
}

/* The fastest of the modes with that size. */
static bool find_mode(const struct ka_session *s, size_t display, const Rd__Resolution *size, struct ka_video_mode *out)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n = host->modes ? host->modes(host->ctx, display, modes) : 0;
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

/* Whether the target follows, and when, is its own affair: the size of the picture says so. */
static bool choose_mode(struct ka_session *s, size_t display, const Rd__Resolution *size)
{
	const struct ka_ses_display *d = &s->video.displays[display];
	const struct ka_host *host = s->cfg.host;
	struct ka_video_mode mode;

	if (((uint32_t)size->width == d->width && (uint32_t)size->height == d->height) ||
	    !ka_session_may(s, KA_RD_MAY_KEYBOARD) || !find_mode(s, display, size, &mode) ||
	    host->set_mode(host->ctx, display, &mode) < 0)
		return false;
	ka_log_burst(INFO, KA_SES_REPEATED_LINES, KA_SES_REPEATED_PERIOD_US, "session", "mode",
		     "n=%u display=%zu mode=%ux%u@%u", s->cfg.number, display, mode.width, mode.height, mode.hz);
	return true;
}

/* Told the size there is, clients forget one they wished for in vain. */
int ka_displays_resize(struct ka_session *s, int32_t display, const Rd__Resolution *size)
{
	if (ka_displays_have(s, display) && size && choose_mode(s, (size_t)display, size))
		return 0;
	return ka_displays_query(s, display);
}

/* The client throws its decoder away: no difference picture may follow. */
static int tell_switch(struct ka_session *s, size_t display)
{
	int ret = ka_peer_info_send_switch(s, display);

	ka_video_restart(s, display);
	return ret;
}

int ka_displays_switch(struct ka_session *s, const Rd__SwitchDisplay *to)
{
	const Rd__Resolution size = {.width = to->width, .height = to->height};
	struct ka_ses_video *v = &s->video;
	size_t before = v->current;
	int ret;

	if (!ka_displays_have(s, to->display))
		return 0;
	v->current = (size_t)to->display;
	/* It is what the controller looks at already: like the stock device, nothing to say. */
	if (v->current == before && v->displays[before].wanted)
		return 0;
	if (v->current != before && v->one_at_a_time)
		ka_video_leave(s, before);
	ret = ka_video_start(s, v->current);
	ka_video_update_wish(s);
	if (!ret && v->current != before && size.width && size.height)
		(void)choose_mode(s, v->current, &size);
	return ret ? ret : ka_displays_query(s, to->display);
}

int ka_displays_query(struct ka_session *s, int32_t display)
{
	int ret;

	if (!ka_displays_have(s, display))
		return 0;
	ret = ka_displays_follow(s);
	if (!ret)
		ret = tell_switch(s, (size_t)display);
	return ret ? ret : ka_peer_info_send_list(s);
}

/* The size of one that is watched comes with its picture. True: something has changed. */
static bool look(struct ka_ses_display *d, const struct ka_host_display *now, bool *moved)
{
	bool resized = !d->viewer && (d->width != now->width || d->height != now->height);

	*moved = d->x != now->x || d->y != now->y;
	d->x = now->x;
	d->y = now->y;
	d->off = now->off;
	if (resized) {
		d->width = now->width;
		d->height = now->height;
	}
	return *moved || resized;
}

static int follow(struct ka_session *s, bool changed)
{
	struct ka_host_display now[KA_HOST_DISPLAYS_MAX];
	int ret = 0;

	s->cfg.host->displays(s->cfg.host->ctx, now);
	for (size_t i = 0; i < s->video.n_displays && !ret; i++) {
		bool moved;

		changed |= look(&s->video.displays[i], &now[i], &moved);
		/* Some clients learn from nothing else where the one they look at has gone. */
		if (moved && s->video.displays[i].wanted)
			ret = tell_switch(s, i);
	}
	return ret || !changed ? ret : ka_peer_info_send_list(s);
}

int ka_displays_follow(struct ka_session *s)
{
	return follow(s, false);
}

int ka_displays_resized(struct ka_session *s, size_t display, uint32_t width, uint32_t height)
{
	struct ka_host_display now[KA_HOST_DISPLAYS_MAX];
	struct ka_ses_display *d = &s->video.displays[display];
	bool moved;
	int ret;

	d->width = width;
	d->height = height;
	s->cfg.host->displays(s->cfg.host->ctx, now);
	(void)look(d, &now[display], &moved);
	ret = ka_peer_info_send_switch(s, display);
	return ret ? ret : follow(s, true);
}

void ka_displays_desk(const struct ka_session *s, struct ka_ses_desk *out)
{
	int32_t left = INT32_MAX;
	int32_t top = INT32_MAX;
	int32_t right = INT32_MIN;
	int32_t bottom = INT32_MIN;
	bool all = true;

	for (size_t i = 0; i < s->video.n_displays; i++)
		all &= s->video.displays[i].off;
	for (size_t i = 0; i < s->video.n_displays; i++) {
		const struct ka_ses_display *d = &s->video.displays[i];

		if (d->off && !all)
			continue;
		left = KA_MIN(left, d->x);
		top = KA_MIN(top, d->y);
		right = KA_MAX(right, d->x + (int32_t)d->width);
		bottom = KA_MAX(bottom, d->y + (int32_t)d->height);
	}
	*out = (struct ka_ses_desk){
		.x = left, .y = top, .width = (uint32_t)(right - left), .height = (uint32_t)(bottom - top)};
}
