/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs capture/ on a source and writes the packets one viewer gets to a file: for looking at pictures, and for trying
 * real devices.
 *
 *   capture_dump card WIDTHxHEIGHT FPS SECONDS out.h264 [PICTURES]
 *   capture_dump /dev/videoN FORMAT FPS SECONDS out.h264 [PICTURES]
 *
 * FORMAT as in ka_pixfmt_name(), or "auto"; with "+" in front: formats of several memory planes only; "=" and four
 * characters: only this one of the device's. Ends after so many PICTURES of the source if that is sooner.
 */
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/log.h"
#include "capture/capture_priv.h"
#include "capture/v4l2_planes.h"

static void post(void *arg)
{
	sem_post(arg);
}

/* Writes what is there; how many came while the source was live. */
static unsigned int dump_packets(struct ka_capture *c, struct ka_viewer *v, int64_t begin_us, FILE *f)
{
	unsigned int live = 0;
	struct ka_packet *p;

	while ((p = ka_hub_take(ka_viewer_sub(v)))) {
		struct ka_signal sig;

		ka_capture_signal(c, &sig);
		live += !sig.cause;
		if (p->key)
			printf("%7.3f key %ux%u bytes=%zu seq=%llu latency_us=%lld\n",
			       (double)(ka_clock_us() - begin_us) / 1e6, p->width, p->height, p->size,
			       (unsigned long long)p->sequence, (long long)(p->encoded_us - p->captured_us));
		fwrite(p->data, 1, p->size, f);
		ka_packet_unref(&p);
	}
	return live;
}

/* One line a second, and the packets. */
static void dump(struct ka_capture *c, struct ka_viewer *v, sem_t *news, int64_t end_us, unsigned long pictures,
		 FILE *f)
{
	int64_t begin_us = ka_clock_us();
	int64_t report_us = begin_us;
	unsigned long seen = 0;

	while (ka_clock_us() < end_us && seen < pictures) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		sem_timedwait(news, &until);
		seen += dump_packets(c, v, begin_us, f);
		if (ka_clock_us() - report_us >= 1000000) {
			struct ka_signal sig;
			struct ka_capture_stats st;

			report_us += 1000000;
			ka_capture_signal(c, &sig);
			ka_capture_stats(c, &st);
			printf("%7.3f %s captured=%llu dropped=%llu encoded=%llu bytes=%llu convert_us=%lld "
			       "encode_us=%lld\n",
			       (double)(ka_clock_us() - begin_us) / 1e6, sig.cause ? ka_err_str(sig.cause) : "live",
			       (unsigned long long)st.captured, (unsigned long long)st.dropped,
			       (unsigned long long)st.encoded, (unsigned long long)st.bytes,
			       (long long)st.convert_us / (long long)KA_MAX(st.encoded, 1),
			       (long long)st.encode_us / (long long)KA_MAX(st.encoded, 1));
			fflush(stdout);
		}
	}
}

/* A device that offers only formats of several memory planes, or only the one that ctx points to. */
static int call_some(void *ctx, int fd, unsigned long request, void *arg)
{
	const char *only = ctx;
	struct v4l2_fmtdesc *wanted = arg;
	struct v4l2_fmtdesc d;
	uint32_t left;

	if (request != VIDIOC_ENUM_FMT)
		return ka_v4l2_io_real.ioctl(NULL, fd, request, arg);
	left = wanted->index;
	for (uint32_t i = 0;; i++) {
		const struct ka_v4l2_fourcc *f;
		int ret;

		d = (struct v4l2_fmtdesc){.index = i, .type = wanted->type};
		ret = ka_v4l2_io_real.ioctl(NULL, fd, request, &d);
		if (ret < 0)
			return ret;
		f = ka_v4l2_planes_find(d.pixelformat);
		if (only ? memcmp(&d.pixelformat, only, 4) == 0 : f && f->mems > 1) {
			if (left-- == 0)
				break;
		}
	}
	wanted->pixelformat = d.pixelformat;
	return 0;
}

static int parse(struct ka_capture_cfg *cfg, char **argv)
{
	cfg->fps = (uint32_t)strtoul(argv[3], NULL, 10);
	if (strcmp(argv[1], "card") == 0) {
		cfg->source = KA_SOURCE_CARD;
		return sscanf(argv[2], "%ux%u", &cfg->width, &cfg->height) == 2 ? 0 : -1;
	}
	cfg->source = KA_SOURCE_V4L2;
	cfg->device = argv[1];
	for (enum ka_pixfmt f = KA_PIX_I420; f <= KA_PIX_MJPEG; f++) {
		if (strcmp(argv[2] + (argv[2][0] == '+'), ka_pixfmt_name(f)) == 0)
			cfg->format = f;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct ka_capture_cfg cfg = {.preset = "ultrafast", .slate_fps = 2};
	struct ka_video_wish wish = {0};
	struct ka_capture *c = NULL;
	struct ka_viewer *v = NULL;
	struct ka_errbuf eb = {""};
	struct ka_v4l2_io io = ka_v4l2_io_real;
	sem_t news;
	FILE *f;

	if (argc < 6 || argc > 7 || parse(&cfg, argv) < 0) {
		fprintf(stderr, "usage: capture_dump card|DEVICE WIDTHxHEIGHT|FORMAT FPS SECONDS FILE [PICTURES]\n");
		return 2;
	}
	if (argv[2][0] == '+' || (argv[2][0] == '=' && strlen(argv[2]) == 5)) {
		io.ioctl = call_some;
		io.ctx = argv[2][0] == '=' ? argv[2] + 1 : NULL;
	}
	ka_log_init(2, KA_LOG_DEBUG);
	sem_init(&news, 0, 0);
	f = fopen(argv[5], "wb");
	if (!f || ka_capture_new_io(&c, &cfg, &io, &eb) < 0 || ka_capture_start(c) < 0 ||
	    ka_viewer_new(&v, c, &wish, (struct ka_wake){post, &news}) < 0) {
		fprintf(stderr, "capture_dump: %s\n", eb.text[0] ? eb.text : "cannot start");
		return 1;
	}
	dump(c, v, &news, ka_clock_us() + (int64_t)(strtod(argv[4], NULL) * 1e6),
	     argc > 6 ? strtoul(argv[6], NULL, 10) : ULONG_MAX, f);
	ka_viewer_free(v);
	ka_capture_stop(c);
	ka_capture_join(c);
	ka_capture_free(c);
	fclose(f);
	return 0;
}
