/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/source_card.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "capture/paint.h"

/* For each rendition one being encoded, one waiting, one kept for a repeated key picture; one being drawn. */
#define POOL 7u
#define CELLS 40u

struct card {
	struct ka_source base;
	uint32_t width, height, fps;
	unsigned int noise_percent;
	uint32_t noise;		     /* state of the generator */
	struct ka_frame *pool[POOL]; /* base picture drawn once each; one is ours alone when its count is 1 */
	uint32_t number;	     /* of the next frame; goes on over stop and start */
	int64_t next_us;
	bool running;
};

static struct ka_ink white(void)
{
	return ka_paint_rgb(255, 255, 255);
}

static struct ka_ink black(void)
{
	return ka_paint_rgb(0, 0, 0);
}

/* Geometry of the parts, from the picture's size. */
struct layout {
	int w, h;
	int bars_h;  /* bars: from the top */
	int lane_h;  /* the box moves below them */
	int strip_h; /* at the bottom */
	int text_y;
	unsigned int scale;
};

static struct layout lay_out(const struct card *c)
{
	struct layout l = {.w = (int)c->width, .h = (int)c->height};

	l.strip_h = l.h / 16;
	l.bars_h = l.h / 2 & ~1;
	l.lane_h = l.h / 8 & ~1;
	/* Two lines in what is left, and the longest line ("kvmagent test card 4096x2304@120") across. */
	l.scale = (unsigned int)KA_MAX(1, KA_MIN(l.h / 120, l.w / (33 * 6)));
	l.text_y =
		l.bars_h + l.lane_h + (l.h - l.strip_h - l.bars_h - l.lane_h - 2 * ka_paint_line_height(l.scale)) / 2;
	return l;
}

static void draw_bars(struct ka_frame *f, const struct layout *l)
{
	for (int i = 0; i < 8; i++) {
		/* White to black in falling brightness: the bits of 7 - i are green, red, blue. */
		unsigned int bits = 7u - (unsigned int)i;
		int from = l->w * i / 8 & ~1;
		int to = l->w * (i + 1) / 8 & ~1;

		ka_paint_rect(f, from, 0, to - from, l->bars_h,
			      ka_paint_rgb(bits & 2 ? 255 : 0, bits & 4 ? 255 : 0, bits & 1 ? 255 : 0));
	}
}

static void draw_base(const struct card *c, struct ka_frame *f)
{
	struct layout l = lay_out(c);
	char text[64];

	ka_paint_rect(f, 0, 0, l.w, l.h, ka_paint_rgb(32, 32, 32));
	draw_bars(f, &l);
	ka_paint_rect(f, 0, l.h - l.strip_h, l.w, l.strip_h, black());
	snprintf(text, sizeof(text), "kvmagent test card %ux%u@%u", c->width, c->height, c->fps);
	ka_paint_text(f, 8 * (int)l.scale, l.text_y, l.scale, white().y, text);
}

static void draw_strip(struct ka_frame *f, const struct layout *l, uint32_t number)
{
	uint32_t sum = 0;
	uint64_t cells;
	int cw = l->w / (int)CELLS & ~1;

	for (unsigned int i = 0; i < 32; i += 4)
		sum ^= number >> i & 15;
	cells = (uint64_t)0xa << 36 | (uint64_t)number << 4 | sum;
	for (unsigned int i = 0; i < CELLS; i++)
		ka_paint_rect(f, (int)i * cw, l->h - l->strip_h, cw, l->strip_h,
			      cells >> (CELLS - 1 - i) & 1 ? white() : black());
}

static void draw_clock(struct ka_frame *f, const struct layout *l, uint32_t number)
{
	int64_t wall_us = ka_clock_wall_us();
	time_t seconds = (time_t)(wall_us / 1000000);
	int y = l->text_y + ka_paint_line_height(l->scale);
	struct tm tm;
	char text[64];

	localtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "%02d:%02d:%02d.%03d  frame %u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(wall_us / 1000 % 1000), number);
	ka_paint_rect(f, 0, y, l->w, ka_paint_line_height(l->scale), ka_paint_rgb(32, 32, 32));
	ka_paint_text(f, 8 * (int)l->scale, y, l->scale, white().y, text);
}

/* Back and forth, a 64th of the way a frame. */
static void draw_box(struct ka_frame *f, const struct layout *l, uint32_t number)
{
	int way = l->w - l->lane_h;
	int step = (int)(number % 128);
	int x = (way * (step < 64 ? step : 128 - step) / 64) & ~1;

	ka_paint_rect(f, 0, l->bars_h, l->w, l->lane_h, ka_paint_rgb(32, 32, 32));
	ka_paint_rect(f, x, l->bars_h, l->lane_h, l->lane_h, ka_paint_rgb(255, 160, 0));
}

/* Grains of 2 x 2: single ones would be lost to every encoder alike. */
static void draw_noise(struct card *c, struct ka_frame *f, const struct layout *l)
{
	int w = l->w * (int)c->noise_percent / 100 & ~1;

	for (int y = 0; y < l->bars_h && w; y += 2) {
		uint8_t *row = f->planes[0].data + (size_t)y * f->planes[0].stride;

		for (int x = 0; x < w; x += 2) {
			/* xorshift32 (Marsaglia 2003) */
			c->noise ^= c->noise << 13;
			c->noise ^= c->noise >> 17;
			c->noise ^= c->noise << 5;
			row[x] = row[x + 1] = (uint8_t)(64 + (c->noise >> 25));
		}
		memcpy(row + f->planes[0].stride, row, (size_t)w);
	}
}

static int open_card(struct ka_source *s, struct ka_errbuf *eb)
{
	struct card *c = (struct card *)s;

	for (unsigned int i = 0; i < POOL; i++) {
		struct ka_frame *f;
		int ret;

		if (c->pool[i])
			continue;
		ret = ka_frame_alloc(&f, KA_PIX_NV12, c->width, c->height);
		if (ret < 0) {
			ka_errbuf_set(eb, "test card: %s", ka_err_str(ret));
			return ret;
		}
		f->colour = (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_LIMITED};
		draw_base(c, f);
		c->pool[i] = f;
	}
	return 0;
}

static int start_card(struct ka_source *s, struct ka_source_info *info, struct ka_errbuf *eb)
{
	struct card *c = (struct card *)s;

	(void)eb;
	c->running = true;
	c->next_us = ka_clock_us();
	*info = (struct ka_source_info){c->width, c->height, c->fps * 1000, .knows_signal = true, .announces = true};
	return 0;
}

static void wait_card(struct ka_source *s, struct ka_source_wait *w)
{
	struct card *c = (struct card *)s;

	*w = (struct ka_source_wait){.fd = -1, .deadline_us = c->running ? c->next_us : INT64_MAX};
}

static int dequeue_card(struct ka_source *s, struct ka_frame **out)
{
	struct card *c = (struct card *)s;
	int64_t period = 1000000 / KA_MAX(1u, KA_MIN(c->fps, s->fps_limit));
	int64_t now = ka_clock_us();
	struct layout l = lay_out(c);
	struct ka_frame *f = NULL;

	*out = NULL;
	if (!c->running || now < c->next_us)
		return 0;
	/* Late by more than a picture: go on from here instead of catching up. */
	c->next_us = now - c->next_us > period ? now + period : c->next_us + period;
	for (unsigned int i = 0; i < POOL && !f; i++) {
		if (ka_frame_writable(c->pool[i]))
			f = c->pool[i];
	}
	s->captured++;
	if (!f) {
		s->dropped++;
		c->number++;
		return 0;
	}
	draw_noise(c, f, &l);
	draw_box(f, &l, c->number);
	draw_clock(f, &l, c->number);
	draw_strip(f, &l, c->number);
	f->sequence = c->number++;
	f->captured_us = f->dequeued_us = ka_clock_us();
	*out = ka_frame_ref(f);
	return 0;
}

static void stop_card(struct ka_source *s)
{
	((struct card *)s)->running = false;
}

static void close_card(struct ka_source *s)
{
	struct card *c = (struct card *)s;

	stop_card(s);
	for (unsigned int i = 0; i < POOL; i++)
		ka_frame_unref(&c->pool[i]);
}

static void free_card(struct ka_source *s)
{
	close_card(s);
	free(s);
}

static const struct ka_source_ops card_ops = {
	.name = "card",
	.open = open_card,
	.start = start_card,
	.wait = wait_card,
	.dequeue = dequeue_card,
	.stop = stop_card,
	.close = close_card,
	.free = free_card,
};

int ka_source_card_new(struct ka_source **out, const struct ka_card_cfg *cfg)
{
	struct card *c;

	if (cfg->width % 2 || cfg->height % 2 || !cfg->fps || cfg->noise_percent > 100)
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->base.ops = &card_ops;
	c->base.fps_limit = cfg->fps;
	c->width = cfg->width;
	c->height = cfg->height;
	c->fps = cfg->fps;
	c->noise_percent = cfg->noise_percent;
	c->noise = 1;
	*out = &c->base;
	return 0;
}
