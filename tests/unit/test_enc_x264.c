/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes out of the encoder, read NAL unit by NAL unit (ITU-T H.264 7.3, 7.4.1.2.4). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/encoder.h"
#include "tests/fake/dice.h"

struct nals {
	unsigned int idr, slices, sps, pps, aud, others;
	unsigned int first_slices; /* with first_mb_in_slice 0: pictures */
	uint8_t profile, level;
};

/* Counts the NAL units of one access unit. */
static void read_nals(const struct ka_packet *p, struct nals *n)
{
	memset(n, 0, sizeof(*n));
	assert_true(p->size > 5);
	/* Annex B: a start code in front. */
	assert_int_equal(p->data[0] | p->data[1], 0);
	for (size_t i = 0; i + 4 < p->size; i++) {
		unsigned int type;

		if (p->data[i] || p->data[i + 1] || p->data[i + 2] != 1)
			continue;
		type = p->data[i + 3] & 31;
		n->idr += type == 5;
		n->slices += type == 1 || type == 5;
		/* ue(v) of first_mb_in_slice: a leading 1 bit is 0. */
		n->first_slices += (type == 1 || type == 5) && p->data[i + 4] & 0x80;
		n->sps += type == 7;
		n->pps += type == 8;
		n->aud += type == 9;
		n->others += type != 1 && type != 5 && type != 6 && type != 7 && type != 8 && type != 9;
		if (type == 7) {
			n->profile = p->data[i + 4];
			n->level = p->data[i + 6];
		}
		i += 3;
	}
}

static struct ka_encoder_cfg settings(void)
{
	return (struct ka_encoder_cfg){
		.preset = "ultrafast", .tune = "", .fps = 30, .width = 640, .height = 480, .kbps = 1000};
}

static struct ka_encoder *open_encoder(const struct ka_encoder_cfg *cfg)
{
	struct ka_encoder *e;

	assert_int_equal(ka_enc_x264.open(&e, cfg), 0);
	return e;
}

static int encode_as(struct ka_encoder *e, const struct ka_frame *f, bool key, int64_t pts_ms, struct ka_packet **out)
{
	return ka_enc_x264.encode(e, f, &(struct ka_encode_ask){.key = key, .pts_ms = pts_ms}, out);
}

static struct ka_packet *encode(struct ka_encoder *e, uint32_t n, bool key)
{
	struct ka_frame *f = dice_noise(KA_PIX_NV12, 640, 480, n);
	struct ka_packet *p;

	assert_int_equal(encode_as(e, f, key, n * 33, &p), 0);
	assert_int_equal(p->pts_ms, n * 33);
	assert_int_equal(p->width, 640);
	assert_int_equal(p->codec, KA_CODEC_H264);
	ka_frame_unref(&f);
	return p;
}

static void test_bad_settings_are_told(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_errbuf eb = {""};

	(void)state;
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), 0);
	cfg.preset = "warp";
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, "warp"));
	cfg.preset = "placebo";
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), -KA_E_CONFIG);
	cfg.preset = "0";
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), -KA_E_CONFIG);
	cfg = settings();
	cfg.tune = "cello";
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, "cello"));
	cfg.tune = "animation";
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), 0);
	cfg.tune = "stillimage,zerolatency";
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), 0);
	cfg.threads = 17;
	assert_int_equal(ka_enc_x264.check(&cfg, &eb), -KA_E_CONFIG);
}

static void test_wrong_pictures_are_refused(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_encoder *e = open_encoder(&cfg);
	struct ka_frame *f = dice_noise(KA_PIX_NV12, 320, 240, 0);
	struct ka_packet *p;

	(void)state;
	assert_int_equal(encode_as(e, f, false, 0, &p), -EINVAL);
	ka_frame_unref(&f);
	f = dice_noise(KA_PIX_YUYV, 640, 480, 0);
	assert_int_equal(encode_as(e, f, false, 0, &p), -EINVAL);
	ka_frame_unref(&f);
	ka_enc_x264.close(e);
	ka_enc_x264.close(NULL);
}

/* Every preset on offer, one picture a packet and key pictures only where asked for. */
static void test_stream_rules_hold_for_every_preset(void **state)
{
	static const char *const presets[] = {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium"};
	static const char *const tunes[] = {"", "film", "animation,fastdecode"};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(presets) * KA_ARRAY_LEN(tunes); i++) {
		struct ka_encoder_cfg cfg = settings();
		struct ka_encoder *e;

		cfg.preset = presets[i / KA_ARRAY_LEN(tunes)];
		cfg.tune = tunes[i % KA_ARRAY_LEN(tunes)];
		cfg.threads = 1 + (unsigned int)i % 3;
		e = open_encoder(&cfg);
		for (uint32_t n = 0; n < 12; n++) {
			bool want_key = n == 0 || n == 5;
			struct ka_packet *p = encode(e, n, n == 5);
			struct nals nals;

			read_nals(p, &nals);
			assert_int_equal(p->key, want_key);
			assert_int_equal(nals.first_slices, 1);
			assert_int_equal(nals.slices, cfg.threads);
			assert_int_equal(nals.idr, want_key ? cfg.threads : 0);
			assert_int_equal(nals.sps, want_key);
			assert_int_equal(nals.pps, want_key);
			assert_int_equal(nals.aud, 0);
			assert_int_equal(nals.others, 0);
			if (want_key)
				assert_true(nals.profile == 66 || nals.profile == 77 || nals.profile == 100);
			ka_packet_unref(&p);
		}
		ka_enc_x264.close(e);
	}
}

static void test_both_layouts_are_taken(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_encoder *e = open_encoder(&cfg);

	(void)state;
	for (uint32_t n = 0; n < 4; n++) {
		struct ka_frame *f = dice_noise(n % 2 ? KA_PIX_I420 : KA_PIX_NV12, 640, 480, n);
		struct ka_packet *p;

		assert_int_equal(encode_as(e, f, false, n, &p), 0);
		ka_packet_unref(&p);
		ka_frame_unref(&f);
	}
	ka_enc_x264.close(e);
}

static size_t bytes_of(struct ka_encoder *e, uint32_t from, uint32_t count)
{
	size_t sum = 0;

	for (uint32_t n = from; n < from + count; n++) {
		struct ka_packet *p = encode(e, n, false);

		assert_int_equal(p->key, n == 0);
		sum += p->size;
		ka_packet_unref(&p);
	}
	return sum;
}

static void test_rate_changes_without_a_new_encoder(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_encoder *e;
	size_t slow, fast, few;

	(void)state;
	cfg.kbps = 4000;
	e = open_encoder(&cfg);
	(void)bytes_of(e, 0, 30);
	fast = bytes_of(e, 30, 30);
	assert_int_equal(ka_enc_x264.set_rate(e, 1000, 30, 0), 0);
	(void)bytes_of(e, 60, 30);
	slow = bytes_of(e, 90, 30);
	/* Half as many pictures a second at the same rate: each may have twice as much. */
	assert_int_equal(ka_enc_x264.set_rate(e, 1000, 15, 0), 0);
	(void)bytes_of(e, 120, 30);
	few = bytes_of(e, 150, 30);
	ka_enc_x264.close(e);
	/* One second's worth each. */
	assert_in_range(fast * 8 / 1000, 2800, 4800);
	assert_in_range(slow * 8 / 1000, 600, 1300);
	assert_in_range(few * 8 / 1000, 1400, 2600);
}

static size_t key_bytes(uint32_t burst_ms)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_encoder *e;
	size_t size;

	cfg.burst_ms = burst_ms;
	e = open_encoder(&cfg);
	size = bytes_of(e, 0, 1);
	ka_enc_x264.close(e);
	return size;
}

static void test_burst_bounds_a_key_picture(void **state)
{
	(void)state;
	/* 1000 kbit/s: 31250 bytes in 250 ms. */
	assert_true(key_bytes(0) > 31250);
	assert_true(key_bytes(250) <= 31250);
}

static void test_extreme_rates_are_survived(void **state)
{
	struct ka_encoder_cfg cfg = settings();
	struct ka_encoder *e;

	(void)state;
	cfg.kbps = 1;
	e = open_encoder(&cfg);
	(void)bytes_of(e, 0, 3);
	assert_int_equal(ka_enc_x264.set_rate(e, UINT32_MAX, 1, UINT32_MAX), 0);
	(void)bytes_of(e, 3, 3);
	assert_int_equal(ka_enc_x264.set_rate(e, 1, 30, 1), 0);
	(void)bytes_of(e, 6, 3);
	ka_enc_x264.close(e);
}

static void test_sizes_at_the_limits_work(void **state)
{
	static const uint32_t sizes[][2] = {{KA_MIN_WIDTH, KA_MIN_HEIGHT}, {KA_MAX_WIDTH, KA_MAX_HEIGHT}, {1366, 766}};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
		struct ka_encoder_cfg cfg = settings();
		struct ka_encoder *e;
		struct ka_packet *p;
		struct ka_frame *f = dice_noise(KA_PIX_NV12, sizes[i][0], sizes[i][1], 1);

		cfg.width = sizes[i][0];
		cfg.height = sizes[i][1];
		cfg.fps = 120;
		e = open_encoder(&cfg);
		assert_int_equal(encode_as(e, f, false, 0, &p), 0);
		assert_true(p->key);
		ka_packet_unref(&p);
		ka_frame_unref(&f);
		ka_enc_x264.close(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_settings_are_told),
		cmocka_unit_test(test_wrong_pictures_are_refused),
		cmocka_unit_test(test_stream_rules_hold_for_every_preset),
		cmocka_unit_test(test_both_layouts_are_taken),
		cmocka_unit_test(test_rate_changes_without_a_new_encoder),
		cmocka_unit_test(test_burst_bounds_a_key_picture),
		cmocka_unit_test(test_extreme_rates_are_survived),
		cmocka_unit_test(test_sizes_at_the_limits_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
