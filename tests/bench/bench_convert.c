/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What it costs to compare a 1080p picture of each format with the one before, which is wholly another, and to make it
 * into what encoders take: CPU time per picture, medians, for a source in BT.601 limited (RGB: full) and for one whose
 * colours have to be converted too. The costs in capture/v4l2_planes.c follow this.
 *
 *   bench_convert [pictures]
 */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "base/attr.h"
#include "capture/prepare.h"
#include "tests/fake/jpeg_write.h"

#define W 1920u
#define H 1080u
/* More than a cache holds, as if a device had just written them. */
#define SOURCES 8u

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Blocks with hard edges on a slope: about what a desktop is to a JPEG decoder. */
static uint8_t sample(uint32_t x, uint32_t y, unsigned int n)
{
	return (uint8_t)((x / 8 * 37 + y / 16 * 91 + n * 5) % 7 == 0 ? 235 : 40 + y / 16);
}

static struct ka_frame *make_jpeg(unsigned int n)
{
	uint8_t row[3 * W];
	struct jpeg_write j;

	jpeg_write_begin(&j, W, H, JCS_RGB, 85);
	j.c.comp_info[0].v_samp_factor = 1; /* 4:2:2, as of sticks */
	jpeg_start_compress(&j.c, TRUE);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < 3 * W; x++)
			row[x] = sample(x / 3, y, n + x % 3);
		jpeg_write_row(&j, row);
	}
	return jpeg_write_frame(&j);
}

static struct ka_frame *make_frame(enum ka_pixfmt format, unsigned int n)
{
	struct ka_frame *f;

	if (format == KA_PIX_MJPEG)
		return make_jpeg(n);
	if (ka_frame_alloc(&f, format, W, H) < 0)
		abort();
	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++) {
		for (size_t at = 0; at < f->planes[i].size; at++)
			f->planes[i].data[at] = sample((uint32_t)(at % W), (uint32_t)(at / W), n);
	}
	return f;
}

static double median_ms(struct ka_frame **sources, struct ka_colour colour, unsigned int pictures)
{
	int64_t *took = calloc(pictures, sizeof(*took));
	struct ka_prepare *c;
	double ms;

	if (!took || ka_prepare_new(&c) < 0)
		abort();
	for (unsigned int i = 0; i < pictures + SOURCES; i++) {
		struct ka_frame *in = sources[i % SOURCES];
		struct ka_frame *out;
		int64_t begin;

		in->colour = colour;
		begin = cpu_ns();
		if (ka_prepare_look(c, in) < 0 || ka_prepare_get(c, false, &out) < 0)
			abort();
		/* The first round touches memory. */
		if (i >= SOURCES)
			took[i - SOURCES] = cpu_ns() - begin;
		ka_frame_unref(&out);
	}
	qsort(took, pictures, sizeof(*took), compare);
	ms = (double)took[pictures / 2] / 1e6;
	ka_prepare_free(c);
	free(took);
	return ms;
}

int main(int argc, char **argv)
{
	unsigned int pictures = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 64;

	pictures = KA_CLAMP(pictures, 1u, 100000u);
	printf("%ux%u, ms of CPU a picture: as it is; with colours to convert\n", W, H);
	for (enum ka_pixfmt format = KA_PIX_I420; format <= KA_PIX_MJPEG; format++) {
		bool full = ka_pixfmt_rgb(format) || format == KA_PIX_MJPEG;
		struct ka_colour same = {KA_MATRIX_BT601, full ? KA_RANGE_FULL : KA_RANGE_LIMITED};
		struct ka_colour other = {KA_MATRIX_BT709, ka_pixfmt_rgb(format) ? KA_RANGE_LIMITED : same.range};
		struct ka_frame *sources[SOURCES];

		for (unsigned int n = 0; n < SOURCES; n++)
			sources[n] = make_frame(format, n);
		printf("%-6s %6.2f %6.2f\n", ka_pixfmt_name(format), median_ms(sources, same, pictures),
		       median_ms(sources, other, pictures));
		for (unsigned int n = 0; n < SOURCES; n++)
			ka_frame_unref(&sources[n]);
	}
	return 0;
}
