/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far samples are from others, as a peak and on average. Pure. */
#ifndef KA_DIFFERENCE_H
#define KA_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/attr.h"

/* Of at most 65536 samples; zeroed memory: of none. */
struct ka_difference {
	uint32_t peak, sum, samples;
};

static inline void ka_difference_add(struct ka_difference *d, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint32_t sum = 0;
	uint32_t peak = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t diff = (uint32_t)abs(a[i] - b[i]);

		sum += diff;
		peak = KA_MAX(peak, diff);
	}
	d->sum += sum;
	d->peak = KA_MAX(d->peak, peak);
	d->samples += (uint32_t)n;
}

/* A sample differs by more than `peak`, or all do by more than mean_percent / 100 on average. */
static inline bool ka_difference_exceeds(const struct ka_difference *d, uint32_t peak, uint32_t mean_percent)
{
	return d->peak > peak || d->sum * 100 > d->samples * mean_percent;
}

#endif
