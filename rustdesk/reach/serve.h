/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rendezvous service for this device alone (and a fixed list of neighbours), so that a stock client without any
 * server gets a signed, encrypted session. The user gives the client `<id>@<address>?key=<key>`; the client then asks
 * this service where the device is, gets our own session port and the device's key signed by the service's, and
 * connects:
 *
 *   client ─ PunchHoleRequest{id, key} ─► port 21116        client ─ TestNat, online query ─► 21116, 21115
 *          ◄─ PunchHoleResponse{session port, signed key} ─
 *          ─ connects ─► session port 21117: SignedId first, then as on any secure path
 *          (forced to relay: RequestRelay first, on the same port)
 *
 * Each stream gets one answer. What may be learnt without the key, and how often may be asked: reach/serve_gate.h.
 *
 * Owner: the thread that runs the loop. Bounded: KA_SERVE_STREAMS connections, each for at most KA_SERVE_STREAM_MS.
 */
#ifndef KA_SERVE_H
#define KA_SERVE_H

#include <uv.h>

#include "base/attr.h"
#include "base/err.h"
#include "rustdesk/reach/reach.h"

#define KA_SERVE_STREAMS 32
#define KA_SERVE_STREAM_MS 30000
#define KA_SERVE_ANSWERED_MS 3000 /* for the client to hang up */

struct ka_serve;

struct ka_serve_cfg {
	const struct ka_rd_cfg *rd;
	const struct ka_rd_identity *identity;
	uv_loop_t *uv;
	/* A stream for a session; takes over in->fd. */
	void (*incoming)(void *arg, struct ka_incoming *in);
	void *arg;
};

/* Binds all ports; text in eb on error. */
int ka_serve_new(struct ka_serve **out, const struct ka_serve_cfg *cfg, struct ka_errbuf *eb) KA_MUST_USE;
int ka_serve_start(struct ka_serve *s) KA_MUST_USE;
/* Port of the service itself. */
uint16_t ka_serve_port(const struct ka_serve *s);
/* Closes everything; the memory goes once the loop has drained. NULL is fine. */
void ka_serve_free(struct ka_serve *s);

#endif
