/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Picture of the target: a source (V4L2 device or test card) on its own thread, an encoder on its own, packets to a
 * hub.
 *
 *   source ─► ka-cap: compare, convert ─frame─► [latest] ─► ka-enc: encode ─packet─► hub ─► viewers
 *     ▲ QBUF  │                                             ▲ key, kbps, fps (merged over all viewers)
 *     └ index ┘◄─ release hook posts
 *
 * Nothing is captured or encoded while nobody watches, and nothing encoded while nothing changes. Without a signal a
 * slate with the reason is shown instead, so a viewer always gets a picture. Opaque; the functions say which thread may
 * call them.
 */
#ifndef KA_CAPTURE_H
#define KA_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hub.h"
#include "base/media.h"
#include "base/stages.h"
#include "base/wake.h"

enum ka_source_kind { KA_SOURCE_V4L2, KA_SOURCE_CARD };

/* Section `video` of the configuration. Immutable; strings belong to the caller and outlive the object. */
struct ka_capture_cfg {
	enum ka_source_kind source;
	const char *device;	 /* V4L2: path, e.g. "/dev/video0" */
	enum ka_pixfmt format;	 /* V4L2: KA_PIX_NONE = choose by cost and quality */
	uint32_t width, height;	 /* card: picture; V4L2 without DV timings: wanted size, 0 = the device's; pixels */
	uint32_t fps;		 /* 1..120: upper bound of pictures per second */
	const char *preset;	 /* x264 preset, "ultrafast" .. "medium" */
	const char *tune;	 /* x264 tune, "zerolatency" always included */
	unsigned int threads;	 /* of an encoder; 0 = by size and cores */
	const char *codecs;	 /* "h264, vp9": those allowed, the preferred one first; NULL or "" = all */
	unsigned int slate_fps;	 /* pictures per second while there is no signal; 1..10 */
	unsigned int blank_s;	 /* V4L2 without DV timings: seconds of one colour that get a slate; 0 = never */
	const char *edid;	 /* V4L2: "" = leave the device's, "auto" = compose one, else a file */
	const char *edid_modes;	 /* to compose it of, "1920x1080@60, 1280x720": the preferred one first */
	const char *edid_name;	 /* of the monitor; 13 characters at most */
	unsigned int card_noise; /* card: percent of the bars that noise covers; 0..100 */
};

/* What a viewer wants; merged over all viewers of a codec: least fps, highest kbps, any key request. Viewers on narrow
 * links that cannot take that get a second rendition: least fps, least kbps among them. */
struct ka_video_wish {
	enum ka_codec codec;
	uint32_t kbps; /* target bitrate; 0 = by picture size at the default quality */
	uint32_t fps;  /* 1..120; 0 = no wish */
	bool narrow;   /* kbps is what the link takes, not what somebody chose */
};

struct ka_geometry {
	uint32_t width, height; /* pixels, even */
};

/* Why the picture is what it is. */
struct ka_signal {
	int cause;    /* 0 = live; else -KA_E_NO_DEVICE, -KA_E_NO_CABLE, ... as in base/err.h, or -errno */
	bool watched; /* somebody subscribes; nothing is known about the signal otherwise */
	struct ka_geometry geometry; /* of the pictures that viewers get now */
	uint32_t source_fps_mhz;     /* frames per 1000 s as the source announces them; 0 = unknown */
};

struct ka_capture_stats {
	uint64_t captured, dropped, encoded, key_frames, bytes;
	int64_t convert_us; /* sum over all pictures, those that turned out not to have changed included */
	int64_t encode_us;  /* sum over encoded pictures */
	int64_t latency_us; /* captured to published, last picture */
};

struct ka_capture;
struct ka_viewer;

/* Are these good for edid, edid_modes and edid_name? -KA_E_CONFIG with the reason. Reads the file. */
int ka_capture_check_edid(const char *edid, const char *modes, const char *name, struct ka_errbuf *eb) KA_MUST_USE;

/* Is this good for codecs? -KA_E_CONFIG with the reason. */
int ka_capture_check_codecs(const char *codecs, struct ka_errbuf *eb) KA_MUST_USE;

/* Checks the configuration (errbuf says what and where) and builds everything; opens no device. */
int ka_capture_new(struct ka_capture **out, const struct ka_capture_cfg *cfg, struct ka_errbuf *eb) KA_MUST_USE;
int ka_capture_start(struct ka_capture *c) KA_MUST_USE;
void ka_capture_stop(struct ka_capture *c); /* any thread; never blocks */
/* One thread alone, a few seconds apart, while it runs. False: an encoder has not come round since the time before. A
 * driver that hangs the capture thread is shown by the slate. */
bool ka_capture_alive(struct ka_capture *c);
void ka_capture_join(struct ka_capture *c);
void ka_capture_free(struct ka_capture *c); /* NULL is fine; all viewers and snapshots are gone */

/* Any thread. Starts capture with the first viewer, and an encoder with the first of its rendition. -ENODEV: this codec
 * cannot be had. The viewer's first packet is a key packet, and is asked for here.
 * Packets are taken from ka_viewer_sub() on the viewer's thread; wake as in hub.h. */
int ka_viewer_new(struct ka_viewer **out, struct ka_capture *c, const struct ka_video_wish *wish,
		  struct ka_wake wake) KA_MUST_USE;
struct ka_hub_sub *ka_viewer_sub(struct ka_viewer *v);
/* Any thread; coalesces. Another codec begins at a key picture, without a gap; what cannot be had changes nothing. */
void ka_viewer_set(struct ka_viewer *v, const struct ka_video_wish *wish);
void ka_viewer_request_key(struct ka_viewer *v); /* any thread; coalesces */
/* Any thread: the kernel has all of a packet with these stamps. */
void ka_viewer_sent(struct ka_viewer *v, const struct ka_stamps *at, int64_t taken_us, int64_t sent_us);
void ka_viewer_free(struct ka_viewer *v); /* any thread; NULL is fine */

/* Any thread. The codecs that can be had here, known from ka_capture_start() on. */
void ka_capture_codecs(struct ka_capture *c, struct ka_codec_list *out);

/* Any thread. The modes that the target can be asked for through the EDID, the preferred one first; 0 when the source
 * cannot, or does not know yet. */
size_t ka_capture_modes(struct ka_capture *c, struct ka_video_mode out[static KA_VIDEO_MODES_MAX]);
/* Any thread. Makes one of them the preferred one: the hot-plug line is pulled, and the target may follow. Asking for
 * what is preferred already does nothing. -ENOENT: none of them. Done on the capture thread; the last of several wins.
 */
int ka_capture_prefer(struct ka_capture *c, const struct ka_video_mode *mode) KA_MUST_USE;

/* Any thread. A picture of the source as a PNG file, or of the slate when that is what viewers get: lossless, in the
 * source's own format before that, of a moment after the call. Made on a thread of its own, which calls `done` (as in
 * wake.h) at its end. -ENODATA: nobody watches, so nothing is captured; -KA_E_LIMIT: too many at a time. */
struct ka_snapshot;
int ka_capture_snapshot(struct ka_capture *c, size_t max_bytes, struct ka_wake done,
			struct ka_snapshot **out) KA_MUST_USE;
/* Any thread. -EAGAIN: not done yet. 0: *png is the caller's from now on. Else why there is none, with nothing in *png:
 * -KA_E_TOO_BIG (max_bytes), -ETIMEDOUT (no picture came), -KA_E_FORMAT, -ENOMEM, -ECANCELED. */
int ka_snapshot_take(struct ka_snapshot *s, struct ka_bytes *png) KA_MUST_USE;
/* Any thread, at any time, once: after it returns `done` is not called any more. NULL is fine. */
void ka_snapshot_drop(struct ka_snapshot *s);

/* Any thread. */
void ka_capture_signal(struct ka_capture *c, struct ka_signal *out);
void ka_capture_stats(struct ka_capture *c, struct ka_capture_stats *out);
/* How long the last pictures took. */
void ka_capture_stage(struct ka_capture *c, enum ka_stage stage, struct ka_percentiles *out);
/* Bitrate now asked of the encoder that is asked for most, kbit/s. */
uint32_t ka_capture_kbps(struct ka_capture *c);

#endif
