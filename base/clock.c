/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return KA_SEC(t.tv_sec) + t.tv_nsec / 1000;
}

int64_t ka_clock_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t ka_clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}
