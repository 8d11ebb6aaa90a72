/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The EDID of a receiver: set when it differs from what the device has, because setting pulls the hot-plug line and
 * makes the target look again. A device without one (sticks, cameras) is left alone. Owner: the capture thread.
 */
#ifndef KA_V4L2_EDID_H
#define KA_V4L2_EDID_H

#include "capture/edid_wish.h"
#include "capture/v4l2_io.h"

struct ka_v4l2_edid {
	const struct ka_edid_wish *wish;
	struct ka_edid choices;		/* whose modes may be chosen; len 0 = unknown or none */
	struct ka_video_mode preferred; /* what somebody chose; width 0 = the first of the choices */
};

/* After each open. Trouble is logged and no reason not to capture. */
void ka_v4l2_edid_apply(struct ka_v4l2_edid *e, const struct ka_v4l2_io *io, int fd);
/* Makes a mode the preferred one, now or (fd < 0) with the next ka_v4l2_edid_apply(). 0 also when it is already;
 * -ENOENT when it is none of the choices, -errno of the device. */
int ka_v4l2_edid_prefer(struct ka_v4l2_edid *e, const struct ka_v4l2_io *io, int fd,
			const struct ka_video_mode *mode) KA_MUST_USE;
/* The choices, the preferred one first. */
size_t ka_v4l2_edid_modes(const struct ka_v4l2_edid *e, struct ka_video_mode out[static KA_VIDEO_MODES_MAX]);

#endif
