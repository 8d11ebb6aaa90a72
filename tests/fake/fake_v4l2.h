/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A capture device made of memory: keeps the rules of the V4L2 API, counts who breaks them, and fails on demand. Each
 * plane of a buffer is its own heap block of exact size, so that a sanitizer sees the first byte too many. Any thread.
 */
#ifndef FAKE_V4L2_H
#define FAKE_V4L2_H

#include <linux/videodev2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture/v4l2_io.h"

#define FAKE_BUFS 16
#define FAKE_PLANES 3
#define FAKE_FAILS 8

struct fake_buf {
	uint8_t *mem[FAKE_PLANES];
	bool mapped[FAKE_PLANES];
	bool queued, done, orphan;
	bool used; /* this place in the list is taken */
	uint32_t index;
	uint32_t bytesused;
	uint32_t flags;
	uint64_t order; /* of queueing, then of filling */
};

struct fake_v4l2 {
	struct ka_v4l2_io io;
	pthread_mutex_t lock;

	/* What it is: set before use, or while stopped. */
	bool absent;
	bool mplane;
	bool no_timings;
	bool cache_hints;    /* it can make buffers cached ... */
	bool refuses_cached; /* ... so it says */
	bool keeps_mapped;   /* REQBUFS 0 fails while anything is mapped, as before Linux 4.20 */
	int query_error;     /* of QUERY_DV_TIMINGS; negative errno */
	uint32_t width, height;
	bool interlaced;
	uint32_t field;
	uint32_t colorspace, ycbcr_enc, quantization;
	bool no_try;		 /* it cannot say beforehand what a format would be like */
	const uint32_t *formats; /* fourccs, 0 at the end */
	uint32_t pad;		 /* added to each stride */
	unsigned int max_bufs;
	bool no_edid;
	bool edid_busy;		  /* it takes none while it has buffers */
	uint32_t edid_blocks_max; /* it takes */
	uint32_t max_clock_khz;	  /* of DV_TIMINGS_CAP; 0 = says nothing */
	uint32_t slow_fps;	  /* this much for raw formats, 30 for MJPEG; 0 = says nothing */
	/* Last touch on what S_FMT answers: a driver that lies. */
	void (*lie)(struct v4l2_format *f);
	bool sick; /* its descriptor says "error" to whoever polls it */
	/* Before each call, without the lock: may block, as drivers do. */
	void (*before)(struct fake_v4l2 *f, unsigned long request);
	void *before_arg;

	/* What happens to it. */
	struct {
		unsigned long request;
		int error;
		int times;
	} fails[FAKE_FAILS];
	int events;	      /* source changes to deliver */
	int echoes;	      /* so many S_DV_TIMINGS report a change themselves */
	uint32_t wrong_index; /* added to the index of the next dequeued buffer */

	/* What was seen. */
	unsigned int opens, closes, streamons, maps, unmaps, qbufs, calls;
	unsigned int violations; /* of the API's rules */
	uint32_t set_fourcc;
	bool cached;	    /* the buffers it has now */
	unsigned int edids; /* times one was set */
	uint32_t edid_blocks;
	uint8_t edid[512];

	/* Inside. */
	int fd;
	bool streaming;
	uint64_t order;
	struct v4l2_format format;
	struct fake_buf bufs[FAKE_BUFS * 4];
};

/* 640x480, NV12 only, timings, cable in. */
void fake_v4l2_init(struct fake_v4l2 *f);
/* Checks nothing; frees what is left. */
void fake_v4l2_fini(struct fake_v4l2 *f);
/* The next `times` calls of this request fail. */
void fake_v4l2_fail(struct fake_v4l2 *f, unsigned long request, int error, int times);
/* Fills the oldest queued buffer with `byte` everywhere; false when none is queued. used: bytes of the first plane, or
 * UINT32_MAX for all. */
bool fake_v4l2_fill(struct fake_v4l2 *f, uint8_t byte, uint32_t used, uint32_t flags);
/* The oldest queued buffer gets these bytes. */
bool fake_v4l2_fill_data(struct fake_v4l2 *f, const void *data, uint32_t len);
/* One source-change event; changes the mode when width is not 0. */
void fake_v4l2_change(struct fake_v4l2 *f, uint32_t width, uint32_t height, int query_error);
/* Buffers the driver has. */
unsigned int fake_v4l2_queued(struct fake_v4l2 *f);
/* Planes still mapped. */
unsigned int fake_v4l2_mapped(struct fake_v4l2 *f);

#endif
