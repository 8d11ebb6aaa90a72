/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_buf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"

/* As many as may be with encoders (prepare.h), one more to look at, and two for the driver to fill in turn. */
#define WANTED 6u
#define BUFS_MAX 16u
/* Sets whose frames are still out; more means that somebody never lets go. */
#define RETIRED_MAX 2u

enum buf_state { HOME, QUEUED, LENT };

struct slot {
	struct set *set;
	unsigned int index;
	enum buf_state state;
	struct {
		void *data;
		size_t length;
	} mem[KA_FRAME_PLANES];
};

/* All buffers of one run. */
struct set {
	struct ka_v4l2_bufs *bufs;
	struct set *next; /* retired ones */
	unsigned int n, lent;
	struct slot slots[BUFS_MAX];
};

struct ka_v4l2_bufs {
	const struct ka_v4l2_io *io;
	struct ka_mailbox *home; /* of struct slot *; from the release hook */
	struct set *live;	 /* NULL: stopped */
	struct set *retired;
	unsigned int n_retired;
	bool undead; /* the driver would not free the last run's buffers yet */
	int fd;
	uint32_t type;
	struct ka_v4l2_shape shape;
};

int ka_v4l2_buf_new(struct ka_v4l2_bufs **out, const struct ka_v4l2_io *io, struct ka_wake home)
{
	/* Each lent buffer is in it at most once, so it cannot overflow. */
	struct ka_mailbox_cfg mb = {.item_size = sizeof(struct slot *),
				    .capacity = BUFS_MAX * (RETIRED_MAX + 1),
				    .policy = KA_MAILBOX_REFUSE,
				    .wake = home};
	struct ka_v4l2_bufs *b = calloc(1, sizeof(*b));
	int ret;

	if (!b)
		return -ENOMEM;
	b->io = io;
	b->fd = -1;
	ret = ka_mailbox_new(&b->home, &mb);
	if (ret < 0) {
		free(b);
		return ret;
	}
	*out = b;
	return 0;
}

static void unmap_set(const struct ka_v4l2_bufs *b, struct set *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		for (unsigned int m = 0; m < KA_FRAME_PLANES; m++) {
			if (s->slots[i].mem[m].data)
				b->io->munmap(b->io->ctx, s->slots[i].mem[m].data, s->slots[i].mem[m].length);
		}
	}
	free(s);
}

void ka_v4l2_buf_free(struct ka_v4l2_bufs *b)
{
	if (!b)
		return;
	ka_v4l2_buf_collect(b);
	assert(!b->live && !b->retired);
	ka_mailbox_free(b->home);
	free(b);
}

/* A buffer as the calls want it. */
struct call {
	struct v4l2_buffer buf;
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
};

static void init_call(const struct ka_v4l2_bufs *b, struct call *c, unsigned int index)
{
	memset(c, 0, sizeof(*c));
	c->buf.type = b->type;
	c->buf.memory = V4L2_MEMORY_MMAP;
	c->buf.index = index;
	if (b->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
		c->buf.m.planes = c->planes;
		c->buf.length = VIDEO_MAX_PLANES;
	}
}

static int queue_slot(struct ka_v4l2_bufs *b, struct slot *s)
{
	struct call c;
	int ret;

	init_call(b, &c, s->index);
	if (b->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE)
		c.buf.length = b->shape.mems;
	ret = b->io->ioctl(b->io->ctx, b->fd, VIDIOC_QBUF, &c.buf);
	s->state = ret < 0 ? HOME : QUEUED;
	return ret;
}

static int map_slot(struct ka_v4l2_bufs *b, struct slot *s)
{
	bool multi = b->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	struct call c;
	int ret;

	init_call(b, &c, s->index);
	ret = b->io->ioctl(b->io->ctx, b->fd, VIDIOC_QUERYBUF, &c.buf);
	if (ret < 0)
		return ret;
	for (unsigned int m = 0; m < b->shape.mems; m++) {
		size_t length = multi ? c.planes[m].length : c.buf.length;
		uint32_t offset = multi ? c.planes[m].m.mem_offset : c.buf.m.offset;

		/* A picture would never fit: better now than every frame dropped. */
		if (length < b->shape.mem_need[m])
			return -KA_E_FORMAT;
		s->mem[m].data = b->io->mmap(b->io->ctx, b->fd, length, offset);
		if (!s->mem[m].data)
			return -ENOMEM;
		s->mem[m].length = length;
	}
	return 0;
}

/* caps may be NULL. */
static int request(const struct ka_v4l2_bufs *b, unsigned int wanted, uint8_t flags, uint32_t *caps)
{
	struct v4l2_requestbuffers r = {.count = wanted, .type = b->type, .memory = V4L2_MEMORY_MMAP, .flags = flags};
	int ret = b->io->ioctl(b->io->ctx, b->fd, VIDIOC_REQBUFS, &r);

	if (ret < 0)
		return ret;
	if (caps)
		*caps = r.capabilities;
	return (int)KA_MIN(r.count, BUFS_MAX);
}

/* Cached where the driver can: uncached memory is slow to read, and a picture is read whole. A request for no buffers
 * tells what it can (V4L2 API, VIDIOC_REQBUFS). */
static int request_cached(const struct ka_v4l2_bufs *b)
{
	uint32_t caps = 0;
	int ret = request(b, 0, 0, &caps);

	/* Drivers from before that was said refuse it; they do not know the flag either. */
	if (ret < 0 && ret != -EINVAL)
		return ret;
	if (caps & V4L2_BUF_CAP_SUPPORTS_MMAP_CACHE_HINTS) {
		ret = request(b, WANTED, V4L2_MEMORY_FLAG_NON_COHERENT, NULL);
		if (ret >= 2) {
			ka_log(DEBUG, "v4l2", "buffers", "n=%d cached=yes", ret);
			return ret;
		}
	}
	ret = request(b, WANTED, 0, NULL);
	ka_log(DEBUG, "v4l2", "buffers", "n=%d cached=no", ret);
	return ret;
}

static int fill_set(struct ka_v4l2_bufs *b, struct set *s, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int ret;

		s->slots[i].set = s;
		s->slots[i].index = i;
		s->n = i + 1;
		ret = map_slot(b, &s->slots[i]);
		if (ret == 0)
			ret = queue_slot(b, &s->slots[i]);
		if (ret < 0)
			return ret;
	}
	return b->io->ioctl(b->io->ctx, b->fd, VIDIOC_STREAMON, &b->type);
}

int ka_v4l2_buf_ready(struct ka_v4l2_bufs *b, int fd, uint32_t type)
{
	ka_v4l2_buf_collect(b);
	if (b->n_retired >= RETIRED_MAX)
		return -EBUSY;
	b->fd = fd;
	b->type = type;
	if (!b->undead)
		return 0;
	/* Drivers without orphaned buffers (before Linux 4.20) free them only once they are unmapped. */
	if (b->retired || request(b, 0, 0, NULL) < 0)
		return -EBUSY;
	b->undead = false;
	return 0;
}

int ka_v4l2_buf_start(struct ka_v4l2_bufs *b, int fd, uint32_t type, const struct ka_v4l2_shape *shape)
{
	struct set *s;
	int ret;

	assert(!b->live);
	b->fd = fd;
	b->type = type;
	b->shape = *shape;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->bufs = b;
	ret = request_cached(b);
	/* With one buffer a driver could never fill a picture while another is shown. */
	if (ret >= 0 && ret < 2)
		ret = -ENOMEM;
	if (ret > 0)
		ret = fill_set(b, s, (unsigned int)ret);
	b->live = s;
	if (ret < 0)
		ka_v4l2_buf_stop(b);
	return ret;
}

/* The hook of lent buffers: any thread. */
static void send_home(void *cookie)
{
	struct slot *s = cookie;
	int ret = ka_mailbox_put(s->set->bufs->home, &s);

	assert(ret == 0);
	(void)ret;
}

static void retire(struct ka_v4l2_bufs *b, struct set *s)
{
	if (!s->lent) {
		unmap_set(b, s);
		return;
	}
	s->next = b->retired;
	b->retired = s;
	b->n_retired++;
}

static void unlink_retired(struct ka_v4l2_bufs *b, struct set *s)
{
	struct set **at = &b->retired;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	b->n_retired--;
	unmap_set(b, s);
}

void ka_v4l2_buf_collect(struct ka_v4l2_bufs *b)
{
	struct slot *s;

	while (ka_mailbox_take(b->home, &s)) {
		s->state = HOME;
		s->set->lent--;
		/* A failing QBUF shows in the next DQBUF, or has its second try there. */
		if (s->set == b->live)
			(void)queue_slot(b, s);
		else if (!s->set->lent)
			unlink_retired(b, s->set);
	}
}

static void queue_again(struct ka_v4l2_bufs *b)
{
	for (unsigned int i = 0; i < b->live->n; i++) {
		if (b->live->slots[i].state == HOME)
			(void)queue_slot(b, &b->live->slots[i]);
	}
}

/* captured_us of a buffer: the driver's stamp when it is of our clock and plausible. */
static int64_t stamp_us(const struct v4l2_buffer *buf, int64_t now)
{
	int64_t at = (int64_t)buf->timestamp.tv_sec * 1000000 + buf->timestamp.tv_usec;

	if ((buf->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC || at > now ||
	    at < now - KA_SEC(1))
		return now;
	return at;
}

/* Lends slot s out as a frame. */
static int wrap(struct ka_v4l2_bufs *b, struct slot *s, const struct call *c, struct ka_frame **out)
{
	bool multi = b->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	struct ka_v4l2_filled filled = {0};
	struct ka_frame d;
	int ret;

	for (unsigned int m = 0; m < b->shape.mems; m++) {
		filled.mem[m].data = s->mem[m].data;
		filled.mem[m].length = s->mem[m].length;
		filled.mem[m].used = multi ? c->planes[m].bytesused : c->buf.bytesused;
		filled.mem[m].offset = multi ? c->planes[m].data_offset : 0;
	}
	ret = ka_v4l2_planes_frame(&b->shape, &filled, &d);
	if (ret < 0)
		return ret;
	ret = ka_buf_wrap(&d.bufs[0], s->mem[0].data, s->mem[0].length, send_home, s);
	if (ret < 0)
		return ret;
	s->state = LENT;
	s->set->lent++;
	d.dequeued_us = ka_clock_us();
	d.captured_us = stamp_us(&c->buf, d.dequeued_us);
	ret = ka_frame_new(out, &d);
	if (ret < 0)
		ka_buf_unref(&d.bufs[0]); /* goes home by the mailbox */
	return ret;
}

/* One filled buffer: a frame, 0 with NULL for a broken one, or why there is none. */
static int dequeue_one(struct ka_v4l2_bufs *b, struct ka_frame **out)
{
	struct slot *s;
	struct call c;
	int ret;

	*out = NULL;
	init_call(b, &c, 0);
	ret = b->io->ioctl(b->io->ctx, b->fd, VIDIOC_DQBUF, &c.buf);
	if (ret < 0)
		return ret;
	if (c.buf.index >= b->live->n || b->live->slots[c.buf.index].state != QUEUED)
		return -EIO;
	s = &b->live->slots[c.buf.index];
	s->state = HOME;
	ret = c.buf.flags & V4L2_BUF_FLAG_ERROR ? -KA_E_FORMAT : wrap(b, s, &c, out);
	if (ret == 0)
		return 0;
	ka_log_every(WARN, KA_SEC(10), "v4l2", "broken_picture", "bytes=%u error=%d", c.buf.bytesused,
		     !!(c.buf.flags & V4L2_BUF_FLAG_ERROR));
	return s->state == HOME ? queue_slot(b, s) : 0;
}

int ka_v4l2_buf_dequeue(struct ka_v4l2_bufs *b, struct ka_source *count, struct ka_frame **out)
{
	struct ka_frame *f;
	int ret = 0;

	*out = NULL;
	ka_v4l2_buf_collect(b);
	if (!b->live)
		return 0;
	queue_again(b);
	/* Once round at most: the driver may fill them as fast as they go back. */
	for (unsigned int i = 0; i < b->live->n && ret == 0; i++) {
		ret = dequeue_one(b, &f);
		if (ret < 0)
			break;
		count->captured++;
		count->dropped += !f || *out;
		if (!f)
			continue;
		ka_frame_unref(out);
		*out = f;
		f->sequence = count->captured;
	}
	ka_v4l2_buf_collect(b);
	/* What is there is shown; an error comes again. */
	return *out || ret == -EAGAIN ? 0 : ret;
}

void ka_v4l2_buf_stop(struct ka_v4l2_bufs *b)
{
	struct set *s = b->live;

	if (!s)
		return;
	ka_v4l2_buf_collect(b);
	(void)b->io->ioctl(b->io->ctx, b->fd, VIDIOC_STREAMOFF, &b->type);
	b->live = NULL;
	retire(b, s);
	b->undead = request(b, 0, 0, NULL) == -EBUSY;
}
