/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture shown while there is no picture: why, in words, with the device and the time of day. NV12, BT.601
 * limited. Owner: the encoder's thread.
 */
#ifndef KA_SLATE_H
#define KA_SLATE_H

#include "base/frame.h"
#include "capture/cap_state.h"

struct ka_slate;

/* device: shown as it is; belongs to the caller and outlives the slate. */
int ka_slate_new(struct ka_slate **out, const char *device) KA_MUST_USE;
void ka_slate_free(struct ka_slate *s); /* NULL is fine */
/* A reference to the picture. The same memory is drawn on again once the caller dropped it. */
int ka_slate_draw(struct ka_slate *s, struct ka_geometry g, const struct ka_cap_cause *cause,
		  struct ka_frame **out) KA_MUST_USE;
/* When a slate is to be shown for a cause: now, or once a source has had a moment for its first picture; INT64_MAX:
 * there is no cause. */
int64_t ka_slate_due(const struct ka_cap_cause *cause, int64_t now_us);
/* Heading and explanation for a cause. Static text. */
void ka_slate_words(int code, const char **heading, const char **text);

#endif
