/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decoding of peers' protobuf into an arena with a budget: a message that needs more memory than that is refused,
 * however it is nested. One owner; the decoded message lives until the next decode or fini.
 */
#ifndef KA_PB_H
#define KA_PB_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/attr.h"

struct ka_pb_chunk;

struct ka_pb {
	ProtobufCAllocator allocator;
	struct ka_pb_chunk *chunks;
	size_t used;   /* bytes handed out for the present message */
	size_t budget; /* bytes a message may take */
};

void ka_pb_init(struct ka_pb *pb, size_t budget);
void ka_pb_fini(struct ka_pb *pb);
/* NULL when malformed, over the budget or without memory. */
ProtobufCMessage *ka_pb_decode(struct ka_pb *pb, const ProtobufCMessageDescriptor *type, const uint8_t *data,
			       size_t len);

#endif
