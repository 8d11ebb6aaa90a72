/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/source_v4l2.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/v4l2_buf.h"
#include "capture/v4l2_edid.h"

#define NEGOTIATE_TRIES 3

struct v4l2 {
	struct ka_source base;
	struct ka_source_v4l2_cfg cfg;
	struct ka_v4l2_bufs *bufs;
	int fd;
	int event_fd; /* readable when the device announces a change; -1 = none */
	uint32_t type;
	bool events; /* the device says that it announces changes ... */
	bool told;   /* ... and has done so. With bridges it may be another device node that does */
	struct ka_v4l2_mode mode;
	struct ka_v4l2_edid edid;
	bool running;
};

/* An epoll set with the device in it, for the time without a stream: whoever polls the device itself for input before
 * any buffers exist starts read() emulation in videobuf2, which leaves the device busy, and event loops try descriptors
 * just so. Without it the owner's timer looks for the signal. */
static int make_event_fd(int fd)
{
	struct epoll_event event = {.events = EPOLLPRI};
	int set = epoll_create1(EPOLL_CLOEXEC);

	if (set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(set);
		set = -1;
	}
	return set;
}

static int open_v4l2(struct ka_source *s, struct ka_errbuf *eb)
{
	struct v4l2 *v = (struct v4l2 *)s;
	const struct ka_v4l2_io *io = v->cfg.io;
	struct ka_errbuf why = {""};
	int fd = io->open(io->ctx, v->cfg.device);
	int ret;

	if (fd < 0) {
		ka_errbuf_set(eb, "%s cannot be opened: %s.", v->cfg.device, ka_err_str(fd));
		return fd == -ENOENT || fd == -ENODEV || fd == -ENXIO ? -KA_E_NO_DEVICE : fd;
	}
	ret = ka_v4l2_dev_probe(io, fd, &v->type, &why);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s cannot be used: %s.", v->cfg.device, why.text);
		io->close(io->ctx, fd);
		return ret;
	}
	v->events = ka_v4l2_timings_subscribe(io, fd);
	v->event_fd = v->events ? make_event_fd(fd) : -1;
	ka_v4l2_edid_apply(&v->edid, io, fd);
	v->fd = fd;
	return 0;
}

static void stop_v4l2(struct ka_source *s)
{
	struct v4l2 *v = (struct v4l2 *)s;

	ka_v4l2_buf_stop(v->bufs);
	ka_v4l2_buf_collect(v->bufs);
	v->running = false;
}

/* Locks on what arrives and settles on a format for it. */
static int negotiate(struct v4l2 *v, struct ka_v4l2_shape *shape, uint32_t *fps_mhz, struct ka_errbuf *eb)
{
	const struct ka_v4l2_io *io = v->cfg.io;

	/* What happened before is in the answer to the query. Some drivers report our own setting as a change: that is
	 * over once the same is set again. */
	(void)ka_v4l2_timings_changed(io, v->fd);
	for (int tries = 0; tries < NEGOTIATE_TRIES; tries++) {
		int ret = ka_v4l2_timings_lock(io, v->fd, &v->mode, eb);

		if (ret == 0)
			ret = ka_v4l2_dev_settle(io, v->fd, v->type, &v->cfg.wish, &v->mode, shape, fps_mhz, eb);
		if (ret < 0 || !ka_v4l2_timings_changed(io, v->fd))
			return ret;
	}
	/* It does not come to rest: the next event says so again. */
	return 0;
}

static int start_v4l2(struct ka_source *s, struct ka_source_info *info, struct ka_errbuf *eb)
{
	struct v4l2 *v = (struct v4l2 *)s;
	struct ka_v4l2_shape shape;
	int ret = ka_v4l2_buf_ready(v->bufs, v->fd, v->type);

	if (ret == 0)
		ret = negotiate(v, &shape, &info->fps_mhz, eb);
	if (ret < 0)
		return ret;
	ret = ka_v4l2_buf_start(v->bufs, v->fd, v->type, &shape);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s does not stream: %s.", v->cfg.device, ka_err_str(ret));
		/* Some drivers look for a signal only now. */
		return ret == -ENOLINK ? -KA_E_NO_CABLE : ret == -ENOLCK ? -KA_E_NO_SYNC : ret;
	}
	info->width = shape.width & ~1u;
	info->height = shape.height & ~1u;
	info->knows_signal = v->mode.known;
	info->announces = v->told;
	v->running = true;
	return 0;
}

static void wait_v4l2(struct ka_source *s, struct ka_source_wait *w)
{
	struct v4l2 *v = (struct v4l2 *)s;

	if (v->running)
		*w = (struct ka_source_wait){.fd = v->fd, .readable = true, .priority = v->events};
	else
		*w = (struct ka_source_wait){.fd = v->event_fd, .readable = v->event_fd >= 0};
	w->deadline_us = INT64_MAX;
}

static int dequeue_v4l2(struct ka_source *s, struct ka_frame **out)
{
	struct v4l2 *v = (struct v4l2 *)s;

	*out = NULL;
	if (v->events && ka_v4l2_timings_changed(v->cfg.io, v->fd)) {
		v->told = true;
		return -KA_E_SOURCE_CHANGED;
	}
	return ka_v4l2_buf_dequeue(v->bufs, s, out);
}

static int check_v4l2(struct ka_source *s)
{
	struct v4l2 *v = (struct v4l2 *)s;

	return v->mode.known && ka_v4l2_timings_differ(v->cfg.io, v->fd, &v->mode) ? -KA_E_SOURCE_CHANGED : 0;
}

static void close_v4l2(struct ka_source *s)
{
	struct v4l2 *v = (struct v4l2 *)s;

	stop_v4l2(s);
	if (v->event_fd >= 0)
		close(v->event_fd);
	v->event_fd = -1;
	if (v->fd >= 0)
		v->cfg.io->close(v->cfg.io->ctx, v->fd);
	v->fd = -1;
}

static size_t modes_v4l2(struct ka_source *s, struct ka_video_mode *out)
{
	return ka_v4l2_edid_modes(&((struct v4l2 *)s)->edid, out);
}

static int prefer_v4l2(struct ka_source *s, const struct ka_video_mode *mode)
{
	struct v4l2 *v = (struct v4l2 *)s;

	return ka_v4l2_edid_prefer(&v->edid, v->cfg.io, v->fd, mode);
}

static void free_v4l2(struct ka_source *s)
{
	struct v4l2 *v = (struct v4l2 *)s;

	close_v4l2(s);
	ka_v4l2_buf_free(v->bufs);
	free(v);
}

static const struct ka_source_ops v4l2_ops = {
	.name = "v4l2",
	.open = open_v4l2,
	.start = start_v4l2,
	.wait = wait_v4l2,
	.dequeue = dequeue_v4l2,
	.check = check_v4l2,
	.stop = stop_v4l2,
	.close = close_v4l2,
	.modes = modes_v4l2,
	.prefer = prefer_v4l2,
	.free = free_v4l2,
};

int ka_source_v4l2_new(struct ka_source **out, const struct ka_source_v4l2_cfg *cfg)
{
	struct v4l2 *v = calloc(1, sizeof(*v));
	int ret;

	if (!v)
		return -ENOMEM;
	v->base.ops = &v4l2_ops;
	v->base.fps_limit = cfg->wish.fps;
	v->cfg = *cfg;
	v->edid.wish = cfg->edid;
	v->fd = -1;
	v->event_fd = -1;
	ret = ka_v4l2_buf_new(&v->bufs, cfg->io, cfg->home);
	if (ret < 0) {
		free(v);
		return ret;
	}
	*out = &v->base;
	return 0;
}
