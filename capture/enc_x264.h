/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings x264 gets, for the encoder and for those who measure against bare x264. */
#ifndef KA_ENC_X264_H
#define KA_ENC_X264_H

#include <stdint.h>
#include <x264.h>

#include "capture/encoder.h"

/* -EINVAL when x264 does not take them; check() says why. */
int ka_enc_x264_params(x264_param_t *p, const struct ka_encoder_cfg *cfg) KA_MUST_USE;

#endif
