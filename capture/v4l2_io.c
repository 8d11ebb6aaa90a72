/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_io.h"

#include <errno.h>
#include <fcntl.h>
#include <libv4l2.h>
#include <linux/videodev2.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static bool is_multi_planar(int fd)
{
	struct v4l2_capability cap = {0};
	uint32_t caps;

	if (ioctl(fd, VIDIOC_QUERYCAP, &cap) < 0)
		return false;
	caps = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps : cap.capabilities;
	return (caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE) && !(caps & V4L2_CAP_VIDEO_CAPTURE);
}

static int open_device(void *ctx, const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	(void)ctx;
	if (fd < 0)
		return -errno;
	/* Its plugin for multi-planar devices shows them as single-planar ones, and hides formats that have more than
	 * one memory plane. Unknown to libv4l2, or refused by it, a device's v4l2_ calls go straight to the kernel. */
	if (!is_multi_planar(fd))
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
