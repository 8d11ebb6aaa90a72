/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durations of the last while, for percentiles: exact below 16 us, then 16 buckets for each doubling (6 %), all above
 * 16 s as one. Two halves take turns: one fills up to KA_HISTOGRAM_WINDOW, then the other begins anew, so what is read
 * is always of the last one to two windows. Zeroed memory is an empty one. Any thread adds and reads, without locks;
 * at the turn a few durations may be lost to another thread's.
 */
#ifndef KA_HISTOGRAM_H
#define KA_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define KA_HISTOGRAM_WINDOW 1000u
#define KA_HISTOGRAM_BUCKETS 337u

struct ka_histogram {
	_Atomic uint32_t turn; /* its lowest bit: the half that fills */
	struct {
		_Atomic uint32_t count;
		_Atomic uint32_t buckets[KA_HISTOGRAM_BUCKETS];
	} halves[2];
};

struct ka_percentiles {
	uint32_t count;			/* of what the others are, 0 = nothing yet */
	int64_t p50_us, p95_us, p99_us; /* middles of their buckets */
};

/* Below 0 counts as 0. */
void ka_histogram_add(struct ka_histogram *h, int64_t us);
void ka_histogram_read(struct ka_histogram *h, struct ka_percentiles *out);

#endif
