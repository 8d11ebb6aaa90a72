/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/blank.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "capture/mjpeg.h"
#include "capture/rgb.h"

/* Whole groups of 1, 2, 3 and 4 bytes. */
#define CHUNK 192u
/* Rows are looked at in 16 passes over the picture, so that what it shows is soon found, wherever it is. */
#define PASSES 16u
/* A flat picture takes 1/8 bit a pixel (4:2:0) to 7/32 (4:4:4) with the standard's tables: DC and end of block. */
#define JPEG_HEADERS_BYTES 4096u
#define JPEG_PIXELS_A_BYTE 24u
#define JPEG_GAP_US KA_MS(500)

#define SMALL_MAX(n) (((n) + 7) / 8)

struct ka_blank {
	struct ka_mjpeg *mjpeg; /* made when first needed */
	int64_t next_us;	/* not before: another JPEG */
	uint8_t rgb[3];		/* of the last blank picture */
	struct ka_rgb table;
	uint8_t row[3 * KA_MAX_WIDTH];
	/* Y, U, V of a JPEG's blocks. */
	uint8_t small[3 * SMALL_MAX(KA_MAX_WIDTH) * SMALL_MAX(KA_MAX_HEIGHT)];
};

int ka_blank_new(struct ka_blank **out)
{
	struct ka_blank *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	*out = b;
	return 0;
}

void ka_blank_free(struct ka_blank *b)
{
	if (!b)
		return;
	ka_mjpeg_free(b->mjpeg);
	free(b);
}

/* What a row is when it has one colour only; bytes without meaning are left out. */
struct pattern {
	uint8_t value[CHUNK];
	uint8_t mask[CHUNK];
};

static bool means_nothing(enum ka_pixfmt format, unsigned int byte)
{
	switch (format) {
	case KA_PIX_RGBX:
	case KA_PIX_BGRX:
		return byte == 3;
	case KA_PIX_XRGB:
	case KA_PIX_XBGR:
		return byte == 0;
	default:
		return false;
	}
}

/* The second pixel of a packed pair has the luma of the first. */
static unsigned int first_of(enum ka_pixfmt format, unsigned int byte)
{
	switch (format) {
	case KA_PIX_YUYV:
	case KA_PIX_YVYU:
		return byte == 2 ? 0 : byte;
	case KA_PIX_UYVY:
	case KA_PIX_VYUY:
		return byte == 3 ? 1 : byte;
	default:
		return byte;
	}
}

static void make_pattern(struct pattern *p, const struct ka_frame *f, unsigned int plane)
{
	unsigned int group = (unsigned int)ka_pixfmt_row_bytes(f->format, plane, 1);

	for (unsigned int i = 0; i < CHUNK; i++) {
		p->value[i] = f->planes[plane].data[first_of(f->format, i % group)];
		p->mask[i] = means_nothing(f->format, i % group) ? 0 : 0xff;
	}
}

static bool is_like(const uint8_t *data, const struct pattern *p, size_t n)
{
	uint8_t off = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t a = data[i], b = p->value[i];
		uint8_t distance = (uint8_t)((a > b ? a - b : b - a) & p->mask[i]);

		off |= distance > KA_BLANK_TOLERANCE;
	}
	return !off;
}

static bool is_plane_uniform(const struct ka_frame *f, unsigned int plane, uint32_t first_row)
{
	size_t bytes = ka_pixfmt_row_bytes(f->format, plane, f->width);
	uint32_t rows = ka_pixfmt_rows(f->format, plane, f->height);
	struct pattern p;

	make_pattern(&p, f, plane);
	for (uint32_t y = first_row; y < rows; y += PASSES) {
		const uint8_t *row = ka_frame_row(f, plane, y);

		for (size_t at = 0; at < bytes; at += CHUNK) {
			if (!is_like(row + at, &p, KA_MIN(CHUNK, bytes - at)))
				return false;
		}
	}
	return true;
}

static bool is_uniform(const struct ka_frame *f)
{
	/* Far apart first. */
	for (uint32_t pass = 0; pass < PASSES; pass++) {
		for (unsigned int plane = 0; plane < ka_pixfmt_planes(f->format); plane++) {
			if (!is_plane_uniform(f, plane, pass * 7 % PASSES))
				return false;
		}
	}
	return true;
}

/* Raw, with planes in memory. */
static bool check_raw(struct ka_blank *b, const struct ka_frame *f)
{
	if (!is_uniform(f))
		return false;
	ka_rgb_init(&b->table, f->format, f->colour);
	ka_rgb_row(&b->table, f, 0, b->row);
	memcpy(b->rgb, b->row, 3);
	return true;
}

static bool check_jpeg(struct ka_blank *b, const struct ka_frame *f, int64_t now_us)
{
	uint32_t width = SMALL_MAX(f->width);
	struct ka_mjpeg_pixels dst = {b->small, (size_t)3 * width, f->width, f->height};
	struct ka_frame d = {.format = KA_PIX_RGB24, .width = width, .height = SMALL_MAX(f->height)};

	if (now_us < b->next_us ||
	    f->planes[0].size > JPEG_HEADERS_BYTES + (size_t)f->width * f->height / JPEG_PIXELS_A_BYTE)
		return false;
	b->next_us = now_us + JPEG_GAP_US;
	if ((!b->mjpeg && ka_mjpeg_new(&b->mjpeg) < 0) ||
	    ka_mjpeg_decode_eighth(b->mjpeg, f->planes[0].data, f->planes[0].size, &dst) < 0)
		return false;
	d.planes[0] = (struct ka_plane){b->small, dst.stride, dst.stride * d.height};
	if (!is_uniform(&d))
		return false;
	b->next_us = 0;
	ka_rgb_init(&b->table, KA_PIX_I444, f->colour);
	ka_rgb_triples(&b->table, b->small, 1, b->rgb);
	return true;
}

bool ka_blank_check(struct ka_blank *b, const struct ka_frame *f, int64_t now_us)
{
	return f->format == KA_PIX_MJPEG ? check_jpeg(b, f, now_us) : check_raw(b, f);
}

void ka_blank_words(const struct ka_blank *b, char *dst, size_t size)
{
	const uint8_t *c = b->rgb;
	unsigned int most = KA_MAX(c[0], KA_MAX(c[1], c[2]));
	unsigned int least = KA_MIN(c[0], KA_MIN(c[1], c[2]));
	const char *name = most < 24				? " (black)"
			   : least > 231			? " (white)"
			   : most - least < 24			? " (grey)"
			   : c[2] > 2 * c[0] && c[2] > 2 * c[1] ? " (blue)"
								: "";

	snprintf(dst, size, "All of the picture is #%02x%02x%02x%s.", c[0], c[1], c[2], name);
}
