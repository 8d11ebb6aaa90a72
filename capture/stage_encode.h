/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A thread `ka-enc-N` for each rendition: newest picture ─► encode ─► hub, while anybody watches. Without live
 * frames it shows the slate; when somebody needs a key picture and no new frame comes, the last one is encoded again.
 */
#ifndef KA_STAGE_ENCODE_H
#define KA_STAGE_ENCODE_H

#include "base/hub.h"
#include "base/latest.h"
#include "capture/cap_state.h"
#include "capture/codecs.h"
#include "capture/encoder.h"
#include "capture/wishes.h"

struct ka_stage_encode;

struct ka_stage_encode_cfg {
	const struct ka_encoder_ops *encoder; /* to begin with */
	struct ka_codecs *codecs;	      /* names others when it fails; NULL = there are none */
	struct ka_encoder_cfg settings;	      /* size and rate are filled in as they become known */
	unsigned int slate_fps;		      /* 1..10 */
	const char *device;		      /* for the slate */
	struct ka_geometry geometry;	      /* of a slate before the first picture */
	unsigned int rendition;
	int64_t epoch_us; /* 0 of the packets' pts */
	struct ka_wishes *wishes;
	struct ka_cap_state *state;
	struct ka_latest *latest;
	struct ka_hub *hub;
};

int ka_stage_encode_new(struct ka_stage_encode **out, const struct ka_stage_encode_cfg *cfg) KA_MUST_USE;
int ka_stage_encode_start(struct ka_stage_encode *s) KA_MUST_USE;
void ka_stage_encode_stop(struct ka_stage_encode *s); /* any thread */
void ka_stage_encode_join(struct ka_stage_encode *s);
void ka_stage_encode_free(struct ka_stage_encode *s); /* NULL is fine */
/* Any thread: viewers, wishes or the cause have changed. */
void ka_stage_encode_wake(struct ka_stage_encode *s);
/* Any thread. Rate now asked of the encoder, kbit/s; 0 before the first picture. */
uint32_t ka_stage_encode_kbps(struct ka_stage_encode *s);

#endif
