/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/packet.h"

#include <errno.h>

const char *ka_codec_name(enum ka_codec codec)
{
	static const char *const names[KA_CODECS] = {
		[KA_CODEC_H264] = "h264",
		[KA_CODEC_VP9] = "vp9",
		[KA_CODEC_VP8] = "vp8",
		[KA_CODEC_VP9_444] = "vp9-444",
	};

	return names[codec];
}

int ka_packet_new(struct ka_packet **out, size_t size)
{
	struct ka_packet *p = malloc(sizeof(*p) + size);

	if (!p)
		return -ENOMEM;
	*p = (struct ka_packet){.size = size};
	ka_ref_init(&p->ref);
	*out = p;
	return 0;
}

struct ka_packet *ka_packet_ref(struct ka_packet *p)
{
	ka_ref_get(&p->ref);
	return p;
}

void ka_packet_unref(struct ka_packet **p)
{
	struct ka_packet *old = *p;

	*p = NULL;
	if (old && ka_ref_put(&old->ref))
		free(old);
}
