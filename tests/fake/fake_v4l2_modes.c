/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_v4l2_modes.h"

#include <errno.h>
#include <string.h>

uint32_t fake_v4l2_buf_type(const struct fake_v4l2 *f)
{
	return f->mplane ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

static unsigned int plane_count(uint32_t fourcc)
{
	switch (fourcc) {
	case V4L2_PIX_FMT_NV12M:
	case V4L2_PIX_FMT_NV21M:
	case V4L2_PIX_FMT_NV16M:
	case V4L2_PIX_FMT_NV61M:
		return 2;
	case V4L2_PIX_FMT_YUV420M:
	case V4L2_PIX_FMT_YVU420M:
	case V4L2_PIX_FMT_YUV422M:
	case V4L2_PIX_FMT_YVU422M:
	case V4L2_PIX_FMT_YUV444M:
	case V4L2_PIX_FMT_YVU444M:
		return 3;
	default:
		return 1;
	}
}

/* Stride and size of memory plane m, by the tables of the V4L2 API. */
static void plane_shape(const struct fake_v4l2 *f, uint32_t fourcc, unsigned int m, uint32_t w, uint32_t h,
			uint32_t *stride, uint32_t *size)
{
	*stride = w + f->pad;
	switch (fourcc) {
	case V4L2_PIX_FMT_NV12:
	case V4L2_PIX_FMT_NV21:
	case V4L2_PIX_FMT_YUV420:
	case V4L2_PIX_FMT_YVU420:
		*size = *stride * h + *stride * ((h + 1) / 2);
		break;
	case V4L2_PIX_FMT_NV16:
	case V4L2_PIX_FMT_NV61:
	case V4L2_PIX_FMT_YUV422P:
		*size = *stride * h * 2;
		break;
	case V4L2_PIX_FMT_NV24:
	case V4L2_PIX_FMT_NV42:
		*size = *stride * h * 3;
		break;
	case V4L2_PIX_FMT_NV12M:
	case V4L2_PIX_FMT_NV21M:
		*size = m ? *stride * ((h + 1) / 2) : *stride * h;
		break;
	case V4L2_PIX_FMT_GREY:
	case V4L2_PIX_FMT_NV16M:
	case V4L2_PIX_FMT_NV61M:
	case V4L2_PIX_FMT_YUV444M:
	case V4L2_PIX_FMT_YVU444M:
		*size = *stride * h;
		break;
	case V4L2_PIX_FMT_YUV420M:
	case V4L2_PIX_FMT_YVU420M:
		*stride = m ? *stride / 2 : *stride;
		*size = *stride * (m ? (h + 1) / 2 : h);
		break;
	case V4L2_PIX_FMT_YUV422M:
	case V4L2_PIX_FMT_YVU422M:
		*stride = m ? *stride / 2 : *stride;
		*size = *stride * h;
		break;
	case V4L2_PIX_FMT_RGB24:
	case V4L2_PIX_FMT_BGR24:
		*stride = w * 3 + f->pad;
		*size = *stride * h;
		break;
	case V4L2_PIX_FMT_MJPEG:
		*stride = 0;
		*size = w * h;
		break;
	case V4L2_PIX_FMT_YUYV:
	case V4L2_PIX_FMT_YVYU:
	case V4L2_PIX_FMT_UYVY:
	case V4L2_PIX_FMT_VYUY:
		*stride = w * 2 + f->pad;
		*size = *stride * h;
		break;
	default: /* RGB in 32 bits */
		*stride = w * 4 + f->pad;
		*size = *stride * h;
		break;
	}
}

static bool offers(const struct fake_v4l2 *f, uint32_t fourcc)
{
	for (unsigned int i = 0; f->formats[i]; i++) {
		if (f->formats[i] == fourcc)
			return true;
	}
	return false;
}

/* Fills in what the driver decides. */
void fake_v4l2_complete_format(struct fake_v4l2 *f, struct v4l2_format *fmt)
{
	struct v4l2_pix_format_mplane *mp = &fmt->fmt.pix_mp;
	struct v4l2_pix_format *p = &fmt->fmt.pix;

	if (f->mplane) {
		if (!offers(f, mp->pixelformat))
			mp->pixelformat = f->formats[0];
		mp->width = f->width;
		mp->height = f->height;
		mp->field = f->field;
		mp->colorspace = f->colorspace;
		mp->ycbcr_enc = (uint8_t)f->ycbcr_enc;
		mp->quantization = (uint8_t)f->quantization;
		mp->num_planes = (uint8_t)plane_count(mp->pixelformat);
		for (unsigned int m = 0; m < mp->num_planes; m++) {
			uint32_t stride, size;

			plane_shape(f, mp->pixelformat, m, f->width, f->height, &stride, &size);
			mp->plane_fmt[m].bytesperline = stride;
			mp->plane_fmt[m].sizeimage = size;
		}
	} else {
		if (!offers(f, p->pixelformat))
			p->pixelformat = f->formats[0];
		p->width = f->width;
		p->height = f->height;
		p->field = f->field;
		p->colorspace = f->colorspace;
		p->priv = V4L2_PIX_FMT_PRIV_MAGIC;
		p->ycbcr_enc = f->ycbcr_enc;
		p->quantization = f->quantization;
		plane_shape(f, p->pixelformat, 0, f->width, f->height, &p->bytesperline, &p->sizeimage);
	}
}

int fake_v4l2_query_timings(const struct fake_v4l2 *f, struct v4l2_dv_timings *t)
{
	if (f->no_timings)
		return -ENOTTY;
	if (f->query_error)
		return f->query_error;
	t->type = V4L2_DV_BT_656_1120;
	t->bt.width = f->width;
	t->bt.height = f->height;
	t->bt.interlaced = f->interlaced;
	t->bt.hsync = 160;
	t->bt.vsync = 45;
	t->bt.pixelclock = (uint64_t)(f->width + 160) * (f->height + 45) * 60;
	return 0;
}

int fake_v4l2_enum_format(const struct fake_v4l2 *f, struct v4l2_fmtdesc *d)
{
	if (d->type != fake_v4l2_buf_type(f))
		return -EINVAL;
	for (uint32_t i = 0; f->formats[i]; i++) {
		if (i == d->index) {
			d->pixelformat = f->formats[i];
			return 0;
		}
	}
	return -EINVAL;
}

int fake_v4l2_enum_interval(const struct fake_v4l2 *f, struct v4l2_frmivalenum *e)
{
	if (!f->slow_fps || e->index)
		return -EINVAL;
	e->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	e->discrete.numerator = 1;
	e->discrete.denominator = e->pixel_format == V4L2_PIX_FMT_MJPEG ? 30 : f->slow_fps;
	return 0;
}

int fake_v4l2_timings_cap(const struct fake_v4l2 *f, struct v4l2_dv_timings_cap *c)
{
	if (f->no_timings || !f->max_clock_khz)
		return -ENOTTY;
	c->type = V4L2_DV_BT_656_1120;
	c->bt.max_width = 4096;
	c->bt.max_height = 2304;
	c->bt.max_pixelclock = f->max_clock_khz * UINT64_C(1000);
	return 0;
}

/* As drivers with CEC do: an address of their own in the HDMI block. */
static void put_address(uint8_t *edid, uint32_t blocks)
{
	static const uint8_t hdmi[] = {0x03, 0x0c, 0x00};
	uint8_t *at = blocks > 1 ? memmem(edid + 128, 120, hdmi, sizeof(hdmi)) : NULL;
	uint8_t sum = 0;

	if (!at)
		return;
	at[3] = 0x21;
	for (size_t i = 0; i < 127; i++)
		sum = (uint8_t)(sum + edid[128 + i]);
	edid[255] = (uint8_t)-sum;
}

int fake_v4l2_edid(struct fake_v4l2 *f, bool set, struct v4l2_edid *e)
{
	if (f->no_timings || f->no_edid)
		return -ENOTTY;
	if (!set) {
		if (!f->edid_blocks)
			return -ENODATA;
		if (e->start_block >= f->edid_blocks)
			return -EINVAL;
		if (e->blocks > f->edid_blocks - e->start_block)
			e->blocks = f->edid_blocks - e->start_block;
		memcpy(e->edid, f->edid + (size_t)128 * e->start_block, (size_t)128 * e->blocks);
		return 0;
	}
	if (e->blocks > f->edid_blocks_max) {
		e->blocks = f->edid_blocks_max;
		return -E2BIG;
	}
	memcpy(f->edid, e->edid, (size_t)128 * e->blocks);
	put_address(f->edid, e->blocks);
	f->edid_blocks = e->blocks;
	f->edids++;
	return 0;
}
