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

struct ka_rendezvous_cfg {
	struct ka_reach_env *env; /* server and serial are written; the rest is read */
	void (*on_call)(void *arg, const struct ka_rdv_call *call);
	void (*on_server)(void *arg); /* env->server has an address and a new socket */
	void *arg;
};

int ka_rendezvous_new(struct ka_rendezvous **out, const struct ka_rendezvous_cfg *cfg) KA_MUST_USE;
void ka_rendezvous_start(struct ka_rendezvous *rz);
/* Handles close themselves on the loop. NULL is fine. */
void ka_rendezvous_free(struct ka_rendezvous *rz);
void ka_rendezvous_pk_rejected(struct ka_rendezvous *rz);
/* The server has confirmed within the last minute. */
bool ka_rendezvous_registered(const struct ka_rendezvous *rz);
void ka_rendezvous_words(const struct ka_rendezvous *rz, char *dst, size_t dst_size);

#endif
