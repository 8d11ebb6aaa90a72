/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_io.h"

#include <errno.h>
#include <fcntl.h>
#include <libv4l2.h>
#include <sys/mman.h>

static int open_device(void *ctx, const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	(void)ctx;
	if (fd < 0)
		return -errno;
	/* It refuses what it does not know; the v4l2_ calls then go straight to the kernel. */
	(void)v4l2_fd_open(fd, V4L2_DISABLE_CONVERSION);
	return fd;
}

static void close_device(void *ctx, int fd)
{
	(void)ctx;
	v4l2_close(fd);
}

static int call_device(void *ctx, int fd, unsigned long request, void *arg)
{
	int ret;

	(void)ctx;
	do
		ret = v4l2_ioctl(fd, request, arg);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static void *map_buffer(void *ctx, int fd, size_t length, int64_t offset)
{
	void *p = v4l2_mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	(void)ctx;
	return p == MAP_FAILED ? NULL : p;
}

static void unmap_buffer(void *ctx, void *p, size_t length)
{
	(void)ctx;
	v4l2_munmap(p, length);
}

const struct ka_v4l2_io ka_v4l2_io_real = {
	.open = open_device,
	.close = close_device,
	.ioctl = call_device,
	.mmap = map_buffer,
	.munmap = unmap_buffer,
};
