/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words of the CH9329, a chip that is a USB keyboard and mouse to the target and is told over a serial line what they
 * do. Pure. Facts: "CH9329 serial communication protocol" and the examples to it, by the chip's maker (WCH).
 *
 *   | 57 | ab | address | command | length | data ... | sum of all before |
 *
 *   01 get info         -                        answer: version, USB state, LEDs, 5 unused
 *   02 keyboard         boot report, 8 bytes
 *   03 media keys       02, 24 bits, one a key;  or 01, bits power, sleep, wake
 *   04 absolute mouse   02, buttons, x lo, x hi, y lo, y hi, wheel;  x, y 0..4095
 *   05 relative mouse   01, buttons, dx, dy, wheel
 *
 * The answer's command is the question's | 0x80, or | 0xc0 for an error; its first byte is then the status, 0 = done.
 */
#ifndef KA_CH9329_H
#define KA_CH9329_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hid/report.h"

#define KA_CH9329_DATA_MAX 64
#define KA_CH9329_FRAME_MAX (KA_CH9329_DATA_MAX + 6)
#define KA_CH9329_REST 4

enum ka_ch9329_command {
	KA_CH9329_GET_INFO = 1,
	KA_CH9329_KEYBOARD,
	KA_CH9329_MEDIA,
	KA_CH9329_ABS,
	KA_CH9329_REL,
};

enum ka_ch9329_status {
	KA_CH9329_DONE = 0x00,
	KA_CH9329_E_TIMEOUT = 0xe1, /* the frame came too slowly */
	KA_CH9329_E_HEAD = 0xe2,
	KA_CH9329_E_COMMAND = 0xe3,
	KA_CH9329_E_SUM = 0xe4,
	KA_CH9329_E_PARAMETER = 0xe5,
	KA_CH9329_E_EXECUTE = 0xe6, /* understood, but it did not work */
};

struct ka_ch9329_frame {
	uint8_t len; /* bytes of the whole frame */
	uint8_t data[KA_CH9329_FRAME_MAX];
};

struct ka_ch9329_answer {
	uint8_t command; /* of the question */
	bool error;
	uint8_t len;
	uint8_t data[KA_CH9329_DATA_MAX];
};

/* What has arrived so far. Zeroed = empty. */
struct ka_ch9329_parser {
	uint8_t len;
	uint8_t data[KA_CH9329_FRAME_MAX];
};

/* len <= KA_CH9329_DATA_MAX. */
void ka_ch9329_frame(struct ka_ch9329_frame *f, enum ka_ch9329_command command, const void *data, size_t len);
/* The command that does what the report says. False: the chip has no such key. */
bool ka_ch9329_from_report(struct ka_ch9329_frame *f, const struct ka_report *r);
/* What says that nothing is held, whoever drove the chip before. Buttons of the absolute pointer are not among it:
 * letting go of them takes a place, and any place would be a wrong one. */
void ka_ch9329_rest(struct ka_report out[static KA_CH9329_REST]);
/* 0..32767 to 0..4095, the ends to the ends. */
uint16_t ka_ch9329_scale(uint16_t v);
/* One byte from the chip, to be followed by next() until there is none. */
void ka_ch9329_feed(struct ka_ch9329_parser *p, uint8_t byte);
/* The next answer; damaged ones are left out, whatever follows them is found. False: more has to come. */
bool ka_ch9329_next(struct ka_ch9329_parser *p, struct ka_ch9329_answer *out);

#endif
