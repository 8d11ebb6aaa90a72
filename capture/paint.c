/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/paint.h"

#include <string.h>

#include "capture/card_font.h"

struct ka_ink ka_paint_rgb(unsigned int r, unsigned int g, unsigned int b)
{
	int ir = (int)r, ig = (int)g, ib = (int)b;

	/* ITU-R BT.601 for 8 bits, scaled to 219 and 224 steps; 16.16 fixed point. */
	return (struct ka_ink){
		.y = (uint8_t)(16 + ((16829 * ir + 33039 * ig + 6416 * ib + 32768) >> 16)),
		.u = (uint8_t)(128 + ((-9714 * ir - 19070 * ig + 28784 * ib + 32768) >> 16)),
		.v = (uint8_t)(128 + ((28784 * ir - 24103 * ig - 4681 * ib + 32768) >> 16)),
	};
}

/* Clips [*at, *at + *len) to [0, limit). */
static void clip(int *at, int *len, int limit)
{
	if (*at < 0) {
		*len += *at;
		*at = 0;
	}
	if (*len > limit - *at)
		*len = limit - *at;
}

static void fill_luma(struct ka_frame *f, int x, int y, int w, int h, uint8_t luma)
{
	clip(&x, &w, (int)f->width);
	clip(&y, &h, (int)f->height);
	for (int row = y; w > 0 && row < y + h; row++)
		memset(f->planes[0].data + (size_t)row * f->planes[0].stride + x, luma, (size_t)w);
}

static void fill_chroma(struct ka_frame *f, int x, int y, int w, int h, uint8_t u, uint8_t v)
{
	clip(&x, &w, (int)f->width / 2);
	clip(&y, &h, (int)f->height / 2);
	for (int row = y; w > 0 && row < y + h; row++) {
		uint8_t *p = f->planes[1].data + (size_t)row * f->planes[1].stride + (size_t)x * 2;

		for (int i = 0; i < w; i++) {
			p[2 * i] = u;
			p[2 * i + 1] = v;
		}
	}
}

void ka_paint_rect(struct ka_frame *f, int x, int y, int w, int h, struct ka_ink ink)
{
	fill_luma(f, x, y, w, h, ink.y);
	/* Arithmetic shifts round down for negative places too. */
	fill_chroma(f, x >> 1, y >> 1, ((x + w + 1) >> 1) - (x >> 1), ((y + h + 1) >> 1) - (y >> 1), ink.u, ink.v);
}

static void paint_glyph(struct ka_frame *f, int x, int y, int scale, uint8_t luma, char c)
{
	const uint8_t *rows = ka_card_font_glyph(c);

	for (int row = 0; row < (int)KA_GLYPH_HEIGHT; row++) {
		for (int col = 0; col < (int)KA_GLYPH_WIDTH; col++) {
			if (rows[row] >> (KA_GLYPH_WIDTH - 1 - (unsigned int)col) & 1)
				fill_luma(f, x + col * scale, y + row * scale, scale, scale, luma);
		}
	}
}

void ka_paint_text(struct ka_frame *f, int x, int y, unsigned int scale, uint8_t luma, const char *text)
{
	for (; *text; text++) {
		paint_glyph(f, x, y, (int)scale, luma, *text);
		x += (int)((KA_GLYPH_WIDTH + 1) * scale);
	}
}

int ka_paint_text_width(unsigned int scale, unsigned int n)
{
	return n ? (int)(((KA_GLYPH_WIDTH + 1) * n - 1) * scale) : 0;
}

int ka_paint_line_height(unsigned int scale)
{
	return (int)((KA_GLYPH_HEIGHT + 4) * scale);
}
