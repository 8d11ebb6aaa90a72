/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glyphs of the test card and the slate: 5 x 7 pixels, printable ASCII. */
#ifndef KA_CARD_FONT_H
#define KA_CARD_FONT_H

#include <stdint.h>

#define KA_GLYPH_WIDTH 5u
#define KA_GLYPH_HEIGHT 7u

/* Seven rows from the top; bit 4 is the leftmost pixel. Other characters look like '?'. */
const uint8_t *ka_card_font_glyph(char c);

#endif
