/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "host[:port]" to socket addresses. Owner: the loop's thread. Each look-up blocks a short-lived thread of its own and
 * not one of libuv's pool: that is waited for when the loop closes, which with a dead name server takes many seconds.
 * Nobody can stop such a thread, so a resolver bounds how many there are, those that nobody waits for any more
 * included.
 */
#ifndef KA_RESOLVE_H
#define KA_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/attr.h"

#define KA_RESOLVE_MAX 8
#define KA_RESOLVE_HOST_MAX 255

struct ka_resolve_list {
	struct sockaddr_storage addrs[KA_RESOLVE_MAX];
	unsigned int n;
};

/* name, name:port, 1.2.3.4:port, [::1]:port, or a bare IPv6 address. -EINVAL when it is none of these. Pure. */
int ka_resolve_split(const char *text, uint16_t default_port, char host[static KA_RESOLVE_HOST_MAX + 1],
		     uint16_t *port) KA_MUST_USE;
/* True when host is an address already. Pure. */
bool ka_resolve_literal(const char *host, uint16_t port, struct ka_resolve_list *out);

struct ka_resolver;

/* limit: threads at a time, at least 1. */
int ka_resolver_new(struct ka_resolver **out, uv_loop_t *uv, unsigned int limit) KA_MUST_USE;
uv_loop_t *ka_resolver_uv(const struct ka_resolver *r);
/* Threads that have not ended. Any thread. */
unsigned int ka_resolver_busy(struct ka_resolver *r);
/* Its look-ups must have been freed; their threads may go on. NULL is fine. */
void ka_resolver_free(struct ka_resolver *r);

struct ka_resolve;

/* status: 0 and at least one address, or a negative cause: UV_EAI_* or -errno. */
typedef void (*ka_resolve_fn)(void *arg, int status, const struct ka_resolve_list *list);

/* -KA_E_LIMIT when as many as the resolver bears are under way: try again later. */
int ka_resolve_new(struct ka_resolve **out, struct ka_resolver *r, const char *host, uint16_t port, ka_resolve_fn done,
		   void *arg) KA_MUST_USE;
/* The callback will not run; the thread ends by itself some time. NULL is fine; not from within the callback: there it
 * is gone already. */
void ka_resolve_free(struct ka_resolve *q);

#endif
