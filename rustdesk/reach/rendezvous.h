/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The UDP link to hbbs: looks its name up, keeps this device registered, and passes calls on. The socket is connected,
 * so the kernel only lets datagrams from the server's address through. Owner: ka-net.
 */
#ifndef KA_RENDEZVOUS_H
#define KA_RENDEZVOUS_H

#include "base/attr.h"
#include "rustdesk/reach/reach_env.h"

struct ka_rendezvous;

/* None of the callbacks may free the object. */
struct ka_rendezvous_cfg {
	struct ka_reach_env *env;	/* serial is written; the rest is read */
	const struct ka_server *server; /* which one; outlives the object */
	void (*on_call)(void *arg, struct ka_rendezvous *rz, const struct ka_rdv_call *call);
	void (*on_server)(void *arg, struct ka_rendezvous *rz); /* there is a new socket, to what _address says */
	void (*on_change)(void *arg, struct ka_rendezvous *rz); /* something may be different */
	void *arg;
	bool quiet; /* changes are logged for debugging only: a trial that is made again and again */
};

int ka_rendezvous_new(struct ka_rendezvous **out, const struct ka_rendezvous_cfg *cfg) KA_MUST_USE;
void ka_rendezvous_start(struct ka_rendezvous *rz);
/* No longer quiet: says how it stands. */
void ka_rendezvous_speak_up(struct ka_rendezvous *rz);
/* Handles close themselves on the loop. NULL is fine. */
void ka_rendezvous_free(struct ka_rendezvous *rz);
void ka_rendezvous_pk_rejected(struct ka_rendezvous *rz);
/* Own addresses or routes changed: looks whether the socket still has the right address, and registers at once. */
void ka_rendezvous_moved(struct ka_rendezvous *rz);
/* Of the server; family 0 until there is a socket. */
const struct sockaddr_storage *ka_rendezvous_address(const struct ka_rendezvous *rz);
/* It does not work out with this server for now. */
bool ka_rendezvous_failing(const struct ka_rendezvous *rz);
/* The server has confirmed within the last minute. */
bool ka_rendezvous_registered(const struct ka_rendezvous *rz);
void ka_rendezvous_words(const struct ka_rendezvous *rz, char *dst, size_t dst_size);

#endif
