/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of the source as files, made beside the stream:
 *
 *   ka-cap ─ offer: only when somebody waits ─► ka-snap-N: copy, frame goes back, convert, PNG ─ wake ─► who asked
 *
 * A thread lives for one picture, at low priority. It holds a frame of the driver only while it copies it. Without a
 * live picture it draws the slate that viewers see.
 */
#ifndef KA_SNAPSHOT_H
#define KA_SNAPSHOT_H

#include "base/bytes.h"
#include "base/frame.h"
#include "base/wake.h"
#include "capture/cap_state.h"

/* At a time; of each a copy of a frame and the file are in memory. */
#define KA_SNAPSHOTS 2u

struct ka_snapshots;
struct ka_snapshot;

/* device: for the slate; belongs to the caller and outlives the object, as does st. */
int ka_snapshots_new(struct ka_snapshots **out, struct ka_cap_state *st, const char *device) KA_MUST_USE;
void ka_snapshots_stop(struct ka_snapshots *all); /* any thread: those being made fail with -ECANCELED */
void ka_snapshots_join(struct ka_snapshots *all);
void ka_snapshots_free(struct ka_snapshots *all); /* NULL is fine */
/* The capture thread: the newest picture. Takes a reference if somebody waits for one. */
void ka_snapshots_offer(struct ka_snapshots *all, struct ka_frame *f);
/* Any thread: the cause has changed. */
void ka_snapshots_kick(struct ka_snapshots *all);
/* Any thread. */
int ka_snapshots_begin(struct ka_snapshots *all, size_t max_bytes, struct ka_wake done,
		       struct ka_snapshot **out) KA_MUST_USE;

#endif
