/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which encoders there are: by configuration, by the probe, by how they fare; and an encoder's map of what is left. */
#include "tests/check/check.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/codecs.h"
#include "capture/soften.h"
#include "capture/work_map.h"

/* An encoder that does as it is told. */
struct ka_encoder {
	int dummy;
};

static int open_result;
static bool makes_key = true;

static int check_any(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb)
{
	(void)eb;
	return cfg->threads == 99 ? -KA_E_CONFIG : 0;
}

static int open_good(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	assert_true(cfg->width >= 64 && cfg->height >= 64 && cfg->fps);
	*out = calloc(1, sizeof(**out));
	return 0;
}

static int open_told(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	return open_result ? open_result : open_good(out, cfg);
}

static int encode_some(struct ka_encoder *e, const struct ka_frame *f, const struct ka_encode_ask *ask,
		       struct ka_packet **out)
{
	(void)e;
	(void)f;
	assert_true(ask->key);
	assert_int_equal(ka_packet_new(out, 1), 0);
	(*out)->key = makes_key;
	return 0;
}

static void close_it(struct ka_encoder *e)
{
	free(e);
}

static const struct ka_encoder_ops hard = {.name = "hard",
					   .codec = KA_CODEC_H264,
					   .check = check_any,
					   .open = open_told,
					   .encode = encode_some,
					   .close = close_it};
static const struct ka_encoder_ops soft = {.name = "soft",
					   .codec = KA_CODEC_H264,
					   .check = check_any,
					   .open = open_good,
					   .encode = encode_some,
					   .close = close_it};
static const struct ka_encoder_ops other = {.name = "other",
					    .codec = KA_CODEC_VP8,
					    .check = check_any,
					    .open = open_good,
					    .encode = encode_some,
					    .close = close_it};
static const struct ka_encoder_ops *const list[] = {&hard, &soft, &other, NULL};
static const struct ka_encoder_cfg settings = {.fps = 30};

static struct ka_codecs *make(const char *order)
{
	struct ka_errbuf eb;
	struct ka_codecs *c;

	assert_int_equal(ka_codecs_new(&c, list, order, &settings, &eb), 0);
	return c;
}

static void test_bad_orders_are_told(void **state)
{
	static const char *const bad[][2] = {{"h265", "h265"}, {"h264,", NULL}, {"vp9 vp9", "twice"},
					     {" , ", "none"},  {"vp", "'vp'"},	{"h2645", "h2645"}};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		struct ka_errbuf eb = {""};
		struct ka_codecs *c;
		int ret = ka_codecs_new(&c, list, bad[i][0], &settings, &eb);

		assert_int_equal(ret, bad[i][1] ? -KA_E_CONFIG : 0);
		if (ret == 0)
			ka_codecs_free(c);
		else
			assert_non_null(strstr(eb.text, bad[i][1]));
	}
	ka_codecs_free(NULL);
}

static void test_settings_are_checked_by_every_encoder_allowed(void **state)
{
	struct ka_encoder_cfg cfg = {.fps = 30, .threads = 99};
	struct ka_errbuf eb = {""};
	struct ka_codecs *c;

	(void)state;
	assert_int_equal(ka_codecs_new(&c, list, "", &cfg, &eb), -KA_E_CONFIG);
	assert_int_equal(ka_codecs_new(&c, list, "vp9", &cfg, &eb), 0);
	ka_codecs_free(c);
}

static void test_order_and_what_there_is(void **state)
{
	struct ka_codecs *c = make("vp8, vp9,h264");
	struct ka_codec_list l;

	(void)state;
	open_result = 0;
	ka_codecs_probe(c);
	ka_codecs_get(c, &l);
	/* No encoder for VP9 in the list. */
	assert_int_equal(l.n, 2);
	assert_int_equal(l.order[0], KA_CODEC_VP8);
	assert_int_equal(l.order[1], KA_CODEC_H264);
	assert_int_equal(l.working, 1u << KA_CODEC_VP8 | 1u << KA_CODEC_H264);
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &hard);
	assert_null(ka_codecs_encoder(c, KA_CODEC_VP9));
	ka_codecs_free(c);
	c = make("vp8");
	ka_codecs_probe(c);
	assert_null(ka_codecs_encoder(c, KA_CODEC_H264));
	ka_codecs_free(c);
}

static void test_who_fails_the_probe_is_left_out(void **state)
{
	struct ka_codecs *c = make("");
	struct ka_codec_list l;

	(void)state;
	open_result = -ENODEV;
	ka_codecs_probe(c);
	open_result = 0;
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &soft);
	makes_key = false;
	ka_codecs_probe(c);
	makes_key = true;
	ka_codecs_get(c, &l);
	assert_int_equal(l.n, 0);
	assert_null(ka_codecs_encoder(c, KA_CODEC_H264));
	ka_codecs_free(c);
}

static void tell_failures(struct ka_codecs *c, const struct ka_encoder_ops *ops, unsigned int times, int64_t now)
{
	while (times--)
		ka_codecs_told(c, ops, false, now);
}

static void test_who_keeps_failing_is_set_aside_longer_each_time(void **state)
{
	struct ka_codecs *c = make("");
	int64_t now = ka_clock_us();
	struct ka_codec_list l;

	(void)state;
	ka_codecs_probe(c);
	tell_failures(c, &hard, 2, now);
	ka_codecs_told(c, &hard, true, now);
	tell_failures(c, &hard, 2, now);
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &hard);
	tell_failures(c, &hard, 1, now);
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &soft);
	/* Both: the codec is named, but not as working; better a bad encoder than none. */
	tell_failures(c, &soft, 3, now);
	ka_codecs_get(c, &l);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.working, 1u << KA_CODEC_VP8);
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &hard);
	ka_codecs_free(c);
	/* A minute after it, it has another chance; then two. */
	c = make("");
	tell_failures(c, &hard, 3, now - KA_SEC(61));
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &hard);
	ka_codecs_free(c);
	c = make("");
	tell_failures(c, &hard, 3, now - KA_SEC(161));
	tell_failures(c, &hard, 3, now - KA_SEC(100));
	assert_ptr_equal(ka_codecs_encoder(c, KA_CODEC_H264), &soft);
	ka_codecs_free(c);
}

static void test_work_map_gives_every_block_its_turn(void **state)
{
	uint8_t changed[12] = {0};
	struct ka_encode_ask ask = {.changed = changed};
	struct ka_work_map m;

	(void)state;
	assert_int_equal(ka_work_map_init(&m, 50, 34), 0);
	assert_int_equal(m.cols * m.rows, 12);
	assert_int_equal(ka_work_map_count(&m, KA_WORK_STALE), 12);
	assert_int_equal(ka_work_map_choose(&m, KA_WORK_STALE, 5), 5);
	assert_int_equal(m.chosen[4], 1);
	assert_int_equal(m.chosen[5], 0);
	ka_work_map_set_chosen(&m, KA_WORK_COARSE);
	/* All change again: the others come first. */
	memset(changed, 1, sizeof(changed));
	ka_work_map_note(&m, &ask);
	assert_int_equal(ka_work_map_choose(&m, KA_WORK_STALE, 8), 8);
	assert_int_equal(m.chosen[5], 1);
	assert_int_equal(m.chosen[0], 1);
	assert_int_equal(m.chosen[1], 0);
	ka_work_map_set_chosen(&m, KA_WORK_FINE);
	assert_int_equal(ka_work_map_count(&m, KA_WORK_COARSE), 4);
	assert_int_equal(ka_work_map_choose(&m, KA_WORK_STALE, 0), 0);
	/* A key picture is all new, and so is one of which nothing is known, but not its refinements. */
	ask = (struct ka_encode_ask){.refine = true};
	ka_work_map_note(&m, &ask);
	assert_int_equal(ka_work_map_count(&m, KA_WORK_STALE), 12);
	ka_work_map_choose(&m, KA_WORK_STALE, SIZE_MAX);
	ka_work_map_set_chosen(&m, KA_WORK_COARSE);
	ka_work_map_note(&m, &ask);
	assert_int_equal(ka_work_map_count(&m, KA_WORK_STALE), 0);
	ask = (struct ka_encode_ask){.key = true, .changed = changed};
	memset(changed, 0, sizeof(changed));
	ka_work_map_note(&m, &ask);
	assert_int_equal(ka_work_map_count(&m, KA_WORK_STALE), 12);
	ka_work_map_fini(&m);
}

static void test_widened_chroma_is_each_sample_four_times(void **state)
{
	static const enum ka_pixfmt formats[] = {KA_PIX_NV12, KA_PIX_I420};
	struct ka_frame *out = NULL;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(formats); i++) {
		bool paired = formats[i] == KA_PIX_NV12;
		struct ka_frame *f;

		assert_int_equal(ka_frame_alloc(&f, formats[i], 66, 64), 0);
		for (size_t n = 0; n < f->bufs[0]->size; n++)
			f->bufs[0]->data[n] = (uint8_t)(n * 7);
		assert_int_equal(ka_widen(&out, f), 0);
		assert_int_equal(out->format, KA_PIX_I444);
		for (uint32_t y = 0; y < 64; y++) {
			for (uint32_t x = 0; x < 66; x++) {
				const uint8_t *u = f->planes[1].data + y / 2 * f->planes[1].stride;
				const uint8_t *v = paired ? u + 1 : f->planes[2].data + y / 2 * f->planes[2].stride;
				size_t at = x / 2 * (paired ? 2 : 1);

				assert_int_equal(out->planes[0].data[y * out->planes[0].stride + x],
						 f->planes[0].data[y * f->planes[0].stride + x]);
				assert_int_equal(out->planes[1].data[y * out->planes[1].stride + x], u[at]);
				assert_int_equal(out->planes[2].data[y * out->planes[2].stride + x], v[at]);
			}
		}
		ka_frame_unref(&f);
	}
	ka_frame_unref(&out);
}

static void test_softened_pictures_lose_detail_only(void **state)
{
	struct ka_frame *out = NULL;
	struct ka_frame *f;
	uint8_t *row;

	(void)state;
	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, 128, 64), 0);
	memset(f->bufs[0]->data, 99, f->bufs[0]->size);
	for (uint32_t y = 0; y < 64; y++) {
		row = f->planes[0].data + y * f->planes[0].stride;
		for (uint32_t x = 0; x < 64; x++)
			row[x] = x % 2 ? 20 : 220;
		memset(row + 64, 60, 64);
	}
	assert_int_equal(ka_soften(&out, f), 0);
	assert_int_equal(out->format, KA_PIX_NV12);
	row = out->planes[0].data + 30 * out->planes[0].stride;
	for (uint32_t x = 0; x < 56; x++)
		assert_in_range(row[x], 110, 130);
	for (uint32_t x = 72; x < 128; x++)
		assert_in_range(row[x], 58, 62);
	assert_memory_equal(out->planes[1].data, f->planes[1].data, 128);
	ka_frame_unref(&out);
	ka_frame_unref(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_orders_are_told),
		cmocka_unit_test(test_settings_are_checked_by_every_encoder_allowed),
		cmocka_unit_test(test_order_and_what_there_is),
		cmocka_unit_test(test_who_fails_the_probe_is_left_out),
		cmocka_unit_test(test_who_keeps_failing_is_set_aside_longer_each_time),
		cmocka_unit_test(test_work_map_gives_every_block_its_turn),
		cmocka_unit_test(test_widened_chroma_is_each_sample_four_times),
		cmocka_unit_test(test_softened_pictures_lose_detail_only),
	};

	ka_log_init(2, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
