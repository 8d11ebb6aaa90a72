/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any picture of a source to what encoders take: NV12 or I420 in BT.601 limited. Pictures that are so already pass
 * without a copy; where luma has a plane of its own and keeps its values only the chroma is converted. Everything else
 * is written once, straight into the planes the encoder reads. Owner: the encoder's thread.
 */
#ifndef KA_CONVERT_H
#define KA_CONVERT_H

#include "base/frame.h"

struct ka_convert;

int ka_convert_new(struct ka_convert **out) KA_MUST_USE;
void ka_convert_free(struct ka_convert *c); /* NULL is fine */
/* in: even size. *out is the caller's reference; it may share memory with `in`, and its own memory is written again by
 * the next call, so drop it before. -KA_E_FORMAT: this picture cannot be used. */
int ka_convert_run(struct ka_convert *c, struct ka_frame *in, struct ka_frame **out) KA_MUST_USE;

#endif
