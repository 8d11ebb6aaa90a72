/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The test card: a source that needs no hardware. NV12, BT.601 limited.
 *
 *   +--------------------------------------+
 *   | eight colour bars: white, yellow,    |
 *   | cyan, green, magenta, red, blue,     |
 *   | black                                |
 *   +--------------------------------------+
 *   | moving box                           |
 *   | kvmagent test card WxH@fps           |
 *   | HH:MM:SS.mmm   frame N               |
 *   +--------------------------------------+  y = H - H/16
 *   |1 0 1 0| 32 bits, MSB first  | XOR    |  cells (W/40)&~1 wide; 1 = white, 0 = black
 *   +--------------------------------------+
 *
 * The strip carries the frame number for machines: sync, number, and the XOR of its eight nibbles.
 */
#ifndef KA_SOURCE_CARD_H
#define KA_SOURCE_CARD_H

#include "capture/source.h"

struct ka_card_cfg {
	uint32_t width, height; /* even, within media.h's limits */
	uint32_t fps;
	unsigned int
		noise_percent; /* of the bars, from the left: another noise in each picture, which nothing compresses */
};

int ka_source_card_new(struct ka_source **out, const struct ka_card_cfg *cfg) KA_MUST_USE;

#endif
