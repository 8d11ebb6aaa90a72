/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/codec.h"

#include <errno.h>
#include <stdbool.h>

/* Values of SupportedDecoding.PreferCodec and of Chroma. */
enum { PREFER_VP9 = 1, PREFER_H264 = 2, PREFER_VP8 = 4 };
enum { CHROMA_I444 = 1 };

static uint32_t bit(enum ka_codec codec)
{
	return 1u << codec;
}

static uint32_t preferred(int32_t prefer)
{
	switch (prefer) {
	case PREFER_VP9:
		return bit(KA_CODEC_VP9);
	case PREFER_H264:
		return bit(KA_CODEC_H264);
	case PREFER_VP8:
		return bit(KA_CODEC_VP8);
	default:
		return 0;
	}
}

void ka_codec_read(struct ka_codec_ability *a, const Rd__SupportedDecoding *d)
{
	*a = (struct ka_codec_ability){.can = bit(KA_CODEC_VP9)};
	if (!d)
		return;
	a->can = (d->ability_h264 > 0 ? bit(KA_CODEC_H264) : 0) | (d->ability_vp9 > 0 ? bit(KA_CODEC_VP9) : 0) |
		 (d->ability_vp8 > 0 ? bit(KA_CODEC_VP8) : 0);
	if (d->ability_vp9 > 0 && d->i444 && d->i444->vp9 && d->prefer_chroma == CHROMA_I444)
		a->can |= bit(KA_CODEC_VP9_444);
	a->prefers = preferred(d->prefer);
}

static uint32_t all_of(const struct ka_codec_list *there)
{
	uint32_t all = 0;

	for (size_t i = 0; i < there->n; i++)
		all |= bit(there->order[i]);
	return all;
}

static bool choose_of(const struct ka_codec_ability *a, const struct ka_codec_list *there, uint32_t mask,
		      enum ka_codec *out)
{
	uint32_t can = a->can & mask;
	uint32_t true_colour = can & bit(KA_CODEC_VP9_444);
	bool other = a->prefers & can & ~bit(KA_CODEC_VP9);

	if (true_colour && !other) {
		*out = KA_CODEC_VP9_444;
		return true;
	}
	if (a->prefers & can)
		can &= a->prefers;
	for (size_t i = 0; i < there->n; i++) {
		*out = there->order[i];
		if (can & bit(*out))
			return true;
	}
	return false;
}

int ka_codec_choose(const struct ka_codec_ability *a, const struct ka_codec_list *there, enum ka_codec *out)
{
	uint32_t all = all_of(there);

	return choose_of(a, there, all & there->working, out) || choose_of(a, there, all, out) ? 0 : -ENOENT;
}

void ka_codec_tell(const struct ka_codec_list *there, Rd__SupportedEncoding *encoding, Rd__CodecAbility *i444)
{
	uint32_t mask = all_of(there);

	if (mask & there->working)
		mask &= there->working;
	rd__codec_ability__init(i444);
	i444->vp9 = (mask & bit(KA_CODEC_VP9_444)) != 0;
	rd__supported_encoding__init(encoding);
	encoding->h264 = (mask & bit(KA_CODEC_H264)) != 0;
	encoding->vp8 = (mask & bit(KA_CODEC_VP8)) != 0;
	encoding->i444 = i444;
}
