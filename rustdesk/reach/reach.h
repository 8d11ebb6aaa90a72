/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How controllers find this device: registration with hbbs, punching, same-LAN answers, relay, direct listener, LAN
 * discovery, NAT type test. Everything runs on one uv loop; the owner is the thread that runs it (ka-net).
 *
 *   new ─► listen ─► start ─► (loop runs; `incoming` is called) ─► close ─► loop drains ─► free
 */
#ifndef KA_REACH_H
#define KA_REACH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/attr.h"
#include "base/err.h"
#include "rustdesk/rustdesk.h"

#define KA_REACH_LISTENERS_MAX 8

enum ka_path {
	KA_PATH_DIRECT,	 /* accepted on the direct port: plain by the stock protocol */
	KA_PATH_PUNCHED, /* accepted on a punched port */
	KA_PATH_LAN,	 /* accepted on the address given for the same LAN */
	KA_PATH_RELAY,	 /* through hbbr */
	KA_PATH_SERVED,	 /* accepted on the session port of our own rendezvous service */
};

/* A connected stream that wants a session. */
struct ka_incoming {
	int fd; /* non-blocking, close-on-exec, TCP_NODELAY; owned by whoever holds the struct */
	enum ka_path path;
	bool secure;		      /* the controller expects SignedId first */
	struct sockaddr_storage peer; /* of the socket; on a relay what hbbs named */
};

struct ka_reach_cfg {
	const struct ka_rd_cfg *rd;
	const struct ka_rd_identity *identity;
	uv_loop_t *uv;
	/* Takes over in->fd. Owner thread. */
	void (*incoming)(void *arg, struct ka_incoming *in);
	void *arg;
};

struct ka_reach_status {
	uint16_t direct_port; /* 0 = not listening */
	uint16_t serve_port;  /* of our own rendezvous service; 0 = none */
	bool registered;
	char server_state[96]; /* in words for an operator */
	struct ka_rd_nat nat;
};

struct ka_reach;

int ka_reach_new(struct ka_reach **out, const struct ka_reach_cfg *cfg, struct ka_errbuf *eb) KA_MUST_USE;
/* Binds the direct listener and the LAN port (if configured). Text in eb names the address and what to do; a LAN port
 * that is taken is only logged. Before the loop runs. */
int ka_reach_listen(struct ka_reach *r, struct ka_errbuf *eb) KA_MUST_USE;
/* Owner, before or while the loop runs. */
int ka_reach_start(struct ka_reach *r) KA_MUST_USE;
/* Owner. Closes every handle and pending connection; free after the loop has drained. NULL is fine for both. */
void ka_reach_close(struct ka_reach *r);
void ka_reach_free(struct ka_reach *r);
/* Owner. A controller could not verify our key: register it again. */
void ka_reach_pk_rejected(struct ka_reach *r);
/* Owner. */
void ka_reach_get_status(struct ka_reach *r, struct ka_reach_status *out);

const char *ka_path_name(enum ka_path p);

#endif
