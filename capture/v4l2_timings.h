/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a receiver sees on the cable, and news about it. Owner: the capture thread. */
#ifndef KA_V4L2_TIMINGS_H
#define KA_V4L2_TIMINGS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "capture/v4l2_io.h"

struct ka_v4l2_mode {
	bool known; /* false: the device has no timings (sticks, cameras) */
	uint32_t width, height;
	uint32_t fps_mhz;
};

/* Asks what arrives and tells the device to take that. -KA_E_NO_CABLE, _NO_SYNC, _NO_SIGNAL, _OUT_OF_RANGE, -errno. */
int ka_v4l2_timings_lock(const struct ka_v4l2_io *io, int fd, struct ka_v4l2_mode *mode,
			 struct ka_errbuf *eb) KA_MUST_USE;
/* Is it certain that something else arrives than `mode`, or nothing at all? */
bool ka_v4l2_timings_differ(const struct ka_v4l2_io *io, int fd, const struct ka_v4l2_mode *mode);
/* Asks for source-change events; false when the device has none. */
bool ka_v4l2_timings_subscribe(const struct ka_v4l2_io *io, int fd);
/* Takes all waiting events. True when the source has changed. */
bool ka_v4l2_timings_changed(const struct ka_v4l2_io *io, int fd);

#endif
