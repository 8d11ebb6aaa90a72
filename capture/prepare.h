/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From raw pictures to what encoders take, at a cost that follows the change:
 *
 *   raw ─► compared with the one before ─► stamps: when did each block last change?
 *                    │ nothing changed: that is all
 *                    ▼
 *          a picture of a ring that nobody reads any more ─► only blocks newer than what it holds are converted
 *
 * Pictures that are as encoders want them pass as they are. A JPEG counts as changed where it differs by more than a
 * quantiser's noise from what was given out last; blocks that do not keep their old pixels.
 *
 * Holds at most one raw picture, and lets at most KA_PREPARE_LENT be with encoders: a driver has few buffers. Numbers
 * of pictures rise for as long as the object lives. Owner: the capture thread.
 */
#ifndef KA_PREPARE_H
#define KA_PREPARE_H

#include "base/frame.h"

#define KA_PREPARE_LENT 3u

struct ka_prepare;

int ka_prepare_new(struct ka_prepare **out) KA_MUST_USE;
void ka_prepare_free(struct ka_prepare *p); /* NULL is fine */
/* Drops all pictures: the next one is wholly new. */
void ka_prepare_forget(struct ka_prepare *p);
/* A raw picture, compared with the newest one. 1: it is another one; 0: it is the same. -KA_E_FORMAT: it cannot be
 * used; -ENOMEM. */
int ka_prepare_look(struct ka_prepare *p, struct ka_frame *raw) KA_MUST_USE;
/* Of the newest picture; 0 = there is none. */
uint64_t ka_prepare_number(const struct ka_prepare *p);
/* The newest picture, with its number and stamps: NV12 or I420, or with full_chroma I444. The caller's reference. Made
 * when first asked for. -ENODATA: there is none; -EBUSY: encoders hold too many; -ENOMEM. */
int ka_prepare_get(struct ka_prepare *p, bool full_chroma, struct ka_frame **out) KA_MUST_USE;

#endif
