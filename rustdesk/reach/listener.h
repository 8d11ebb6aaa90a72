/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The port for direct access. Owner: the thread that runs the loop. */
#ifndef KA_LISTENER_H
#define KA_LISTENER_H

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/attr.h"
#include "base/err.h"

struct ka_listener;

/* fd: non-blocking, close-on-exec, TCP_NODELAY; owned by the callee. */
typedef void (*ka_listener_fn)(void *arg, int fd, const struct sockaddr_storage *peer);

/* address: IPv4 or IPv6; "" and "::" mean any of both families. port 0: any free one. Text in eb on error. */
int ka_listener_new(struct ka_listener **out, uv_loop_t *uv, const char *address, uint16_t port,
		    ka_listener_fn accepted, void *arg, struct ka_errbuf *eb) KA_MUST_USE;
/* From now on connections are taken; before, they queue. */
int ka_listener_start(struct ka_listener *l) KA_MUST_USE;
uint16_t ka_listener_port(const struct ka_listener *l);
/* Handles close themselves on the loop. NULL is fine. */
void ka_listener_free(struct ka_listener *l);

#endif
