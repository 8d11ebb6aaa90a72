/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the fake device: what it says about formats and timings. Under its lock. */
#ifndef FAKE_V4L2_MODES_H
#define FAKE_V4L2_MODES_H

#include "tests/fake/fake_v4l2.h"

uint32_t fake_v4l2_buf_type(const struct fake_v4l2 *f);
/* Fills in what the driver decides. */
void fake_v4l2_complete_format(struct fake_v4l2 *f, struct v4l2_format *fmt);
int fake_v4l2_query_timings(const struct fake_v4l2 *f, struct v4l2_dv_timings *t);
int fake_v4l2_enum_format(const struct fake_v4l2 *f, struct v4l2_fmtdesc *d);
int fake_v4l2_enum_interval(const struct fake_v4l2 *f, struct v4l2_frmivalenum *e);
int fake_v4l2_timings_cap(const struct fake_v4l2 *f, struct v4l2_dv_timings_cap *c);
int fake_v4l2_edid(struct fake_v4l2 *f, bool set, struct v4l2_edid *e);

#endif
