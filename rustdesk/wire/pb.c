/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/wire/pb.h"

#include <stdalign.h>
#include <string.h>

#define CHUNK_BYTES 4096u

struct ka_pb_chunk {
	struct ka_pb_chunk *next;
	size_t used;
	size_t size;
	alignas(max_align_t) uint8_t data[];
};

static void *arena_alloc(void *arg, size_t size)
{
	struct ka_pb *pb = arg;
	size_t n = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct ka_pb_chunk *c = pb->chunks;

	if (n < size || n > pb->budget - pb->used)
		return NULL;
	if (!c || c->size - c->used < n) {
		size_t room = KA_MAX(n, (size_t)CHUNK_BYTES);

		c = malloc(sizeof(*c) + room);
		if (!c)
			return NULL;
		*c = (struct ka_pb_chunk){.next = pb->chunks, .size = room};
		pb->chunks = c;
	}
	c->used += n;
	pb->used += n;
	return c->data + c->used - n;
}

/* The arena is freed as a whole. */
static void arena_free(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

/* Keeps one ordinary chunk for the next message. */
static void reset(struct ka_pb *pb)
{
	struct ka_pb_chunk *keep = NULL;

	for (struct ka_pb_chunk *c = pb->chunks, *next; c; c = next) {
		next = c->next;
		if (!keep && c->size == CHUNK_BYTES)
			keep = c;
		else
			free(c);
	}
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
	pb->chunks = keep;
	pb->used = 0;
}

void ka_pb_init(struct ka_pb *pb, size_t budget)
{
	*pb = (struct ka_pb){.budget = budget};
}

void ka_pb_fini(struct ka_pb *pb)
{
	reset(pb);
	free(pb->chunks);
	pb->chunks = NULL;
}

ProtobufCMessage *ka_pb_decode(struct ka_pb *pb, const ProtobufCMessageDescriptor *type, const uint8_t *data,
			       size_t len)
{
	reset(pb);
	pb->allocator = (ProtobufCAllocator){.alloc = arena_alloc, .free = arena_free, .allocator_data = pb};
	return protobuf_c_message_unpack(type, &pb->allocator, len, data);
}
