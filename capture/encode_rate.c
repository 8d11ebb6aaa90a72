/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/encode_rate.h"

#include "base/bitrate.h"

/* On a narrow link no picture takes longer than this to get across, even a key picture; longer where text could not be
 * read in so few bytes. */
#define NARROW_BURST_MS 250u
#define NARROW_BURST_MOST_MS 750u
#define LEGIBLE_PIXELS_A_BYTE 33u
/* How long a pass of refinement keeps the line busy. */
#define NARROW_PASS_MS 100u
#define PASS_MS 250u

static uint32_t narrow_burst_ms(struct ka_geometry g, uint32_t kbps)
{
	uint64_t legible_bits = 8ull * g.width * g.height / LEGIBLE_PIXELS_A_BYTE;

	return (uint32_t)KA_CLAMP(legible_bits / KA_MAX(kbps, 1u), (uint64_t)NARROW_BURST_MS,
				  (uint64_t)NARROW_BURST_MOST_MS);
}

struct ka_encode_rate ka_encode_rate_wanted(struct ka_wishes *wishes, unsigned int rendition, struct ka_cap_state *st,
					    struct ka_geometry g, uint32_t fps_most, bool *narrow)
{
	struct ka_encode_rate r = {.fps = fps_most};
	struct ka_wishes_now w;
	struct ka_signal signal;

	ka_wishes_get(wishes, rendition, &w);
	ka_cap_state_signal(st, &signal);
	r.kbps = w.kbps ? w.kbps : ka_bitrate_kbps(g.width, g.height, 0);
	r.burst_ms = w.narrow ? narrow_burst_ms(g, r.kbps) : 0;
	if (w.fps)
		r.fps = KA_MIN(r.fps, w.fps);
	if (signal.source_fps_mhz)
		r.fps = KA_CLAMP((signal.source_fps_mhz + 500) / 1000, 1u, r.fps);
	*narrow = w.narrow;
	return r;
}

struct ka_encode_rate ka_encode_rate_still(struct ka_encode_rate r, bool narrow)
{
	r.burst_ms = narrow ? NARROW_PASS_MS : PASS_MS;
	return r;
}

bool ka_encode_rate_same(const struct ka_encode_rate *a, const struct ka_encode_rate *b)
{
	return a->kbps == b->kbps && a->fps == b->fps && a->burst_ms == b->burst_ms;
}
