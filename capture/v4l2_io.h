/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls to a V4L2 device, as a table: the real ones go through libv4l2 with its format conversion disabled (so that
 * its plugins for odd devices work), tests script their own.
 */
#ifndef KA_V4L2_IO_H
#define KA_V4L2_IO_H

#include <stddef.h>
#include <stdint.h>

struct ka_v4l2_io {
	void *ctx; /* first argument of each */
	/* Non-blocking. A file descriptor that poll(2) knows, or -errno. */
	int (*open)(void *ctx, const char *path);
	void (*close)(void *ctx, int fd);
	/* 0 or -errno; never -EINTR. */
	int (*ioctl)(void *ctx, int fd, unsigned long request, void *arg);
	/* Readable and writable, shared. NULL on error. */
	void *(*mmap)(void *ctx, int fd, size_t length, int64_t offset);
	void (*munmap)(void *ctx, void *p, size_t length);
};

extern const struct ka_v4l2_io ka_v4l2_io_real;

#endif
