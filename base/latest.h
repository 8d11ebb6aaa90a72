/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One slot for a frame between a producer and a consumer thread: the newest wins, an untaken older one is dropped. What
 * has been taken stays to be had again until there is a newer one.
 * Latency beats completeness: a viewer is never served a picture while a newer one exists.
 */
#ifndef KA_LATEST_H
#define KA_LATEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/frame.h"

struct ka_latest;

int ka_latest_new(struct ka_latest **out) KA_MUST_USE;
void ka_latest_free(struct ka_latest *l);
/* Any thread; consumes the reference; NULL empties the slot. True when it replaced a frame nobody took. */
bool ka_latest_put(struct ka_latest *l, struct ka_frame *f);
/* Any thread. Makes the current or next wait return at once, with a frame only if there is one. */
void ka_latest_kick(struct ka_latest *l);
/* One thread alone asks, a few seconds apart, while there is a consumer. False: it has not come to wait since the time
 * before. */
bool ka_latest_alive(struct ka_latest *l);
/* Consumer. What the last wait took, as long as the producer has put nothing since, not even NULL: the slot keeps a
 * reference until then. Owned by the caller, or NULL. */
struct ka_frame *ka_latest_again(struct ka_latest *l);
/* Consumer. Waits for a frame, a kick or the deadline (CLOCK_MONOTONIC us; INT64_MAX = none). The frame (owned by the
 * caller) or NULL. */
struct ka_frame *ka_latest_wait(struct ka_latest *l, int64_t deadline_us);

#endif
