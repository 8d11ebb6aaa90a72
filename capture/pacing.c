/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/pacing.h"

bool ka_pacing_pass(struct ka_pacing *p, int64_t now_us, uint32_t fps)
{
	int64_t period = 1000000 / (fps ? fps : 1);

	/* A source of just this rate jitters: a picture up to a quarter early is still in time, else every second
	 * one would go. */
	if (now_us < p->next_us - period / 4)
		return false;
	p->next_us = now_us - p->next_us > period ? now_us + period : p->next_us + period;
	return true;
}
