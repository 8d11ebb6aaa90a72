/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "rustdesk/reach/resolve.h"
#include "rustdesk/wire/addr.h"

#define BACKLOG 64
#define ACCEPTS_AT_ONCE 16
#define PAUSE_MS 500 /* when the process or the system is out of descriptors or memory */

/* The handles outlive the listener until libuv has closed them. */
struct handles {
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int open;
	struct ka_listener *listener; /* NULL once it is gone */
};

struct ka_listener {
	int fd;
	uint16_t port;
	uv_loop_t *uv;
	struct handles *handles; /* NULL before start */
	ka_listener_fn accepted;
	void *arg;
};

static int bind_and_listen(const struct sockaddr_storage *a)
{
	const int on = 1;
	const int off = 0;
	int fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	/* Only that: SO_REUSEPORT would let two agents share the port unnoticed. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)a, ka_addr_len(a)) < 0 || listen(fd, BACKLOG) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

static int open_socket(const char *address, uint16_t port, struct ka_errbuf *eb)
{
	bool any = !*address || !strcmp(address, "::");
	struct ka_resolve_list list;
	int fd;

	if (!ka_resolve_literal(any ? "::" : address, port, &list)) {
		ka_errbuf_set(eb, "direct_address \"%s\" is neither an IPv4 nor an IPv6 address", address);
		return -EINVAL;
	}
	fd = bind_and_listen(&list.addrs[0]);
	/* A kernel without IPv6 still has the other family. */
	if (fd == -EAFNOSUPPORT && any && ka_resolve_literal("0.0.0.0", port, &list))
		fd = bind_and_listen(&list.addrs[0]);
	if (fd == -EADDRINUSE)
		ka_errbuf_set(eb, "cannot listen on %s port %u: another program uses it; choose another direct_port",
			      any ? "any address," : address, port);
	else if (fd == -EADDRNOTAVAIL)
		ka_errbuf_set(eb, "cannot listen on %s port %u: this machine does not have that address", address,
			      port);
	else if (fd == -EACCES)
		ka_errbuf_set(eb, "cannot listen on %s port %u: not permitted; choose a direct_port above 1023",
			      any ? "any address," : address, port);
	else if (fd < 0)
		ka_errbuf_set(eb, "cannot listen on %s port %u: %s", any ? "any address," : address, port,
			      ka_err_str(fd));
	return fd;
}

int ka_listener_new(struct ka_listener **out, uv_loop_t *uv, const char *address, uint16_t port,
		    ka_listener_fn accepted, void *arg, struct ka_errbuf *eb)
{
	struct ka_listener *l = calloc(1, sizeof(*l));
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);

	if (!l)
		return -ENOMEM;
	*l = (struct ka_listener){.uv = uv, .accepted = accepted, .arg = arg};
	l->fd = open_socket(address, port, eb);
	if (l->fd < 0) {
		int ret = l->fd;

		free(l);
		return ret;
	}
	getsockname(l->fd, (struct sockaddr *)&bound, &len);
	l->port = ka_addr_port(&bound);
	*out = l;
	return 0;
}

uint16_t ka_listener_port(const struct ka_listener *l)
{
	return l->port;
}

/* 0: one taken; -EAGAIN: none left for now; else a reason to pause. */
static int accept_next(struct ka_listener *l)
{
	const int on = 1;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	l->accepted(l->arg, fd, &peer);
	return 0;
}

static void on_pause_over(uv_timer_t *t);

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct handles *h = p->data;
	int ret = 0;

	(void)status;
	(void)events;
	for (unsigned int i = 0; i < ACCEPTS_AT_ONCE && ret == 0 && h->listener; i++)
		ret = accept_next(h->listener);
	/* Errors of the connection itself (ECONNABORTED, EPROTO, ...) concern that one only. */
	if (ret != -EMFILE && ret != -ENFILE && ret != -ENOBUFS && ret != -ENOMEM)
		return;
	ka_log_every(WARN, KA_SEC(10), "listener", "cannot accept", "cause=\"%s\"", ka_err_str(ret));
	uv_poll_stop(p);
	ka_timer_once(&h->timer, on_pause_over, PAUSE_MS);
}

static void on_pause_over(uv_timer_t *t)
{
	struct handles *h = t->data;

	uv_poll_start(&h->poll, UV_READABLE, on_readable);
}

static void on_closed(uv_handle_t *handle)
{
	struct handles *h = handle->data;

	if (--h->open == 0)
		free(h);
}

int ka_listener_start(struct ka_listener *l)
{
	struct handles *h = calloc(1, sizeof(*h));
	int ret;

	if (!h)
		return -ENOMEM;
	ret = uv_poll_init(l->uv, &h->poll, l->fd);
	if (ret < 0) {
		free(h);
		return ret;
	}
	uv_timer_init(l->uv, &h->timer);
	h->poll.data = h;
	h->timer.data = h;
	h->open = 2;
	h->listener = l;
	l->handles = h;
	return uv_poll_start(&h->poll, UV_READABLE, on_readable);
}

void ka_listener_free(struct ka_listener *l)
{
	if (!l)
		return;
	if (l->handles) {
		l->handles->listener = NULL;
		uv_close((uv_handle_t *)&l->handles->poll, on_closed);
		uv_close((uv_handle_t *)&l->handles->timer, on_closed);
	}
	close(l->fd);
	free(l);
}
