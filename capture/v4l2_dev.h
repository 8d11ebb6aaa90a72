/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding out what a capture device can do, and settling on a format. Owner: the capture thread. */
#ifndef KA_V4L2_DEV_H
#define KA_V4L2_DEV_H

#include "capture/v4l2_io.h"
#include "capture/v4l2_planes.h"
#include "capture/v4l2_timings.h"

struct ka_v4l2_wish {
	enum ka_pixfmt format;	/* KA_PIX_NONE = choose */
	uint32_t width, height; /* for devices without timings; 0 = the device's */
	uint32_t fps;
};

/* Is it a streaming capture device, and which buffer type has it? */
int ka_v4l2_dev_probe(const struct ka_v4l2_io *io, int fd, uint32_t *buf_type, struct ka_errbuf *eb) KA_MUST_USE;
/* Sets format and rate. *fps_mhz: 0 when unknown. -KA_E_FORMAT, _OUT_OF_RANGE, -errno (-EBUSY: buffers in use). */
int ka_v4l2_dev_settle(const struct ka_v4l2_io *io, int fd, uint32_t buf_type, const struct ka_v4l2_wish *wish,
		       const struct ka_v4l2_mode *mode, struct ka_v4l2_shape *shape, uint32_t *fps_mhz,
		       struct ka_errbuf *eb) KA_MUST_USE;

#endif
