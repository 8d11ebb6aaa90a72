/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a source is opened, started, stopped and closed, and why there is no picture. Pure: no device, no clock; whoever
 * drives the source tells what happened and does what is asked for.
 *
 *            watch          opened                    started            picture
 *    IDLE ──────────► OPENING ─────────► LOCKING ────────────► (LOCKING) ────────► STREAMING ◄──┐
 *     ▲ nobody          ▲ ▲  │           │ ▲   ▲                                   │   │    │   │ picture
 *     │ watches         │ │  │ fails     │ │   └──────── changed, first error ─────┘   │    │   │
 *   any state           │ │  ▼           ▼ │ 50 to 250 ms, changed          one colour│    │none│
 *                       │ NO_DEVICE,    NO_CABLE, NO_SIGNAL, NO_SYNC,         for long │    │2 s │
 *                       │ FAILED        OUT_OF_RANGE, UNUSABLE                         ▼    ▼   │
 *                       └─── second error in a row, fourth stall in a row         BLANK, STALLED┘
 *
 * A cause is told until the next picture: what is tried meanwhile does not make the slate flicker. Owner: the capture
 * thread.
 */
#ifndef KA_RECEPTION_H
#define KA_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

enum ka_reception_state {
	KA_RECEPTION_IDLE,
	KA_RECEPTION_OPENING,
	KA_RECEPTION_NO_DEVICE,
	KA_RECEPTION_FAILED, /* to open, to start, or while it ran */
	KA_RECEPTION_LOCKING,
	KA_RECEPTION_NO_CABLE,
	KA_RECEPTION_NO_SIGNAL,
	KA_RECEPTION_NO_SYNC,
	KA_RECEPTION_OUT_OF_RANGE,
	KA_RECEPTION_UNUSABLE, /* no picture format that can be used */
	KA_RECEPTION_STREAMING,
	KA_RECEPTION_STALLED,
	KA_RECEPTION_BLANK,
	KA_RECEPTION_STATES
};

enum ka_reception_want {
	KA_RECEPTION_REST,
	KA_RECEPTION_VISIT, /* to be opened once, then closed again */
	KA_RECEPTION_WATCH,
};

/* What has happened. */
enum ka_reception_event {
	KA_RECEPTION_OPENED,
	KA_RECEPTION_OPEN_FAILED,  /* code; the source is closed */
	KA_RECEPTION_STARTED,	   /* code: 1 when the source can be checked, 2 when it tells no changes by itself */
	KA_RECEPTION_START_FAILED, /* code; the source is open and stopped */
	KA_RECEPTION_PICTURE,
	KA_RECEPTION_UNIFORM, /* a picture of one colour */
	KA_RECEPTION_BROKEN,  /* something came that was no picture */
	KA_RECEPTION_EMPTY,   /* the descriptor said that there was something, and nothing came */
	KA_RECEPTION_CHANGED,
	KA_RECEPTION_ERROR, /* code; of a running source */
	KA_RECEPTION_REOPEN /* the owner wants it closed and opened */
};

/* What is to be done now. */
enum ka_reception_do {
	KA_RECEPTION_WAIT,
	KA_RECEPTION_OPEN,  /* and tell OPENED or OPEN_FAILED */
	KA_RECEPTION_START, /* and tell STARTED or START_FAILED */
	KA_RECEPTION_CHECK, /* ask the source whether it has changed; tell CHANGED or ERROR if so */
	KA_RECEPTION_STOP,
	KA_RECEPTION_CLOSE,
};

struct ka_reception {
	/* For others to read. */
	enum ka_reception_state state;
	int cause;	    /* of the picture that viewers get: 0 = the source's; else for the slate */
	const char *detail; /* one sentence about the cause, or NULL: the driver's words */
	/* Inside. */
	enum ka_reception_want want;
	enum { KA_RECEPTION_CLOSED, KA_RECEPTION_STOPPED, KA_RECEPTION_RUNNING } is, shall;
	int64_t due_us;	   /* opening or starting, whichever is next */
	int64_t opened_us; /* the last attempt */
	int64_t pause_us;  /* before the next opening, should it fail */
	int64_t retry_us;  /* before the next start, should there be no signal */
	int64_t start_credit_us;
	int64_t empty_credit_us;
	int64_t picture_us; /* the last one, or the start */
	int64_t stall_us;   /* so long without one is a stall */
	int64_t checked_us;
	int64_t uniform_us;		   /* pictures have been of one colour since; 0 = they are not */
	int64_t blank_us;		   /* so long is a blank signal; 0 = never */
	int checks;			   /* as told by STARTED */
	unsigned int busy, errors, stalls; /* in a row, without a picture between them */
	bool broken;			   /* what came last was broken */
};

/* blank_us: pictures of one colour for so long are no signal; 0 = they are. */
void ka_reception_init(struct ka_reception *s, int64_t blank_us);
void ka_reception_want(struct ka_reception *s, enum ka_reception_want want, int64_t now_us);
/* No pause before the next opening. */
void ka_reception_hurry(struct ka_reception *s, int64_t now_us);
/* The last so many us were the driver's, in a call that blocked: no wonder that nothing came. */
void ka_reception_excuse(struct ka_reception *s, int64_t us);
void ka_reception_tell(struct ka_reception *s, enum ka_reception_event event, int code, int64_t now_us);
/* To be called until it says WAIT, after all that was told. OPEN comes 10 times a second at most, START 10 times and
 * three more at once, CHECK 4 times. */
enum ka_reception_do ka_reception_next(struct ka_reception *s, int64_t now_us);
/* When it is to be called again if nothing happens; INT64_MAX = then never. */
int64_t ka_reception_due(const struct ka_reception *s);
bool ka_reception_is_open(const struct ka_reception *s);
bool ka_reception_is_running(const struct ka_reception *s);
/* "no_cable", for the log. */
const char *ka_reception_name(enum ka_reception_state state);

#endif
