/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where raw pictures go: each watched rendition gets as many a second as it takes, as its encoder takes them, and only
 * when there is something new to see.
 *
 *   raw ─► due? ─► prepare: changed? ─► convert ─► [latest] of each rendition that has not had it yet
 *
 * A change that came too early for a rendition is made up for at its next turn; one that is newly watched gets the
 * newest picture at once. Owner: the capture thread.
 */
#ifndef KA_OUTLETS_H
#define KA_OUTLETS_H

#include "base/latest.h"
#include "base/packet.h"

struct ka_outlets;

/* latest: belong to the caller and outlive the object. */
int ka_outlets_new(struct ka_outlets **out, struct ka_latest *const latest[static KA_RENDITIONS]) KA_MUST_USE;
void ka_outlets_free(struct ka_outlets *o); /* NULL is fine */
/* Pictures a second that a rendition takes; 0 = nobody watches it, and it is emptied. Returns how many waiting pictures
 * nobody took. full_chroma: I444 instead of NV12. */
unsigned int ka_outlets_want(struct ka_outlets *o, unsigned int rendition, uint32_t fps, bool full_chroma);
/* All renditions get the next picture, early or not, changed or not: they have shown something else. */
void ka_outlets_renew(struct ka_outlets *o);
/* Is it time for a picture? Each call counts: ask once for each raw one. */
bool ka_outlets_due(struct ka_outlets *o, int64_t now_us);
/* The raw picture that is due: compared, and kept if it is another one. -KA_E_FORMAT: it is broken; -ENOMEM. */
int ka_outlets_look(struct ka_outlets *o, struct ka_frame *raw) KA_MUST_USE;
/* Hands it on where it is due and new. Returns how many pictures nobody took were replaced by it. */
unsigned int ka_outlets_give(struct ka_outlets *o);
/* The source has stopped: lets go of all its pictures. Returns how many waiting ones nobody took. */
unsigned int ka_outlets_forget(struct ka_outlets *o);

#endif
