/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/ref.h"
#include "base/str.h"
#include "base/thread.h"
#include "rustdesk/wire/addr.h"

/* Shared by its holder and the threads. */
struct ka_resolver {
	struct ka_ref ref;
	uv_loop_t *uv;
	unsigned int limit;
	atomic_uint busy;
};

/* Shared by the loop and the thread; whoever is last frees it. */
struct ka_resolve {
	struct ka_ref ref;
	struct ka_resolver *resolver;
	char host[KA_RESOLVE_HOST_MAX + 1];
	uint16_t port;
	/* the thread's until it says so by async */
	int status;
	struct ka_resolve_list list;
	/* the loop's */
	uv_async_t async;
	ka_resolve_fn done;
	void *arg;
	/* both */
	pthread_mutex_t lock;
	bool given_up; /* async is closed or about to be */
};

int ka_resolve_split(const char *text, uint16_t default_port, char host[static KA_RESOLVE_HOST_MAX + 1], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	const char *end = text + strlen(text);
	uint64_t n = default_port;
	size_t len;

	if (*text == '[') {
		const char *bracket = strchr(text, ']');

		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return -EINVAL;
		colon = bracket[1] ? bracket + 1 : NULL;
		text++;
		end = bracket;
	} else if (colon && strchr(text, ':') != colon) {
		colon = NULL; /* several: a bare IPv6 address */
	} else if (colon) {
		end = colon;
	}
	if (colon && ka_str_parse_u64(colon + 1, 1, UINT16_MAX, &n) < 0)
		return -EINVAL;
	len = (size_t)(end - text);
	if (!len || len > KA_RESOLVE_HOST_MAX)
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	*port = (uint16_t)n;
	return 0;
}

bool ka_resolve_literal(const char *host, uint16_t port, struct ka_resolve_list *out)
{
	struct sockaddr_storage *a = &out->addrs[0];

	memset(out, 0, sizeof(*out));
	if (uv_ip4_addr(host, port, (struct sockaddr_in *)a) < 0 &&
	    uv_ip6_addr(host, port, (struct sockaddr_in6 *)a) < 0)
		return false;
	out->n = 1;
	return true;
}

static void collect(struct ka_resolve_list *list, const struct addrinfo *ai, uint16_t port)
{
	list->n = 0;
	for (; ai && list->n < KA_RESOLVE_MAX; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		struct sockaddr_storage *a = &list->addrs[list->n++];

		memset(a, 0, sizeof(*a));
		memcpy(a, ai->ai_addr, ai->ai_addrlen);
		ka_addr_set_port(a, port);
	}
}

int ka_resolver_new(struct ka_resolver **out, uv_loop_t *uv, unsigned int limit)
{
	struct ka_resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	ka_ref_init(&r->ref);
	r->uv = uv;
	r->limit = limit;
	*out = r;
	return 0;
}

uv_loop_t *ka_resolver_uv(const struct ka_resolver *r)
{
	return r->uv;
}

unsigned int ka_resolver_busy(struct ka_resolver *r)
{
	return atomic_load(&r->busy);
}

void ka_resolver_free(struct ka_resolver *r)
{
	if (r && ka_ref_put(&r->ref))
		free(r);
}

static void unref(struct ka_resolve *q)
{
	if (!ka_ref_put(&q->ref))
		return;
	ka_resolver_free(q->resolver);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static int cause_of(int err)
{
	switch (err) {
	case EAI_NONAME:
		return UV_EAI_NONAME;
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return UV_EAI_NODATA;
	case EAI_AGAIN:
		return UV_EAI_AGAIN;
	case EAI_MEMORY:
		return UV_EAI_MEMORY;
	case EAI_SYSTEM:
		return errno ? -errno : UV_EAI_FAIL;
	default:
		return UV_EAI_FAIL;
	}
}

static void *look_up(void *arg)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct ka_resolve *q = arg;
	struct addrinfo *info = NULL;
	struct ka_resolver *r = q->resolver;
	int err = getaddrinfo(q->host, NULL, &hints, &info);

	q->status = err ? cause_of(err) : 0;
	if (!err) {
		collect(&q->list, info, q->port);
		freeaddrinfo(info);
		if (!q->list.n)
			q->status = UV_EAI_NODATA;
	}
	pthread_mutex_lock(&q->lock);
	if (!q->given_up)
		uv_async_send(&q->async);
	pthread_mutex_unlock(&q->lock);
	ka_ref_get(&r->ref);
	unref(q);
	/* The last act, so that no more threads are about than are counted. */
	atomic_fetch_sub(&r->busy, 1);
	ka_resolver_free(r);
	return NULL;
}

static void on_closed(uv_handle_t *h)
{
	unref(h->data);
}

void ka_resolve_free(struct ka_resolve *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->given_up = true;
	pthread_mutex_unlock(&q->lock);
	uv_close((uv_handle_t *)&q->async, on_closed);
}

static void on_looked_up(uv_async_t *a)
{
	struct ka_resolve *q = a->data;

	/* The memory stays until the loop has closed the handle. */
	ka_resolve_free(q);
	q->done(q->arg, q->status, &q->list);
}

int ka_resolve_new(struct ka_resolve **out, struct ka_resolver *r, const char *host, uint16_t port, ka_resolve_fn done,
		   void *arg)
{
	struct ka_resolve *q;
	int ret;

	/* Only this thread counts up. */
	if (atomic_load(&r->busy) >= r->limit) {
		ka_log_every(WARN, KA_SEC(10), "resolve", "too-many-look-ups", "limit=%u", r->limit);
		return -KA_E_LIMIT;
	}
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	ka_ref_init(&q->ref);
	ka_ref_get(&r->ref);
	q->resolver = r;
	pthread_mutex_init(&q->lock, NULL);
	q->port = port;
	q->done = done;
	q->arg = arg;
	ret = ka_str_copy(q->host, sizeof(q->host), host) ? uv_async_init(r->uv, &q->async, on_looked_up) : -EINVAL;
	if (ret < 0) {
		unref(q);
		return ret;
	}
	q->async.data = q;
	ka_ref_get(&q->ref);
	atomic_fetch_add(&r->busy, 1);
	ret = ka_thread_detach("ka-dns", look_up, q);
	if (ret < 0) {
		atomic_fetch_sub(&r->busy, 1);
		unref(q); /* the thread's */
		ka_resolve_free(q);
		return ret;
	}
	*out = q;
	return 0;
}
