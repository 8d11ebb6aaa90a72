/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "rustdesk/reach/fdwait.h"
#include "rustdesk/reach/resolve.h"
#include "rustdesk/wire/addr.h"

struct ka_dial {
	uv_loop_t *uv;
	struct ka_resolve_list list;
	unsigned int next; /* address to try next */
	struct sockaddr_storage local;
	uint64_t timeout_ms;
	int64_t deadline_us;
	int fd;
	struct ka_fdwait *wait;
	struct ka_resolve *lookup;
	ka_dial_fn done;
	void *arg;
};

int ka_dial_socket(int family, const struct sockaddr_storage *local)
{
	/* Bound in any case: a port that connect() picks may be shared with connections of others, and then nobody can
	 * listen on it afterwards. */
	const struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
	const struct sockaddr_storage *own = local ? local : &any;
	const int on = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)own, ka_addr_len(own)) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

const char *ka_dial_words(int err)
{
	switch (err) {
	case -ETIMEDOUT:
		return "no answer";
	case -ECONNREFUSED:
		return "refused: nothing listens there";
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		return "unreachable: no route";
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
		return "name unknown";
	case UV_EAI_AGAIN:
	case UV_EAI_FAIL:
		return "name cannot be looked up now";
	case -KA_E_LIMIT:
		return "too many name look-ups under way";
	default:
		return err <= UV_EAI_ADDRFAMILY && err >= UV_EAI_SOCKTYPE ? uv_strerror(err) : ka_err_str(err);
	}
}

void ka_dial_free(struct ka_dial *d)
{
	if (!d)
		return;
	ka_resolve_free(d->lookup);
	ka_fdwait_free(d->wait);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

static void finish(struct ka_dial *d, int fd)
{
	ka_dial_fn done = d->done;
	void *arg = d->arg;

	ka_dial_free(d);
	done(arg, fd);
}

static void on_connected(void *arg, int status);

/* Several addresses share what is left of the time. */
static uint64_t share_ms(const struct ka_dial *d)
{
	int64_t left = (d->deadline_us - ka_clock_us()) / 1000;

	return left <= 0 ? 1 : (uint64_t)left / (d->list.n - d->next + 1) + 1;
}

/* 0: an attempt is under way; else the last cause: no address left. */
static int try_next(struct ka_dial *d)
{
	int ret = -ENOENT;

	while (d->next < d->list.n) {
		const struct sockaddr_storage *to = &d->list.addrs[d->next++];

		d->fd = ka_dial_socket(to->ss_family, d->local.ss_family ? &d->local : NULL);
		if (d->fd < 0) {
			ret = d->fd;
			continue;
		}
		ret = connect(d->fd, (const struct sockaddr *)to, ka_addr_len(to)) < 0 ? -errno : 0;
		if (ret == 0 || ret == -EINPROGRESS)
			ret = ka_fdwait_new(&d->wait, d->uv, d->fd, UV_WRITABLE, share_ms(d), on_connected, d);
		if (ret == 0)
			return 0;
		close(d->fd);
		d->fd = -1;
	}
	return ret;
}

static void on_connected(void *arg, int status)
{
	struct ka_dial *d = arg;
	int fd = d->fd;
	int err = -status;
	socklen_t len = sizeof(err);

	d->wait = NULL;
	if (status == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	d->fd = -1;
	if (err == 0) {
		finish(d, fd);
		return;
	}
	close(fd);
	if (d->next < d->list.n) {
		int ret = try_next(d);

		if (ret == 0)
			return;
		err = -ret;
	}
	finish(d, -err);
}

static void on_resolved(void *arg, int status, const struct ka_resolve_list *list)
{
	struct ka_dial *d = arg;
	int ret = status;

	d->lookup = NULL;
	if (ret == 0) {
		d->list = *list;
		d->deadline_us = ka_clock_us() + KA_MS((int64_t)d->timeout_ms);
		ret = try_next(d);
	}
	if (ret < 0)
		finish(d, ret);
}

static int new_dial(struct ka_dial **out, uv_loop_t *uv, uint64_t timeout_ms, ka_dial_fn done, void *arg)
{
	struct ka_dial *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->uv = uv;
	d->fd = -1;
	d->timeout_ms = timeout_ms;
	d->deadline_us = ka_clock_us() + KA_MS((int64_t)timeout_ms);
	d->done = done;
	d->arg = arg;
	*out = d;
	return 0;
}

int ka_dial_addr(struct ka_dial **out, uv_loop_t *uv, const struct sockaddr_storage *to,
		 const struct sockaddr_storage *local, uint64_t timeout_ms, ka_dial_fn done, void *arg)
{
	struct ka_dial *d;
	int ret = new_dial(&d, uv, timeout_ms, done, arg);

	if (ret < 0)
		return ret;
	d->list.addrs[0] = *to;
	d->list.n = 1;
	if (local)
		d->local = *local;
	ret = try_next(d);
	if (ret < 0) {
		ka_dial_free(d);
		return ret;
	}
	*out = d;
	return 0;
}

int ka_dial_host(struct ka_dial **out, struct ka_resolver *resolver, const char *text, uint16_t default_port,
		 uint64_t timeout_ms, ka_dial_fn done, void *arg)
{
	char host[KA_RESOLVE_HOST_MAX + 1];
	uint16_t port;
	struct ka_dial *d;
	int ret = ka_resolve_split(text, default_port, host, &port);

	if (ret < 0)
		return ret;
	ret = new_dial(&d, ka_resolver_uv(resolver), timeout_ms, done, arg);
	if (ret < 0)
		return ret;
	if (ka_resolve_literal(host, port, &d->list))
		ret = try_next(d);
	else
		ret = ka_resolve_new(&d->lookup, resolver, host, port, on_resolved, d);
	if (ret < 0) {
		ka_dial_free(d);
		return ret;
	}
	*out = d;
	return 0;
}
