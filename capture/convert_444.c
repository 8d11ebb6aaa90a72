/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/convert_444.h"

#include <libyuv.h>
#include <string.h>

#include "capture/samples.h"

static void gather(const uint8_t *from, unsigned int step, unsigned int shift, uint32_t x, uint32_t width, uint8_t *to)
{
	if (step == 1 && shift == 0) {
		memcpy(to, from + x, width);
		return;
	}
	for (uint32_t i = 0; i < width; i++)
		to[i] = from[(size_t)((x + i) >> shift) * step];
}

static void rows_yuv(const struct ka_frame *in, const struct ka_frame *to, const struct ka_area *a)
{
	const struct ka_samples *s = ka_samples_of(in->format);

	for (uint32_t y = a->y; y < a->y + a->height; y++) {
		for (unsigned int i = 0; i < 3; i++) {
			uint8_t *dst = ka_frame_row(to, i, y) + a->x;

			if (!s->step[i])
				memset(dst, 128, a->width);
			else
				gather(ka_frame_row(in, s->plane[i], i ? y >> s->down : y) + s->first[i], s->step[i],
				       i ? s->across : 0, a->x, a->width, dst);
		}
	}
}

/* libyuv names RGB by little-endian words: its ARGB is B, G, R, A in memory. */
static void rows_rgb(struct ka_convert_444 *w, const struct ka_frame *in, const struct ka_frame *to,
		     const struct ka_area *a)
{
	static int (*const to_argb[])(const uint8_t *, int, uint8_t *, int, int, int) = {
		[KA_PIX_RGB24] = RAWToARGB, [KA_PIX_BGR24] = RGB24ToARGB, [KA_PIX_RGBX] = ABGRToARGB,
		[KA_PIX_BGRX] = ARGBCopy,   [KA_PIX_XRGB] = BGRAToARGB,	  [KA_PIX_XBGR] = RGBAToARGB,
	};
	const uint8_t *from = ka_frame_row(in, 0, a->y) + ka_pixfmt_row_bytes(in->format, 0, a->x);
	int stride = (int)a->width * 4;

	to_argb[in->format](from, (int)in->planes[0].stride, w->argb, stride, (int)a->width, (int)a->height);
	ARGBToI444(w->argb, stride, ka_frame_row(to, 0, a->y) + a->x, (int)to->planes[0].stride,
		   ka_frame_row(to, 1, a->y) + a->x, (int)to->planes[1].stride, ka_frame_row(to, 2, a->y) + a->x,
		   (int)to->planes[2].stride, (int)a->width, (int)a->height);
}

void ka_convert_444_band(struct ka_convert_444 *w, const struct ka_frame *in, const struct ka_frame *to,
			 const struct ka_area *area, const struct ka_recolour *colour)
{
	if (ka_pixfmt_rgb(in->format))
		rows_rgb(w, in, to, area);
	else
		rows_yuv(in, to, area);
	for (uint32_t y = area->y; colour && y < area->y + area->height; y++)
		ka_recolour_row_444(colour, ka_frame_row(to, 0, y) + area->x, ka_frame_row(to, 1, y) + area->x,
				    ka_frame_row(to, 2, y) + area->x, area->width);
}
