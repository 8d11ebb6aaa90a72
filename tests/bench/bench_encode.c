/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a picture costs: our encoding stage (convert, encode, publish) against bare x264 with the same settings on I420
 * pictures made beforehand. Both get the same moving desktop in turn, in one run; CPU time of the whole process per
 * picture, medians. Then the whole pipeline on the test card.
 *
 *   bench_encode [pictures]
 */
#include <libyuv.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/capture.h"
#include "capture/card_font.h"
#include "capture/enc_x264.h"
#include "capture/stage_encode.h"

#define W 1920u
#define H 1080u
#define SCENES 24u

struct scene {
	uint8_t *i420;
	struct ka_frame *frames[4]; /* one for each kind */
};

struct kind {
	const char *name;
	enum ka_pixfmt format;
	struct ka_colour colour;
};

static const struct kind kinds[] = {
	{"YUYV BT.601", KA_PIX_YUYV, {KA_MATRIX_BT601, KA_RANGE_LIMITED}},
	{"YUYV BT.709", KA_PIX_YUYV, {KA_MATRIX_BT709, KA_RANGE_LIMITED}},
	{"NV12 BT.601", KA_PIX_NV12, {KA_MATRIX_BT601, KA_RANGE_LIMITED}},
	{"BGR24", KA_PIX_BGR24, {KA_MATRIX_UNKNOWN, KA_RANGE_FULL}},
};

static void fill(uint8_t *argb, int x, int y, int w, int h, uint32_t colour)
{
	ARGBRect(argb, (int)W * 4, x, y, w, h, colour);
}

/* A line of text that depends on n. */
static void write_line(uint8_t *argb, int x, int y, unsigned int n, uint32_t colour)
{
	for (unsigned int i = 0; i < 60; i++) {
		const uint8_t *rows = ka_card_font_glyph((char)(' ' + (n * 31 + i * i * 7) % 95));

		for (int r = 0; r < (int)KA_GLYPH_HEIGHT; r++) {
			for (int c = 0; c < (int)KA_GLYPH_WIDTH; c++) {
				if (rows[r] >> (4 - c) & 1)
					fill(argb, x + (int)i * 12 + 2 * c, y + 2 * r, 2, 2, colour);
			}
		}
	}
}

/* Wallpaper, a terminal that scrolls, a window that is dragged, a pointer. */
static void draw_desktop(uint8_t *argb, unsigned int n)
{
	int dx = (int)(n < SCENES / 2 ? n : SCENES - n) * 16;

	for (uint32_t y = 0; y < H; y++)
		fill(argb, 0, (int)y, (int)W, 1, 0xff102040 + (y / 8) * 0x000100 + y / 16);
	fill(argb, 60, 60, 800, 900, 0xff101010);
	for (unsigned int i = 0; i < 50; i++)
		write_line(argb, 70, 70 + (int)i * 17, n + i, 0xffd0d0d0);
	fill(argb, 900 + dx, 200, 620, 520, 0xfff0f0f0);
	fill(argb, 900 + dx, 200, 620, 30, 0xff3060a0);
	for (unsigned int i = 0; i < 24; i++)
		write_line(argb, 910 + dx - 100 * (dx > 250), 240 + (int)i * 19, 500 + i, 0xff202020);
	fill(argb, 400 + (int)n * 23, 500 + (int)n * 7, 12, 18, 0xffffffff);
}

static struct ka_frame *make_frame(const struct kind *k, const uint8_t *argb, unsigned int n)
{
	struct ka_frame *f;
	int stride;

	if (ka_frame_alloc(&f, k->format, W, H) < 0)
		abort();
	stride = (int)f->planes[0].stride;
	f->colour = k->colour;
	f->sequence = n;
	if (k->format == KA_PIX_YUYV)
		ARGBToYUY2(argb, (int)W * 4, f->planes[0].data, stride, (int)W, (int)H);
	else if (k->format == KA_PIX_NV12)
		ARGBToNV12(argb, (int)W * 4, f->planes[0].data, stride, f->planes[1].data, (int)f->planes[1].stride,
			   (int)W, (int)H);
	else
		ARGBToRGB24(argb, (int)W * 4, f->planes[0].data, stride, (int)W, (int)H);
	return f;
}

static void make_scenes(struct scene *s)
{
	uint8_t *argb = malloc((size_t)W * H * 4);

	for (unsigned int n = 0; n < SCENES; n++) {
		draw_desktop(argb, n);
		s[n].i420 = malloc((size_t)W * H * 3 / 2);
		ARGBToI420(argb, (int)W * 4, s[n].i420, (int)W, s[n].i420 + W * H, (int)W / 2,
			   s[n].i420 + W * H * 5 / 4, (int)W / 2, (int)W, (int)H);
		for (size_t k = 0; k < KA_ARRAY_LEN(kinds); k++)
			s[n].frames[k] = make_frame(&kinds[k], argb, n);
	}
	free(argb);
}

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void post(void *arg)
{
	sem_post(arg);
}

/* The encoding stage with one viewer. */
struct ours {
	struct ka_wishes *wishes;
	struct ka_cap_state *state;
	struct ka_latest *latest;
	struct ka_hub *hub;
	struct ka_stage_encode *stage;
	struct ka_wish_entry entry;
	struct ka_hub_sub *sub;
	sem_t news;
	size_t bytes;
};

static void start_ours(struct ours *o, const struct ka_encoder_cfg *cfg)
{
	struct ka_stage_encode_cfg sc = {.encoder = &ka_enc_x264, .settings = *cfg, .slate_fps = 1, .device = ""};
	struct ka_video_wish wish = {.kbps = cfg->kbps};

	memset(o, 0, sizeof(*o));
	sem_init(&o->news, 0, 0);
	if (ka_wishes_new(&o->wishes) < 0 || ka_cap_state_new(&o->state, (struct ka_geometry){W, H}) < 0 ||
	    ka_latest_new(&o->latest) < 0 || ka_hub_new(&o->hub) < 0)
		abort();
	sc.wishes = o->wishes;
	sc.state = o->state;
	sc.latest = o->latest;
	sc.hub = o->hub;
	if (ka_stage_encode_new(&o->stage, &sc) < 0 ||
	    ka_hub_subscribe(o->hub, 4, (struct ka_wake){post, &o->news}, &o->sub) < 0 ||
	    ka_stage_encode_start(o->stage) < 0)
		abort();
	ka_wishes_add(o->wishes, &o->entry, &wish);
	ka_stage_encode_wake(o->stage);
}

static void stop_ours(struct ours *o)
{
	ka_wishes_remove(o->wishes, &o->entry);
	ka_stage_encode_stop(o->stage);
	ka_stage_encode_join(o->stage);
	ka_hub_unsubscribe(o->sub);
	ka_stage_encode_free(o->stage);
	ka_hub_free(o->hub);
	ka_latest_free(o->latest);
	ka_cap_state_free(o->state);
	ka_wishes_free(o->wishes);
	sem_destroy(&o->news);
}

static int64_t run_ours(struct ours *o, struct ka_frame *f)
{
	int64_t begin = cpu_us();
	struct ka_packet *p;

	ka_latest_put(o->latest, ka_frame_ref(f));
	/* Not the repeat of the one before. */
	for (;;) {
		bool mine;

		while (!(p = ka_hub_take(o->sub)))
			sem_wait(&o->news);
		mine = p->sequence == f->sequence;
		o->bytes += mine ? p->size : 0;
		ka_packet_unref(&p);
		if (mine)
			return cpu_us() - begin;
	}
}

static int64_t run_bare(x264_t *x, uint8_t *i420, int64_t pts, size_t *bytes)
{
	int64_t begin = cpu_us();
	x264_picture_t in, out;
	x264_nal_t *nals;
	int n;

	x264_picture_init(&in);
	in.img.i_csp = X264_CSP_I420;
	in.img.i_plane = 3;
	in.img.plane[0] = i420;
	in.img.plane[1] = i420 + W * H;
	in.img.plane[2] = i420 + W * H * 5 / 4;
	in.img.i_stride[0] = W;
	in.img.i_stride[1] = in.img.i_stride[2] = W / 2;
	in.i_pts = pts;
	*bytes += (size_t)x264_encoder_encode(x, &nals, &n, &in, &out);
	return cpu_us() - begin;
}

static void bench_kind(struct scene *scenes, size_t kind, unsigned int pictures)
{
	struct ka_encoder_cfg cfg = {
		.preset = "ultrafast", .tune = "", .fps = 30, .width = W, .height = H, .kbps = 8000};
	int64_t *ours_us = calloc(pictures, sizeof(*ours_us));
	int64_t *bare_us = calloc(pictures, sizeof(*bare_us));
	struct ka_capture_stats st;
	size_t bare_bytes = 0;
	int64_t ours, bare;
	x264_param_t p;
	struct ours o;
	x264_t *x;

	if (ka_enc_x264_params(&p, &cfg) < 0 || !(x = x264_encoder_open(&p)))
		abort();
	start_ours(&o, &cfg);
	/* The first picture of each opens encoders and touches memory. */
	(void)run_ours(&o, scenes[0].frames[kind]);
	(void)run_bare(x, scenes[0].i420, 0, &bare_bytes);
	for (unsigned int i = 0; i < pictures; i++) {
		struct scene *s = &scenes[(i + 1) % SCENES];

		ours_us[i] = run_ours(&o, s->frames[kind]);
		bare_us[i] = run_bare(x, s->i420, i + 1, &bare_bytes);
	}
	ka_cap_state_stats(o.state, &st);
	ours = median(ours_us, pictures);
	bare = median(bare_us, pictures);
	printf("%-12s ours %6.2f ms  bare x264 %6.2f ms  ratio %.3f  (convert %.2f ms; %zu and %zu kbit/s at 30)\n",
	       kinds[kind].name, (double)ours / 1000, (double)bare / 1000, (double)ours / (double)bare,
	       (double)st.convert_us / 1000 / (double)KA_MAX(st.encoded, 1), o.bytes * 8 * 30 / 1000 / pictures,
	       bare_bytes * 8 * 30 / 1000 / pictures);
	stop_ours(&o);
	x264_encoder_close(x);
	free(ours_us);
	free(bare_us);
}

/* The whole pipeline: card, stages, hub. */
static void bench_card(uint32_t w, uint32_t h, uint32_t fps)
{
	struct ka_capture_cfg cfg = {
		.source = KA_SOURCE_CARD, .width = w, .height = h, .fps = fps, .preset = "ultrafast", .slate_fps = 1};
	struct ka_video_wish wish = {0};
	struct ka_capture_stats st;
	struct ka_capture *c;
	struct ka_viewer *v;
	int64_t begin_cpu, begin;
	int64_t first_us = 0;
	struct ka_packet *p;
	sem_t news;

	sem_init(&news, 0, 0);
	if (ka_capture_new(&c, &cfg, NULL) < 0 || ka_capture_start(c) < 0)
		abort();
	begin_cpu = cpu_us();
	begin = ka_clock_us();
	if (ka_viewer_new(&v, c, &wish, (struct ka_wake){post, &news}) < 0)
		abort();
	while (ka_clock_us() - begin < 3000000) {
		sem_wait(&news);
		if (!first_us)
			first_us = ka_clock_us() - begin;
		while ((p = ka_hub_take(ka_viewer_sub(v))))
			ka_packet_unref(&p);
	}
	ka_capture_stats(c, &st);
	printf("card %ux%u@%u: %.2f ms CPU a picture, %.1f%% of a core, first packet after %.1f ms, %llu of %llu "
	       "pictures\n",
	       w, h, fps, (double)(cpu_us() - begin_cpu) / 1000 / (double)KA_MAX(st.encoded, 1),
	       (double)(cpu_us() - begin_cpu) * 100 / (double)(ka_clock_us() - begin), (double)first_us / 1000,
	       (unsigned long long)st.encoded, (unsigned long long)st.captured);
	ka_viewer_free(v);
	ka_capture_stop(c);
	ka_capture_join(c);
	ka_capture_free(c);
	sem_destroy(&news);
}

int main(int argc, char **argv)
{
	static struct scene scenes[SCENES];
	unsigned int pictures = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 240;

	ka_log_init(2, KA_LOG_ERROR);
	make_scenes(scenes);
	for (size_t k = 0; k < KA_ARRAY_LEN(kinds); k++)
		bench_kind(scenes, k, KA_CLAMP(pictures, 1u, 100000u));
	bench_card(1280, 720, 30);
	bench_card(1920, 1080, 30);
	for (unsigned int n = 0; n < SCENES; n++) {
		free(scenes[n].i420);
		for (size_t k = 0; k < KA_ARRAY_LEN(kinds); k++)
			ka_frame_unref(&scenes[n].frames[k]);
	}
	return 0;
}
