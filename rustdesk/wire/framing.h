/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Length framing of every TCP stream of the protocol:
 *
 *   | header, 1..4 bytes, little-endian: length << 2 | (header bytes - 1) | payload, `length` bytes |
 *
 * A length of 0 is legal and a message of its own. The reader is resumable and bounded: memory grows with the bytes
 * that arrived, never with the length announced. One owner. Pure.
 */
#ifndef KA_FRAMING_H
#define KA_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"

#define KA_FRAMING_HEADER_MAX 4
#define KA_FRAMING_PAYLOAD_MAX 0x3fffffffu

/* Shortest header for a payload of len (<= KA_FRAMING_PAYLOAD_MAX) bytes; returns its size. */
size_t ka_framing_header(uint8_t out[static KA_FRAMING_HEADER_MAX], size_t len);

struct ka_framer {
	struct ka_bytes in;
	size_t limit;	 /* largest payload accepted, bytes */
	size_t consumed; /* front bytes of `in` already handed out */
};

void ka_framer_init(struct ka_framer *f, size_t limit);
void ka_framer_fini(struct ka_framer *f);
/* Takes effect from the next message on. */
void ka_framer_set_limit(struct ka_framer *f, size_t limit);
/* Where to read the next bytes to; at least 1 byte of room, or NULL and *room = 0 without memory. */
uint8_t *ka_framer_room(struct ka_framer *f, size_t *room);
/* n bytes were read into ka_framer_room(). */
void ka_framer_filled(struct ka_framer *f, size_t n);
/* 1: *payload and *len describe a message in place (writable), valid until the next call; 0: need more; -KA_E_TOO_BIG:
 * the peer announced more than the limit, the stream cannot go on. */
int ka_framer_next(struct ka_framer *f, uint8_t **payload, size_t *len) KA_MUST_USE;

#endif
