/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VP9 and VP8 by libvpx: constant bit rate with a floor of quality, realtime, screen content. A picture's blocks that
 * the asker says have not changed are left out (active map), which is most of what a picture costs.
 *
 * What the receiving decoders need (RustDesk libs/scrap codec.rs, vpxcodec.rs, mod.rs): libvpx with default settings,
 * one frame a picture; 8 bits, profile 0, or 1 for 4:4:4, told from the stream itself; no superframes with hidden
 * pictures. They convert with libyuv's I420ToARGB and I444ToARGB or the ABGR twins, so BT.601 limited range whatever
 * the stream says; the stream says the same.
 */
#ifndef KA_ENC_VPX_H
#define KA_ENC_VPX_H

#include "capture/encoder.h"

extern const struct ka_encoder_ops ka_enc_vp9;
extern const struct ka_encoder_ops ka_enc_vp9_444;
extern const struct ka_encoder_ops ka_enc_vp8;

#endif
