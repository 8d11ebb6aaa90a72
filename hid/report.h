/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The reports of the four HID functions, byte for byte as report_desc.c declares them. Pure.
 *
 *   keyboard  | modifiers | 0 | key 1 | key 2 | ... | key 6 |            boot layout, HID 1.11 B.1
 *   abs       | buttons | x lo | x hi | y lo | y hi | wheel | pan |      x, y 0..32767
 *   rel       | buttons | dx | dy | wheel | pan |                        boot layout in its first three bytes
 *   control   | 1 | usage lo | usage hi |                                report 1: consumer page
 *             | 2 | 1 power, 2 sleep, 3 wake, 0 none |                   report 2: system control
 *
 *   modifiers: ka_mod bits; buttons: ka_button bits; dx, dy, wheel, pan: -127..127
 */
#ifndef KA_REPORT_H
#define KA_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum ka_report_function { KA_REPORT_KEYBOARD, KA_REPORT_ABS, KA_REPORT_REL, KA_REPORT_CONTROL, KA_REPORT_FUNCTIONS };

#define KA_REPORT_MAX 8	 /* bytes of the longest report */
#define KA_REPORT_KEYS 6 /* keys in one keyboard report */
#define KA_REPORT_STEP 127
#define KA_REPORT_ROLLOVER 0x01 /* ErrorRollOver: more keys are down than fit */

struct ka_report {
	uint8_t function; /* enum ka_report_function */
	uint8_t len;	  /* bytes */
	bool edge;	  /* a key or button changed: nothing may be folded into it */
	uint8_t data[KA_REPORT_MAX];
};

struct ka_report_pointer {
	uint8_t buttons;
	uint16_t x, y; /* abs */
	int8_t dx, dy; /* rel */
	int8_t wheel, pan;
};

/* keys: `count` usages, any number; more than six give the rollover report. */
void ka_report_keyboard(struct ka_report *r, uint8_t mods, const uint8_t *keys, unsigned int count);
void ka_report_abs(struct ka_report *r, const struct ka_report_pointer *p, bool edge);
void ka_report_rel(struct ka_report *r, const struct ka_report_pointer *p, bool edge);
void ka_report_consumer(struct ka_report *r, uint16_t usage);
/* usage: 0x81 power down, 0x82 sleep, 0x83 wake up, 0 none. */
void ka_report_system(struct ka_report *r, uint16_t usage);

/* Folds `next` into the still unsent `last` of the same function where the host cannot tell the difference: moves and
 * wheel steps between the same edges. False: both have to be sent. */
bool ka_report_merge(struct ka_report *last, const struct ka_report *next);
/* "keyboard", "abs", "rel", "control". */
const char *ka_report_name(unsigned int function);

#endif
