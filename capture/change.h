/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where two pictures differ, in blocks of KA_FRAME_BLOCK. Rows that are alike, and most are, cost one comparison of
 * memory. Padding does not count. Pure.
 */
#ifndef KA_CHANGE_H
#define KA_CHANGE_H

#include <stdint.h>

#include "base/frame.h"

/* Both of one size and format, any but MJPEG. map: a byte for each block, row by row: 1 = differs. How many do. */
uint32_t ka_change_find(const struct ka_frame *a, const struct ka_frame *b, uint8_t *map);
/* The same for NV12 that has been through a lossy encoder: what its quantiser makes of one and the same picture does
 * not count. */
uint32_t ka_change_find_lossy(const struct ka_frame *a, const struct ka_frame *b, uint8_t *map);

#endif
