/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/bitrate.h"
#include "base/media.h"

static void test_presets_get_twice_their_rate_or_two_megabits_more(void **state)
{
	(void)state;
	assert_int_equal(ka_bitrate_base_kbps(640, 480), 800);
	assert_int_equal(ka_bitrate_base_kbps(1024, 768), 1600);
	assert_int_equal(ka_bitrate_base_kbps(1280, 720), 2000);
	assert_int_equal(ka_bitrate_base_kbps(1600, 900), 3000);
	assert_int_equal(ka_bitrate_base_kbps(1920, 1080), 4073);
	assert_int_equal(ka_bitrate_base_kbps(2560, 1440), 5000);
	assert_int_equal(ka_bitrate_base_kbps(3840, 2160), 7000);
}

static void test_between_presets_pixels_count(void **state)
{
	(void)state;
	/* Nearest is 1280x720. */
	assert_int_equal(ka_bitrate_base_kbps(1280, 800), 2 * (1000 * 1280 * 800 / (1280 * 720)));
	assert_int_equal(ka_bitrate_base_kbps(720, 1280), ka_bitrate_base_kbps(1280, 720));
}

static void test_extremes_stay_sane(void **state)
{
	(void)state;
	assert_true(ka_bitrate_base_kbps(0, 0) >= 50);
	assert_true(ka_bitrate_base_kbps(KA_MIN_WIDTH, KA_MIN_HEIGHT) >= 50);
	assert_true(ka_bitrate_base_kbps(KA_MAX_WIDTH, KA_MAX_HEIGHT) < 10000);
	/* No overflow on nonsense. */
	assert_true(ka_bitrate_base_kbps(UINT32_MAX, 1) > 7000);
}

static void test_more_pixels_never_get_less(void **state)
{
	uint32_t before = 0;

	(void)state;
	for (uint32_t w = 64; w <= KA_MAX_WIDTH; w += 64) {
		uint32_t kbps = ka_bitrate_base_kbps(w, w * 9 / 16);

		/* Where the nearest preset changes, the rate may step down a little. */
		assert_true(kbps + kbps / 4 >= before);
		before = kbps;
	}
}

static void test_target_follows_size_and_percent(void **state)
{
	uint32_t base = ka_bitrate_base_kbps(1920, 1080);

	(void)state;
	assert_int_equal(ka_bitrate_kbps(1920, 1080, 100), base);
	assert_int_equal(ka_bitrate_kbps(1920, 1080, 150), base * 150 / 100);
	assert_int_equal(ka_bitrate_kbps(1920, 1080, 0), base * 67 / 100);
	assert_int_equal(ka_bitrate_kbps(3840, 2160, 4000), ka_bitrate_base_kbps(3840, 2160) * 40);
	assert_true(ka_bitrate_kbps(0, 0, 1) >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets_get_twice_their_rate_or_two_megabits_more),
		cmocka_unit_test(test_between_presets_pixels_count),
		cmocka_unit_test(test_extremes_stay_sane),
		cmocka_unit_test(test_target_follows_size_and_percent),
		cmocka_unit_test(test_more_pixels_never_get_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
