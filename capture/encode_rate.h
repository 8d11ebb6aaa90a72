/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of an encoder: the viewers' wishes, the source and the size of a picture taken together. Any thread. */
#ifndef KA_ENCODE_RATE_H
#define KA_ENCODE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/cap_state.h"
#include "capture/wishes.h"

struct ka_encode_rate {
	uint32_t kbps, fps, burst_ms; /* as in struct ka_encoder_cfg */
};

/* fps_most: of the configuration. narrow: whether a link decides. */
struct ka_encode_rate ka_encode_rate_wanted(struct ka_wishes *w, unsigned int rendition, struct ka_cap_state *st,
					    struct ka_geometry g, uint32_t fps_most, bool *narrow);
/* The same for a pass of refinement: a burst for a moment only, so that a change that comes right after it finds the
 * line free, or nearly so. */
struct ka_encode_rate ka_encode_rate_still(struct ka_encode_rate wanted, bool narrow);
bool ka_encode_rate_same(const struct ka_encode_rate *a, const struct ka_encode_rate *b);

#endif
