/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A V4L2 source on a scripted device, for cmocka tests. */
#ifndef V4L2_RIG_H
#define V4L2_RIG_H

#include "capture/source_v4l2.h"
#include "tests/fake/fake_v4l2.h"

struct v4l2_rig {
	struct ka_edid_wish edid; /* kept as it is */
	struct fake_v4l2 dev;
	struct ka_source *src;
	struct ka_source_info info;
	struct ka_errbuf eb;
	int homes; /* calls of the wake */
};

/* *state is the rig. Tearing down checks that no rule was broken and nothing is left mapped or open. */
int v4l2_rig_set_up(void **state);
int v4l2_rig_tear_down(void **state);
void v4l2_rig_open_and_start(struct v4l2_rig *r);
int v4l2_rig_start(struct v4l2_rig *r);
int v4l2_rig_dequeue(struct v4l2_rig *r, struct ka_frame **f);

#endif
