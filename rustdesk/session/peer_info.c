/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What controllers are told about this device and its one display. */
#include "rustdesk/session/session_priv.h"

#include <stdio.h>

#define TEXT_MAX 128

/* Storage for a PeerInfo: protobuf-c's fields are pointers that are not const. */
struct info {
	Rd__PeerInfo peer;
	Rd__DisplayInfo display;
	Rd__DisplayInfo *displays[1];
	Rd__Resolution resolution; /* of the picture now */
	Rd__Resolution choices[KA_VIDEO_MODES_MAX];
	Rd__Resolution *resolution_list[1 + KA_VIDEO_MODES_MAX];
	Rd__SupportedResolutions resolutions;
	Rd__SupportedEncoding encoding;
	Rd__Features features;
	char username[TEXT_MAX], hostname[TEXT_MAX], platform[16], version[32], display_name[16];
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
static void fill_resolutions(struct info *i, const struct ka_session *s)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n;

	rd__resolution__init(&i->resolution);
	i->resolution.width = (int32_t)s->video.width;
	i->resolution.height = (int32_t)s->video.height;
	rd__supported_resolutions__init(&i->resolutions);
	i->resolutions.resolutions = i->resolution_list;
	add_resolution(i, &i->resolution);
	if (!host->modes || !ka_session_may(s, KA_RD_MAY_KEYBOARD))
		return;
	n = host->modes(host->ctx, modes);
	for (size_t m = 0; m < n; m++) {
		rd__resolution__init(&i->choices[m]);
		i->choices[m].width = modes[m].width;
		i->choices[m].height = modes[m].height;
		add_resolution(i, &i->choices[m]);
	}
}

static void fill_display(struct info *i, const struct ka_session *s)
{
	rd__display_info__init(&i->display);
	snprintf(i->display_name, sizeof(i->display_name), "HDMI");
	i->display.name = i->display_name;
	i->display.width = (int32_t)s->video.width;
	i->display.height = (int32_t)s->video.height;
	i->display.online = true;
	/* The target draws its pointer into the picture. */
	i->display.cursor_embedded = true;
	i->display.scale = 1.0;
	i->displays[0] = &i->display;
}

static void fill(struct info *i, const struct ka_session *s)
{
	const struct ka_rd_cfg *rd = s->cfg.rd;

	fill_display(i, s);
	fill_resolutions(i, s);
	rd__supported_encoding__init(&i->encoding);
	i->encoding.h264 = true;
	rd__features__init(&i->features);
	rd__peer_info__init(&i->peer);
	snprintf(i->username, sizeof(i->username), "%s", rd->username);
	snprintf(i->hostname, sizeof(i->hostname), "%s", rd->hostname);
	snprintf(i->platform, sizeof(i->platform), "%s", rd->platform == KA_RD_WINDOWS ? "Windows" : "Linux");
	snprintf(i->version, sizeof(i->version), "%s", rd->version);
	i->peer.username = i->username;
	i->peer.hostname = i->hostname;
	i->peer.platform = i->platform;
	i->peer.version = i->version;
	i->peer.n_displays = 1;
	i->peer.displays = i->displays;
	i->peer.sas_enabled = true;
	i->peer.features = &i->features;
	i->peer.encoding = &i->encoding;
	i->peer.resolutions = &i->resolutions;
}

int ka_peer_info_send_login(struct ka_session *s)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginResponse response = RD__LOGIN_RESPONSE__INIT;
	struct ka_host_picture picture;
	struct info i;

	s->cfg.host->picture(s->cfg.host->ctx, &picture);
	s->video.width = picture.width;
	s->video.height = picture.height;
	fill(&i, s);
	response.union_case = RD__LOGIN_RESPONSE__UNION_PEER_INFO;
	response.peer_info = &i.peer;
	msg.union_case = RD__MESSAGE__UNION_LOGIN_RESPONSE;
	msg.login_response = &response;
	return ka_session_send(s, &msg);
}

int ka_peer_info_send_switch(struct ka_session *s)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__Misc misc = RD__MISC__INIT;
	Rd__SwitchDisplay to = RD__SWITCH_DISPLAY__INIT;
	struct info i;
	int ret;

	fill(&i, s);
	to.width = i.display.width;
	to.height = i.display.height;
	to.cursor_embedded = true;
	to.resolutions = &i.resolutions;
	/* The same: clients then forget a size the user once wished for. */
	to.original_resolution = &i.resolution;
	misc.union_case = RD__MISC__UNION_SWITCH_DISPLAY;
	misc.switch_display = &to;
	ret = ka_session_send_misc(s, &misc);
	if (ret < 0)
		return ret;
	msg.union_case = RD__MESSAGE__UNION_PEER_INFO;
	msg.peer_info = &i.peer;
	return ka_session_send(s, &msg);
}
