/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/bitrate.h"

#include <stddef.h>

#include "base/attr.h"

uint32_t ka_bitrate_default_kbps(uint32_t width, uint32_t height)
{
	/* The stock program's presets; sizes between take the nearest one in proportion to their pixels. */
	static const struct {
		uint32_t width, height, kbps;
	} presets[] = {
		{640, 480, 400},    {1024, 768, 800},	{1280, 720, 1000},  {1600, 900, 1500},
		{1920, 1080, 2073}, {2560, 1440, 3000}, {3840, 2160, 5000},
	};
	uint64_t pixels = (uint64_t)width * height;
	uint64_t best = UINT64_MAX;
	uint64_t kbps = 0;

	for (size_t i = 0; i < KA_ARRAY_LEN(presets); i++) {
		uint64_t at = (uint64_t)presets[i].width * presets[i].height;
		uint64_t distance = at > pixels ? at - pixels : pixels - at;

		if (distance < best) {
			best = distance;
			kbps = presets[i].kbps * pixels / at;
		}
	}
	/* Balanced is 0.67 of that. Those figures suit VP9; the stock program doubles small rates for fast H.264
	 * encoders and adds less and less to larger ones. */
	kbps = kbps * 67 / 100;
	return (uint32_t)(kbps + KA_MIN(kbps, 2000u));
}
