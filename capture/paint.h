/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rectangles and text on NV12 pictures, BT.601 limited. Pure; the frame must be writable. Everything is clipped at the
 * picture's edges. Chroma is shared by 2 x 2 pixels, so coloured rectangles should start and end at even places.
 */
#ifndef KA_PAINT_H
#define KA_PAINT_H

#include <stdint.h>

#include "base/frame.h"

struct ka_ink {
	uint8_t y, u, v;
};

struct ka_ink ka_paint_rgb(unsigned int r, unsigned int g, unsigned int b);
/* x, y may be outside the picture. */
void ka_paint_rect(struct ka_frame *f, int x, int y, int w, int h, struct ka_ink ink);
/* Grey text of brightness luma (16..235) on a grey ground: only luma is touched. scale: pixels per glyph pixel. */
void ka_paint_text(struct ka_frame *f, int x, int y, unsigned int scale, uint8_t luma, const char *text);
/* Pixels that text of n characters takes; one column less than n cells. */
int ka_paint_text_width(unsigned int scale, unsigned int n);
/* Rows from one line of text to the next. */
int ka_paint_line_height(unsigned int scale);

#endif
