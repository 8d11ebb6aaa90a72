/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time. All deadlines and stamps are CLOCK_MONOTONIC in microseconds (int64_t, suffix _us). Any thread. */
#ifndef KA_CLOCK_H
#define KA_CLOCK_H

#include <stdint.h>

#define KA_MS(n) ((int64_t)(n)*1000)
#define KA_SEC(n) ((int64_t)(n)*1000000)

int64_t ka_clock_us(void);
/* Microseconds since 1970, for wall-clock uses only (logs, AddrMangle, picture of the clock). */
int64_t ka_clock_wall_us(void);

#endif
