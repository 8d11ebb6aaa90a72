/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/video_mode.h"

#include <errno.h>
#include <string.h>

#include "base/media.h"
#include "base/str.h"

#define MIN_HZ 23u
#define MAX_HZ 120u

/* CVT 1.2, reduced blanking, version 1. */
#define RB_H_FRONT 48
#define RB_H_SYNC 32
#define RB_H_BACK 80
#define RB_V_BLANK_NS 460000u
#define RB_V_FRONT 3u
#define RB_V_BACK_MIN 6u
#define RB_CLOCK_STEP_KHZ 250u

/* CTA-861 by code, then VESA DMT. Columns: size, clock in kHz, horizontal front porch, sync and back porch, the same
 * vertically, sync polarities, code, whether DMT names it, rate. */
static const struct ka_video_timing table[] = {
	{640, 480, 25175, 16, 96, 48, 10, 2, 33, false, false, 1, true, 60},
	{720, 480, 27000, 16, 62, 60, 9, 6, 30, false, false, 3, false, 60},
	{1280, 720, 74250, 110, 40, 220, 5, 5, 20, true, true, 4, true, 60},
	{1920, 1080, 148500, 88, 44, 148, 4, 5, 36, true, true, 16, true, 60},
	{720, 576, 27000, 12, 64, 68, 5, 5, 39, false, false, 18, false, 50},
	{1280, 720, 74250, 440, 40, 220, 5, 5, 20, true, true, 19, false, 50},
	{1920, 1080, 148500, 528, 44, 148, 4, 5, 36, true, true, 31, false, 50},
	{1920, 1080, 74250, 638, 44, 148, 4, 5, 36, true, true, 32, false, 24},
	{1920, 1080, 74250, 528, 44, 148, 4, 5, 36, true, true, 33, false, 25},
	{1920, 1080, 74250, 88, 44, 148, 4, 5, 36, true, true, 34, false, 30},
	{1280, 720, 59400, 1760, 40, 220, 5, 5, 20, true, true, 60, false, 24},
	{1280, 720, 74250, 2420, 40, 220, 5, 5, 20, true, true, 61, false, 25},
	{1280, 720, 74250, 1760, 40, 220, 5, 5, 20, true, true, 62, false, 30},
	{1920, 1080, 297000, 88, 44, 148, 4, 5, 36, true, true, 63, false, 120},
	{3840, 2160, 297000, 1276, 88, 296, 8, 10, 72, true, true, 93, false, 24},
	{3840, 2160, 297000, 1056, 88, 296, 8, 10, 72, true, true, 94, false, 25},
	{3840, 2160, 297000, 176, 88, 296, 8, 10, 72, true, true, 95, false, 30},
	{3840, 2160, 594000, 1056, 88, 296, 8, 10, 72, true, true, 96, false, 50},
	{3840, 2160, 594000, 176, 88, 296, 8, 10, 72, true, true, 97, false, 60},
	{800, 600, 40000, 40, 128, 88, 1, 4, 23, true, true, 0, true, 60},
	{1024, 768, 65000, 24, 136, 160, 3, 6, 29, false, false, 0, true, 60},
	{1280, 800, 83500, 72, 128, 200, 3, 6, 22, false, true, 0, true, 60},
	{1280, 960, 108000, 96, 112, 312, 1, 3, 36, true, true, 0, true, 60},
	{1280, 1024, 108000, 48, 112, 248, 1, 3, 38, true, true, 0, true, 60},
	{1366, 768, 85500, 70, 143, 213, 3, 3, 24, true, true, 0, false, 60},
	{1440, 900, 106500, 80, 152, 232, 3, 6, 25, false, true, 0, true, 60},
	{1600, 900, 108000, 24, 80, 96, 1, 3, 96, true, true, 0, true, 60},
	{1600, 1200, 162000, 64, 192, 304, 1, 3, 46, true, true, 0, true, 60},
	{1680, 1050, 146250, 104, 176, 280, 3, 6, 30, false, true, 0, true, 60},
};

int ka_video_mode_parse(struct ka_video_mode *out, const char *text, size_t len)
{
	char copy[24];
	char *x, *at;
	uint64_t w, h, hz = 60;

	if (len >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	x = strchr(copy, 'x');
	at = strchr(copy, '@');
	if (!x || (at && at < x))
		return -EINVAL;
	*x = '\0';
	if (at)
		*at = '\0';
	if (ka_str_parse_u64(copy, 640, KA_MAX_WIDTH, &w) < 0 || ka_str_parse_u64(x + 1, 480, KA_MAX_HEIGHT, &h) < 0 ||
	    (at && ka_str_parse_u64(at + 1, MIN_HZ, MAX_HZ, &hz) < 0))
		return -EINVAL;
	/* Encoders want even sizes. */
	if (w % 2 || h % 2)
		return -EINVAL;
	*out = (struct ka_video_mode){(uint16_t)w, (uint16_t)h, (uint16_t)hz};
	return 0;
}

/* The width of the vertical sync tells the aspect ratio. */
static uint16_t sync_lines(uint32_t w, uint32_t h)
{
	static const struct {
		uint8_t w, h, lines;
	} ratios[] = {{4, 3, 4}, {16, 9, 5}, {16, 10, 6}, {5, 4, 7}, {15, 9, 7}};

	for (size_t i = 0; i < KA_ARRAY_LEN(ratios); i++) {
		if (w * ratios[i].h == h * ratios[i].w)
			return ratios[i].lines;
	}
	return 10;
}

void ka_video_timing_make_reduced(struct ka_video_timing *t, const struct ka_video_mode *m)
{
	uint16_t sync = sync_lines(m->width, m->height);
	uint64_t line_ns_x_lines = 1000000000u / m->hz - RB_V_BLANK_NS;
	uint64_t blank = RB_V_BLANK_NS * (uint64_t)m->height / line_ns_x_lines + 1;
	uint64_t total_h = m->width + RB_H_FRONT + RB_H_SYNC + RB_H_BACK;
	uint64_t clock_khz;

	if (blank < RB_V_FRONT + sync + RB_V_BACK_MIN)
		blank = RB_V_FRONT + sync + RB_V_BACK_MIN;
	clock_khz = m->hz * (m->height + blank) * total_h / 1000;
	*t = (struct ka_video_timing){
		.width = m->width,
		.height = m->height,
		.clock_khz = (uint32_t)(clock_khz - clock_khz % RB_CLOCK_STEP_KHZ),
		.h_front = RB_H_FRONT,
		.h_sync = RB_H_SYNC,
		.h_back = RB_H_BACK,
		.v_front = RB_V_FRONT,
		.v_sync = sync,
		.v_back = (uint16_t)(blank - RB_V_FRONT - sync),
		.h_positive = true,
		.hz = (uint8_t)m->hz,
	};
}

void ka_video_timing_make(struct ka_video_timing *out, const struct ka_video_mode *mode)
{
	for (size_t i = 0; i < KA_ARRAY_LEN(table); i++) {
		if (table[i].width == mode->width && table[i].height == mode->height && table[i].hz == mode->hz) {
			*out = table[i];
			return;
		}
	}
	ka_video_timing_make_reduced(out, mode);
}

const struct ka_video_timing *ka_video_timing_vic(uint8_t vic)
{
	/* The same lines for another picture shape. */
	if (vic == 2 || vic == 17)
		vic++;
	for (size_t i = 0; vic && i < KA_ARRAY_LEN(table); i++) {
		if (table[i].vic == vic)
			return &table[i];
	}
	return NULL;
}
