/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thins a stream of pictures out to at most so many per second. Pure state and a clock. */
#ifndef KA_PACING_H
#define KA_PACING_H

#include <stdbool.h>
#include <stdint.h>

struct ka_pacing {
	int64_t next_us; /* 0 in a fresh one: the first picture passes */
};

/* True: show this picture. */
bool ka_pacing_pass(struct ka_pacing *p, int64_t now_us, uint32_t fps);

#endif
