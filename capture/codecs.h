/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoders there are: a list in order of preference for each codec, which of them the configuration allows, which
 * have proved at the start that they work here, and which are set aside because they keep failing. Any thread.
 *
 *   allowed ── probe ──► offered ── 3 failures in a row ──► set aside for a minute, then twice as long ...
 *
 * Another encoder, of hardware say, is a file with a ka_encoder_ops and a line in ka_encoders[] before the ones it is
 * better than.
 */
#ifndef KA_CODECS_H
#define KA_CODECS_H

#include "capture/encoder.h"

struct ka_codecs;

/* The encoders of this build, ending with NULL. */
extern const struct ka_encoder_ops *const ka_encoders[];

/* list: as ka_encoders, at most 16, not kept beyond the object. order: names of codecs, the preferred one first,
 * "h264, vp9"; others are never used; "" = all. settings, without size and rate: the same for all encoders.
 * -KA_E_CONFIG. */
int ka_codecs_new(struct ka_codecs **out, const struct ka_encoder_ops *const *list, const char *order,
		  const struct ka_encoder_cfg *settings, struct ka_errbuf *eb) KA_MUST_USE;
/* Reads an order. -KA_E_CONFIG. */
int ka_codecs_read(struct ka_codec_list *out, const char *order, struct ka_errbuf *eb) KA_MUST_USE;
void ka_codecs_free(struct ka_codecs *c); /* NULL is fine */
/* Lets every encoder make a small picture, and leaves out those that fail; once, at the start. */
void ka_codecs_probe(struct ka_codecs *c);
void ka_codecs_get(struct ka_codecs *c, struct ka_codec_list *out);
/* The best encoder for it that is not set aside; the best one when all are. NULL: not offered. */
const struct ka_encoder_ops *ka_codecs_encoder(struct ka_codecs *c, enum ka_codec codec);
/* What became of a picture, or of an attempt to open. */
void ka_codecs_told(struct ka_codecs *c, const struct ka_encoder_ops *ops, bool good, int64_t now_us);

#endif
