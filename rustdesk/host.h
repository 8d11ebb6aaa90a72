/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a session needs of the machine it runs on; agent/ implements it. Every function: any thread, never blocks. */
#ifndef KA_HOST_H
#define KA_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/hub.h"
#include "base/input.h"
#include "base/media.h"
#include "base/stages.h"
#include "base/wake.h"

struct ka_host_wish {
	uint32_t kbps; /* 0 = by picture size */
	uint32_t fps;  /* 0 = no wish */
	bool narrow;   /* kbps is what the link takes, not what the user chose */
	enum ka_codec codec;
};

#define KA_HOST_DISPLAYS_MAX 4

/* One display of the target. They are numbered from 0, the primary one; how many there are never changes. */
struct ka_host_display {
	const char *name; /* UTF-8; lives as long as the host */
	int32_t x, y;	  /* of its upper left corner on the target's desktop, pixels; within +-KA_HOST_PLACE_MAX */
	uint32_t width, height; /* what a viewer gets now, pixels, even, never 0 */
	uint32_t kbps;		/* bitrate now asked of the encoder */
	bool off;		/* as far as is known the target has no such display at the moment */
};

#define KA_HOST_PLACE_MAX 100000

/* Who types a command into the chat. */
struct ka_host_caller {
	uint32_t session;     /* number, as in struct ka_rd_session */
	uint32_t permissions; /* of enum ka_rd_permission */
};

struct ka_host {
	void *ctx;
	/* All displays as they are now; how many: 1 to KA_HOST_DISPLAYS_MAX. The functions that take a number are given
	 * one below that. */
	size_t (*displays)(void *ctx, struct ka_host_display out[static KA_HOST_DISPLAYS_MAX]);
	/* The codecs that all displays can be had in, now. */
	void (*codecs)(void *ctx, struct ka_codec_list *out);
	/* A stream of a display for one viewer; its packets come out of *sub on the viewer's thread. */
	int (*watch)(void *ctx, size_t display, const struct ka_host_wish *wish, struct ka_wake wake, void **viewer,
		     struct ka_hub_sub **sub);
	void (*unwatch)(void *ctx, void *viewer);
	void (*set_wish)(void *ctx, void *viewer, const struct ka_host_wish *wish);
	void (*request_key)(void *ctx, void *viewer);
	/* The kernel has all of a packet with these stamps. NULL = nobody wants to know. */
	void (*sent)(void *ctx, void *viewer, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us);
	/* The modes that the target can be asked for, the preferred one first; how many. NULL = none, ever. */
	size_t (*modes)(void *ctx, size_t display, struct ka_video_mode out[static KA_VIDEO_MODES_MAX]);
	/* Asks for one of them; the target may follow, in its own time. -ENOENT. Goes with modes. */
	int (*set_mode)(void *ctx, size_t display, const struct ka_video_mode *mode);
	/* Begins to make a lossless PNG file of at most max_bytes of what viewers see; done is called when there is
	 * something to take. -ENODATA: nobody watches; -KA_E_LIMIT: too many at a time. NULL = this machine cannot. */
	int (*snapshot)(void *ctx, size_t display, size_t max_bytes, struct ka_wake done, void **snapshot);
	/* -EAGAIN: not done yet; 0: *png is the caller's; else why there is none, with nothing in *png. */
	int (*snapshot_take)(void *ctx, void *snapshot, struct ka_bytes *png);
	/* Once, at any time; done is not called any more after it. */
	void (*snapshot_drop)(void *ctx, void *snapshot);
	/* Consumes the event. */
	void (*input)(void *ctx, struct ka_input *event);
	/* Presses the target's reset button. -EBUSY while one is pressed, -ENODEV while it cannot be. NULL = there is
	 * no such wiring. */
	int (*restart)(void *ctx);
	/* Carries out a command of the chat, without its slash; answer: UTF-8 text for the caller, terminated. NULL =
	 * this machine knows none. */
	void (*console)(void *ctx, const struct ka_host_caller *caller, const char *line, char *answer,
			size_t answer_size);
};

#endif
