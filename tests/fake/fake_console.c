/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void get_codecs(void *ctx, struct ka_codec_list *out)
{
	*out = ((struct fake_console *)ctx)->codecs;
}

static void get_signal(void *ctx, size_t display, struct ka_signal *out, uint32_t *kbps)
{
	struct fake_console *f = ctx;

	*out = f->signals[display];
	*kbps = f->kbps;
}

static void get_stage(void *ctx, size_t display, enum ka_stage stage, struct ka_percentiles *out)
{
	(void)display;
	*out = ((struct fake_console *)ctx)->stages[stage];
}

static void get_hid(void *ctx, struct ka_hid_state *out)
{
	*out = ((struct fake_console *)ctx)->hid;
}

static void get_endpoint(void *ctx, struct ka_rd_status *out)
{
	*out = ((struct fake_console *)ctx)->endpoint;
}

static size_t list_sessions(void *ctx, struct ka_rd_session *out, size_t max)
{
	struct fake_console *f = ctx;
	size_t n = KA_MIN(f->n_sessions, max);

	memcpy(out, f->sessions, n * sizeof(*out));
	return n;
}

static int find(struct fake_console *f, uint32_t number, bool waiting, uint32_t *done)
{
	for (size_t i = 0; i < f->n_sessions; i++) {
		if (f->sessions[i].number != number || (waiting && !f->sessions[i].waiting))
			continue;
		*done = number;
		return 0;
	}
	return -ENOENT;
}

static int kick(void *ctx, uint32_t number)
{
	struct fake_console *f = ctx;

	return find(f, number, false, &f->kicked);
}

static int approve(void *ctx, uint32_t number)
{
	struct fake_console *f = ctx;

	return find(f, number, true, &f->approved);
}

static int refuse(void *ctx, uint32_t number)
{
	struct fake_console *f = ctx;

	return find(f, number, true, &f->refused);
}

static void get_otp(void *ctx, char *dst, size_t dst_size)
{
	(void)ctx;
	snprintf(dst, dst_size, "qrst789");
}

static int light(void *ctx)
{
	return ((struct fake_console *)ctx)->light;
}

static int press(void *ctx, enum ka_atx_action action)
{
	struct fake_console *f = ctx;

	f->pressed = action;
	return f->press_result;
}

static void stop_typing(void *ctx)
{
	((struct fake_console *)ctx)->typing_stopped++;
}

static void release(void *ctx)
{
	((struct fake_console *)ctx)->released++;
}

static size_t list_links(void *ctx, bool encrypted, char (*out)[KA_CONSOLE_LINK], size_t max)
{
	if (!((struct fake_console *)ctx)->links || !max)
		return 0;
	snprintf(out[0], KA_CONSOLE_LINK, encrypted ? "123456789@192.0.2.2?key=K" : "192.0.2.2");
	return 1;
}

void fake_console_init(struct fake_console *f)
{
	*f = (struct fake_console){
		.hid = {.usb = KA_USB_NONE, .cause = -KA_E_NO_DEVICE},
		.endpoint = {.server_state = "waiting for hbbs"},
		.links = true,
		.console = {.port = {.ctx = f,
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
			    .facts = {.id = "123456789",
				      .hostname = "kvm-test",
				      .server = "hbbs.example",
				      .platform = "Linux",
				      .rd_version = "1.3.8",
				      .max_controllers = 8,
				      .approval = true,
				      .otp = true,
				      .n_displays = 1,
				      .displays = {"HDMI", "right"}}},
	};
}

void fake_console_add(struct fake_console *f, uint32_t number, const char *name, bool waiting)
{
	struct ka_rd_session *s = &f->sessions[f->n_sessions++];

	*s = (struct ka_rd_session){.number = number, .path = "relay", .encrypted = true, .waiting = waiting};
	snprintf(s->id, sizeof(s->id), "%u", 1000000 + number);
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->address, sizeof(s->address), "192.0.2.%u:%u", number, 5000 + number);
	snprintf(s->profile, sizeof(s->profile), "%s", waiting ? "" : "permanent");
}
