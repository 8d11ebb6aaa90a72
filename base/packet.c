/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/packet.h"

#include <errno.h>

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
