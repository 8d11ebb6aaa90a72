/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A clock that stands still until it is stepped, for everything in the program that asks clock_gettime(), libuv too:
 * the function is defined here and comes before libc's. Real time passes again after fake_clock_release(). One thread
 * steps; any thread may ask.
 */
#ifndef KA_FAKE_CLOCK_H
#define KA_FAKE_CLOCK_H

#include <stdint.h>

/* Always the same moment. */
void fake_clock_hold(void);
void fake_clock_step(int64_t us);
void fake_clock_release(void);

#endif
