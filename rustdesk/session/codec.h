/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a controller can decode and its user prefers, and what it gets of what there is. Pure. */
#ifndef KA_CODEC_H
#define KA_CODEC_H

#include "base/attr.h"
#include "base/media.h"
#include "proto/message.pb-c.h"

struct ka_codec_ability {
	uint32_t can;	  /* 1 << codec; vp9-444 only when its user asks for true colour as well */
	uint32_t prefers; /* 1 << codec; 0 = none, or none that we know */
};

/* d: NULL = nothing was said, which means VP9 and nothing else (stock's update_codec_on_login). */
void ka_codec_read(struct ka_codec_ability *a, const Rd__SupportedDecoding *d);
/* The preferred one when it can be had; else true colour when it is asked for; else the first in order. One that fails
 * now is chosen only when nothing else is left. -ENOENT: none will do. */
int ka_codec_choose(const struct ka_codec_ability *a, const struct ka_codec_list *there,
		    enum ka_codec *out) KA_MUST_USE;
/* What a client's menu may offer; it takes VP9 for granted. i444 becomes part of encoding. */
void ka_codec_tell(const struct ka_codec_list *there, Rd__SupportedEncoding *encoding, Rd__CodecAbility *i444);

#endif
