/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/edid.h"
#include "capture/edid_priv.h"

static struct ka_video_mode mode(const char *text)
{
	struct ka_video_mode m;

	assert_int_equal(ka_video_mode_parse(&m, text, strlen(text)), 0);
	return m;
}

/* Frames per second of all its numbers together, rounded. */
static uint16_t rate_of(const struct ka_video_timing *t)
{
	uint64_t total = (uint64_t)(t->width + t->h_front + t->h_sync + t->h_back) *
			 (uint64_t)(t->height + t->v_front + t->v_sync + t->v_back);

	return (uint16_t)((t->clock_khz * UINT64_C(1000) + total / 2) / total);
}

static void compose(struct ka_edid *e, const char *const *texts, size_t n)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_errbuf eb = {""};

	for (size_t i = 0; i < n; i++)
		modes[i] = mode(texts[i]);
	assert_int_equal(ka_edid_compose(e, modes, n, "kvmagent", true, &eb), 0);
}

static bool has(const struct ka_edid *e, const char *text)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX], m = mode(text);
	size_t n = ka_edid_modes(e, modes);

	for (size_t i = 0; i < n; i++) {
		if (!memcmp(&modes[i], &m, sizeof(m)))
			return true;
	}
	return false;
}

static void test_parse_refuses_what_is_no_mode(void **state)
{
	static const char *const bad[] = {"",
					  "x",
					  "1920",
					  "1920x",
					  "x1080",
					  "1920x1080@",
					  "1920x1080@0",
					  "1920x1080@1000",
					  "1921x1080",
					  "1920x1081",
					  "320x240",
					  "9000x480",
					  "1920x1080x3",
					  "1920@60x1080",
					  "1920x1080@60 ",
					  "-1x480",
					  "1920x1080@60@60"};
	struct ka_video_mode m;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_int_equal(ka_video_mode_parse(&m, bad[i], strlen(bad[i])), -EINVAL);
	m = mode("1280x1024");
	assert_true(m.width == 1280 && m.height == 1024 && m.hz == 60);
}

/* VESA's spreadsheet gives these. */
static void test_reduced_blanking_matches_the_standard(void **state)
{
	struct ka_video_mode m = mode("1920x1200@60");
	struct ka_video_timing t;

	(void)state;
	ka_video_timing_make(&t, &m);
	assert_int_equal(t.clock_khz, 154000);
	assert_int_equal(t.width + t.h_front + t.h_sync + t.h_back, 2080);
	assert_int_equal(t.height + t.v_front + t.v_sync + t.v_back, 1235);
	m = mode("2560x1440@60");
	ka_video_timing_make(&t, &m);
	assert_int_equal(t.clock_khz, 241500);
	assert_int_equal(t.height + t.v_front + t.v_sync + t.v_back, 1481);
	m = mode("1024x600@60");
	ka_video_timing_make(&t, &m);
	assert_int_equal(rate_of(&t), 60);
}

static void test_every_table_timing_has_its_rate(void **state)
{
	(void)state;
	for (unsigned int vic = 0; vic < 256; vic++) {
		const struct ka_video_timing *t = ka_video_timing_vic((uint8_t)vic);

		if (t)
			assert_int_equal(rate_of(t), t->hz);
	}
	assert_null(ka_video_timing_vic(0));
	assert_null(ka_video_timing_vic(5)); /* interlaced */
}

static void test_composed_is_read_back_with_all_its_modes(void **state)
{
	static const char *const texts[] = {"1920x1080@60", "1280x720@60",  "1280x1024@60", "1024x768@60",
					    "800x600@60",   "1920x1200@60", "2560x1440@60", "3840x2160@30",
					    "1920x1080@50", "1366x768@60"};
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_errbuf eb = {""};
	struct ka_edid e, back;
	char text[3 * KA_EDID_MAX + 1];

	(void)state;
	compose(&e, texts, KA_ARRAY_LEN(texts));
	assert_int_equal(ka_edid_read(&back, e.data, e.len, &eb), 0);
	assert_int_equal(ka_edid_modes(&back, modes), KA_ARRAY_LEN(texts) + 1); /* and 640x480 */
	for (size_t i = 0; i < KA_ARRAY_LEN(texts); i++)
		assert_true(has(&back, texts[i]));
	assert_true(has(&back, "640x480@60"));
	assert_true(modes[0].width == 1920 && modes[0].height == 1080 && modes[0].hz == 60);
	/* The same as text. */
	for (size_t i = 0; i < e.len; i++)
		snprintf(&text[3 * i], 4, "%02X%c", e.data[i], i % 16 == 15 ? '\n' : ' ');
	assert_int_equal(ka_edid_read(&back, (const uint8_t *)text, 3 * e.len, &eb), 0);
	assert_memory_equal(back.data, e.data, e.len);
}

static void test_prefer_puts_each_mode_first(void **state)
{
	static const char *const texts[] = {"1920x1080@60", "1280x720@24",  "1280x1024@60",
					    "1920x1200@60", "2560x1440@60", "2048x1152@60"};
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX], m, unknown = mode("1024x600@60");
	struct ka_errbuf eb = {""};
	struct ka_edid e, changed, back;

	(void)state;
	compose(&e, texts, KA_ARRAY_LEN(texts));
	for (size_t i = 0; i < KA_ARRAY_LEN(texts); i++) {
		m = mode(texts[i]);
		assert_int_equal(ka_edid_prefer(&changed, &e, &m), 0);
		assert_int_equal(ka_edid_read(&back, changed.data, changed.len, &eb), 0);
		assert_true(ka_edid_modes(&back, modes) > 1);
		assert_memory_equal(&modes[0], &m, sizeof(m));
	}
	assert_int_equal(ka_edid_prefer(&changed, &e, &unknown), -ENOENT);
}

static void test_read_refuses_what_is_broken(void **state)
{
	static const char *const texts[] = {"1920x1080@60"};
	struct ka_errbuf eb = {""};
	struct ka_edid e, bad, out;

	(void)state;
	compose(&e, texts, 1);
	assert_int_equal(ka_edid_read(&out, NULL, 0, &eb), -EINVAL);
	for (size_t len = 0; len < e.len; len++)
		assert_int_equal(ka_edid_read(&out, e.data, len, &eb), -EINVAL);
	for (size_t i = 0; i < e.len; i++) {
		bad = e;
		bad.data[i] ^= 0x40;
		assert_int_equal(ka_edid_read(&out, bad.data, bad.len, &eb), -EINVAL);
	}
	assert_non_null(strstr(eb.text, "checksum of block 1"));
	/* One block that says another follows. */
	assert_int_equal(ka_edid_read(&out, e.data, KA_EDID_BLOCK, &eb), -EINVAL);
	assert_non_null(strstr(eb.text, "1 extension"));
	/* Not a single picture in it. */
	bad = e;
	memset(&bad.data[35], 0, 3);
	memset(&bad.data[KA_EDID_DTD_AT], 0, (size_t)KA_EDID_DTD_COUNT * KA_EDID_DTD);
	memset(&bad.data[KA_EDID_BLOCK + 1], 0, KA_EDID_BLOCK - 1);
	ka_edid_seal(bad.data);
	ka_edid_seal(bad.data + KA_EDID_BLOCK);
	assert_int_equal(ka_edid_read(&out, bad.data, bad.len, &eb), -EINVAL);
	assert_non_null(strstr(eb.text, "no progressive mode"));
}

static void test_too_many_modes_are_refused(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_errbuf eb = {""};
	struct ka_edid e;

	(void)state;
	for (uint16_t i = 0; i < KA_VIDEO_MODES_MAX; i++)
		modes[i] = (struct ka_video_mode){(uint16_t)(1000 + 2 * i), 700, 60};
	assert_int_equal(ka_edid_compose(&e, modes, KA_VIDEO_MODES_MAX, "x", false, &eb), -E2BIG);
	assert_int_equal(ka_edid_compose(&e, modes, 0, "x", false, &eb), -EINVAL);
	assert_int_equal(ka_edid_compose(&e, modes, 8, "a name that is too long\n", false, &eb), 0);
}

/* Cut to the bits there are they would be other modes. */
static void test_modes_beyond_the_format_are_refused(void **state)
{
	static const struct ka_video_mode too_much[] = {{4096, 2160, 60}, {4096, 2304, 24}, {3840, 2160, 120}};
	struct ka_video_mode modes[2] = {{1920, 1080, 60}, {3840, 2160, 60}};
	struct ka_errbuf eb = {""};
	struct ka_edid e;

	(void)state;
	assert_int_equal(ka_edid_compose(&e, modes, 2, "x", false, &eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(too_much); i++) {
		modes[1] = too_much[i];
		assert_int_equal(ka_edid_compose(&e, modes, 2, "x", false, &eb), -EINVAL);
		assert_non_null(strstr(eb.text, "more than an EDID"));
		assert_int_equal(ka_edid_compose(&e, &modes[1], 1, "x", false, &eb), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_refuses_what_is_no_mode),
		cmocka_unit_test(test_reduced_blanking_matches_the_standard),
		cmocka_unit_test(test_every_table_timing_has_its_rate),
		cmocka_unit_test(test_composed_is_read_back_with_all_its_modes),
		cmocka_unit_test(test_prefer_puts_each_mode_first),
		cmocka_unit_test(test_read_refuses_what_is_broken),
		cmocka_unit_test(test_too_many_modes_are_refused),
		cmocka_unit_test(test_modes_beyond_the_format_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
