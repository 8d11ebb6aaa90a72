/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The buffers of a stream: mapped, queued, lent out as frames, and taken back.
 *
 *   driver ─DQBUF─► frame ─► any thread ─last reference─► mailbox ─► capture thread ─QBUF─► driver
 *
 * A frame may outlive the run of the stream it came from: its set of buffers is then retired, and unmapped when the
 * last one is home. Owner: the capture thread; only the release of frames happens elsewhere.
 */
#ifndef KA_V4L2_BUF_H
#define KA_V4L2_BUF_H

#include "base/wake.h"
#include "capture/source.h"
#include "capture/v4l2_io.h"
#include "capture/v4l2_planes.h"

struct ka_v4l2_bufs;

/* home: called when a buffer has come back. */
int ka_v4l2_buf_new(struct ka_v4l2_bufs **out, const struct ka_v4l2_io *io, struct ka_wake home) KA_MUST_USE;
/* Stopped, and all frames are gone. NULL is fine. */
void ka_v4l2_buf_free(struct ka_v4l2_bufs *b);
/* Before the format is set: 0, or -EBUSY while the driver still counts old buffers as in use. */
int ka_v4l2_buf_ready(struct ka_v4l2_bufs *b, int fd, uint32_t type) KA_MUST_USE;
/* Requests, maps and queues buffers and starts the stream. On error nothing is left. */
int ka_v4l2_buf_start(struct ka_v4l2_bufs *b, int fd, uint32_t type, const struct ka_v4l2_shape *shape) KA_MUST_USE;
/* The newest whole picture; older and broken ones go back at once. 0 with NULL: none. Counts into *count. */
int ka_v4l2_buf_dequeue(struct ka_v4l2_bufs *b, struct ka_source *count, struct ka_frame **out) KA_MUST_USE;
/* Takes home what has come back. */
void ka_v4l2_buf_collect(struct ka_v4l2_bufs *b);
/* No-op when stopped. The fd may be closed afterwards. */
void ka_v4l2_buf_stop(struct ka_v4l2_bufs *b);

#endif
