/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A source without a device, on a clock of its own, driven by the signal's state machine. Aborts when the machine asks
 * for what cannot be done, asks too often, gives up, or shows neither a picture nor a slate.
 */
#ifndef RECEPTION_MODEL_H
#define RECEPTION_MODEL_H

#include <stddef.h>

#include "capture/reception.h"

/* Most that may happen within any second. */
#define RECEPTION_MODEL_OPENS 11
#define RECEPTION_MODEL_STARTS 14
#define RECEPTION_MODEL_CHECKS 5

struct reception_model {
	struct ka_reception fsm;
	int64_t now;
	enum { MODEL_CLOSED, MODEL_STOPPED, MODEL_RUNNING } source;
	/* Results of what is asked for next. */
	int open_result, start_result;
	bool changed;	/* a check says so */
	int checks;	/* as the source says when it starts ... */
	int checked_as; /* ... and as it has said */
	int64_t opens[RECEPTION_MODEL_OPENS], starts[RECEPTION_MODEL_STARTS], checked[RECEPTION_MODEL_CHECKS];
	unsigned int n_opens, n_starts, n_checks, n_stops, n_closes;
	unsigned int states; /* seen, one bit each */
};

void reception_model_init(struct reception_model *m, int64_t blank_us);
/* Does all that is asked for now. */
void reception_model_run(struct reception_model *m);
void reception_model_want(struct reception_model *m, enum ka_reception_want want);
void reception_model_tell(struct reception_model *m, enum ka_reception_event event, int code);
/* Goes on by so long, with a stop at whatever is due before. */
void reception_model_pass(struct reception_model *m, int64_t us);
/* Whatever was: a source that works, and is watched, is live again within five seconds. */
void reception_model_recover(struct reception_model *m);
/* Two bytes say what happens. */
void reception_model_step(struct reception_model *m, uint8_t what, uint8_t how);

#endif
