/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vocabulary of pictures: pixel formats, colour, codecs. Pure values. */
#ifndef KA_MEDIA_H
#define KA_MEDIA_H

#include <stddef.h>
#include <stdint.h>

/* Where a picture's samples lie. Which of V and U comes first in memory is no matter where each has a plane of its own.
 * Names of one plane say the order of bytes in memory; X is a byte without meaning. */
enum ka_pixfmt {
	KA_PIX_NONE,
	KA_PIX_I420,  /* Y, U, V planes, 4:2:0 */
	KA_PIX_I422,  /* Y, U, V planes, 4:2:2 */
	KA_PIX_I444,  /* Y, U, V planes, 4:4:4 */
	KA_PIX_NV12,  /* Y, interleaved UV, 4:2:0 */
	KA_PIX_NV21,  /* Y, interleaved VU, 4:2:0 */
	KA_PIX_NV16,  /* Y, interleaved UV, 4:2:2 */
	KA_PIX_NV61,  /* Y, interleaved VU, 4:2:2 */
	KA_PIX_NV24,  /* Y, interleaved UV, 4:4:4 */
	KA_PIX_NV42,  /* Y, interleaved VU, 4:4:4 */
	KA_PIX_GREY,  /* Y only */
	KA_PIX_YUYV,  /* packed 4:2:2 */
	KA_PIX_YVYU,  /* packed 4:2:2 */
	KA_PIX_UYVY,  /* packed 4:2:2 */
	KA_PIX_VYUY,  /* packed 4:2:2 */
	KA_PIX_RGB24, /* bytes R, G, B */
	KA_PIX_BGR24, /* bytes B, G, R */
	KA_PIX_RGBX,
	KA_PIX_BGRX,
	KA_PIX_XRGB,
	KA_PIX_XBGR,
	KA_PIX_MJPEG, /* one JPEG image; planes[0] holds it, stride 0 */
};

enum ka_matrix { KA_MATRIX_UNKNOWN, KA_MATRIX_BT601, KA_MATRIX_BT709, KA_MATRIX_BT2020 };
enum ka_range { KA_RANGE_UNKNOWN, KA_RANGE_LIMITED, KA_RANGE_FULL };

struct ka_colour {
	enum ka_matrix matrix;
	enum ka_range range;
};

/* A progressive mode of a monitor. */
struct ka_video_mode {
	uint16_t width, height; /* pixels */
	uint16_t hz;		/* nominal: 60 also stands for 59.94 */
};

#define KA_VIDEO_MODES_MAX 32u /* of a monitor, as far as anybody here looks */

/* Limits of any picture in this program; sizes outside are refused where they enter. */
#define KA_MAX_WIDTH 4096u
#define KA_MAX_HEIGHT 2304u
#define KA_MIN_WIDTH 64u
#define KA_MIN_HEIGHT 64u

/* What a decoder must understand; 4:2:0 unless named otherwise. */
enum ka_codec { KA_CODEC_H264, KA_CODEC_VP9, KA_CODEC_VP8, KA_CODEC_VP9_444 };
#define KA_CODECS 4u

/* The codecs that can be had. */
struct ka_codec_list {
	enum ka_codec order[KA_CODECS]; /* the preferred one first */
	size_t n;
	uint32_t working; /* 1 << codec: not failing now */
};

const char *ka_codec_name(enum ka_codec codec); /* "h264" */

#endif
