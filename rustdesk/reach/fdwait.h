/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One wait for a file descriptor, with a deadline. The callback runs once, on the loop; by then the wait is over and
 * the descriptor free for anything else, another thread included. Owner: the loop's thread.
 */
#ifndef KA_FDWAIT_H
#define KA_FDWAIT_H

#include <uv.h>

#include "base/attr.h"

struct ka_fdwait;

/* status: 0 ready, -ETIMEDOUT. */
typedef void (*ka_fdwait_fn)(void *arg, int status);

/* events: UV_READABLE or UV_WRITABLE; errors of the socket count as ready. */
int ka_fdwait_new(struct ka_fdwait **out, uv_loop_t *uv, int fd, int events, uint64_t timeout_ms, ka_fdwait_fn done,
		  void *arg) KA_MUST_USE;
/* The callback will not run. Not from within it: there it is gone already. NULL is fine. */
void ka_fdwait_free(struct ka_fdwait *w);

#endif
