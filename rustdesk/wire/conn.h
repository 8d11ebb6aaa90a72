/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one door to the wire: a TCP stream on the session's loop with framing, sealing and a bounded output. Whether
 * bytes are sealed is the connection's state, never the caller's choice. Owner: the loop's thread.
 *
 *   new ─► (seal) ─► close ─► loop drains ─► free
 */
#ifndef KA_CONN_H
#define KA_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <protobuf-c/protobuf-c.h>

#include "base/attr.h"
#include "rustdesk/wire/seal.h"

struct ka_conn_cfg {
	uv_loop_t *uv;
	size_t in_limit;  /* largest payload accepted, bytes */
	size_t out_limit; /* bytes waiting to be sent at most; past that sending fails: the owner must end it */
	/* One message in the clear, writable, valid during the call. A negative result ends the connection. */
	int (*on_message)(void *arg, uint8_t *data, size_t len);
	/* Everything handed to send has reached the kernel. */
	void (*on_drained)(void *arg);
	/* Once: the stream has ended; 0 = the peer closed it. Not called after ka_conn_close(). */
	void (*on_end)(void *arg, int err);
	void *arg;
};

struct ka_conn;

/* Takes over fd in any case. */
int ka_conn_new(struct ka_conn **out, const struct ka_conn_cfg *cfg, int fd) KA_MUST_USE;
/* Bytes that are framed already; before sealing only. */
int ka_conn_send_framed(struct ka_conn *c, const uint8_t *data, size_t len);
int ka_conn_send(struct ka_conn *c, const ProtobufCMessage *msg);
/* Both directions from the next message on. */
void ka_conn_seal(struct ka_conn *c, const uint8_t key[static KA_SEAL_KEY]);
bool ka_conn_sealed(const struct ka_conn *c);
void ka_conn_set_in_limit(struct ka_conn *c, size_t limit);
void ka_conn_set_out_limit(struct ka_conn *c, size_t limit);
/* Nothing more is sent: the peer sees the end after what is under way. What it still sends is read. */
void ka_conn_finish(struct ka_conn *c);
/* Bytes the kernel has not taken yet. */
size_t ka_conn_pending(const struct ka_conn *c);
/* Bytes of a message that may be sent now without meeting the limit. */
size_t ka_conn_room(const struct ka_conn *c);
struct ka_conn_link {
	uint64_t acked;	    /* bytes the other kernel has acknowledged, since the beginning */
	size_t outstanding; /* bytes handed to send and not acknowledged */
	size_t unsent;	    /* of these not sent yet */
	size_t mss;	    /* bytes of a segment */
	int64_t rtt_us;	    /* smoothed; 0 = unknown */
};
/* What the kernel says of the link to the other end, or to the relay between. */
void ka_conn_get_link(const struct ka_conn *c, struct ka_conn_link *out);
/* For how long pending bytes have not moved, as of now. Call about once a second. */
int64_t ka_conn_stalled_us(struct ka_conn *c, int64_t now_us);
/* Gives back the socket's memory once the loop has run; idempotent. */
void ka_conn_close(struct ka_conn *c);
void ka_conn_free(struct ka_conn *c);
/* Instead of close and free, while the loop goes on: frees itself once the loop has closed it. NULL is fine. */
void ka_conn_dispose(struct ka_conn *c);

#endif
