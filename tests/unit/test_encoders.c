/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every encoder of this build has to do (capture/encoder.h), and what comes out of those whose decoder is at hand:
 * libvpx's, as the client uses it.
 */
#include "tests/check/check.h"

#include <errno.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/codecs.h"
#include "capture/enc_vpx.h"
#include "capture/paint.h"
#include "tests/fake/dice.h"
#include "tests/fake/encoder_rig.h"

static void test_keys_come_when_asked_only(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct encoder_rig s;

		encoder_rig_open(&s, *ops, &cfg);
		/* Longer than any default distance between key pictures, and with changes of scene. */
		for (unsigned int i = 0; i < 200; i++) {
			struct ka_frame *f = encoder_rig_page(W, H, i / 50);

			encoder_rig_show(&s, f, i == 100);
			if (s.decodes && i % 50 == 49)
				assert_true(encoder_rig_psnr(f, s.out) > 30);
			ka_frame_unref(&f);
		}
		encoder_rig_close(&s);
	}
}

static void test_a_decoder_may_start_at_any_key(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();
	struct ka_frame *f = encoder_rig_page(W, H, 1);

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct encoder_rig s;

		encoder_rig_open(&s, *ops, &cfg);
		for (unsigned int i = 0; i < 9; i++) {
			if (i % 3 == 0) {
				encoder_rig_close_decoder(&s);
				encoder_rig_open_decoder(&s);
			}
			encoder_rig_show(&s, f, i % 3 == 0);
			if (s.decodes)
				assert_true(encoder_rig_psnr(f, s.out) > 34);
		}
		encoder_rig_close(&s);
	}
	ka_frame_unref(&f);
}

/* The client keeps its decoder: the stream alone says what it is. */
static void test_a_vp9_decoder_takes_both_chromas(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();
	struct ka_frame *f = encoder_rig_page(W, H, 1);
	struct encoder_rig a, b;

	(void)state;
	encoder_rig_open(&a, &ka_enc_vp9, &cfg);
	encoder_rig_open(&b, &ka_enc_vp9_444, &cfg);
	encoder_rig_close_decoder(&b);
	for (unsigned int i = 0; i < 6; i++) {
		struct encoder_rig *now = i % 2 ? &b : &a;
		struct encoder_rig *before = i % 2 ? &a : &b;

		if (i) {
			now->dec = before->dec;
			now->decodes = true;
			before->decodes = false;
		}
		encoder_rig_show(now, f, true);
		encoder_rig_show(now, f, false);
		assert_true(encoder_rig_psnr(f, now->out) > 34);
	}
	encoder_rig_close(&a);
	encoder_rig_close(&b);
	ka_frame_unref(&f);
}

static void test_refinement_ends_near_lossless(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();
	size_t blocks = (size_t)(W / 16) * (H / 16);
	uint8_t *still = calloc(blocks, 1);
	struct ka_frame *f = encoder_rig_page(W, H, 5);

	(void)state;
	cfg.kbps = 1000;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct ka_encode_ask ask = {.refine = true, .changed = still};
		unsigned int passes = 0;
		struct encoder_rig s;
		int more = 1;

		encoder_rig_open(&s, *ops, &cfg);
		encoder_rig_show(&s, f, true);
		for (; more && passes < 100; passes++) {
			/* Each is bounded by what the rate carries in a while. */
			assert_true(encoder_rig_show_more(&s, f, ask, &more) < cfg.kbps * 1000 / 8);
		}
		assert_int_equal(more, 0);
		if (s.decodes) {
			assert_true(encoder_rig_psnr(f, s.out) > 45);
			/* Then there is nothing to say. */
			assert_true(encoder_rig_show_more(&s, f, (struct ka_encode_ask){.changed = still}, &more) <
				    400);
		}
		/* Another picture has to be refined anew, with or without a map. */
		ka_frame_unref(&f);
		f = encoder_rig_page(W, H, 6);
		ask.changed = NULL;
		for (passes = 0, more = 1; more && passes < 100; passes++)
			encoder_rig_show_more(&s, f, ask, &more);
		assert_int_equal(more, 0);
		if (s.decodes)
			assert_true(encoder_rig_psnr(f, s.out) > 45);
		encoder_rig_close(&s);
	}
	ka_frame_unref(&f);
	free(still);
}

/* Bytes of 60 pictures of noise. */
static size_t weigh_noise(struct encoder_rig *s)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < 60; i++) {
		struct ka_frame *f = dice_noise(KA_PIX_NV12, W, H, i);

		bytes += encoder_rig_show(s, f, false);
		ka_frame_unref(&f);
	}
	return bytes;
}

static void test_rate_changes_on_the_fly(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();

	(void)state;
	cfg.kbps = 6000;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		size_t high, low, again;
		struct encoder_rig s;

		encoder_rig_open(&s, *ops, &cfg);
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
		encoder_rig_close(&s);
	}
}

static void test_any_even_size(void **state)
{
	static const struct ka_geometry sizes[] = {{64, 64},	{66, 98},   {162, 130},
						   {1366, 768}, {642, 482}, {258, 1200}};
	struct ka_encoder_cfg cfg = encoder_rig_settings();

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
			struct ka_frame *f = encoder_rig_page(sizes[i].width, sizes[i].height, 3);
			struct encoder_rig s;

			cfg.width = sizes[i].width;
			cfg.height = sizes[i].height;
			cfg.threads = i % 3;
			encoder_rig_open(&s, *ops, &cfg);
			encoder_rig_show(&s, f, true);
			encoder_rig_show(&s, f, false);
			if (s.decodes)
				assert_true(encoder_rig_psnr(f, s.out) > 30);
			encoder_rig_close(&s);
			ka_frame_unref(&f);
		}
	}
}

/* Only what the map names is looked at; the rest stays as it was, to the bit. */
static void test_map_bounds_what_is_encoded(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();
	uint8_t *changed = calloc((W / 16) * (H / 16), 1);

	(void)state;
	changed[5 * (W / 16) + 7] = 1;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct ka_frame *f = encoder_rig_page(W, H, 2);
		struct ka_frame *before;
		struct encoder_rig s;
		int more;

		encoder_rig_open(&s, *ops, &cfg);
		encoder_rig_show(&s, f, true);
		before = s.decodes ? ka_frame_ref(s.out) : NULL;
		/* One inside the map and one that the asker has not seen. */
		ka_paint_rect(f, 7 * 16, 5 * 16, 16, 16, ka_paint_rgb(255, 255, 255));
		ka_paint_rect(f, 240, 128, 64, 64, ka_paint_rgb(255, 255, 255));
		encoder_rig_show_more(&s, f, (struct ka_encode_ask){.changed = changed}, &more);
		if (s.decodes) {
			assert_true(encoder_rig_psnr_in(f, s.out, 7 * 16, 5 * 16, 16, 16) > 28);
			assert_true(encoder_rig_psnr_in(before, s.out, 240, 128, 64, 64) > 40);
			assert_true(encoder_rig_psnr_in(f, s.out, 240, 128, 64, 64) < 15);
			/* Without a map it is seen. */
			encoder_rig_show(&s, f, false);
			assert_true(encoder_rig_psnr_in(f, s.out, 240, 128, 64, 64) > 28);
		}
		ka_frame_unref(&before);
		ka_frame_unref(&f);
		encoder_rig_close(&s);
	}
	free(changed);
}

/* On a narrow link a picture of dense text comes in parts, each no larger than what the link takes in a while. */
static void test_burst_bounds_pictures(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();
	size_t blocks = (W / 16) * (H / 16);
	uint8_t *changed = malloc(blocks);
	size_t burst;

	(void)state;
	cfg.kbps = 64;
	cfg.burst_ms = 250;
	burst = cfg.kbps * cfg.burst_ms / 8;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		size_t largest = 0;
		struct encoder_rig s;
		int more;

		encoder_rig_open(&s, *ops, &cfg);
		for (unsigned int i = 0; i < 120; i++) {
			struct ka_frame *f = encoder_rig_page(W, H, i / 40);
			size_t size;

			s.pts_ms += 217; /* as few pictures as such links take */
			memset(changed, i % 40 == 0, blocks);
			size = encoder_rig_show_more(
				&s, f, (struct ka_encode_ask){.key = i == 0, .refine = i % 40 > 5, .changed = changed},
				&more);
			largest = KA_MAX(largest, size);
			if (s.decodes && i % 40 == 39)
				assert_true(encoder_rig_psnr(f, s.out) > 14);
			ka_frame_unref(&f);
		}
		print_message("%s: %zu of %zu bytes\n", (*ops)->name, largest, burst);
		assert_true(largest < 2 * burst);
		encoder_rig_close(&s);
	}
	free(changed);
}

static void test_wrong_pictures_are_refused(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();

	(void)state;
	for (const struct ka_encoder_ops *const *ops = ka_encoders; *ops; ops++) {
		struct ka_frame *small = encoder_rig_page(W / 2, H, 1);
		struct ka_frame *packed;
		struct ka_packet *p;
		struct encoder_rig s;

		assert_int_equal(ka_frame_alloc(&packed, KA_PIX_YUYV, W, H), 0);
		encoder_rig_open(&s, *ops, &cfg);
		assert_int_equal((*ops)->encode(s.e, small, &(struct ka_encode_ask){.pts_ms = 1}, &p), -EINVAL);
		assert_int_equal((*ops)->encode(s.e, packed, &(struct ka_encode_ask){.pts_ms = 2}, &p), -EINVAL);
		encoder_rig_close(&s);
		(*ops)->close(NULL);
		ka_frame_unref(&small);
		ka_frame_unref(&packed);
	}
}

static void test_too_many_threads_are_refused(void **state)
{
	struct ka_encoder_cfg cfg = encoder_rig_settings();
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
	struct ka_encoder_cfg cfg = encoder_rig_settings();
	struct ka_frame *f = stripes();
	struct encoder_rig s;
	int64_t sum = 0;

	(void)state;
	cfg.kbps = 20000;
	encoder_rig_open(&s, &ka_enc_vp9_444, &cfg);
	encoder_rig_show(&s, f, true);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++)
			sum += abs(f->planes[1].data[y * f->planes[1].stride + x] -
				   s.out->planes[1].data[y * s.out->planes[1].stride + x]);
	}
	assert_true(sum < (int64_t)W * H * 8);
	encoder_rig_close(&s);
	/* 4:2:0 streams take none. */
	encoder_rig_open(&s, &ka_enc_vp9, &cfg);
	assert_int_equal(s.ops->encode(s.e, f, &(struct ka_encode_ask){.pts_ms = 1}, &(struct ka_packet *){NULL}),
			 -EINVAL);
	encoder_rig_close(&s);
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
