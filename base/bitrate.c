/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bitrate.h"

#include "base/attr.h"

uint32_t ka_bitrate_base_kbps(uint32_t width, uint32_t height)
{
	static const struct {
		uint32_t pixels;
		uint32_t kbps;
	} presets[] = {
		{640 * 480, 400},   {800 * 600, 500},	 {1024 * 768, 800},   {1280 * 720, 1000},
		{1600 * 900, 1500}, {1920 * 1080, 2073}, {2560 * 1440, 3000}, {3840 * 2160, 5000},
	};
	uint64_t pixels = (uint64_t)width * height;
	size_t best = 0;

	for (size_t i = 1; i < KA_ARRAY_LEN(presets); i++) {
		uint64_t d = pixels > presets[i].pixels ? pixels - presets[i].pixels : presets[i].pixels - pixels;
		uint64_t d_best =
			pixels > presets[best].pixels ? pixels - presets[best].pixels : presets[best].pixels - pixels;

		if (d < d_best)
			best = i;
	}
	uint64_t kbps = KA_MAX(presets[best].kbps * pixels / presets[best].pixels, (uint64_t)50);

	/* The presets are VP9's; H.264 gets twice that, and less of a bonus where there is plenty already. */
	return (uint32_t)(kbps < 2000 ? kbps * 2 : kbps + 2000);
}

uint32_t ka_bitrate_kbps(uint32_t width, uint32_t height, uint32_t percent)
{
	uint64_t base = ka_bitrate_base_kbps(width, height);

	return (uint32_t)KA_MAX(base * (percent ? percent : KA_BITRATE_BALANCED_PERCENT) / 100, (uint64_t)1);
}
