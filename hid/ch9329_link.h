/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said to a CH9329 and when: one command in flight, answered or repeated; reports wait in a bounded queue where
 * moves fold together. The chip is asked for the host's state and LEDs from time to time. Pure but for the clock handed
 * in; owner: the CH9329 backend.
 *
 *   push ─► [queue ≤ 64] ─take─► line ─► chip        SILENT ◄─ five tries unanswered ─ any
 *                        ◄─receive─                  NO_HOST, HOST: as the chip says
 *
 * Whatever the chip may have missed (it was silent, the host was gone, the queue overflowed) it is told again as it is
 * now: every report but for steps (wheel, relative motion) says the whole state. Steps are made once at most: a
 * command that may have been carried out is repeated without them.
 */
#ifndef KA_CH9329_LINK_H
#define KA_CH9329_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hid/ch9329.h"
#include "hid/report.h"

#define KA_CH9329_QUEUE 64
#define KA_CH9329_TRIES 5
#define KA_CH9329_ANSWER_US 100000 /* beside the time on the line */
#define KA_CH9329_ASK_US 250000	   /* between two questions for the host's state */
#define KA_CH9329_ASK_BUSY_US 1000000
#define KA_CH9329_SLOTS (KA_REPORT_FUNCTIONS + 1) /* the control function has two states */

enum ka_ch9329_state { KA_CH9329_SILENT, KA_CH9329_NO_HOST, KA_CH9329_HOST };

struct ka_ch9329_flight {
	bool on;
	bool report_is; /* report is what was asked for; else it is GET_INFO */
	uint8_t command;
	unsigned int tries;
	int64_t until_us;
	struct ka_report report;
};

struct ka_ch9329_link {
	unsigned int baud;
	enum ka_ch9329_state state;
	uint8_t version; /* as the chip says, 0x30 = 1.0 */
	uint8_t leds;
	struct ka_ch9329_parser parser;
	struct ka_ch9329_flight flight;
	int64_t asked_us; /* last GET_INFO; 0 = ask at once */
	bool missed;	  /* the chip could not do something that it should have */
	struct ka_report latest[KA_CH9329_SLOTS];
	bool known[KA_CH9329_SLOTS];
	unsigned int head, count;
	struct ka_report queue[KA_CH9329_QUEUE];
	uint64_t sent, dropped, repeated;
};

void ka_ch9329_link_init(struct ka_ch9329_link *l, unsigned int baud);
/* The line was opened anew. */
void ka_ch9329_link_restart(struct ka_ch9329_link *l);
void ka_ch9329_link_push(struct ka_ch9329_link *l, const struct ka_report *r);
/* What to write now. False: nothing before something is pushed or received, or due_us() has come. May change state. */
bool ka_ch9329_link_take(struct ka_ch9329_link *l, int64_t now_us, struct ka_ch9329_frame *out);
/* May change state and leds; take() is to follow. */
void ka_ch9329_link_receive(struct ka_ch9329_link *l, const uint8_t *bytes, size_t len);
int64_t ka_ch9329_link_due_us(const struct ka_ch9329_link *l);
/* True while reports of any of these functions (bits) are not answered. */
bool ka_ch9329_link_busy(const struct ka_ch9329_link *l, unsigned int functions);

#endif
