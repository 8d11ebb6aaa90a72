/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of a source as a PNG file: 8-bit RGB, lossless beyond the conversion of rgb.h. Pure but for the time. */
#ifndef KA_PNGOUT_H
#define KA_PNGOUT_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/frame.h"

/* Appends to `to`, whose maximum limits the work: -KA_E_TOO_BIG as soon as it is reached. -KA_E_FORMAT: a JPEG that is
 * broken. -ECANCELED once *cancel is set, within a row or the decoding of one JPEG. */
int ka_pngout_encode(struct ka_bytes *to, const struct ka_frame *f, const atomic_bool *cancel) KA_MUST_USE;

#endif
