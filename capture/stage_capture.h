/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The thread `ka-cap`: drives a source and hands its newest picture on, while anybody watches.
 *
 * capture/reception.h decides what is done with the source, and when.
 *
 * A driver may block in open and start as long as it likes: the slate is made on the encoder's thread.
 */
#ifndef KA_STAGE_CAPTURE_H
#define KA_STAGE_CAPTURE_H

#include "base/latest.h"
#include "base/packet.h"
#include "base/wake.h"
#include "capture/cap_state.h"
#include "capture/snapshot.h"
#include "capture/source.h"
#include "capture/wishes.h"

struct ka_stage_capture;

struct ka_stage_capture_cfg {
	uint32_t fps;	   /* upper bound */
	uint32_t blank_ms; /* pictures of one colour for so long get a slate; 0 = never */
	struct ka_wishes *wishes;
	struct ka_cap_state *state;
	struct ka_latest *latest[KA_RENDITIONS]; /* where frames go */
	struct ka_snapshots *snapshots;		 /* who may want one beside */
};

int ka_stage_capture_new(struct ka_stage_capture **out, const struct ka_stage_capture_cfg *cfg) KA_MUST_USE;
/* source: not owned; used until join. */
int ka_stage_capture_start(struct ka_stage_capture *s, struct ka_source *source) KA_MUST_USE;
void ka_stage_capture_stop(struct ka_stage_capture *s); /* any thread */
void ka_stage_capture_join(struct ka_stage_capture *s);
void ka_stage_capture_free(struct ka_stage_capture *s); /* NULL is fine */
/* Any thread: viewers or wishes have changed, or a buffer came back. Valid from new until free. */
struct ka_wake ka_stage_capture_waker(struct ka_stage_capture *s);

#endif
