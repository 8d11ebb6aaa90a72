/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where pictures come from. Everything here belongs to the capture thread, except that the frames it hands out may be
 * dropped by any thread.
 *
 *   open ─► start ─► (wait, dequeue)* ─► stop ─► start …            stop ─► close ─► open …
 *
 * open reaches the device, start locks on its signal and streams. After a failed open the source is closed, after a
 * failed start it is open and stopped.
 */
#ifndef KA_SOURCE_H
#define KA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/frame.h"

struct ka_source;

/* What start found. */
struct ka_source_info {
	uint32_t width, height; /* of the pictures that dequeue gives; even */
	uint32_t fps_mhz;	/* frames per 1000 s; 0 = unknown */
	bool knows_signal;	/* it tells when there is none; else pictures of one colour may be all that says so */
	bool announces;		/* changes; else it has to be checked now and then */
};

/* When to call dequeue next. */
struct ka_source_wait {
	int fd;		     /* -1: none */
	bool readable;	     /* when fd has a picture (POLLIN) or an event */
	bool priority;	     /* when fd has an event (POLLPRI) */
	int64_t deadline_us; /* at this time; INT64_MAX = none */
};

struct ka_source_ops {
	const char *name;
	/* Mandatory. The device is there and can be used: 0, else -KA_E_NO_DEVICE, -errno. */
	int (*open)(struct ka_source *s, struct ka_errbuf *eb);
	/* Mandatory. -KA_E_NO_CABLE and its like: no picture to be had now. -EBUSY: frames of the last run are still
	 * in use, try again when one comes back (the source's wake says so). Anything else: close and open again. */
	int (*start)(struct ka_source *s, struct ka_source_info *info, struct ka_errbuf *eb);
	/* Mandatory, open sources only. */
	void (*wait)(struct ka_source *s, struct ka_source_wait *w);
	/* Mandatory, open sources only. The newest picture (owned by the caller), or NULL with 0: nothing new.
	 * -KA_E_SOURCE_CHANGED: stop and start again. Anything else: close and open again. */
	int (*dequeue)(struct ka_source *s, struct ka_frame **out);
	/* NULL: there is nothing to ask. Running sources only: 0, or -KA_E_SOURCE_CHANGED when something else arrives
	 * than it runs with. */
	int (*check)(struct ka_source *s);
	/* Mandatory. Frames handed out stay valid. When not started, only takes back those that were dropped. */
	void (*stop)(struct ka_source *s);
	/* Mandatory. Stops and closes; no-op when closed. */
	void (*close)(struct ka_source *s);
	/* NULL: its modes cannot be chosen. The modes that the target may be asked for, the preferred one first; how
	 * many, KA_VIDEO_MODES_MAX at most. Known once it has been open. */
	size_t (*modes)(struct ka_source *s, struct ka_video_mode *out);
	/* Goes with modes. Open or closed. -ENOENT: none of them; -errno. */
	int (*prefer)(struct ka_source *s, const struct ka_video_mode *mode);
	/* Mandatory. All frames have been dropped; the source is closed. */
	void (*free)(struct ka_source *s);
};

struct ka_source {
	const struct ka_source_ops *ops;
	uint32_t fps_limit; /* the owner's wish: more pictures per second are not needed; 1..120 */
	uint64_t captured;  /* pictures seen */
	uint64_t dropped;   /* of these: broken, or replaced by a newer one before anybody saw them */
};

/* NULL is fine. */
static inline void ka_source_free(struct ka_source *s)
{
	if (s)
		s->ops->free(s);
}

#endif
