/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a picture's time goes, from the driver to the kernel's socket:
 *
 *   captured ─► dequeued ─► prepared ─► begun ─► encoded ─► taken ─► sent
 *         arrive     prepare      wait    encode     queue     send
 *
 * Stamps travel with the picture; what comes of them is kept here, as percentiles of the last one to two thousand. Any
 * thread, without locks; zeroed memory is an empty one.
 */
#ifndef KA_STAGES_H
#define KA_STAGES_H

#include "base/histogram.h"

enum ka_stage {
	KA_STAGE_ARRIVE,  /* from the driver's stamp until the capture thread has it */
	KA_STAGE_PREPARE, /* comparing and converting */
	KA_STAGE_WAIT,	  /* for the encoder */
	KA_STAGE_ENCODE,
	KA_STAGE_QUEUE,	 /* for a viewer's session: its wake-up, its link */
	KA_STAGE_SEND,	 /* packing, sealing, until the kernel has the last byte */
	KA_STAGE_BESIDE, /* all of them but encoding */
	KA_STAGE_WHOLE,	 /* from the driver's stamp to the last byte */
};

#define KA_STAGES 8u

/* CLOCK_MONOTONIC. All 0: a picture shown before, or no picture of the source at all; it counts nowhere. */
struct ka_stamps {
	int64_t captured_us, dequeued_us, prepared_us, begun_us, encoded_us;
};

struct ka_stages {
	struct ka_histogram of[KA_STAGES];
};

/* "arrive", ... */
const char *ka_stage_name(enum ka_stage stage);
/* Once for each encoded picture. */
void ka_stages_encoded(struct ka_stages *s, const struct ka_stamps *at);
/* Once for each viewer that has got it. */
void ka_stages_sent(struct ka_stages *s, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us);

#endif
