/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/fdwait.h"

#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"

struct ka_fdwait {
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int handles; /* not closed yet */
	ka_fdwait_fn done;
	void *arg;
};

static void on_closed(uv_handle_t *h)
{
	struct ka_fdwait *w = h->data;

	if (--w->handles == 0)
		free(w);
}

void ka_fdwait_free(struct ka_fdwait *w)
{
	if (!w)
		return;
	/* Takes the descriptor out of epoll at once; the memory goes when libuv is done with it. */
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void finish(struct ka_fdwait *w, int status)
{
	ka_fdwait_fn done = w->done;
	void *arg = w->arg;

	ka_fdwait_free(w);
	done(arg, status);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	finish(p->data, 0);
}

static void on_timer(uv_timer_t *t)
{
	finish(t->data, -ETIMEDOUT);
}

int ka_fdwait_new(struct ka_fdwait **out, uv_loop_t *uv, int fd, int events, uint64_t timeout_ms, ka_fdwait_fn done,
		  void *arg)
{
	struct ka_fdwait *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return -ENOMEM;
	w->done = done;
	w->arg = arg;
	ret = uv_poll_init(uv, &w->poll, fd);
	if (ret < 0) {
		free(w);
		return ret;
	}
	uv_timer_init(uv, &w->timer);
	w->handles = 2;
	w->poll.data = w;
	w->timer.data = w;
	ret = uv_poll_start(&w->poll, events, on_poll);
	if (ret < 0) {
		ka_fdwait_free(w);
		return ret;
	}
	ka_timer_once(&w->timer, on_timer, timeout_ms);
	*out = w;
	return 0;
}
