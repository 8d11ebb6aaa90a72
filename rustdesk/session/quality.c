/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/quality.h"

#include "base/attr.h"

uint32_t ka_quality_ratio(int32_t image_quality, int32_t custom)
{
	switch (image_quality) {
	case 2:
		return 50;
	case 3:
		return 67;
	case 4:
		return 150;
	case 0:
		break;
	default:
		return 0;
	}
	if (custom <= 0)
		return 0;
	return KA_CLAMP(((uint32_t)custom >> 8 & 0xfff) * 2, 20u, 4000u);
}
