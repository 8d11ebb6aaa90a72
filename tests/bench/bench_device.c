/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/bench_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"

struct bench_device {
	struct ka_v4l2_io io;
	int frames_fd;
	struct bench_frames shape;
	unsigned int n; /* buffers asked for */
	bool queued[BENCH_BUFS_MAX];
};

static size_t picture_bytes(const struct bench_frames *f)
{
	return (size_t)f->width * f->height * 2;
}

static size_t picture_step(const struct bench_frames *f)
{
	return (picture_bytes(f) + 4095) & ~(size_t)4095;
}

static int open_frames(const char *path, struct bench_frames *shape)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (read(fd, shape, sizeof(*shape)) == (ssize_t)sizeof(*shape) && shape->magic == BENCH_MAGIC && shape->count &&
	    shape->count <= BENCH_BUFS_MAX)
		return fd;
	close(fd);
	return -EINVAL;
}

const struct bench_frames *bench_frames_map(const char *frames_path, const uint8_t **first, size_t *step)
{
	struct bench_frames shape;
	int fd = open_frames(frames_path, &shape);
	uint8_t *all;

	if (fd < 0)
		return NULL;
	*step = picture_step(&shape);
	all = mmap(NULL, BENCH_HEADER_BYTES + shape.count * *step, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (all == MAP_FAILED)
		return NULL;
	*first = all + BENCH_HEADER_BYTES;
	return (const struct bench_frames *)(const void *)all;
}

static int open_device(void *ctx, const char *path)
{
	struct bench_device *d = ctx;
	char frames[4096];
	int fd;

	snprintf(frames, sizeof(frames), "%s.frames", path);
	if (d->frames_fd >= 0)
		return -EBUSY;
	d->frames_fd = open_frames(frames, &d->shape);
	if (d->frames_fd < 0)
		return d->frames_fd;
	/* For writing too, so that it is not at its end while nobody writes. */
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	close(d->frames_fd);
	d->frames_fd = -1;
	return fd;
}

static void close_device(void *ctx, int fd)
{
	struct bench_device *d = ctx;

	close(fd);
	close(d->frames_fd);
	d->frames_fd = -1;
}

static int complete_format(const struct bench_device *d, struct v4l2_format *f)
{
	f->fmt.pix = (struct v4l2_pix_format){
		.width = d->shape.width,
		.height = d->shape.height,
		.pixelformat = V4L2_PIX_FMT_YUYV,
		.field = V4L2_FIELD_NONE,
		.bytesperline = d->shape.width * 2,
		.sizeimage = (uint32_t)picture_bytes(&d->shape),
		.colorspace = V4L2_COLORSPACE_SMPTE170M,
		.ycbcr_enc = V4L2_YCBCR_ENC_601,
		.quantization = V4L2_QUANTIZATION_LIM_RANGE,
	};
	return 0;
}

static int query_buffer(const struct bench_device *d, struct v4l2_buffer *b)
{
	if (b->index >= d->n)
		return -EINVAL;
	b->length = (uint32_t)picture_bytes(&d->shape);
	b->m.offset = BENCH_HEADER_BYTES + b->index * (uint32_t)picture_step(&d->shape);
	return 0;
}

static int dequeue(struct bench_device *d, int fd, struct v4l2_buffer *b)
{
	struct bench_picture p;

	/* A FIFO takes and gives so few bytes in one piece (pipe(7)). */
	while (read(fd, &p, sizeof(p)) == (ssize_t)sizeof(p)) {
		if (p.index >= d->n || !d->queued[p.index])
			continue;
		d->queued[p.index] = false;
		b->index = p.index;
		b->bytesused = (uint32_t)picture_bytes(&d->shape);
		b->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
		b->timestamp.tv_sec = p.captured_us / 1000000;
		b->timestamp.tv_usec = p.captured_us % 1000000;
		return 0;
	}
	return -EAGAIN;
}

static int stream(struct bench_device *d, int fd, bool on)
{
	struct bench_picture p;

	if (!on)
		memset(d->queued, 0, sizeof(d->queued));
	/* What nobody was there to see is gone. */
	while (read(fd, &p, sizeof(p)) > 0)
		;
	return 0;
}

static int call(void *ctx, int fd, unsigned long request, void *arg)
{
	struct bench_device *d = ctx;
	struct v4l2_capability *cap = arg;
	struct v4l2_fmtdesc *desc = arg;
	struct v4l2_buffer *b = arg;

	switch (request) {
	case VIDIOC_QUERYCAP:
		memcpy(cap->card, "bench", sizeof("bench"));
		cap->capabilities = V4L2_CAP_DEVICE_CAPS;
		cap->device_caps = V4L2_CAP_STREAMING | V4L2_CAP_VIDEO_CAPTURE;
		return 0;
	case VIDIOC_ENUM_FMT:
		desc->pixelformat = V4L2_PIX_FMT_YUYV;
		return desc->index ? -EINVAL : 0;
	case VIDIOC_G_FMT:
	case VIDIOC_S_FMT:
		return complete_format(d, arg);
	case VIDIOC_REQBUFS:
		d->n = ((struct v4l2_requestbuffers *)arg)->count ? d->shape.count : 0;
		((struct v4l2_requestbuffers *)arg)->count = d->n;
		return 0;
	case VIDIOC_QUERYBUF:
		return query_buffer(d, b);
	case VIDIOC_QBUF:
		if (b->index >= d->n || d->queued[b->index])
			return -EINVAL;
		d->queued[b->index] = true;
		return 0;
	case VIDIOC_DQBUF:
		return dequeue(d, fd, b);
	case VIDIOC_STREAMON:
	case VIDIOC_STREAMOFF:
		return stream(d, fd, request == VIDIOC_STREAMON);
	default:
		return -ENOTTY;
	}
}

static void *map_buffer(void *ctx, int fd, size_t length, int64_t offset)
{
	struct bench_device *d = ctx;
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, d->frames_fd, offset);

	(void)fd;
	return p == MAP_FAILED ? NULL : p;
}

static void unmap_buffer(void *ctx, void *p, size_t length)
{
	(void)ctx;
	munmap(p, length);
}

int bench_device_new(struct bench_device **out)
{
	struct bench_device *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->io = (struct ka_v4l2_io){d, open_device, close_device, call, map_buffer, unmap_buffer};
	d->frames_fd = -1;
	*out = d;
	return 0;
}

const struct ka_v4l2_io *bench_device_io(struct bench_device *d)
{
	return &d->io;
}

void bench_device_free(struct bench_device *d)
{
	free(d);
}
