/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Image quality as controllers ask for it, in bitrate. Pure. Numbers as stock endpoints use them, so that a menu entry
 * means the same here as there. */
#ifndef KA_QUALITY_H
#define KA_QUALITY_H

#include <stdint.h>

/* Ratio of the base bitrate in percent, 20..4000; 0 when the message asks for nothing. image_quality: 2 low, 3
 * balanced, 4 best; custom: percent << 8, counts only when image_quality is 0. */
uint32_t ka_quality_ratio(int32_t image_quality, int32_t custom);

#endif
