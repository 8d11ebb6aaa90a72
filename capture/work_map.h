/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of a picture an encoder has still to do, by blocks of KA_FRAME_BLOCK: stale ones show something else, coarse
 * ones the right thing as well as motion allowed, good ones as well as anything that moves, fine ones as well as it
 * gets. Pure; the encoder's thread.
 */
#ifndef KA_WORK_MAP_H
#define KA_WORK_MAP_H

#include "capture/encoder.h"

enum ka_work { KA_WORK_FINE, KA_WORK_GOOD, KA_WORK_COARSE, KA_WORK_STALE };

struct ka_work_map {
	unsigned int cols, rows;
	uint8_t *state;	 /* enum ka_work of each block */
	uint8_t *chosen; /* 1: part of this picture; what encoders call an active map */
	size_t next;	 /* choosing goes on here, so that every block has its turn */
	bool refined;	 /* the last picture was a refinement */
};

int ka_work_map_init(struct ka_work_map *m, uint32_t width, uint32_t height) KA_MUST_USE;
void ka_work_map_fini(struct ka_work_map *m); /* after failure too */
/* Takes in what the asker says has changed. */
void ka_work_map_note(struct ka_work_map *m, const struct ka_encode_ask *ask);
/* Chooses blocks of this kind and no others, at most so many. How many. */
size_t ka_work_map_choose(struct ka_work_map *m, enum ka_work kind, size_t most);
/* What the chosen blocks have become. */
void ka_work_map_set_chosen(struct ka_work_map *m, enum ka_work kind);
/* How many blocks are of this kind or worse. */
size_t ka_work_map_count(const struct ka_work_map *m, enum ka_work kind);

#endif
