/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two pointers of the target: one absolute, one relative. Buttons and wheels go to the one moved last, so that the
 * host sees one hand; a button goes up on the device it went down on. Before any move they go to the relative one: a
 * report of the absolute one would carry a position and make the pointer jump. Wheels count 1/120 notches and keep
 * remainders; long ways are split into steps a report can carry. Pure; owner: ka_hands.
 *
 *   events ─► state ─► ka_pointer_take() until it returns false
 */
#ifndef KA_POINTER_H
#define KA_POINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "hid/holds.h"
#include "hid/report.h"

/* Counts of one relative move at most: more is no hand movement, and would flood the host. */
#define KA_POINTER_REL_MAX (KA_REPORT_STEP * 100)

struct ka_pointer_device {
	uint8_t buttons_sent;
	bool moved;    /* a report is due though no button changed */
	int32_t wheel; /* 1/120 notches not sent yet */
	int32_t pan;
};

struct ka_pointer {
	struct ka_holds holds; /* code: button bit, with FOR_REL when held on the relative device */
	bool placed;	       /* the absolute position is known */
	bool rel_active;       /* moved last */
	uint16_t x, y;
	int32_t dx, dy;
	struct ka_pointer_device abs, rel;
};

void ka_pointer_init(struct ka_pointer *p);
void ka_pointer_move_abs(struct ka_pointer *p, uint16_t x, uint16_t y);
void ka_pointer_move_rel(struct ka_pointer *p, int dx, int dy);
/* mask: ka_button bits; unknown ones are ignored. */
void ka_pointer_button(struct ka_pointer *p, uint32_t source, uint8_t mask, bool down);
void ka_pointer_wheel(struct ka_pointer *p, int x, int y);
void ka_pointer_release_source(struct ka_pointer *p, uint32_t source);
void ka_pointer_release_all(struct ka_pointer *p);
/* True while this source holds a button. */
bool ka_pointer_pressed(const struct ka_pointer *p, uint32_t source);
/* Makes the present state due again: the host may have missed reports. */
void ka_pointer_resend(struct ka_pointer *p);
/* The next report that is due. False: none. */
bool ka_pointer_take(struct ka_pointer *p, struct ka_report *out);

#endif
