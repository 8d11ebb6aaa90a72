/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rustdesk/wire/addr.h"

struct ka_resolve {
	uv_getaddrinfo_t req;
	uint16_t port;
	ka_resolve_fn done; /* NULL: nobody wants it any more */
	void *arg;
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

static void on_info(uv_getaddrinfo_t *req, int status, struct addrinfo *info)
{
	struct ka_resolve *q = req->data;
	struct ka_resolve_list list;

	collect(&list, info, q->port);
	uv_freeaddrinfo(info);
	if (q->done)
		q->done(q->arg, status < 0 ? status : list.n ? 0 : UV_EAI_NODATA, &list);
	free(q);
}

int ka_resolve_new(struct ka_resolve **out, uv_loop_t *uv, const char *host, uint16_t port, ka_resolve_fn done,
		   void *arg)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct ka_resolve *q = calloc(1, sizeof(*q));
	int ret;

	if (!q)
		return -ENOMEM;
	*q = (struct ka_resolve){.port = port, .done = done, .arg = arg};
	q->req.data = q;
	ret = uv_getaddrinfo(uv, &q->req, on_info, host, NULL, &hints);
	if (ret < 0) {
		free(q);
		return ret;
	}
	*out = q;
	return 0;
}

void ka_resolve_free(struct ka_resolve *q)
{
	if (!q)
		return;
	q->done = NULL;
	uv_cancel((uv_req_t *)&q->req);
}
