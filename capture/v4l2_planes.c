/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/v4l2_planes.h"

#include <string.h>

/* No JPEG picture is shorter; some sticks send a few bytes when they have nothing. */
#define JPEG_MIN_BYTES 128u
#define STRIDE_MAX (16u * KA_MAX_WIDTH)

/* What a 1080p picture costs before it is encoded, as it is and with colours to convert, in 10 us (bench_convert prints
 * both) and 40 us more for each bit of a pixel, which go over a bus and through memory: 4:2:0 hardly anything, 4:2:2 a
 * tenth or two of a millisecond, 4:4:4 twice that, RGB arithmetic. MJPEG costs most, and it has lost detail already;
 * grey has lost all colour. */
static const struct ka_v4l2_fourcc known[] = {
	{V4L2_PIX_FMT_NV12, KA_PIX_NV12, 1, 83, 168, false},
	{V4L2_PIX_FMT_NV12M, KA_PIX_NV12, 2, 83, 168, false},
	{V4L2_PIX_FMT_YUV420, KA_PIX_I420, 1, 105, 198, false},
	{V4L2_PIX_FMT_YUV420M, KA_PIX_I420, 3, 105, 198, false},
	{V4L2_PIX_FMT_YVU420, KA_PIX_I420, 1, 105, 198, true},
	{V4L2_PIX_FMT_YVU420M, KA_PIX_I420, 3, 105, 198, true},
	{V4L2_PIX_FMT_NV21, KA_PIX_NV21, 1, 88, 181, false},
	{V4L2_PIX_FMT_NV21M, KA_PIX_NV21, 2, 88, 181, false},
	{V4L2_PIX_FMT_YUYV, KA_PIX_YUYV, 1, 117, 196, false},
	{V4L2_PIX_FMT_UYVY, KA_PIX_UYVY, 1, 117, 196, false},
	{V4L2_PIX_FMT_YVYU, KA_PIX_YVYU, 1, 124, 199, false},
	{V4L2_PIX_FMT_VYUY, KA_PIX_VYUY, 1, 124, 199, false},
	{V4L2_PIX_FMT_NV16, KA_PIX_NV16, 1, 124, 214, false},
	{V4L2_PIX_FMT_NV16M, KA_PIX_NV16, 2, 124, 214, false},
	{V4L2_PIX_FMT_NV61, KA_PIX_NV61, 1, 124, 214, false},
	{V4L2_PIX_FMT_NV61M, KA_PIX_NV61, 2, 124, 214, false},
	{V4L2_PIX_FMT_YUV422P, KA_PIX_I422, 1, 164, 262, false},
	{V4L2_PIX_FMT_YUV422M, KA_PIX_I422, 3, 164, 262, false},
	{V4L2_PIX_FMT_YVU422M, KA_PIX_I422, 3, 164, 262, true},
	{V4L2_PIX_FMT_NV24, KA_PIX_NV24, 1, 181, 291, false},
	{V4L2_PIX_FMT_NV42, KA_PIX_NV42, 1, 181, 291, false},
	{V4L2_PIX_FMT_YUV444M, KA_PIX_I444, 3, 216, 346, false},
	{V4L2_PIX_FMT_YVU444M, KA_PIX_I444, 3, 216, 346, true},
	{V4L2_PIX_FMT_BGR24, KA_PIX_BGR24, 1, 221, 286, false},
	{V4L2_PIX_FMT_RGB24, KA_PIX_RGB24, 1, 221, 286, false},
	{V4L2_PIX_FMT_XBGR32, KA_PIX_BGRX, 1, 268, 343, false},
	{V4L2_PIX_FMT_ABGR32, KA_PIX_BGRX, 1, 268, 343, false},
	{V4L2_PIX_FMT_BGR32, KA_PIX_BGRX, 1, 268, 343, false},
	{V4L2_PIX_FMT_RGBX32, KA_PIX_RGBX, 1, 268, 343, false},
	{V4L2_PIX_FMT_RGBA32, KA_PIX_RGBX, 1, 268, 343, false},
	{V4L2_PIX_FMT_XRGB32, KA_PIX_XRGB, 1, 303, 378, false},
	{V4L2_PIX_FMT_ARGB32, KA_PIX_XRGB, 1, 303, 378, false},
	{V4L2_PIX_FMT_RGB32, KA_PIX_XRGB, 1, 303, 378, false},
	{V4L2_PIX_FMT_BGRX32, KA_PIX_XBGR, 1, 303, 378, false},
	{V4L2_PIX_FMT_BGRA32, KA_PIX_XBGR, 1, 303, 378, false},
	{V4L2_PIX_FMT_MJPEG, KA_PIX_MJPEG, 1, 730, 750, false},
	{V4L2_PIX_FMT_JPEG, KA_PIX_MJPEG, 1, 730, 750, false},
	{V4L2_PIX_FMT_GREY, KA_PIX_GREY, 1, 1000, 1000, false},
};

const struct ka_v4l2_fourcc *ka_v4l2_planes_find(uint32_t fourcc)
{
	for (size_t i = 0; i < KA_ARRAY_LEN(known); i++) {
		if (known[i].fourcc == fourcc)
			return &known[i];
	}
	return NULL;
}

const char *ka_v4l2_planes_name(char dst[static 5], uint32_t fourcc)
{
	for (unsigned int i = 0; i < 4; i++) {
		char c = (char)(fourcc >> (8 * i) & 0x7f);

		dst[i] = c >= ' ' && c <= '~' ? c : '.';
	}
	dst[4] = '\0';
	return dst;
}

void ka_v4l2_planes_ask(struct v4l2_format *f, uint32_t type, uint32_t fourcc, uint32_t width, uint32_t height)
{
	memset(f, 0, sizeof(*f));
	f->type = type;
	if (type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
		f->fmt.pix_mp.width = width;
		f->fmt.pix_mp.height = height;
		f->fmt.pix_mp.pixelformat = fourcc;
		f->fmt.pix_mp.field = V4L2_FIELD_NONE;
		return;
	}
	f->fmt.pix.width = width;
	f->fmt.pix.height = height;
	f->fmt.pix.pixelformat = fourcc;
	f->fmt.pix.field = V4L2_FIELD_NONE;
	f->fmt.pix.priv = V4L2_PIX_FMT_PRIV_MAGIC; /* else the colour fields mean nothing */
}

/* Both APIs' answers side by side. */
struct answer {
	uint32_t width, height, fourcc, field;
	uint32_t colorspace, ycbcr_enc, quantization;
	unsigned int mems;
	uint32_t stride[KA_FRAME_PLANES];
};

static void read_answer(struct answer *a, const struct v4l2_format *f)
{
	const struct v4l2_pix_format_mplane *mp = &f->fmt.pix_mp;
	const struct v4l2_pix_format *p = &f->fmt.pix;

	if (f->type != V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
		*a = (struct answer){p->width, p->height, p->pixelformat,   p->field, p->colorspace, 0,
				     0,	       1,	  {p->bytesperline}};
		if (p->priv == V4L2_PIX_FMT_PRIV_MAGIC) {
			a->ycbcr_enc = p->ycbcr_enc;
			a->quantization = p->quantization;
		}
		return;
	}
	*a = (struct answer){mp->width,	     mp->height,    mp->pixelformat,  mp->field,
			     mp->colorspace, mp->ycbcr_enc, mp->quantization, mp->num_planes};
	for (unsigned int i = 0; i < KA_FRAME_PLANES; i++)
		a->stride[i] = mp->plane_fmt[i].bytesperline;
}

static struct ka_colour read_colour(const struct answer *a, enum ka_pixfmt format)
{
	uint32_t enc = a->ycbcr_enc ? a->ycbcr_enc : (uint32_t)V4L2_MAP_YCBCR_ENC_DEFAULT(a->colorspace);
	uint32_t range = a->quantization;
	struct ka_colour c;

	/* Grey is what a sensor counted, from 0 to 255, unless the driver says otherwise. */
	if (!range)
		range = V4L2_MAP_QUANTIZATION_DEFAULT(ka_pixfmt_rgb(format) || format == KA_PIX_GREY, a->colorspace,
						      enc);
	/* JFIF: always BT.601, always full range. Sticks do not fill in more than the colour space. */
	if (format == KA_PIX_MJPEG)
		return (struct ka_colour){KA_MATRIX_BT601, KA_RANGE_FULL};
	switch (enc) {
	case V4L2_YCBCR_ENC_709:
	case V4L2_YCBCR_ENC_XV709:
	case V4L2_YCBCR_ENC_SMPTE240M: /* its weights differ from BT.709's by a hair */
		c.matrix = KA_MATRIX_BT709;
		break;
	case V4L2_YCBCR_ENC_BT2020:
	case V4L2_YCBCR_ENC_BT2020_CONST_LUM:
		c.matrix = KA_MATRIX_BT2020;
		break;
	default:
		c.matrix = KA_MATRIX_BT601;
		break;
	}
	c.range = range == V4L2_QUANTIZATION_FULL_RANGE ? KA_RANGE_FULL : KA_RANGE_LIMITED;
	return c;
}

/* Strides and places of all planes, from the driver's stride of each memory plane. */
static int lay_out(struct ka_v4l2_shape *s, const struct answer *a)
{
	enum ka_pixfmt format = s->fourcc->format;
	size_t end = 0;

	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++) {
		/* The i-th in memory is not always the i-th of ours. */
		unsigned int plane = s->fourcc->v_first && i ? 3 - i : i;
		unsigned int mem = s->mems > 1 ? i : 0;
		size_t row = ka_pixfmt_row_bytes(format, i, s->width);
		uint32_t rows = ka_pixfmt_rows(format, i, s->height);
		size_t stride = a->stride[mem];

		/* In shared memory bytesperline is that of the first plane; the others follow in proportion. */
		if (s->mems == 1 && i > 0)
			stride = stride * ka_pixfmt_row_bytes(format, i, 2) / ka_pixfmt_row_bytes(format, 0, 2);
		if (stride < row || stride > STRIDE_MAX)
			return -KA_E_FORMAT;
		if (s->mems > 1)
			end = 0;
		s->planes[plane].mem = mem;
		s->planes[plane].offset = end;
		s->planes[plane].stride = stride;
		/* The last row need not be padded. */
		s->mem_need[mem] = end + stride * (rows - 1) + row;
		end += stride * rows;
	}
	return 0;
}

int ka_v4l2_planes_read(struct ka_v4l2_shape *s, const struct v4l2_format *f, struct ka_errbuf *eb)
{
	struct answer a;
	char name[5];

	memset(s, 0, sizeof(*s));
	read_answer(&a, f);
	s->fourcc = ka_v4l2_planes_find(a.fourcc);
	if (!s->fourcc) {
		ka_errbuf_set(eb, "the device gives pictures as %s, which is not supported",
			      ka_v4l2_planes_name(name, a.fourcc));
		return -KA_E_FORMAT;
	}
	if (a.field != V4L2_FIELD_NONE && a.field != V4L2_FIELD_ANY) {
		ka_errbuf_set(eb, "The source sends an interlaced mode; choose a progressive one.");
		return -KA_E_OUT_OF_RANGE;
	}
	if (a.width < KA_MIN_WIDTH || a.width > KA_MAX_WIDTH || a.height < KA_MIN_HEIGHT || a.height > KA_MAX_HEIGHT) {
		ka_errbuf_set(eb, "The source sends %ux%u; at most %ux%u can be captured.", a.width, a.height,
			      KA_MAX_WIDTH, KA_MAX_HEIGHT);
		return -KA_E_OUT_OF_RANGE;
	}
	s->width = a.width;
	s->height = a.height;
	s->mems = a.mems;
	s->colour = read_colour(&a, s->fourcc->format);
	if (a.mems != s->fourcc->mems) {
		ka_errbuf_set(eb, "the device says %u memory planes for %s", a.mems,
			      ka_v4l2_planes_name(name, a.fourcc));
		return -KA_E_FORMAT;
	}
	if (s->fourcc->format == KA_PIX_MJPEG) {
		s->mem_need[0] = JPEG_MIN_BYTES;
		return 0;
	}
	if (lay_out(s, &a) == 0)
		return 0;
	ka_errbuf_set(eb, "the device says %u bytes a line for %ux%u %s", a.stride[0], a.width, a.height,
		      ka_v4l2_planes_name(name, a.fourcc));
	return -KA_E_FORMAT;
}

int ka_v4l2_planes_frame(const struct ka_v4l2_shape *s, const struct ka_v4l2_filled *b, struct ka_frame *d)
{
	size_t left[KA_FRAME_PLANES] = {0};

	for (unsigned int i = 0; i < s->mems; i++) {
		if (b->mem[i].used > b->mem[i].length || b->mem[i].offset > b->mem[i].used)
			return -KA_E_FORMAT;
		left[i] = b->mem[i].used - b->mem[i].offset;
		if (left[i] < s->mem_need[i])
			return -KA_E_FORMAT;
	}
	*d = (struct ka_frame){.format = s->fourcc->format, .colour = s->colour};
	d->width = s->width & ~1u;
	d->height = s->height & ~1u;
	for (unsigned int i = 0; i < ka_pixfmt_planes(d->format); i++) {
		unsigned int mem = s->planes[i].mem;

		d->planes[i].data = b->mem[mem].data + b->mem[mem].offset + s->planes[i].offset;
		d->planes[i].stride = s->planes[i].stride;
		d->planes[i].size = left[mem] - s->planes[i].offset;
	}
	return 0;
}
