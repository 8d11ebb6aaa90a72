/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent is measured against: x264 alone, with the agent's settings, on the same pictures.
 *
 *   bench_bare FRAMES FPS KBPS
 *
 * One command a line on standard input, one answer a line on standard output, times in microseconds:
 *
 *   p N   encode picture N, which is I420 already      cpu, wall, bytes
 *   c N   convert picture N from YUYV whole, encode    cpu of converting, cpu of encoding, bytes
 *   k N   the same as p, as a key picture              cpu, wall, bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libyuv.h>

#include "base/attr.h"
#include "base/log.h"
#include "capture/enc_x264.h"
#include "tests/bench/bench_device.h"

struct bare {
	const struct bench_frames *shape;
	const uint8_t *yuyv;
	size_t step;
	uint8_t *i420[BENCH_BUFS_MAX];
	uint8_t *nv12;
	struct ka_encoder_cfg cfg;
	x264_t *x;
	int64_t pts;
};

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int prepare(struct bare *b, const char *frames, const char *fps, const char *kbps)
{
	x264_param_t p;
	size_t luma;
	int w, h;

	b->shape = bench_frames_map(frames, &b->yuyv, &b->step);
	if (!b->shape)
		return -1;
	w = (int)b->shape->width;
	h = (int)b->shape->height;
	luma = (size_t)w * (size_t)h;
	b->cfg = (struct ka_encoder_cfg){
		.preset = "ultrafast",
		.tune = "",
		.fps = (uint32_t)strtoul(fps, NULL, 10),
		.width = b->shape->width,
		.height = b->shape->height,
		.kbps = (uint32_t)strtoul(kbps, NULL, 10),
	};
	b->nv12 = malloc(luma * 3 / 2);
	for (uint32_t i = 0; i < b->shape->count; i++) {
		uint8_t *to = malloc(luma * 3 / 2);

		b->i420[i] = to;
		if (!to || !b->nv12)
			return -1;
		/* By way of NV12, because that halves chroma as the agent does. */
		YUY2ToNV12(b->yuyv + i * b->step, w * 2, b->nv12, w, b->nv12 + luma, w, w, h);
		NV12ToI420(b->nv12, w, b->nv12 + luma, w, to, w, to + luma, w / 2, to + luma * 5 / 4, w / 2, w, h);
	}
	b->x = ka_enc_x264_params(&p, &b->cfg) < 0 ? NULL : x264_encoder_open(&p);
	return b->x ? 0 : -1;
}

static int encode(struct bare *b, uint8_t *picture, int csp, int type)
{
	size_t luma = (size_t)b->shape->width * b->shape->height;
	int w = (int)b->shape->width;
	x264_picture_t in, out;
	x264_nal_t *nals;
	int n;

	x264_picture_init(&in);
	in.i_type = type;
	in.i_pts = ++b->pts;
	in.img.i_csp = csp;
	in.img.i_plane = csp == X264_CSP_NV12 ? 2 : 3;
	in.img.plane[0] = picture;
	in.img.i_stride[0] = w;
	in.img.plane[1] = picture + luma;
	in.img.i_stride[1] = csp == X264_CSP_NV12 ? w : w / 2;
	in.img.plane[2] = picture + luma * 5 / 4;
	in.img.i_stride[2] = w / 2;
	return x264_encoder_encode(b->x, &nals, &n, &in, &out);
}

static void run(struct bare *b, char what, unsigned int index)
{
	int64_t cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	int64_t wall = clock_us(CLOCK_MONOTONIC);
	int w = (int)b->shape->width;
	int64_t converted;
	int bytes;

	if (what == 'c') {
		YUY2ToNV12(b->yuyv + index * b->step, w * 2, b->nv12, w, b->nv12 + (size_t)w * b->shape->height, w, w,
			   (int)b->shape->height);
		converted = clock_us(CLOCK_PROCESS_CPUTIME_ID);
		bytes = encode(b, b->nv12, X264_CSP_NV12, X264_TYPE_AUTO);
		printf("%lld %lld %d\n", (long long)(converted - cpu),
		       (long long)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - converted), bytes);
		return;
	}
	bytes = encode(b, b->i420[index], X264_CSP_I420, what == 'k' ? X264_TYPE_IDR : X264_TYPE_AUTO);
	printf("%lld %lld %d\n", (long long)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu),
	       (long long)(clock_us(CLOCK_MONOTONIC) - wall), bytes);
}

int main(int argc, char **argv)
{
	struct bare b = {0};
	unsigned int index;
	char what;

	ka_log_init(2, KA_LOG_ERROR);
	if (argc != 4 || prepare(&b, argv[1], argv[2], argv[3]) < 0) {
		fprintf(stderr, "usage: bench_bare FRAMES FPS KBPS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (scanf(" %c %u", &what, &index) == 2)
		run(&b, what, KA_MIN(index, b.shape->count - 1));
	x264_encoder_close(b.x);
	free(b.nv12);
	for (uint32_t i = 0; i < b.shape->count; i++)
		free(b.i420[i]);
	return 0;
}
