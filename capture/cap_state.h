/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the two stages know and others ask: why the picture is what it is, and counters. Any thread. The capture thread
 * writes the cause, the encoder's thread the geometry and its counters.
 */
#ifndef KA_CAP_STATE_H
#define KA_CAP_STATE_H

#include "base/stages.h"
#include "capture/capture.h"

struct ka_cap_state;

struct ka_cap_cause {
	int code;	  /* 0 = live or nobody watches; else as in struct ka_signal */
	int64_t since_us; /* when the code became this */
	char detail[160]; /* one sentence for an operator; may be empty */
};

/* One encoded picture. */
struct ka_cap_encoded {
	bool key;
	size_t bytes;
	int64_t encode_us, latency_us;
};

int ka_cap_state_new(struct ka_cap_state **out, struct ka_geometry geometry) KA_MUST_USE;
void ka_cap_state_free(struct ka_cap_state *st); /* NULL is fine */
/* True when the code is another one than before. */
bool ka_cap_state_set_cause(struct ka_cap_state *st, int code, const char *detail, uint32_t fps_mhz);
/* The capture thread's turn begins or is over: one that lasts, in a driver that does not answer, is a cause of its own.
 * Returns how long it took; 0 at its beginning. */
int64_t ka_cap_state_turn(struct ka_cap_state *st, bool begins);
#define KA_CAP_STATE_HUNG_US 2000000
void ka_cap_state_cause(struct ka_cap_state *st, struct ka_cap_cause *out);
void ka_cap_state_set_geometry(struct ka_cap_state *st, struct ka_geometry g);
void ka_cap_state_add_captured(struct ka_cap_state *st, uint64_t captured, uint64_t dropped);
/* Time spent on comparing and converting pictures. */
void ka_cap_state_add_converted(struct ka_cap_state *st, int64_t us);
void ka_cap_state_add_encoded(struct ka_cap_state *st, const struct ka_cap_encoded *e);
/* The modes that may be chosen, the preferred one first. */
void ka_cap_state_set_modes(struct ka_cap_state *st, const struct ka_video_mode *modes, size_t n);
size_t ka_cap_state_modes(struct ka_cap_state *st, struct ka_video_mode out[static KA_VIDEO_MODES_MAX]);
/* 1: left for the capture thread; 0: it is preferred already; -ENOENT: none of the modes. */
int ka_cap_state_want_mode(struct ka_cap_state *st, const struct ka_video_mode *mode);
/* Takes what was left; false when there is nothing. */
bool ka_cap_state_take_mode(struct ka_cap_state *st, struct ka_video_mode *out);
/* Without locks. */
struct ka_stages *ka_cap_state_stages(struct ka_cap_state *st);
/* watched is left to the caller. */
void ka_cap_state_signal(struct ka_cap_state *st, struct ka_signal *out);
void ka_cap_state_stats(struct ka_cap_state *st, struct ka_capture_stats *out);

#endif
