/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/console_port.h"

#include <assert.h>

#include "agent/ways.h"

static void get_signal(void *ctx, size_t display, struct ka_signal *out, uint32_t *kbps)
{
	struct ka_console_view *v = ctx;

	ka_capture_signal(v->parts->displays[display].capture, out);
	*kbps = ka_capture_kbps(v->parts->displays[display].capture);
}

static void get_codecs(void *ctx, struct ka_codec_list *out)
{
	struct ka_console_view *v = ctx;

	ka_agent_codecs(v->parts, out);
}

static void get_stage(void *ctx, size_t display, enum ka_stage stage, struct ka_percentiles *out)
{
	struct ka_console_view *v = ctx;

	ka_capture_stage(v->parts->displays[display].capture, stage, out);
}

static void get_hid(void *ctx, struct ka_hid_state *out)
{
	struct ka_console_view *v = ctx;

	ka_hid_get_state(v->parts->hid, out);
}

static void get_endpoint(void *ctx, struct ka_rd_status *out)
{
	struct ka_console_view *v = ctx;

	ka_rd_get_status(v->rd, out);
}

static size_t list_sessions(void *ctx, struct ka_rd_session *out, size_t max)
{
	struct ka_console_view *v = ctx;

	return ka_rd_sessions(v->rd, out, max);
}

static int kick(void *ctx, uint32_t number)
{
	struct ka_console_view *v = ctx;

	return ka_rd_kick(v->rd, number);
}

static int approve(void *ctx, uint32_t number)
{
	struct ka_console_view *v = ctx;

	return ka_rd_approve(v->rd, number);
}

static int refuse(void *ctx, uint32_t number)
{
	struct ka_console_view *v = ctx;

	return ka_rd_refuse(v->rd, number);
}

static void get_otp(void *ctx, char *dst, size_t dst_size)
{
	struct ka_console_view *v = ctx;

	ka_rd_get_otp(v->rd, dst, dst_size);
}

static int light(void *ctx)
{
	struct ka_console_view *v = ctx;

	return ka_atx_light(&v->parts->atx);
}

static int press(void *ctx, enum ka_atx_action action)
{
	struct ka_console_view *v = ctx;

	return ka_atx_request(&v->parts->atx, action);
}

/* Only sessions hold anything, and one that has ended has let go of it. */
static void release(void *ctx)
{
	struct ka_console_view *v = ctx;
	struct ka_rd_session sessions[KA_RD_MAX_STREAMS];
	size_t n = ka_rd_sessions(v->rd, sessions, KA_RD_MAX_STREAMS);

	for (size_t i = 0; i < n; i++) {
		if (!sessions[i].waiting)
			ka_agent_host_release(v->parts, sessions[i].number);
	}
}

static void stop_typing(void *ctx)
{
	struct ka_console_view *v = ctx;

	ka_hid_stop_typing(v->parts->hid);
}

static size_t list_links(void *ctx, bool encrypted, char (*out)[KA_CONSOLE_LINK], size_t max)
{
	static_assert(KA_CONSOLE_LINK == KA_WAYS_TEXT, "one fits the other");
	struct ka_console_view *v = ctx;
	struct ka_rd_status st;

	ka_rd_get_status(v->rd, &st);
	if (encrypted)
		return st.serve_port ? ka_ways_serve(out, max, &v->cfg->rustdesk, v->identity, st.serve_port) : 0;
	return st.direct_port ? ka_ways_direct(out, max, &v->cfg->rustdesk, st.direct_port) : 0;
}

void ka_console_port_init(struct ka_console *out, struct ka_console_view *view)
{
	const struct ka_rd_cfg *rd = &view->cfg->rustdesk;

	*out = (struct ka_console){
		.port = {.ctx = view,
			 .codecs = get_codecs,
			 .signal = get_signal,
			 .stage = get_stage,
			 .hid = get_hid,
			 .endpoint = get_endpoint,
			 .sessions = list_sessions,
			 .kick = kick,
			 .approve = approve,
			 .refuse = refuse,
			 .otp = get_otp,
			 .light = light,
			 .press = press,
			 .release = release,
			 .stop_typing = stop_typing,
			 .links = list_links},
		.facts = {.id = view->identity->id,
			  .hostname = view->hostname,
			  .server = rd->server,
			  .platform = ka_rd_platform_name(rd->platform),
			  .rd_version = rd->version,
			  .max_controllers = rd->max_sessions,
			  .approval = rd->approval,
			  .otp = rd->otp_length > 0,
			  .n_displays = view->cfg->n_displays},
	};
	for (size_t i = 0; i < view->cfg->n_displays; i++)
		out->facts.displays[i] = view->cfg->displays[i].name;
}
