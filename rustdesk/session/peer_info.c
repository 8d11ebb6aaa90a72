/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What controllers are told about this device and its displays. */
#include "rustdesk/session/session_priv.h"

#include <stdio.h>

#include "base/str.h"

#define TEXT_MAX 128

/* Storage for a PeerInfo: protobuf-c's fields are pointers that are not const. */
struct info {
	Rd__PeerInfo peer;
	Rd__DisplayInfo displays[KA_HOST_DISPLAYS_MAX];
	Rd__DisplayInfo *display_list[KA_HOST_DISPLAYS_MAX];
	char display_names[KA_HOST_DISPLAYS_MAX][TEXT_MAX];
	Rd__Resolution resolution; /* of a display's picture now */
	Rd__Resolution choices[KA_VIDEO_MODES_MAX];
	Rd__Resolution *resolution_list[1 + KA_VIDEO_MODES_MAX];
	Rd__SupportedResolutions resolutions;
	Rd__SupportedEncoding encoding;
	Rd__CodecAbility i444;
	Rd__Features features;
	char username[TEXT_MAX], hostname[TEXT_MAX], platform[16], version[32];
};

static void add_resolution(struct info *i, Rd__Resolution *r)
{
	for (size_t n = 0; n < i->resolutions.n_resolutions; n++) {
		if (i->resolution_list[n]->width == r->width && i->resolution_list[n]->height == r->height)
			return;
	}
	i->resolution_list[i->resolutions.n_resolutions++] = r;
}

/* Clients show their menu when there is a choice, which is none for those who may only look. */
static void fill_resolutions(struct info *i, const struct ka_session *s, size_t display)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n;

	rd__resolution__init(&i->resolution);
	i->resolution.width = (int32_t)s->video.displays[display].width;
	i->resolution.height = (int32_t)s->video.displays[display].height;
	rd__supported_resolutions__init(&i->resolutions);
	i->resolutions.resolutions = i->resolution_list;
	add_resolution(i, &i->resolution);
	if (!host->modes || !ka_session_may(s, KA_RD_MAY_KEYBOARD))
		return;
	n = host->modes(host->ctx, display, modes);
	for (size_t m = 0; m < n; m++) {
		rd__resolution__init(&i->choices[m]);
		i->choices[m].width = modes[m].width;
		i->choices[m].height = modes[m].height;
		add_resolution(i, &i->choices[m]);
	}
}

static void fill_displays(struct info *i, const struct ka_session *s)
{
	for (size_t n = 0; n < s->video.n_displays; n++) {
		const struct ka_ses_display *from = &s->video.displays[n];
		Rd__DisplayInfo *to = &i->displays[n];

		rd__display_info__init(to);
		ka_str_copy(i->display_names[n], sizeof(i->display_names[n]), from->name);
		to->name = i->display_names[n];
		to->x = from->x;
		to->y = from->y;
		to->width = (int32_t)from->width;
		to->height = (int32_t)from->height;
		/* One without a signal shows why. */
		to->online = true;
		/* The target draws its pointer into the picture. */
		to->cursor_embedded = true;
		to->scale = 1.0;
		i->display_list[n] = to;
	}
}

static void fill(struct info *i, const struct ka_session *s)
{
	const struct ka_rd_cfg *rd = s->cfg.rd;

	fill_displays(i, s);
	fill_resolutions(i, s, s->video.current);
	ka_codec_tell(&s->video.codecs, &i->encoding, &i->i444);
	rd__features__init(&i->features);
	rd__peer_info__init(&i->peer);
	snprintf(i->username, sizeof(i->username), "%s", rd->username);
	snprintf(i->hostname, sizeof(i->hostname), "%s", rd->hostname);
	snprintf(i->platform, sizeof(i->platform), "%s", ka_rd_platform_name(rd->platform));
	snprintf(i->version, sizeof(i->version), "%s", rd->version);
	i->peer.username = i->username;
	i->peer.hostname = i->hostname;
	i->peer.platform = i->platform;
	i->peer.version = i->version;
	i->peer.n_displays = s->video.n_displays;
	i->peer.displays = i->display_list;
	i->peer.sas_enabled = true;
	i->peer.features = &i->features;
	i->peer.encoding = &i->encoding;
	i->peer.resolutions = &i->resolutions;
}

int ka_peer_info_send_login(struct ka_session *s)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginResponse response = RD__LOGIN_RESPONSE__INIT;
	struct info i;

	ka_displays_init(s);
	fill(&i, s);
	response.union_case = RD__LOGIN_RESPONSE__UNION_PEER_INFO;
	response.peer_info = &i.peer;
	msg.union_case = RD__MESSAGE__UNION_LOGIN_RESPONSE;
	msg.login_response = &response;
	return ka_session_send(s, &msg);
}

int ka_peer_info_send_switch(struct ka_session *s, size_t display)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__SwitchDisplay to = RD__SWITCH_DISPLAY__INIT;
	const struct ka_ses_display *d = &s->video.displays[display];
	struct info i;

	fill_resolutions(&i, s, display);
	to.display = (int32_t)display;
	to.x = d->x;
	to.y = d->y;
	to.width = (int32_t)d->width;
	to.height = (int32_t)d->height;
	to.cursor_embedded = true;
	to.resolutions = &i.resolutions;
	/* The same: clients then forget a size the user once wished for. */
	to.original_resolution = &i.resolution;
	misc.union_case = RD__MISC__UNION_SWITCH_DISPLAY;
	misc.switch_display = &to;
	return ka_session_send_misc(s, &misc);
}

int ka_peer_info_send_list(struct ka_session *s)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	struct info i;

	fill(&i, s);
	msg.union_case = RD__MESSAGE__UNION_PEER_INFO;
	msg.peer_info = &i.peer;
	return ka_session_send(s, &msg);
}
