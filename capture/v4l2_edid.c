/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_edid.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

#include "base/log.h"
#include "capture/edid_priv.h"

/* On a video node the pad of an EDID is the number of the input. */
static uint32_t pad_of(const struct ka_v4l2_io *io, int fd)
{
	int input = 0;

	return io->ioctl(io->ctx, fd, VIDIOC_G_INPUT, &input) == 0 && input > 0 ? (uint32_t)input : 0;
}

/* 0 with len 0 when the device has an EDID but none is set. */
static int get(const struct ka_v4l2_io *io, int fd, struct ka_edid *out)
{
	struct v4l2_edid e = {.pad = pad_of(io, fd), .blocks = KA_EDID_MAX / KA_EDID_BLOCK, .edid = out->data};
	int ret = io->ioctl(io->ctx, fd, VIDIOC_G_EDID, &e);

	out->len = 0;
	if (ret == -ENODATA)
		return 0;
	if (ret == 0 && e.blocks <= KA_EDID_MAX / KA_EDID_BLOCK)
		out->len = (size_t)e.blocks * KA_EDID_BLOCK;
	return ret;
}

/* Drivers with CEC put a physical address of their own into the HDMI block. */
static void forget_address(struct ka_edid *e)
{
	for (size_t block = KA_EDID_BLOCK; block < e->len; block += KA_EDID_BLOCK) {
		uint8_t *b = &e->data[block];
		size_t next = 4, at;

		while (b[0] == KA_EDID_CTA && ka_edid_cta_next(b, &next, &at)) {
			if (b[at] >> 5 == KA_EDID_CTA_VENDOR && (b[at] & 31u) >= 5 && b[at + 1] == 0x03 &&
			    b[at + 2] == 0x0c && b[at + 3] == 0)
				b[at + 4] = b[at + 5] = 0;
		}
		ka_edid_seal(b);
	}
}

static bool same(const struct ka_edid *a, const struct ka_edid *b)
{
	struct ka_edid x = *a, y = *b;

	forget_address(&x);
	forget_address(&y);
	return x.len == y.len && !memcmp(x.data, y.data, x.len);
}

static int set(const struct ka_v4l2_io *io, int fd, const struct ka_edid *want)
{
	struct ka_edid now = {.len = 0}, copy = *want;
	struct v4l2_edid e = {
		.pad = pad_of(io, fd), .blocks = (uint32_t)(want->len / KA_EDID_BLOCK), .edid = copy.data};
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	int ret = get(io, fd, &now);

	if (ret < 0 || same(&now, want))
		return ret;
	ret = io->ioctl(io->ctx, fd, VIDIOC_S_EDID, &e);
	if (ret == -E2BIG) {
		ka_log(WARN, "capture", "EDID too long", "blocks=%zu device_takes=%u", want->len / KA_EDID_BLOCK,
		       e.blocks);
		return ret;
	}
	if (ret < 0)
		return ret;
	if (get(io, fd, &now) < 0 || !same(&now, want))
		return -EIO;
	if (ka_edid_modes(want, modes))
		ka_log(INFO, "capture", "EDID set", "preferred=%ux%u@%u bytes=%zu", modes[0].width, modes[0].height,
		       modes[0].hz, want->len);
	return 0;
}

/* Modes that the receiver can take; it may not say. */
static size_t filter(const struct ka_v4l2_io *io, int fd, const struct ka_edid_wish *w,
		     struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	struct v4l2_dv_timings_cap cap = {.pad = 0};
	const struct v4l2_bt_timings_cap *bt = &cap.bt;
	bool limits = io->ioctl(io->ctx, fd, VIDIOC_DV_TIMINGS_CAP, &cap) == 0 && cap.type == V4L2_DV_BT_656_1120;
	size_t n = 0;

	for (size_t i = 0; i < w->n_modes; i++) {
		struct ka_video_timing t;

		ka_video_timing_make(&t, &w->modes[i]);
		if (limits &&
		    ((bt->max_width && t.width > bt->max_width) || (bt->max_height && t.height > bt->max_height) ||
		     (bt->max_pixelclock && t.clock_khz > bt->max_pixelclock / 1000)))
			ka_log(INFO, "capture", "mode left out", "mode=%ux%u@%u cause=\"the device cannot\"", t.width,
			       t.height, t.hz);
		else
			out[n++] = w->modes[i];
	}
	return n;
}

static int make_choices(struct ka_v4l2_edid *e, const struct ka_v4l2_io *io, int fd)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_errbuf why = {""};
	struct ka_edid own = {.len = 0}, checked;
	int ret = get(io, fd, &own);

	if (ret < 0)
		return ret;
	if (e->wish->keep) {
		/* What was read once stays the list: a choice of ours does not shorten it. */
		if (!e->choices.len && ka_edid_read(&checked, own.data, own.len, &why) == 0)
			e->choices = checked;
		return 0;
	}
	if (e->wish->file.len) {
		e->choices = e->wish->file;
		return 0;
	}
	ret = ka_edid_compose(&e->choices, modes, filter(io, fd, e->wish, modes), e->wish->name, true, &why);
	if (ret < 0)
		ka_log(WARN, "capture", "EDID not made", "cause=\"%s\" hint=\"see edid_modes\"", why.text);
	return ret;
}

static int set_chosen(struct ka_v4l2_edid *e, const struct ka_v4l2_io *io, int fd)
{
	struct ka_edid want;

	if (!e->preferred.width)
		return e->wish->keep ? 0 : set(io, fd, &e->choices);
	if (ka_edid_prefer(&want, &e->choices, &e->preferred) < 0) {
		e->preferred.width = 0;
		return 0;
	}
	return set(io, fd, &want);
}

void ka_v4l2_edid_apply(struct ka_v4l2_edid *e, const struct ka_v4l2_io *io, int fd)
{
	int ret = make_choices(e, io, fd);

	if (ret == 0 && e->choices.len)
		ret = set_chosen(e, io, fd);
	if (ret == 0)
		return;
	if (ret != -ENOTTY && ret != -EINVAL)
		ka_log(WARN, "capture", "EDID not set", "cause=\"%s\"", ka_err_str(ret));
	e->choices.len = 0;
}

int ka_v4l2_edid_prefer(struct ka_v4l2_edid *e, const struct ka_v4l2_io *io, int fd, const struct ka_video_mode *mode)
{
	struct ka_video_mode before = e->preferred;
	struct ka_edid want;
	int ret;

	if (!e->choices.len || ka_edid_prefer(&want, &e->choices, mode) < 0)
		return -ENOENT;
	e->preferred = *mode;
	if (fd < 0)
		return 0;
	ret = set(io, fd, &want);
	if (ret < 0)
		e->preferred = before;
	return ret;
}

size_t ka_v4l2_edid_modes(const struct ka_v4l2_edid *e, struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	size_t n = e->choices.len ? ka_edid_modes(&e->choices, out) : 0;

	for (size_t i = 1; i < n; i++) {
		struct ka_video_mode found = out[i];

		if (memcmp(&found, &e->preferred, sizeof(found)) != 0)
			continue;
		memmove(&out[1], &out[0], i * sizeof(*out));
		out[0] = found;
	}
	return n;
}
