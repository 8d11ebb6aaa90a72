/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/tcp_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(int listener, int buffer_bytes)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd;

	if (getsockname(listener, (struct sockaddr *)&to, &len) < 0)
		return -errno;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (buffer_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
	if (connect(fd, (struct sockaddr *)&to, len) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

int tcp_pair(int fds[2], int buffer_bytes)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	fds[0] = fds[1] = -1;
	if (listener < 0 || bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 1) < 0)
		ret = -errno;
	if (!ret)
		fds[1] = dial(listener, buffer_bytes);
	if (!ret && fds[1] < 0)
		ret = fds[1];
	if (!ret)
		fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!ret && fds[0] < 0)
		ret = -errno;
	if (!ret && buffer_bytes)
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
	if (listener >= 0)
		close(listener);
	if (ret < 0 && fds[1] >= 0)
		close(fds[1]);
	return ret;
}
