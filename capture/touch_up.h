/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which blocks of a picture that stands still are made better next. An encoder that is given the whole picture at a
 * finer quantiser than the line allows makes all of it a little better, pays for each step again and again, and never
 * gets far. It is given a mixture instead: what it has itself decoded, which costs nothing, and as many blocks of the
 * real picture as the bits suffice for, from the top to the bottom.
 *
 *   source ──┐ chosen blocks
 *            ├─► mixture ─► encoder ─► decoded ─┐
 *   decoded ─┘ all others       ▲               │
 *      ▲                        └───────────────┘
 *
 * Pure. Owner: the encoder.
 */
#ifndef KA_TOUCH_UP_H
#define KA_TOUCH_UP_H

#include <stdbool.h>

#include "base/frame.h"

struct ka_touch_up;

/* What an encoder's picture decodes to: NV12. */
struct ka_decoded {
	const uint8_t *planes[2];
	size_t strides[2];
};

int ka_touch_up_new(struct ka_touch_up **out, uint32_t width, uint32_t height) KA_MUST_USE;
void ka_touch_up_free(struct ka_touch_up *t); /* NULL is fine */
/* Before each other picture: these blocks (NULL: all; as in struct ka_encode_ask) are what they are made now. */
void ka_touch_up_changed(struct ka_touch_up *t, const uint8_t *changed);
/* The mixture of f (NV12 or I420) for about so many bytes, 0 = none of it; the object's. left: there will be more to
 * do. */
const struct ka_frame *ka_touch_up_mix(struct ka_touch_up *t, const struct ka_frame *f, const struct ka_decoded *d,
				       size_t bytes, bool *left);
/* It took so many bytes. fine: all of it was encoded as finely as it ever is. */
void ka_touch_up_done(struct ka_touch_up *t, size_t bytes, bool fine);

#endif
