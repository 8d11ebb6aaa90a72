/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A capture device that costs nothing: pictures made beforehand, in a file that is mapped as its buffers, and a FIFO
 * that says which of them comes next and when it was complete. Who writes the FIFO is the camera.
 *
 *   PATH          FIFO of struct bench_picture
 *   PATH.frames   struct bench_frames, then the pictures, each at a multiple of 4096
 *
 * It keeps to the V4L2 API as far as capture/ uses it; tests of the API's rules have tests/fake/fake_v4l2.h. A picture
 * whose buffer the program still holds is lost, as with any device. Owner: the capture thread.
 */
#ifndef KA_BENCH_DEVICE_H
#define KA_BENCH_DEVICE_H

#include <stdint.h>

#include "capture/v4l2_io.h"

#define BENCH_MAGIC 0x4b414245u
#define BENCH_HEADER_BYTES 4096u
#define BENCH_BUFS_MAX 16u

struct bench_frames {
	uint32_t magic;
	uint32_t width, height; /* of YUYV, BT.601 limited, rows without padding */
	uint32_t count;		/* at most BENCH_BUFS_MAX */
};

struct bench_picture {
	uint32_t index;
	uint32_t zero;
	int64_t captured_us; /* CLOCK_MONOTONIC */
};

struct bench_device;

int bench_device_new(struct bench_device **out);
/* Valid as long as the device. */
const struct ka_v4l2_io *bench_device_io(struct bench_device *d);
void bench_device_free(struct bench_device *d); /* NULL is fine */

/* Maps the pictures of PATH.frames for reading; a multiple of *step apart from *first on. NULL on error. */
const struct bench_frames *bench_frames_map(const char *frames_path, const uint8_t **first, size_t *step);

#endif
