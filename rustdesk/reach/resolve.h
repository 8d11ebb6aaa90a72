/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "host[:port]" to socket addresses. Look-ups run on libuv's pool. Owner: the loop's thread. */
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

struct ka_resolve;

/* status: 0 and at least one address, or libuv's negative cause. */
typedef void (*ka_resolve_fn)(void *arg, int status, const struct ka_resolve_list *list);

int ka_resolve_new(struct ka_resolve **out, uv_loop_t *uv, const char *host, uint16_t port, ka_resolve_fn done,
		   void *arg) KA_MUST_USE;
/* The callback will not run. A look-up that libuv already works on ends by itself and holds the loop until then. NULL
 * is fine; not from within the callback. */
void ka_resolve_free(struct ka_resolve *q);

#endif
