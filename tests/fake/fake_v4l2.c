/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_v4l2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "tests/fake/fake_v4l2_modes.h"

static const uint32_t nv12_only[] = {V4L2_PIX_FMT_NV12, 0};

/* Readable while there is something to take. */
static void update_fd(struct fake_v4l2 *f)
{
	bool ready = f->events > 0;
	uint64_t n = 1;

	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++)
		ready = ready || (f->bufs[i].used && f->bufs[i].done && !f->bufs[i].orphan);
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->fails); i++)
		ready = ready || (f->streaming && f->fails[i].times && f->fails[i].request == VIDIOC_DQBUF);
	if (f->fd < 0 || f->sick)
		return;
	if (ready)
		(void)!write(f->fd, &n, sizeof(n));
	else
		(void)!read(f->fd, &n, sizeof(n));
}

/* A pipe that nobody reads from. */
static int make_sick_fd(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	close(ends[0]);
	return ends[1];
}

static int open_fake(void *ctx, const char *path)
{
	struct fake_v4l2 *f = ctx;
	int fd = -ENOENT;

	(void)path;
	pthread_mutex_lock(&f->lock);
	if (!f->absent) {
		f->violations += f->fd >= 0;
		f->fd = f->sick ? make_sick_fd() : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		f->opens++;
		fd = f->fd;
		update_fd(f);
	}
	pthread_mutex_unlock(&f->lock);
	return fd;
}

static void drop_buf(struct fake_buf *b)
{
	b->orphan = true;
	b->queued = b->done = false;
	for (unsigned int m = 0; m < FAKE_PLANES; m++) {
		if (!b->mapped[m]) {
			free(b->mem[m]);
			b->mem[m] = NULL;
		}
	}
	b->used = b->mem[0] || b->mem[1] || b->mem[2];
}

static void drop_all(struct fake_v4l2 *f)
{
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		if (f->bufs[i].used)
			drop_buf(&f->bufs[i]);
	}
}

static void close_fake(void *ctx, int fd)
{
	struct fake_v4l2 *f = ctx;

	pthread_mutex_lock(&f->lock);
	f->violations += fd != f->fd || fd < 0;
	f->streaming = false;
	drop_all(f);
	close(f->fd);
	f->fd = -1;
	f->closes++;
	pthread_mutex_unlock(&f->lock);
}

static struct fake_buf *find_buf(struct fake_v4l2 *f, uint32_t index)
{
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		if (f->bufs[i].used && !f->bufs[i].orphan && f->bufs[i].index == index)
			return &f->bufs[i];
	}
	return NULL;
}

static struct fake_buf *oldest(struct fake_v4l2 *f, bool done)
{
	struct fake_buf *best = NULL;

	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		struct fake_buf *b = &f->bufs[i];

		if (b->used && !b->orphan && (done ? b->done : b->queued) && (!best || b->order < best->order))
			best = b;
	}
	return best;
}

static int set_format(struct fake_v4l2 *f, struct v4l2_format *fmt)
{
	if (fmt->type != fake_v4l2_buf_type(f))
		return -EINVAL;
	if (find_buf(f, 0))
		return -EBUSY;
	fake_v4l2_complete_format(f, fmt);
	f->format = *fmt;
	f->set_fourcc = f->mplane ? fmt->fmt.pix_mp.pixelformat : fmt->fmt.pix.pixelformat;
	if (f->lie)
		f->lie(fmt);
	return 0;
}

static unsigned int memory_planes(const struct fake_v4l2 *f)
{
	return f->mplane ? f->format.fmt.pix_mp.num_planes : 1;
}

static uint32_t memory_size(const struct fake_v4l2 *f, unsigned int m)
{
	return f->mplane ? f->format.fmt.pix_mp.plane_fmt[m].sizeimage : f->format.fmt.pix.sizeimage;
}

static int request_bufs(struct fake_v4l2 *f, struct v4l2_requestbuffers *r)
{
	bool mapped = false;

	if (r->type != fake_v4l2_buf_type(f) || r->memory != V4L2_MEMORY_MMAP)
		return -EINVAL;
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		for (unsigned int m = 0; m < FAKE_PLANES; m++)
			mapped = mapped || (f->bufs[i].used && f->bufs[i].mapped[m]);
	}
	if (f->streaming || (f->keeps_mapped && mapped))
		return -EBUSY;
	drop_all(f);
	r->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP | (f->cache_hints ? V4L2_BUF_CAP_SUPPORTS_MMAP_CACHE_HINTS : 0);
	/* As the kernel: a flag it does not know counts for nothing, but nobody should say it. */
	f->violations += r->flags && !f->cache_hints;
	f->cached = r->flags & V4L2_MEMORY_FLAG_NON_COHERENT;
	if (f->cached && f->refuses_cached)
		return -ENOMEM;
	r->count = KA_MIN(r->count, f->max_bufs);
	for (uint32_t n = 0, i = 0; n < r->count && i < KA_ARRAY_LEN(f->bufs); i++) {
		if (f->bufs[i].used)
			continue;
		f->bufs[i] = (struct fake_buf){.used = true, .index = n++};
		for (unsigned int m = 0; m < memory_planes(f); m++)
			f->bufs[i].mem[m] = malloc(memory_size(f, m));
	}
	return 0;
}

/* The offset for mmap names place and plane. */
static int query_buf(struct fake_v4l2 *f, struct v4l2_buffer *v)
{
	struct fake_buf *b = find_buf(f, v->index);

	if (!b)
		return -EINVAL;
	v->length = f->mplane ? memory_planes(f) : memory_size(f, 0);
	v->m.offset = f->mplane ? v->m.offset : (uint32_t)(b - f->bufs) * 4096 * 4;
	for (unsigned int m = 0; f->mplane && m < memory_planes(f); m++) {
		v->m.planes[m].length = memory_size(f, m);
		v->m.planes[m].m.mem_offset = ((uint32_t)(b - f->bufs) * 4 + m) * 4096;
	}
	return 0;
}

static int queue_buf(struct fake_v4l2 *f, struct v4l2_buffer *v)
{
	struct fake_buf *b = find_buf(f, v->index);

	f->qbufs++;
	if (!b || b->queued || b->done || (f->mplane && v->length < memory_planes(f))) {
		f->violations++;
		return -EINVAL;
	}
	b->queued = true;
	b->order = f->order++;
	return 0;
}

static int dequeue_buf(struct fake_v4l2 *f, struct v4l2_buffer *v)
{
	struct fake_buf *b = oldest(f, true);

	if (!f->streaming)
		return -EINVAL;
	if (!b)
		return -EAGAIN;
	b->done = false;
	v->index = b->index + f->wrong_index;
	f->wrong_index = 0;
	v->flags = b->flags;
	v->bytesused = b->bytesused;
	for (unsigned int m = 0; f->mplane && m < memory_planes(f); m++) {
		v->m.planes[m].bytesused = KA_MIN(b->bytesused, memory_size(f, m));
		v->m.planes[m].data_offset = 0;
	}
	return 0;
}

static int stream_on(struct fake_v4l2 *f)
{
	if (!find_buf(f, 0))
		return -EINVAL;
	f->streaming = true;
	f->streamons++;
	return 0;
}

static int stream_off(struct fake_v4l2 *f)
{
	f->streaming = false;
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++)
		f->bufs[i].queued = f->bufs[i].done = false;
	return 0;
}

static int call_locked(struct fake_v4l2 *f, unsigned long request, void *arg)
{
	switch (request) {
	case VIDIOC_QUERYCAP: {
		struct v4l2_capability *c = arg;

		memcpy(c->card, "a \"fake\"\n", 10);
		c->capabilities = V4L2_CAP_DEVICE_CAPS;
		c->device_caps =
			V4L2_CAP_STREAMING | (f->mplane ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_CAPTURE);
		return 0;
	}
	case VIDIOC_ENUM_FMT:
		return fake_v4l2_enum_format(f, arg);
	case VIDIOC_ENUM_FRAMEINTERVALS:
		return fake_v4l2_enum_interval(f, arg);
	case VIDIOC_G_FMT:
	case VIDIOC_TRY_FMT:
		fake_v4l2_complete_format(f, arg);
		return f->no_try && request == VIDIOC_TRY_FMT ? -ENOTTY : 0;
	case VIDIOC_S_FMT:
		return set_format(f, arg);
	case VIDIOC_S_PARM:
		return f->no_timings ? 0 : -ENOTTY;
	case VIDIOC_QUERY_DV_TIMINGS:
		return fake_v4l2_query_timings(f, arg);
	case VIDIOC_S_DV_TIMINGS:
		if (find_buf(f, 0))
			return -EBUSY;
		f->events += f->echoes > 0;
		f->echoes -= f->echoes > 0;
		return 0;
	case VIDIOC_DV_TIMINGS_CAP:
		return fake_v4l2_timings_cap(f, arg);
	case VIDIOC_G_EDID:
	case VIDIOC_S_EDID:
		if (request == VIDIOC_S_EDID && f->edid_busy && find_buf(f, 0))
			return -EBUSY;
		return fake_v4l2_edid(f, request == VIDIOC_S_EDID, arg);
	case VIDIOC_SUBSCRIBE_EVENT:
		return f->no_timings ? -ENOTTY : 0;
	case VIDIOC_DQEVENT:
		if (!f->events)
			return -ENOENT;
		f->events--;
		((struct v4l2_event *)arg)->type = V4L2_EVENT_SOURCE_CHANGE;
		return 0;
	case VIDIOC_REQBUFS:
		return request_bufs(f, arg);
	case VIDIOC_QUERYBUF:
		return query_buf(f, arg);
	case VIDIOC_QBUF:
		return queue_buf(f, arg);
	case VIDIOC_DQBUF:
		return dequeue_buf(f, arg);
	case VIDIOC_STREAMON:
		return stream_on(f);
	case VIDIOC_STREAMOFF:
		return stream_off(f);
	default:
		return -ENOTTY;
	}
}

static int ioctl_fake(void *ctx, int fd, unsigned long request, void *arg)
{
	struct fake_v4l2 *f = ctx;
	int ret = 1;

	if (f->before)
		f->before(f, request);
	pthread_mutex_lock(&f->lock);
	f->calls++;
	if (fd != f->fd || fd < 0) {
		f->violations++;
		ret = -EBADF;
	}
	for (unsigned int i = 0; i < FAKE_FAILS && ret > 0; i++) {
		if (f->fails[i].times && f->fails[i].request == request) {
			f->fails[i].times--;
			ret = f->fails[i].error;
		}
	}
	if (ret > 0)
		ret = call_locked(f, request, arg);
	update_fd(f);
	pthread_mutex_unlock(&f->lock);
	return ret;
}

static void *mmap_fake(void *ctx, int fd, size_t length, int64_t offset)
{
	struct fake_v4l2 *f = ctx;
	size_t place = (size_t)offset / 4096 / 4;
	unsigned int m = (unsigned int)(offset / 4096 % 4);
	void *p = NULL;

	pthread_mutex_lock(&f->lock);
	if (fd == f->fd && place < KA_ARRAY_LEN(f->bufs) && m < FAKE_PLANES && f->bufs[place].used &&
	    length == memory_size(f, m)) {
		f->bufs[place].mapped[m] = true;
		f->maps++;
		p = f->bufs[place].mem[m];
	} else {
		f->violations++;
	}
	pthread_mutex_unlock(&f->lock);
	return p;
}

static void munmap_fake(void *ctx, void *p, size_t length)
{
	struct fake_v4l2 *f = ctx;
	bool found = false;

	(void)length;
	pthread_mutex_lock(&f->lock);
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		struct fake_buf *b = &f->bufs[i];

		for (unsigned int m = 0; b->used && m < FAKE_PLANES; m++) {
			if (b->mem[m] != p || !b->mapped[m])
				continue;
			b->mapped[m] = false;
			f->unmaps++;
			found = true;
		}
		if (b->used && b->orphan)
			drop_buf(b);
	}
	f->violations += !found;
	pthread_mutex_unlock(&f->lock);
}

void fake_v4l2_init(struct fake_v4l2 *f)
{
	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	f->io = (struct ka_v4l2_io){f, open_fake, close_fake, ioctl_fake, mmap_fake, munmap_fake};
	f->fd = -1;
	f->width = 640;
	f->height = 480;
	f->field = V4L2_FIELD_NONE;
	f->colorspace = V4L2_COLORSPACE_SMPTE170M;
	f->formats = nv12_only;
	f->max_bufs = FAKE_BUFS;
	f->edid_blocks_max = 2;
}

void fake_v4l2_fini(struct fake_v4l2 *f)
{
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		for (unsigned int m = 0; m < FAKE_PLANES; m++)
			free(f->bufs[i].mem[m]);
	}
	if (f->fd >= 0)
		close(f->fd);
	pthread_mutex_destroy(&f->lock);
}

void fake_v4l2_fail(struct fake_v4l2 *f, unsigned long request, int error, int times)
{
	pthread_mutex_lock(&f->lock);
	for (unsigned int i = 0; i < FAKE_FAILS; i++) {
		if (f->fails[i].times)
			continue;
		f->fails[i].request = request;
		f->fails[i].error = error;
		f->fails[i].times = times;
		break;
	}
	update_fd(f);
	pthread_mutex_unlock(&f->lock);
}

static struct fake_buf *finish_buf(struct fake_v4l2 *f, uint32_t used, uint32_t flags)
{
	struct fake_buf *b = f->streaming ? oldest(f, false) : NULL;

	if (!b)
		return NULL;
	b->queued = false;
	b->done = true;
	b->order = f->order++;
	b->flags = flags | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	b->bytesused = used;
	return b;
}

bool fake_v4l2_fill(struct fake_v4l2 *f, uint8_t byte, uint32_t used, uint32_t flags)
{
	struct fake_buf *b;

	pthread_mutex_lock(&f->lock);
	b = finish_buf(f, f->mplane ? used : KA_MIN(used, memory_size(f, 0)), flags);
	for (unsigned int m = 0; b && m < memory_planes(f); m++)
		memset(b->mem[m], byte, memory_size(f, m));
	update_fd(f);
	pthread_mutex_unlock(&f->lock);
	return b;
}

bool fake_v4l2_fill_data(struct fake_v4l2 *f, const void *data, uint32_t len)
{
	struct fake_buf *b;

	pthread_mutex_lock(&f->lock);
	b = finish_buf(f, len, 0);
	if (b)
		memcpy(b->mem[0], data, KA_MIN(len, memory_size(f, 0)));
	update_fd(f);
	pthread_mutex_unlock(&f->lock);
	return b;
}

void fake_v4l2_change(struct fake_v4l2 *f, uint32_t width, uint32_t height, int query_error)
{
	pthread_mutex_lock(&f->lock);
	if (width) {
		f->width = width;
		f->height = height;
	}
	f->query_error = query_error;
	f->events++;
	update_fd(f);
	pthread_mutex_unlock(&f->lock);
}

unsigned int fake_v4l2_queued(struct fake_v4l2 *f)
{
	unsigned int n = 0;

	pthread_mutex_lock(&f->lock);
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++)
		n += f->bufs[i].used && f->bufs[i].queued;
	pthread_mutex_unlock(&f->lock);
	return n;
}

unsigned int fake_v4l2_mapped(struct fake_v4l2 *f)
{
	unsigned int n = 0;

	pthread_mutex_lock(&f->lock);
	for (unsigned int i = 0; i < KA_ARRAY_LEN(f->bufs); i++) {
		for (unsigned int m = 0; m < FAKE_PLANES; m++)
			n += f->bufs[i].used && f->bufs[i].mapped[m];
	}
	pthread_mutex_unlock(&f->lock);
	return n;
}
