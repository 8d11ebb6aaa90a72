/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What our own rendezvous service hears from controllers and says to them: one framed message each on TCP. Everything
 * read is copied into bounded members. Pure, any thread.
 */
#ifndef KA_SERVE_MSG_H
#define KA_SERVE_MSG_H

#include "rustdesk/reach/rendezvous_msg.h"
#include "rustdesk/rustdesk.h"

#define KA_SERVE_QUERY_MAX 256 /* devices in one online query */

enum ka_serve_kind { KA_SERVE_OTHER, KA_SERVE_PUNCH, KA_SERVE_RELAY, KA_SERVE_NAT_TEST, KA_SERVE_ONLINE };

struct ka_serve_request {
	enum ka_serve_kind kind;
	char id[KA_RDV_DISCOVERY_MAX + 1]; /* PUNCH, RELAY: the device wanted */
	char key[KA_RDV_KEY_MAX + 1];	   /* PUNCH: the server's key as the controller knows it */
	bool force_relay;		   /* PUNCH */
	/* ONLINE: bit i (from the left of each byte) stands for the i-th device asked about. */
	uint8_t online[KA_SERVE_QUERY_MAX / 8];
	size_t n_online;
};

/* known: whether an id counts as online. -KA_E_PEER when it is no message or over the limits. */
int ka_serve_read(struct ka_pb *pb, struct ka_serve_request *out, const uint8_t *data, size_t len,
		  bool (*known)(void *arg, const char *id), void *arg) KA_MUST_USE;

enum ka_serve_failure { KA_SERVE_NO_SUCH_ID = 0, KA_SERVE_WRONG_KEY = 3 };

struct ka_serve_answer {
	struct sockaddr_storage addr; /* where the device listens */
	uint32_t stamp;		      /* for the address */
	const char *relay_server;     /* the same in words, for controllers that relay */
	const uint8_t *signed_pk;     /* the service's signature and IdPk{id, device key} */
	size_t signed_pk_len;
};

/* Each replaces the content of b by one framed message. -KA_E_TOO_BIG when texts are too long for it. */
int ka_serve_punch_answer(struct ka_rdv_buf *b, const struct ka_serve_answer *a) KA_MUST_USE;
int ka_serve_punch_failure(struct ka_rdv_buf *b, enum ka_serve_failure failure) KA_MUST_USE;
/* Instead of the former, for controllers that want a relay: relay_server it is. */
int ka_serve_relay_offer(struct ka_rdv_buf *b, const struct ka_serve_answer *a, const char *uuid,
			 const char *version) KA_MUST_USE;
/* To a controller that could not connect and goes to the relay it was named before. */
int ka_serve_relay_accept(struct ka_rdv_buf *b, const char *version) KA_MUST_USE;
int ka_serve_relay_refusal(struct ka_rdv_buf *b, const char *reason) KA_MUST_USE;
int ka_serve_nat_answer(struct ka_rdv_buf *b, uint16_t port) KA_MUST_USE;
int ka_serve_online_answer(struct ka_rdv_buf *b, const struct ka_serve_request *r) KA_MUST_USE;

#endif
