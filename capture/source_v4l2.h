/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A V4L2 capture device as a source: HDMI receivers with DV timings, USB sticks, cameras. */
#ifndef KA_SOURCE_V4L2_H
#define KA_SOURCE_V4L2_H

#include "base/wake.h"
#include "capture/edid_wish.h"
#include "capture/source.h"
#include "capture/v4l2_dev.h"

struct ka_source_v4l2_cfg {
	const char *device; /* belongs to the caller and outlives the source */
	struct ka_v4l2_wish wish;
	const struct ka_v4l2_io *io;
	const struct ka_edid_wish *edid; /* outlives the source */
	struct ka_wake home;		 /* a buffer has come back: call dequeue or stop */
};

int ka_source_v4l2_new(struct ka_source **out, const struct ka_source_v4l2_cfg *cfg) KA_MUST_USE;

#endif
