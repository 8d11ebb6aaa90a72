/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outgoing TCP connections with a deadline, optionally from a given local address that other sockets use as well
 * (SO_REUSEADDR and SO_REUSEPORT are set before bind: hole punching and the NAT test need one port for several
 * connections). Owner: the loop's thread.
 */
#ifndef KA_DIAL_H
#define KA_DIAL_H

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/attr.h"
#include "rustdesk/reach/resolve.h"

struct ka_dial;

/* fd: connected, non-blocking, close-on-exec, TCP_NODELAY, owned by the callee; or a negative cause: libuv's for name
 * look-ups, -ETIMEDOUT, -ECONNREFUSED, ... */
typedef void (*ka_dial_fn)(void *arg, int fd);

/* local: address and port to connect from, or NULL. */
int ka_dial_addr(struct ka_dial **out, uv_loop_t *uv, const struct sockaddr_storage *to,
		 const struct sockaddr_storage *local, uint64_t timeout_ms, ka_dial_fn done, void *arg) KA_MUST_USE;
/* text: "host[:port]"; each address the name has is tried in order, within one deadline (look-up excluded). */
int ka_dial_host(struct ka_dial **out, struct ka_resolver *resolver, const char *text, uint16_t default_port,
		 uint64_t timeout_ms, ka_dial_fn done, void *arg) KA_MUST_USE;
/* The callback will not run. NULL is fine; not from within the callback: there it is gone already. */
void ka_dial_free(struct ka_dial *d);

/* A negative cause from above in plain words. Static text. */
const char *ka_dial_words(int err);

/* A socket with the flags above, bound to local or to a port nobody else has. The descriptor or a negative cause. */
int ka_dial_socket(int family, const struct sockaddr_storage *local) KA_MUST_USE;

#endif
