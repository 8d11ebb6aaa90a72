/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an encoder must do. One owner: the encoder's thread, which opens, feeds and closes it. Rules for every encoder:
 * one packet a picture at once (no reordering, no look-ahead), key packets only when asked for and for the first
 * picture, each key packet decodable on its own (H.264: SPS and PPS in front). NV12 always does, in a 4:4:4 stream too.
 */
#ifndef KA_ENCODER_H
#define KA_ENCODER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/frame.h"
#include "base/packet.h"

struct ka_encoder;

struct ka_encoder_cfg {
	const char *preset;	/* as in struct ka_capture_cfg */
	const char *tune;	/* may be NULL or "" */
	unsigned int threads;	/* 0 = by size and cores */
	uint32_t fps;		/* 1..120; most pictures per second to expect */
	uint32_t width, height; /* even; check() does not look at these and the rate */
	uint32_t kbps;
	uint32_t burst_ms; /* a picture may be as large as what the rate carries in so long; 0 = the encoder's choice */
};

/* Of one picture. */
struct ka_encode_ask {
	bool key;
	bool refine;		/* the picture stands still: as good as the rate allows */
	int64_t pts_ms;		/* rises strictly */
	const uint8_t *changed; /* one for each block of KA_FRAME_BLOCK, row by row: 0 = exactly as in the picture
				 * encoded last by this encoder; NULL = anything may have changed */
};

struct ka_encoder_ops {
	const char *name;
	enum ka_codec codec;
	/* Mandatory, any thread: would open() take these settings? Text for the operator when not. */
	int (*check)(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb);
	/* Mandatory. cfg is not kept. */
	int (*open)(struct ka_encoder **out, const struct ka_encoder_cfg *cfg);
	/* Mandatory. f: NV12 or I420 of the encoder's size, I444 in a 4:4:4 stream, all BT.601 limited; not kept. > 0:
	 * as asked, but the rate kept it from the quality that `refine` wishes for; another refinement would still
	 * help. On error: close it. */
	int (*encode)(struct ka_encoder *e, const struct ka_frame *f, const struct ka_encode_ask *ask,
		      struct ka_packet **out);
	/* Mandatory. From the next picture on; fps: how many to expect, at most that of open(). burst_ms as above. */
	int (*set_rate)(struct ka_encoder *e, uint32_t kbps, uint32_t fps, uint32_t burst_ms);
	/* Mandatory. NULL is fine. */
	void (*close)(struct ka_encoder *e);
};

/* No rate outside makes sense to a codec. */
#define KA_ENCODER_MIN_KBPS 20u
#define KA_ENCODER_MAX_KBPS 2000000u

/* For check(): -KA_E_CONFIG when more threads are asked for than any encoder here should have. */
int ka_encoder_check_threads(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb);
/* So many threads as would be useful, as far as there are cores: 1 to 4. */
unsigned int ka_encoder_threads(uint64_t useful);

extern const struct ka_encoder_ops ka_enc_x264;

#endif
