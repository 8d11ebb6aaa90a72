/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A driver's answer to S_FMT and to DQBUF: whatever it says, every row of a frame lies in its memory. */
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "capture/v4l2_planes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_format(struct ka_span *s, struct v4l2_format *f)
{
	struct v4l2_pix_format_mplane *mp = &f->fmt.pix_mp;
	struct v4l2_pix_format *p = &f->fmt.pix;

	memset(f, 0, sizeof(*f));
	if (ka_span_u8(s) & 1) {
		f->type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
		mp->width = (uint32_t)ka_span_le(s, 4);
		mp->height = (uint32_t)ka_span_le(s, 4);
		mp->pixelformat = (uint32_t)ka_span_le(s, 4);
		mp->field = ka_span_u8(s);
		mp->colorspace = ka_span_u8(s);
		mp->ycbcr_enc = ka_span_u8(s);
		mp->quantization = ka_span_u8(s);
		mp->num_planes = ka_span_u8(s);
		for (unsigned int i = 0; i < KA_FRAME_PLANES; i++)
			mp->plane_fmt[i].bytesperline = (uint32_t)ka_span_le(s, 4);
		return;
	}
	f->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	p->width = (uint32_t)ka_span_le(s, 4);
	p->height = (uint32_t)ka_span_le(s, 4);
	p->pixelformat = (uint32_t)ka_span_le(s, 4);
	p->field = ka_span_u8(s);
	p->colorspace = ka_span_u8(s);
	p->ycbcr_enc = ka_span_u8(s);
	p->quantization = ka_span_u8(s);
	p->priv = ka_span_u8(s) & 1 ? V4L2_PIX_FMT_PRIV_MAGIC : 0;
	p->bytesperline = (uint32_t)ka_span_le(s, 4);
}

static void check_rows(const struct ka_frame *d, const struct ka_v4l2_filled *b, unsigned int mems)
{
	for (unsigned int i = 0; i < ka_pixfmt_planes(d->format); i++) {
		const struct ka_plane *p = &d->planes[i];
		bool inside = false;

		for (unsigned int m = 0; m < mems; m++) {
			size_t before = (size_t)((uintptr_t)p->data - (uintptr_t)b->mem[m].data);

			inside = inside || (before <= b->mem[m].used && p->size <= b->mem[m].used - before);
		}
		if (!inside)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_span s = ka_span_make(data, size);
	struct ka_v4l2_filled b = {0};
	struct ka_v4l2_shape shape;
	struct ka_errbuf eb;
	struct v4l2_format f;
	struct ka_frame d, *frame;

	read_format(&s, &f);
	if (ka_v4l2_planes_read(&shape, &f, &eb) < 0)
		return 0;
	for (unsigned int m = 0; m < KA_FRAME_PLANES; m++) {
		/* Only compared, never read. */
		b.mem[m].data = (uint8_t *)(uintptr_t)((m + 1) * (UINT64_C(1) << 40));
		b.mem[m].length = (size_t)ka_span_le(&s, 4);
		b.mem[m].used = (size_t)ka_span_le(&s, 4);
		b.mem[m].offset = (size_t)ka_span_le(&s, 4);
	}
	if (ka_v4l2_planes_frame(&shape, &b, &d) < 0)
		return 0;
	check_rows(&d, &b, shape.mems);
	if (d.width % 2 || d.height % 2 || ka_frame_new(&frame, &d) < 0)
		abort();
	ka_frame_unref(&frame);
	return 0;
}
