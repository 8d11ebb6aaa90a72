/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One encoded picture, shared by all its viewers. Immutable once published. Any thread. */
#ifndef KA_PACKET_H
#define KA_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/media.h"
#include "base/ref.h"
#include "base/stages.h"

/* Encodings of the same picture: for each codec one as the best link wants it, and one as slow links can take it. */
#define KA_RENDITIONS (2u * KA_CODECS)

static inline unsigned int ka_rendition(enum ka_codec codec, bool narrow)
{
	return 2u * (unsigned int)codec + narrow;
}

static inline enum ka_codec ka_rendition_codec(unsigned int rendition)
{
	return (enum ka_codec)(rendition / 2);
}

static inline bool ka_rendition_narrow(unsigned int rendition)
{
	return rendition % 2;
}

struct ka_packet {
	struct ka_ref ref;
	enum ka_codec codec;
	uint8_t rendition; /* < KA_RENDITIONS */
	bool key;	   /* a decoder may start here */
	uint32_t width;	   /* of the decoded picture, pixels */
	uint32_t height;   /* pixels */
	int64_t pts_ms;	   /* on one clock for all renditions; strictly rising within each */
	int64_t captured_us;
	int64_t encoded_us;
	struct ka_stamps stamps;
	uint64_t sequence; /* of the source frame */
	size_t size;	   /* bytes */
	uint8_t data[];	   /* H.264: Annex B access unit; VP8, VP9: one frame */
};

/* Header cleared, data not. -ENOMEM. */
int ka_packet_new(struct ka_packet **out, size_t size) KA_MUST_USE;
struct ka_packet *ka_packet_ref(struct ka_packet *p);
void ka_packet_unref(struct ka_packet **p);

#endif
