/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layout of an EDID, shared by edid*.c. */
#ifndef KA_EDID_PRIV_H
#define KA_EDID_PRIV_H

#include "capture/edid.h"

#define KA_EDID_DTD 18u	     /* bytes of a detailed timing or a descriptor */
#define KA_EDID_DTD_AT 54u   /* the first of the base block */
#define KA_EDID_DTD_COUNT 4u /* in the base block */
#define KA_EDID_STANDARD_AT 38u
#define KA_EDID_STANDARD_COUNT 8u
#define KA_EDID_ESTABLISHED_AT 35u
#define KA_EDID_EXTENSIONS_AT 126u
#define KA_EDID_CTA 0x02 /* tag of the extension */
#define KA_EDID_CTA_VIDEO 2u
#define KA_EDID_CTA_AUDIO 1u
#define KA_EDID_CTA_VENDOR 3u
#define KA_EDID_CTA_SPEAKERS 4u

extern const uint8_t ka_edid_header[8];
/* Width to height, by the code of a standard timing. */
extern const uint8_t ka_edid_ratios[4][2];

/* The three of the established timings that we have. */
struct ka_edid_established {
	uint16_t width, height;
	uint8_t at, bit;
};
extern const struct ka_edid_established ka_edid_established[3];

/* A detailed timing; size_mm of the picture. */
void ka_edid_put_timing(uint8_t dtd[static KA_EDID_DTD], const struct ka_video_timing *t, uint16_t w_mm, uint16_t h_mm);
/* What can be written as a detailed timing: the mode's own where its porches fit, else one with reduced blanking. */
void ka_edid_detailed_timing(struct ka_video_timing *out, const struct ka_video_mode *mode);
/* False when it is a descriptor, interlaced, or not a picture we can have. */
bool ka_edid_get_timing(struct ka_video_mode *out, const uint8_t dtd[static KA_EDID_DTD]);
/* Walks the data blocks of a CTA extension: *next is 4 at first; *at is where one begins, whole within its block. False
 * at the end, and at one that does not fit. */
bool ka_edid_cta_next(const uint8_t block[static KA_EDID_BLOCK], size_t *next, size_t *at);
/* Sets the last byte of a block. */
void ka_edid_seal(uint8_t block[static KA_EDID_BLOCK]);

#endif
