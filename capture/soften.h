/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures for encoders that take others than there are. Each writes into *out, made at the first call, of which the
 * caller keeps hold. Pure. */
#ifndef KA_SOFTEN_H
#define KA_SOFTEN_H

#include "base/frame.h"

/* NV12 or I420 as I444: each sample of chroma four times, as decoders do it. */
int ka_widen(struct ka_frame **out, const struct ka_frame *f) KA_MUST_USE;
/* NV12, I420 or I444 with a quarter of the detail each way, in luma: much fewer bits, and still the same picture. */
int ka_soften(struct ka_frame **out, const struct ka_frame *f) KA_MUST_USE;

#endif
