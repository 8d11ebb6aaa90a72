/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of capture/ with a viewer, on a device that gets into trouble; for cmocka tests. */
#ifndef TROUBLE_RIG_H
#define TROUBLE_RIG_H

#include "tests/fake/capture_rig.h"

struct trouble {
	struct fake_v4l2 dev;
	struct ka_capture *c; /* NULL: not started, or finished by the test */
	struct watcher w;
	int log; /* what was logged */
};

/* *state is the rig. Tearing down checks that no rule was broken and nothing is left mapped or open. */
int trouble_set_up(void **state);
int trouble_tear_down(void **state);
void trouble_start(struct trouble *r, const struct ka_capture_cfg *cfg);
/* As a USB stick without timings, YUYV; blank after a second. */
void trouble_start_stick(struct trouble *r);
int trouble_cause_of(struct trouble *r);
/* Of the device, under its lock. */
unsigned int trouble_get(struct trouble *r, const unsigned int *what);
void trouble_put(struct trouble *r, bool *what, bool value);
/* Pictures of this byte (-1: none) are fed until the cause is this one. */
void trouble_await_cause(struct trouble *r, int cause, int byte);
/* No picture but the slate is there, and it is repeated. */
void trouble_expect_slates(struct trouble *r);
/* The device gives one picture as soon as it streams, and another only when it was made to begin anew. How many it took
 * until one was seen. */
unsigned int trouble_pictures_until_seen(struct trouble *r, uint32_t width);
void trouble_go_live(struct trouble *r);
/* With the first picture; the second when the stream had begun just before the signal's return was announced. */
void trouble_expect_back(struct trouble *r, uint32_t width);
unsigned int trouble_log_lines(struct trouble *r);

#endif
