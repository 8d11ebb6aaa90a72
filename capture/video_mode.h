/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Progressive video modes and their timings: those of CTA-861 and VESA DMT by table, any other by VESA CVT 1.2 with
 * reduced blanking. Pure.
 */
#ifndef KA_VIDEO_MODE_H
#define KA_VIDEO_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/media.h"

struct ka_video_timing {
	uint16_t width, height;
	uint32_t clock_khz;
	uint16_t h_front, h_sync, h_back;
	uint16_t v_front, v_sync, v_back;
	bool h_positive, v_positive; /* sync */
	uint8_t vic;		     /* of CTA-861; 0 = none */
	bool standard;		     /* of VESA DMT, with the aspect ratio an EDID's two-byte code can say */
	uint8_t hz;
};

/* "1920x1080@60" or "1920x1080" (60). -EINVAL, also for sizes and rates outside 640x480..4096x2304, 23..120. */
int ka_video_mode_parse(struct ka_video_mode *out, const char *text, size_t len) KA_MUST_USE;
void ka_video_timing_make(struct ka_video_timing *out, const struct ka_video_mode *mode);
/* The same by CVT, whatever the tables have. */
void ka_video_timing_make_reduced(struct ka_video_timing *out, const struct ka_video_mode *mode);
/* The mode with that code of CTA-861; NULL when unknown or interlaced. */
const struct ka_video_timing *ka_video_timing_vic(uint8_t vic);

#endif
