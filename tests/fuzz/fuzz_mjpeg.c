/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first two bytes choose the destination's size (in 16 pixels, less 2), the rest is the picture. */
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "capture/mjpeg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_mjpeg_dst dst = {0};
	struct ka_recolour colour;
	struct ka_mjpeg *m;
	struct ka_frame *f;
	uint8_t *copy;

	if (size < 2)
		return 0;
	dst.width = KA_MAX(data[0] % 64 * 16u, 80u) - 2;
	dst.height = KA_MAX(data[1] % 64 * 16u, 80u) - 2;
	ka_recolour_init(&colour, (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_FULL}, false);
	dst.colour = data[0] & 128 ? &colour : NULL;
	if (ka_mjpeg_new(&m) < 0 || ka_frame_alloc(&f, KA_PIX_NV12, dst.width, dst.height) < 0)
		abort();
	memset(f->bufs[0]->data, 0, f->bufs[0]->size);
	dst.rows =
		(struct ka_nv12_rows){f->planes[0].data, f->planes[1].data, f->planes[0].stride, f->planes[1].stride};
	copy = malloc(size - 2 + !(size - 2));
	memcpy(copy, data + 2, size - 2);
	/* Twice: an error must not stay behind. */
	for (int i = 0; i < 2; i++) {
		int ret = ka_mjpeg_decode(m, copy, size - 2, &dst);

		if (ret > 0)
			abort();
	}
	free(copy);
	ka_frame_unref(&f);
	ka_mjpeg_free(m);
	return 0;
}
