/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/netwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

#define READ_BYTES 8192
#define READS_AT_ONCE 16

struct ka_netwatch {
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int open; /* handles */
	int fd;
	unsigned int settle_ms;
	int64_t since_us; /* first change of those that did not count yet; 0 = none */
	void (*changed)(void *arg);
	void *arg;
};

static bool one_matters(const struct nlmsghdr *h)
{
	struct rtmsg route;

	switch (h->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return true;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(route)))
			return false;
		memcpy(&route, (const char *)h + NLMSG_HDRLEN, sizeof(route));
		return route.rtm_dst_len == 0 && !(route.rtm_flags & RTM_F_CLONED);
	default:
		return false;
	}
}

bool ka_netwatch_matters(const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		size_t step;

		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			return false;
		if (one_matters((const struct nlmsghdr *)(const void *)at))
			return true;
		step = NLMSG_ALIGN((size_t)h.nlmsg_len);
		if (step >= len)
			return false;
		at += step;
		len -= step;
	}
	return false;
}

static void on_settled(uv_timer_t *t)
{
	struct ka_netwatch *w = t->data;

	w->since_us = 0;
	w->changed(w->arg);
}

static void note(struct ka_netwatch *w)
{
	int64_t now_us = ka_clock_us();

	if (!w->since_us)
		w->since_us = now_us;
	if (now_us - w->since_us < KA_MS((int64_t)w->settle_ms) * 10)
		ka_timer_once(&w->timer, on_settled, w->settle_ms);
}

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct ka_netwatch *w = p->data;
	_Alignas(struct nlmsghdr) uint8_t data[READ_BYTES];

	(void)status;
	(void)events;
	for (unsigned int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t n = recv(w->fd, data, sizeof(data), MSG_DONTWAIT);

		/* ENOBUFS: there were more than the socket could keep. */
		if (n < 0 && errno == ENOBUFS)
			note(w);
		else if (n <= 0)
			return;
		else if (ka_netwatch_matters(data, (size_t)n))
			note(w);
	}
}

static int open_socket(void)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

int ka_netwatch_new(struct ka_netwatch **out, uv_loop_t *uv, unsigned int settle_ms, void (*changed)(void *arg),
		    void *arg)
{
	struct ka_netwatch *w = calloc(1, sizeof(*w));
	int ret;

	if (!w)
		return -ENOMEM;
	*w = (struct ka_netwatch){.settle_ms = settle_ms, .changed = changed, .arg = arg, .fd = open_socket()};
	ret = w->fd < 0 ? w->fd : uv_poll_init(uv, &w->poll, w->fd);
	if (ret < 0) {
		if (w->fd >= 0)
			close(w->fd);
		free(w);
		return ret;
	}
	uv_timer_init(uv, &w->timer);
	w->poll.data = w->timer.data = w;
	w->open = 2;
	ret = uv_poll_start(&w->poll, UV_READABLE, on_readable);
	if (ret < 0) {
		ka_netwatch_free(w);
		return ret;
	}
	*out = w;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct ka_netwatch *w = h->data;

	if (--w->open == 0)
		free(w);
}

void ka_netwatch_free(struct ka_netwatch *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
	close(w->fd);
}
