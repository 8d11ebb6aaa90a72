/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_timings.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

#include "base/media.h"

/* Events queued per subscription are few; a device that never runs dry must not hold the thread. */
#define EVENTS_AT_ONCE 64

/* Documentation/userspace-api/media/v4l/vidioc-query-dv-timings.rst; EINVAL is what Rockchip's vendor driver says
 * without a stable mode. */
static int query_cause(int ret)
{
	switch (ret) {
	case -ENOLINK:
		return -KA_E_NO_CABLE;
	case -ENOLCK:
		return -KA_E_NO_SYNC;
	case -ERANGE:
		return -KA_E_OUT_OF_RANGE;
	case -EINVAL:
		return -KA_E_NO_SIGNAL;
	default:
		return ret;
	}
}

static int check_mode(const struct v4l2_bt_timings *bt, struct ka_errbuf *eb)
{
	/* Some drivers answer so instead of with an error. */
	if (!bt->width || !bt->height)
		return -KA_E_NO_SIGNAL;
	if (bt->interlaced) {
		ka_errbuf_set(eb, "The source sends %ux%u interlaced; choose a progressive mode.", bt->width,
			      bt->height);
		return -KA_E_OUT_OF_RANGE;
	}
	if (bt->width < KA_MIN_WIDTH || bt->width > KA_MAX_WIDTH || bt->height < KA_MIN_HEIGHT ||
	    bt->height > KA_MAX_HEIGHT) {
		ka_errbuf_set(eb, "The source sends %ux%u; at most %ux%u can be captured.", bt->width, bt->height,
			      KA_MAX_WIDTH, KA_MAX_HEIGHT);
		return -KA_E_OUT_OF_RANGE;
	}
	return 0;
}

static uint32_t frame_rate_mhz(const struct v4l2_bt_timings *bt)
{
	uint64_t total = (uint64_t)V4L2_DV_BT_FRAME_WIDTH(bt) * V4L2_DV_BT_FRAME_HEIGHT(bt);
	/* Below 2^54, so that the product cannot overflow; 1000 Hz is beyond anything real. */
	uint64_t rate = total && bt->pixelclock < UINT64_C(1) << 54 ? bt->pixelclock * 1000 / total : 0;

	return rate > 1000000 ? 0 : (uint32_t)rate;
}

int ka_v4l2_timings_lock(const struct ka_v4l2_io *io, int fd, struct ka_v4l2_mode *mode, struct ka_errbuf *eb)
{
	struct v4l2_dv_timings t;
	int ret;

	*mode = (struct ka_v4l2_mode){0};
	memset(&t, 0, sizeof(t));
	ret = io->ioctl(io->ctx, fd, VIDIOC_QUERY_DV_TIMINGS, &t);
	/* Not a receiver, or an input without timings. */
	if (ret == -ENOTTY || ret == -ENODATA)
		return 0;
	if (ret < 0)
		return query_cause(ret);
	ret = check_mode(&t.bt, eb);
	if (ret < 0)
		return ret;
	mode->known = true;
	mode->width = t.bt.width;
	mode->height = t.bt.height;
	mode->fps_mhz = frame_rate_mhz(&t.bt);
	ret = io->ioctl(io->ctx, fd, VIDIOC_S_DV_TIMINGS, &t);
	if (ret == -ERANGE || ret == -EINVAL) {
		ka_errbuf_set(eb, "The device refuses the source's mode %ux%u.", mode->width, mode->height);
		return -KA_E_OUT_OF_RANGE;
	}
	return ret;
}

bool ka_v4l2_timings_differ(const struct ka_v4l2_io *io, int fd, const struct ka_v4l2_mode *mode)
{
	struct v4l2_dv_timings t;
	int ret;

	memset(&t, 0, sizeof(t));
	ret = io->ioctl(io->ctx, fd, VIDIOC_QUERY_DV_TIMINGS, &t);
	/* Other errors are the driver's, EBUSY for one: the pictures will show what they mean. */
	if (ret < 0)
		return ret == -ENOLINK || ret == -ENOLCK || ret == -ERANGE;
	return t.bt.width != mode->width || t.bt.height != mode->height || t.bt.interlaced;
}

bool ka_v4l2_timings_subscribe(const struct ka_v4l2_io *io, int fd)
{
	struct v4l2_event_subscription sub = {.type = V4L2_EVENT_SOURCE_CHANGE};

	return io->ioctl(io->ctx, fd, VIDIOC_SUBSCRIBE_EVENT, &sub) == 0;
}

bool ka_v4l2_timings_changed(const struct ka_v4l2_io *io, int fd)
{
	bool changed = false;

	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		struct v4l2_event ev;

		memset(&ev, 0, sizeof(ev));
		if (io->ioctl(io->ctx, fd, VIDIOC_DQEVENT, &ev) < 0)
			break;
		changed = changed || ev.type == V4L2_EVENT_SOURCE_CHANGE;
	}
	return changed;
}
