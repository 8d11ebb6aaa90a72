/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/fd_watch.h"

#include "base/attr.h"

struct ka_fd_watch_handle {
	uv_poll_t poll;
	struct ka_fd_watch *watch; /* NULL: dropped */
	int fd;
	int events;
};

static void free_handle(uv_handle_t *h)
{
	free(KA_CONTAINER_OF(h, struct ka_fd_watch_handle, poll));
}

void ka_fd_watch_drop(struct ka_fd_watch *w)
{
	if (!w->handle)
		return;
	w->handle->watch = NULL;
	uv_close((uv_handle_t *)&w->handle->poll, free_handle);
	w->handle = NULL;
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct ka_fd_watch_handle *h = KA_CONTAINER_OF(p, struct ka_fd_watch_handle, poll);

	(void)events;
	if (status < 0) /* libuv has stopped watching: the device is in error */
		h->events = 0;
	if (h->watch)
		h->watch->on_event(h->watch->arg);
}

void ka_fd_watch_set(struct ka_fd_watch *w, int fd, int events)
{
	struct ka_fd_watch_handle *h = w->handle;

	if (h && (h->fd != fd || !events)) {
		ka_fd_watch_drop(w);
		h = NULL;
	}
	if (fd < 0 || !events)
		return;
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h || uv_poll_init(w->loop, &h->poll, fd) < 0) {
			free(h);
			return;
		}
		h->watch = w;
		h->fd = fd;
		w->handle = h;
	}
	if (h->events != events && uv_poll_start(&h->poll, events, on_poll) == 0)
		h->events = events;
}
