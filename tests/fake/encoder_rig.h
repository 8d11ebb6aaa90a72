/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An encoder and, where there is one at hand, its decoder: libvpx's, as the client uses it. For cmocka tests. */
#ifndef ENCODER_RIG_H
#define ENCODER_RIG_H

#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

#include "capture/encoder.h"

#define W 352u
#define H 208u

struct encoder_rig {
	const struct ka_encoder_ops *ops;
	struct ka_encoder *e;
	int64_t pts_ms;
	vpx_codec_ctx_t dec;
	bool decodes;
	struct ka_frame *out; /* the decoded picture: I420 or I444 */
};

/* W x H at 30 and 2000 kbit/s. */
struct ka_encoder_cfg encoder_rig_settings(void);
void encoder_rig_open(struct encoder_rig *s, const struct ka_encoder_ops *ops, const struct ka_encoder_cfg *cfg);
void encoder_rig_close(struct encoder_rig *s);
void encoder_rig_open_decoder(struct encoder_rig *s);
void encoder_rig_close_decoder(struct encoder_rig *s);
/* Encodes and decodes, and checks what is true of every packet; *more: what encode said. The bytes. */
size_t encoder_rig_show_more(struct encoder_rig *s, const struct ka_frame *f, struct ka_encode_ask ask, int *more);
/* The same without a map. */
size_t encoder_rig_show(struct encoder_rig *s, const struct ka_frame *f, bool key);
/* Lines of text that depend on n, from left to right, on a ground with some colour; NV12. */
struct ka_frame *encoder_rig_page(uint32_t w, uint32_t h, unsigned int n);
/* Of luma, in all or in a rectangle, dB. */
double encoder_rig_psnr(const struct ka_frame *a, const struct ka_frame *b);
double encoder_rig_psnr_in(const struct ka_frame *a, const struct ka_frame *b, uint32_t x0, uint32_t y0, uint32_t w,
			   uint32_t h);

#endif
