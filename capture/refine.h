/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a picture that stands still is made better, and when it is left alone:
 *
 *   moved ─150 ms─► pass ─gap─► pass ... until nothing is left to gain ─► silence
 *     ▲                                                          │
 *     └───────────────────── anything changes ───────────────────┘
 *
 * Passes together may take as many bits as they need, each only what the line carries in a moment: whatever changes
 * meanwhile comes next. Pure.
 */
#ifndef KA_REFINE_H
#define KA_REFINE_H

#include <stdbool.h>
#include <stdint.h>

struct ka_refine {
	int64_t due_us;
	unsigned int left; /* passes at most; 0 = there is nothing to refine */
};

/* Something that had changed, or a key picture, has been encoded. period_us: between two pictures, as few as viewers
 * want; in between nothing stands still. */
void ka_refine_moved(struct ka_refine *r, int64_t period_us, int64_t now_us);
/* There is nothing to refine. As in zeroed memory. */
void ka_refine_stop(struct ka_refine *r);
/* When the next pass is due; INT64_MAX: never. */
int64_t ka_refine_due(const struct ka_refine *r);
/* A pass has been made, and the line is free again in gap_us. more: another one would help. */
void ka_refine_done(struct ka_refine *r, bool more, int64_t gap_us, int64_t now_us);

#endif
