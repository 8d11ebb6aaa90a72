/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every encoder of this build has to do (capture/encoder.h), and what comes out of those whose decoder is at hand:
 * libvpx's, as the client uses it.
 */
#include "tests/check/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include "capture/capture.h"
#include "capture/codecs.h"
#include "capture/enc_vpx.h"
#include "capture/paint.h"

#define W 352u
#define H 208u

struct stream {
	const struct ka_encoder_ops *ops;
	struct ka_encoder *e;
	int64_t pts_ms;
	vpx_codec_ctx_t dec;
	bool decodes;
	struct ka_frame *out; /* the decoded picture: I420 or I444 */
};

static struct ka_encoder_cfg settings(void)
{
	return (struct ka_encoder_cfg){
		.preset = "superfast", .tune = "", .fps = 30, .width = W, .height = H, .kbps = 2000};
}

static vpx_codec_iface_t *decoder_of(enum ka_codec codec)
{
	return codec == KA_CODEC_H264 ? NULL : codec == KA_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
}

static void open_decoder(struct stream *s)
{
	vpx_codec_iface_t *iface = decoder_of(s->ops->codec);

	s->decodes = iface != NULL;
	if (iface)
		assert_int_equal(vpx_codec_dec_init(&s->dec, iface, NULL, 0), 0);
}

static void close_decoder(struct stream *s)
{
	if (s->decodes)
		assert_int_equal(vpx_codec_destroy(&s->dec), 0);
	s->decodes = false;
	ka_frame_unref(&s->out);
}

static void open_stream(struct stream *s, const struct ka_encoder_ops *ops, const struct ka_encoder_cfg *cfg)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	assert_int_equal(ops->open(&s->e, cfg), 0);
	open_decoder(s);
}

static void close_stream(struct stream *s)
{
	close_decoder(s);
	s->ops->close(s->e);
}

static void keep_picture(struct stream *s, const vpx_image_t *img)
{
	enum ka_pixfmt format = s->ops->codec == KA_CODEC_VP9_444 ? KA_PIX_I444 : KA_PIX_I420;

	ka_frame_unref(&s->out);
	assert_int_equal(img->fmt, format == KA_PIX_I444 ? VPX_IMG_FMT_I444 : VPX_IMG_FMT_I420);
	assert_int_equal(img->bit_depth, 8);
	assert_int_equal(ka_frame_alloc(&s->out, format, img->d_w, img->d_h), 0);
	for (unsigned int p = 0; p < 3; p++) {
		for (uint32_t y = 0; y < ka_pixfmt_rows(format, p, img->d_h); y++)
			memcpy(s->out->planes[p].data + y * s->out->planes[p].stride,
			       img->planes[p] + (ptrdiff_t)y * img->stride[p],
			       ka_pixfmt_row_bytes(format, p, img->d_w));
	}
}

/* Exactly one picture comes out of each packet, of the packet's size. */
static void decode(struct stream *s, const struct ka_packet *p)
{
	vpx_codec_iter_t iter = NULL;
	vpx_image_t *img;

	if (!s->decodes)
		return;
	assert_int_equal(vpx_codec_decode(&s->dec, p->data, (unsigned int)p->size, NULL, 0), 0);
	img = vpx_codec_get_frame(&s->dec, &iter);
	assert_non_null(img);
	assert_int_equal(img->d_w, p->width);
	assert_int_equal(img->d_h, p->height);
	keep_picture(s, img);
	assert_null(vpx_codec_get_frame(&s->dec, &iter));
}

/* Encodes and decodes; *more: what encode said. The bytes. */
static size_t show_more(struct stream *s, const struct ka_frame *f, struct ka_encode_ask ask, int *more)
{
	bool first = s->pts_ms == 0;
	struct ka_packet *p;
	size_t size;

	s->pts_ms += 33;
	ask.pts_ms = s->pts_ms;
	*more = s->ops->encode(s->e, f, &ask, &p);
	assert_true(*more >= 0);
	assert_int_equal(p->pts_ms, ask.pts_ms);
	assert_int_equal(p->codec, s->ops->codec);
	assert_int_equal(p->width, f->width);
	assert_int_equal(p->height, f->height);
	assert_int_equal(p->key, ask.key || first);
	assert_true(p->size > 0);
	decode(s, p);
	size = p->size;
	ka_packet_unref(&p);
	return size;
}

static size_t show(struct stream *s, const struct ka_frame *f, bool key)
{
	int more;

	return show_more(s, f, (struct ka_encode_ask){.key = key}, &more);
}

/* Lines of text that depend on n, from left to right, on a ground with some colour. */
static struct ka_frame *page(uint32_t w, uint32_t h, unsigned int n)
{
	struct ka_frame *f;
	char line[160];

	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, w, h), 0);
	ka_paint_rect(f, 0, 0, (int)w, (int)h, ka_paint_rgb(32, 32, 40));
	ka_paint_rect(f, (int)w / 2, 0, (int)w / 2, (int)h / 2, ka_paint_rgb(30, 60, 140));
	for (unsigned int y = 2; y + 10 < h; y += 12) {
		for (unsigned int i = 0; i < sizeof(line) - 1; i++)
			line[i] = (char)('!' + (n * 31 + y * 7 + i * i * 3) % 90);
		line[sizeof(line) - 1] = '\0';
		ka_paint_text(f, 4, (int)y, 1, 220, line);
	}
	return f;
}

static struct ka_frame *noise(uint32_t n)
{
	struct ka_frame *f;
	uint32_t dice = n * 7919 + 1;

	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, W, H), 0);
	for (size_t i = 0; i < f->bufs[0]->size; i++) {
		dice = dice * 1664525 + 1013904223;
		f->bufs[0]->data[i] = (uint8_t)(64 + (dice >> 25));
	}
	return f;
}

/* Of luma in a rectangle, dB. */
static double psnr_in(const struct ka_frame *a, const struct ka_frame *b, uint32_t x0, uint32_t y0, uint32_t w,
		      uint32_t h)
{
	uint64_t sum = 0;

	for (uint32_t y = y0; y < y0 + h; y++) {
		for (uint32_t x = x0; x < x0 + w; x++) {
			int d = a->planes[0].data[y * a->planes[0].stride + x] -
				b->planes[0].data[y * b->planes[0].stride + x];

			sum += (uint64_t)(d * d);
		}
	}
	return sum ? 10 * log10(255.0 * 255.0 * w * h / (double)sum) : 99;
}

static double psnr(const struct ka_frame *a, const struct ka_frame *b)
{
	return psnr_in(a, b, 0, 0, a->width, a->height);
}

static void test_keys_come_when_asked_only(void **state)
{
	struct ka_encoder_cfg cfg = settings();

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct stream s;

		open_stream(&s, *ops, &cfg);
		/* Longer than any default distance between key pictures, and with changes of scene. */
		for (unsigned int i = 0; i < 200; i++) {
			struct ka_frame *f = page(W, H, i / 50);

			show(&s, f, i == 100);
			if (s.decodes && i % 50 == 49)
				assert_true(psnr(f, s.out) > 30);
			ka_frame_unref(&f);
		}
		close_stream(&s);
	}
}

static void test_a_decoder_may_start_at_any_key(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_frame *f = page(W, H, 1);

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct stream s;

		open_stream(&s, *ops, &cfg);
		for (unsigned int i = 0; i < 9; i++) {
			if (i % 3 == 0) {
				close_decoder(&s);
				open_decoder(&s);
			}
			show(&s, f, i % 3 == 0);
			if (s.decodes)
				assert_true(psnr(f, s.out) > 34);
		}
		close_stream(&s);
	}
	ka_frame_unref(&f);
}

/* The client keeps its decoder: the stream alone says what it is. */
static void test_a_vp9_decoder_takes_both_chromas(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_frame *f = page(W, H, 1);
	struct stream a, b;

	(void)state;
	open_stream(&a, &ka_enc_vp9, &cfg);
	open_stream(&b, &ka_enc_vp9_444, &cfg);
	close_decoder(&b);
	for (unsigned int i = 0; i < 6; i++) {
		struct stream *now = i % 2 ? &b : &a;
		struct stream *before = i % 2 ? &a : &b;

		if (i) {
			now->dec = before->dec;
			now->decodes = true;
			before->decodes = false;
		}
		show(now, f, true);
		show(now, f, false);
		assert_true(psnr(f, now->out) > 34);
	}
	close_stream(&a);
	close_stream(&b);
	ka_frame_unref(&f);
}

static void test_refinement_ends_near_lossless(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	size_t blocks = (size_t)(W / 16) * (H / 16);
	uint8_t *still = calloc(blocks, 1);
	struct ka_frame *f = page(W, H, 5);

	(void)state;
	cfg.kbps = 1000;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct ka_encode_ask ask = {.refine = true, .changed = still};
		unsigned int passes = 0;
		struct stream s;
		int more = 1;

		open_stream(&s, *ops, &cfg);
		show(&s, f, true);
		for (; more && passes < 100; passes++) {
			/* Each is bounded by what the rate carries in a while. */
			assert_true(show_more(&s, f, ask, &more) < cfg.kbps * 1000 / 8);
		}
		assert_int_equal(more, 0);
		if (s.decodes) {
			assert_true(psnr(f, s.out) > 45);
			/* Then there is nothing to say. */
			assert_true(show_more(&s, f, (struct ka_encode_ask){.changed = still}, &more) < 400);
		}
		/* Another picture has to be refined anew, with or without a map. */
		ka_frame_unref(&f);
		f = page(W, H, 6);
		ask.changed = NULL;
		for (passes = 0, more = 1; more && passes < 100; passes++)
			show_more(&s, f, ask, &more);
		assert_int_equal(more, 0);
		if (s.decodes)
			assert_true(psnr(f, s.out) > 45);
		close_stream(&s);
	}
	ka_frame_unref(&f);
	free(still);
}

/* Bytes of 60 pictures of noise. */
static size_t weigh_noise(struct stream *s)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < 60; i++) {
		struct ka_frame *f = noise(i);

		bytes += show(s, f, false);
		ka_frame_unref(&f);
	}
	return bytes;
}

static void test_rate_changes_on_the_fly(void **state)
{
	struct ka_encoder_cfg cfg = settings();

	(void)state;
	cfg.kbps = 6000;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		size_t high, low, again;
		struct stream s;

		open_stream(&s, *ops, &cfg);
		weigh_noise(&s);
		high = weigh_noise(&s);
		assert_int_equal((*ops)->set_rate(s.e, 2000, 30, 0), 0);
		weigh_noise(&s);
		low = weigh_noise(&s);
		assert_int_equal((*ops)->set_rate(s.e, 6000, 30, 0), 0);
		weigh_noise(&s);
		again = weigh_noise(&s);
		/* Two seconds at 6 and at 2 Mbit/s. */
		assert_in_range(high, 750000, 2250000);
		assert_in_range(low, 250000, 750000);
		assert_in_range(again, 750000, 2250000);
		close_stream(&s);
	}
}

static void test_any_even_size(void **state)
{
	static const struct ka_geometry sizes[] = {{64, 64},	{66, 98},   {162, 130},
						   {1366, 768}, {642, 482}, {258, 1200}};
	struct ka_encoder_cfg cfg = settings();

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
			struct ka_frame *f = page(sizes[i].width, sizes[i].height, 3);
			struct stream s;

			cfg.width = sizes[i].width;
			cfg.height = sizes[i].height;
			cfg.threads = i % 3;
			open_stream(&s, *ops, &cfg);
			show(&s, f, true);
			show(&s, f, false);
			if (s.decodes)
				assert_true(psnr(f, s.out) > 30);
			close_stream(&s);
			ka_frame_unref(&f);
		}
	}
}

/* Only what the map names is looked at; the rest stays as it was, to the bit. */
static void test_map_bounds_what_is_encoded(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	uint8_t *changed = calloc((W / 16) * (H / 16), 1);

	(void)state;
	changed[5 * (W / 16) + 7] = 1;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct ka_frame *f = page(W, H, 2);
		struct ka_frame *before;
		struct stream s;
		int more;

		open_stream(&s, *ops, &cfg);
		show(&s, f, true);
		before = s.decodes ? ka_frame_ref(s.out) : NULL;
		/* One inside the map and one that the asker has not seen. */
		ka_paint_rect(f, 7 * 16, 5 * 16, 16, 16, ka_paint_rgb(255, 255, 255));
		ka_paint_rect(f, 240, 128, 64, 64, ka_paint_rgb(255, 255, 255));
		show_more(&s, f, (struct ka_encode_ask){.changed = changed}, &more);
		if (s.decodes) {
			assert_true(psnr_in(f, s.out, 7 * 16, 5 * 16, 16, 16) > 28);
			assert_true(psnr_in(before, s.out, 240, 128, 64, 64) > 40);
			assert_true(psnr_in(f, s.out, 240, 128, 64, 64) < 15);
			/* Without a map it is seen. */
			show(&s, f, false);
			assert_true(psnr_in(f, s.out, 240, 128, 64, 64) > 28);
		}
		ka_frame_unref(&before);
		ka_frame_unref(&f);
		close_stream(&s);
	}
	free(changed);
}

/* On a narrow link a picture of dense text comes in parts, each no larger than what the link takes in a while. */
static void test_burst_bounds_pictures(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	size_t blocks = (W / 16) * (H / 16);
	uint8_t *changed = malloc(blocks);
	size_t burst;

	(void)state;
	cfg.kbps = 64;
	cfg.burst_ms = 250;
	burst = cfg.kbps * cfg.burst_ms / 8;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		size_t largest = 0;
		struct stream s;
		int more;

		open_stream(&s, *ops, &cfg);
		for (unsigned int i = 0; i < 120; i++) {
			struct ka_frame *f = page(W, H, i / 40);
			size_t size;

			s.pts_ms += 217; /* as few pictures as such links take */
			memset(changed, i % 40 == 0, blocks);
			size = show_more(
				&s, f, (struct ka_encode_ask){.key = i == 0, .refine = i % 40 > 5, .changed = changed},
				&more);
			largest = KA_MAX(largest, size);
			if (s.decodes && i % 40 == 39)
				assert_true(psnr(f, s.out) > 14);
			ka_frame_unref(&f);
		}
		print_message("%s: %zu of %zu bytes\n", (*ops)->name, largest, burst);
		assert_true(largest < 2 * burst);
		close_stream(&s);
	}
	free(changed);
}

static void test_wrong_pictures_are_refused(void **state)
{
	struct ka_encoder_cfg cfg = settings();

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct ka_frame *small = page(W / 2, H, 1);
		struct ka_frame *packed;
		struct ka_packet *p;
		struct stream s;

		assert_int_equal(ka_frame_alloc(&packed, KA_PIX_YUYV, W, H), 0);
		open_stream(&s, *ops, &cfg);
		assert_int_equal((*ops)->encode(s.e, small, &(struct ka_encode_ask){.pts_ms = 1}, &p), -EINVAL);
		assert_int_equal((*ops)->encode(s.e, packed, &(struct ka_encode_ask){.pts_ms = 2}, &p), -EINVAL);
		close_stream(&s);
		(*ops)->close(NULL);
		ka_frame_unref(&small);
		ka_frame_unref(&packed);
	}
}

static void test_too_many_threads_are_refused(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_errbuf eb;

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		cfg.threads = 16;
		assert_int_equal((*ops)->check(&cfg, &eb), 0);
		cfg.threads = 17;
		assert_int_equal((*ops)->check(&cfg, &eb), -KA_E_CONFIG);
		assert_non_null(strstr(eb.text, "17"));
	}
}

/* Thin red lines on blue: what 4:2:0 smears. */
static struct ka_frame *stripes(void)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, KA_PIX_I444, W, H), 0);
	memset(f->planes[0].data, 80, f->planes[0].stride * H);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++) {
			f->planes[1].data[y * f->planes[1].stride + x] = x % 2 ? 90 : 200;
			f->planes[2].data[y * f->planes[2].stride + x] = x % 2 ? 200 : 90;
		}
	}
	return f;
}

static void test_true_colour_keeps_every_sample(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_frame *f = stripes();
	struct stream s;
	int64_t sum = 0;

	(void)state;
	cfg.kbps = 20000;
	open_stream(&s, &ka_enc_vp9_444, &cfg);
	show(&s, f, true);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++)
			sum += abs(f->planes[1].data[y * f->planes[1].stride + x] -
				   s.out->planes[1].data[y * s.out->planes[1].stride + x]);
	}
	assert_true(sum < (int64_t)W * H * 8);
	close_stream(&s);
	/* 4:2:0 streams take none. */
	open_stream(&s, &ka_enc_vp9, &cfg);
	assert_int_equal(s.ops->encode(s.e, f, &(struct ka_encode_ask){.pts_ms = 1}, &(struct ka_packet *){NULL}),
			 -EINVAL);
	close_stream(&s);
	ka_frame_unref(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_come_when_asked_only),
		cmocka_unit_test(test_a_decoder_may_start_at_any_key),
		cmocka_unit_test(test_a_vp9_decoder_takes_both_chromas),
		cmocka_unit_test(test_refinement_ends_near_lossless),
		cmocka_unit_test(test_rate_changes_on_the_fly),
		cmocka_unit_test(test_any_even_size),
		cmocka_unit_test(test_map_bounds_what_is_encoded),
		cmocka_unit_test(test_burst_bounds_pictures),
		cmocka_unit_test(test_wrong_pictures_are_refused),
		cmocka_unit_test(test_too_many_threads_are_refused),
		cmocka_unit_test(test_true_colour_keeps_every_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
