/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A descriptor watched on a loop, which may change or go at any time. Owner: the loop's thread. */
#ifndef KA_FD_WATCH_H
#define KA_FD_WATCH_H

#include <uv.h>

/* libuv frees a handle's memory only after its close callback, so each watched descriptor gets its own. */
struct ka_fd_watch {
	struct ka_fd_watch_handle *handle; /* NULL: none */
	uv_loop_t *loop;
	void (*on_event)(void *arg);
	void *arg;
};

/* events: UV_READABLE and its like. fd -1 or events 0: nothing. Does nothing when it is so already; without memory it
 * watches nothing. */
void ka_fd_watch_set(struct ka_fd_watch *w, int fd, int events);
/* Before the descriptor is closed. No event comes any more, not even one that is on its way. */
void ka_fd_watch_drop(struct ka_fd_watch *w);

#endif
