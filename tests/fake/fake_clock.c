/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_clock.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define UPTIME_US KA_SEC(100000)
#define EPOCH_US KA_SEC(1750000000)

/* Given by the linker's --wrap. */
int64_t __wrap_ka_clock_wall_us(void);

static atomic_llong now_us; /* of CLOCK_MONOTONIC; 0 = real time */

int clock_gettime(clockid_t id, struct timespec *out)
{
	int64_t us = atomic_load(&now_us);

	/* libFuzzer's own clock is the other one. */
	if (!us || id == CLOCK_REALTIME)
		return (int)syscall(SYS_clock_gettime, id, out);
	out->tv_sec = us / KA_SEC(1);
	out->tv_nsec = us % KA_SEC(1) * 1000;
	return 0;
}

int64_t __wrap_ka_clock_wall_us(void)
{
	return EPOCH_US + ka_clock_us();
}

void fake_clock_hold(void)
{
	atomic_store(&now_us, UPTIME_US);
}

void fake_clock_step(int64_t us)
{
	atomic_fetch_add(&now_us, us);
}

void fake_clock_release(void)
{
	atomic_store(&now_us, 0);
}
