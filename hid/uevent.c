/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define KERNEL_GROUP 1 /* group 2 is udev's own */
#define MESSAGE_MAX 8192

struct ka_uevent {
	uv_poll_t poll;
	int fd;
	ka_uevent_fn fn;
	void *arg;
};

static bool has_line(const char *msg, size_t len, const char *line)
{
	size_t want = strlen(line) + 1;

	for (size_t at = 0; at < len; at += strnlen(msg + at, len - at) + 1) {
		if (len - at >= want && !memcmp(msg + at, line, want))
			return true;
	}
	return false;
}

enum ka_uevent_action ka_uevent_parse(const char *msg, size_t len)
{
	if (!has_line(msg, len, "SUBSYSTEM=udc"))
		return KA_UEVENT_OTHER;
	if (has_line(msg, len, "ACTION=add"))
		return KA_UEVENT_ADD;
	if (has_line(msg, len, "ACTION=remove"))
		return KA_UEVENT_REMOVE;
	return has_line(msg, len, "ACTION=change") ? KA_UEVENT_CHANGE : KA_UEVENT_OTHER;
}

/* One message a call: fn may free u. Level-triggered polling brings the next one. */
static void on_poll(uv_poll_t *p, int status, int events)
{
	struct ka_uevent *u = KA_CONTAINER_OF(p, struct ka_uevent, poll);
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	char msg[MESSAGE_MAX];
	enum ka_uevent_action action;
	ssize_t n;

	(void)status;
	(void)events;
	n = recvfrom(u->fd, msg, sizeof(msg), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	if (n < 0 && errno == ENOBUFS) {
		/* Some were lost; any of them may have been ours. */
		u->fn(u->arg, KA_UEVENT_CHANGE);
		return;
	}
	/* Only the kernel has port 0: other processes may send to the group as well. */
	if (n <= 0 || from_len < sizeof(from) || from.nl_pid != 0)
		return;
	action = ka_uevent_parse(msg, (size_t)n);
	if (action != KA_UEVENT_OTHER)
		u->fn(u->arg, action);
}

static void on_close(uv_handle_t *h)
{
	free(KA_CONTAINER_OF((uv_poll_t *)h, struct ka_uevent, poll));
}

static int open_socket(void)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int ret;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int ka_uevent_new(struct ka_uevent **out, uv_loop_t *loop, ka_uevent_fn fn, void *arg)
{
	int fd = open_socket();
	struct ka_uevent *u;
	int ret;

	if (fd < 0)
		return fd;
	u = calloc(1, sizeof(*u));
	ret = u ? uv_poll_init(loop, &u->poll, fd) : -ENOMEM;
	if (ret < 0) {
		free(u);
		close(fd);
		return ret;
	}
	u->fd = fd;
	u->fn = fn;
	u->arg = arg;
	uv_poll_start(&u->poll, UV_READABLE, on_poll);
	*out = u;
	return 0;
}

void ka_uevent_free(struct ka_uevent *u)
{
	if (!u)
		return;
	uv_close((uv_handle_t *)&u->poll, on_close);
	close(u->fd);
	u->fd = -1;
}
