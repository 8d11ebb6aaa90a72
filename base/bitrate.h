/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bitrate a picture size deserves at quality 1.0, as RustDesk endpoints reckon it. Pure. */
#ifndef KA_BITRATE_H
#define KA_BITRATE_H

#include <stdint.h>

/* kbit/s; proportional to the pixels from the nearest preset. */
uint32_t ka_bitrate_base_kbps(uint32_t width, uint32_t height);
/* At a quality in percent; 0 = "balanced", the clients' default. kbit/s, never 0. */
#define KA_BITRATE_BALANCED_PERCENT 67
uint32_t ka_bitrate_kbps(uint32_t width, uint32_t height, uint32_t percent);

#endif
