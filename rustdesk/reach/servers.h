/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rendezvous servers of the configuration, in the order of preference. One is in use: calls are taken from it, and
 * env->host, port and server name it. When it fails, the others are tried one after another; while a later one is in
 * use, those before it are tried now and then. A trial is a registration beside the one in use, which stays until the
 * trial is registered: nothing that works is given up for something that might.
 *
 *   first ── silent, refused, unreachable ──► the next that registers ── an earlier one registers ──► that one
 *
 * Owner: ka-net.
 */
#ifndef KA_SERVERS_H
#define KA_SERVERS_H

#include "base/attr.h"
#include "rustdesk/reach/reach_env.h"

#define KA_SERVERS_MAX 8

struct ka_servers_list {
	struct ka_server all[KA_SERVERS_MAX];
	unsigned int n;
};

/* text: "host[:port]" each, separated by commas; blanks around them do not count. Empty text: none. Pure. -KA_E_CONFIG
 * with words in eb. */
int ka_servers_parse(struct ka_servers_list *out, const char *text, struct ka_errbuf *eb) KA_MUST_USE;

struct ka_servers;

struct ka_servers_cfg {
	struct ka_reach_env *env;	    /* host, port, server and serial are written */
	const struct ka_servers_list *list; /* at least one; outlives the object */
	void (*on_call)(void *arg, const struct ka_rdv_call *call);
	void (*on_server)(void *arg); /* env->server is another one or has a new socket */
	void *arg;
};

int ka_servers_new(struct ka_servers **out, const struct ka_servers_cfg *cfg) KA_MUST_USE;
int ka_servers_start(struct ka_servers *s) KA_MUST_USE;
/* Handles close themselves on the loop. NULL is fine. */
void ka_servers_free(struct ka_servers *s);
void ka_servers_pk_rejected(struct ka_servers *s);
/* Own addresses or routes changed. */
void ka_servers_moved(struct ka_servers *s);
bool ka_servers_registered(const struct ka_servers *s);
/* For an operator. */
void ka_servers_words(const struct ka_servers *s, char *dst, size_t dst_size);

#endif
