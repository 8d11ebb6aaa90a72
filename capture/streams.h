/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoding stages, one for each rendition that anybody has ever watched here: made with its thread when the first
 * viewer comes, without a cost but an idle thread once the last has gone. At most KA_RENDITIONS of them. Any thread.
 */
#ifndef KA_STREAMS_H
#define KA_STREAMS_H

#include "capture/codecs.h"
#include "capture/stage_encode.h"

struct ka_streams;

/* cfg: of every stage; encoder, rendition and latest are filled in here. */
int ka_streams_new(struct ka_streams **out, const struct ka_stage_encode_cfg *cfg) KA_MUST_USE;
void ka_streams_stop(struct ka_streams *s); /* from now on none is made any more */
void ka_streams_join(struct ka_streams *s);
void ka_streams_free(struct ka_streams *s); /* NULL is fine */
/* Where a rendition's frames go, watched or not. */
struct ka_latest *ka_streams_latest(struct ka_streams *s, unsigned int rendition);
/* From now on there is a stage for it. -ENODEV: no encoder; -ECANCELED: stopped. */
int ka_streams_need(struct ka_streams *s, unsigned int rendition) KA_MUST_USE;
/* Viewers or wishes have changed. */
void ka_streams_wake(struct ka_streams *s);
void ka_streams_wake_one(struct ka_streams *s, unsigned int rendition);
/* Do all threads get round? As ka_latest_alive(). */
bool ka_streams_alive(struct ka_streams *s);
/* The most that any encoder is asked for now. */
uint32_t ka_streams_kbps(struct ka_streams *s);

#endif
