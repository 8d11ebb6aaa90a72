/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a picture size deserves when nobody says. Pure. */
#ifndef KA_BITRATE_H
#define KA_BITRATE_H

#include <stdint.h>

/* kbit/s at the client's default quality ("balanced"). */
uint32_t ka_bitrate_default_kbps(uint32_t width, uint32_t height);

#endif
