/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running capture/ and watching it, for cmocka tests. */
#ifndef CAPTURE_RIG_H
#define CAPTURE_RIG_H

#include <semaphore.h>

#include "capture/capture_priv.h"
#include "tests/fake/fake_v4l2.h"

/* Generous: the machine may be busy with other tests. */
#define PATIENCE_MS 10000

struct watcher {
	struct ka_viewer *v;
	sem_t news;
};

/* 320x240 at 60. */
struct ka_capture_cfg capture_rig_card(void);
struct ka_capture_cfg capture_rig_v4l2(void);
/* dev: NULL for the card. */
struct ka_capture *capture_rig_start(const struct ka_capture_cfg *cfg, struct fake_v4l2 *dev);
void capture_rig_finish(struct ka_capture *c);
void capture_rig_watch(struct watcher *w, struct ka_capture *c, uint32_t kbps, uint32_t fps);
void capture_rig_watch_as(struct watcher *w, struct ka_capture *c, const struct ka_video_wish *wish);
void capture_rig_leave(struct watcher *w);
/* The next packet, or NULL after ms. */
struct ka_packet *capture_rig_take(struct watcher *w, unsigned int ms);
/* The test fails when none comes. */
struct ka_packet *capture_rig_must_take(struct watcher *w);
void capture_rig_skip(struct watcher *w, unsigned int n);

#endif
