/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/mjpeg.h"

#include <errno.h>
#include <libyuv.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "base/err.h"

#define BAND_MAX 16u	  /* rows of the largest MCU */
#define LEFT_OVER_MAX 64u /* a device may pad its segments so far */
/* Of the width rounded up to whole MCUs. */
#define PADDED_MAX (KA_MAX_WIDTH + 16u)

struct ka_mjpeg {
	struct jpeg_decompress_struct jpeg; /* first: the error manager's hooks know only this */
	struct jpeg_error_mgr err;
	jmp_buf escape;
	/* What the decoder noticed. It takes any bits for a picture: damage shows in how much of them it needed. */
	bool cut_off;		/* the data ended without an end marker */
	bool ran_dry;		/* the scan ended before the picture did */
	unsigned int left_over; /* bytes behind the scan, before the next marker */
	bool damaged;
	uint8_t chroma[2][BAND_MAX * PADDED_MAX];
	uint8_t halved[2][BAND_MAX / 2 * PADDED_MAX];
	uint8_t luma[BAND_MAX * PADDED_MAX]; /* where the destination has no room for whole MCUs */
	uint8_t spill[PADDED_MAX];	     /* rows below the picture */
};

static void leave(j_common_ptr jpeg)
{
	longjmp(((struct ka_mjpeg *)jpeg)->escape, 1);
}

static void note_message(j_common_ptr jpeg, int level)
{
	struct ka_mjpeg *m = (struct ka_mjpeg *)jpeg;

	if (level >= 0)
		return;
	switch (m->err.msg_code) {
	case JWRN_JPEG_EOF:
		m->cut_off = true;
		break;
	case JWRN_HIT_MARKER:
		m->ran_dry = true;
		break;
	case JWRN_EXTRANEOUS_DATA:
		m->left_over += (unsigned int)KA_MAX(m->err.msg_parm.i[0], 0);
		break;
	case JWRN_ADOBE_XFORM:
	case JWRN_JFIF_MAJOR:
		break;
	default:
		m->damaged = true;
		break;
	}
}

static void print_nothing(j_common_ptr jpeg)
{
	(void)jpeg;
}

int ka_mjpeg_new(struct ka_mjpeg **out)
{
	struct ka_mjpeg *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->jpeg.err = jpeg_std_error(&m->err);
	m->err.error_exit = leave;
	m->err.emit_message = note_message;
	m->err.output_message = print_nothing;
	if (setjmp(m->escape)) {
		free(m);
		return -ENOMEM;
	}
	jpeg_create_decompress(&m->jpeg);
	*out = m;
	return 0;
}

void ka_mjpeg_free(struct ka_mjpeg *m)
{
	if (!m)
		return;
	jpeg_destroy_decompress(&m->jpeg);
	free(m);
}

/* How chroma lies against luma: 1 or 2 pixels to a sample, across and down. */
struct sampling {
	int across, down;
};

static bool is_usable(struct ka_mjpeg *m, uint32_t width, uint32_t height, struct sampling *s)
{
	struct jpeg_decompress_struct *j = &m->jpeg;
	const jpeg_component_info *c = j->comp_info;

	/* Progressive and arithmetic pictures cost far more than their size suggests; no device sends them. */
	if (jpeg_has_multiple_scans(j) || j->arith_code || j->data_precision != 8)
		return false;
	if (j->image_width < width || j->image_width >= width + 16 || j->image_height < height ||
	    j->image_height >= height + 16 || j->image_width > PADDED_MAX)
		return false;
	if (j->jpeg_color_space == JCS_GRAYSCALE)
		return j->num_components == 1 && c[0].h_samp_factor == 1 && c[0].v_samp_factor == 1;
	if (j->jpeg_color_space != JCS_YCbCr || j->num_components != 3 || c[1].h_samp_factor != c[2].h_samp_factor ||
	    c[1].v_samp_factor != c[2].v_samp_factor)
		return false;
	if (c[0].h_samp_factor % c[1].h_samp_factor || c[0].v_samp_factor % c[1].v_samp_factor ||
	    c[0].h_samp_factor > 2 || c[0].v_samp_factor > 2)
		return false;
	s->across = c[0].h_samp_factor / c[1].h_samp_factor;
	s->down = c[0].v_samp_factor / c[1].v_samp_factor;
	return s->across == 2 || s->down == 1;
}

/* Decodes the next band of rows: luma into place, chroma into scratch. Returns its rows; 0 when none came. */
static uint32_t read_band(struct ka_mjpeg *m, const struct ka_mjpeg_dst *dst, uint32_t y, size_t chroma_stride)
{
	uint32_t rows = (uint32_t)(m->jpeg.max_v_samp_factor * DCTSIZE);
	size_t padded = m->jpeg.comp_info[0].width_in_blocks * DCTSIZE;
	bool in_place = padded <= dst->rows.y_stride;
	uint8_t *to = dst->rows.y + y * dst->rows.y_stride;
	JSAMPROW luma[BAND_MAX], u[BAND_MAX], v[BAND_MAX];
	JSAMPARRAY planes[3] = {luma, u, v};

	for (uint32_t i = 0; i < BAND_MAX; i++) {
		luma[i] = !in_place		? m->luma + i * padded
			  : y + i < dst->height ? to + i * dst->rows.y_stride
						: m->spill;
		u[i] = m->chroma[0] + i * chroma_stride;
		v[i] = m->chroma[1] + i * chroma_stride;
	}
	if (!jpeg_read_raw_data(&m->jpeg, planes, rows))
		return 0;
	if (!in_place)
		CopyPlane(m->luma, (int)padded, to, (int)dst->rows.y_stride, (int)dst->width,
			  (int)KA_MIN(rows, dst->height - y));
	return rows;
}

/* The band's chroma from scratch to place; rows: of luma, even. */
static void put_chroma(struct ka_mjpeg *m, const struct ka_mjpeg_dst *dst, uint32_t y, uint32_t rows,
		       size_t chroma_stride, struct sampling s)
{
	uint8_t *uv = dst->rows.uv + y / 2 * dst->rows.uv_stride;
	int uv_stride = (int)dst->rows.uv_stride;
	int stride = (int)chroma_stride;
	int half = (int)dst->width / 2;

	if (m->jpeg.num_components == 1) {
		for (uint32_t i = 0; i < rows / 2; i++)
			memset(uv + i * dst->rows.uv_stride, 128, dst->width);
		return;
	}
	if (s.across == 1) {
		HalfMergeUVPlane(m->chroma[0], stride, m->chroma[1], stride, uv, uv_stride, (int)dst->width, (int)rows);
		return;
	}
	if (s.down == 2) {
		MergeUVPlane(m->chroma[0], stride, m->chroma[1], stride, uv, uv_stride, half, (int)rows / 2);
		return;
	}
	for (unsigned int i = 0; i < 2; i++)
		InterpolatePlane(m->chroma[i], 2 * stride, m->chroma[i] + stride, 2 * stride, m->halved[i], stride,
				 half, (int)rows / 2, 128);
	MergeUVPlane(m->halved[0], stride, m->halved[1], stride, uv, uv_stride, half, (int)rows / 2);
}

static bool read_header(struct ka_mjpeg *m, uint32_t width, uint32_t height, struct sampling *s)
{
	struct jpeg_decompress_struct *j = &m->jpeg;

	if (jpeg_read_header(j, TRUE) != JPEG_HEADER_OK || !is_usable(m, width, height, s))
		return false;
	j->do_fancy_upsampling = FALSE;
	j->dct_method = JDCT_ISLOW;
	return true;
}

/* After the last row that is wanted. */
static int finish(struct ka_mjpeg *m)
{
	/* Reads on to the end marker. */
	if (!m->cut_off && m->jpeg.output_scanline >= m->jpeg.output_height)
		(void)jpeg_finish_decompress(&m->jpeg);
	return m->damaged || m->left_over > LEFT_OVER_MAX ? -KA_E_FORMAT : 0;
}

static int decode(struct ka_mjpeg *m, const void *to)
{
	const struct ka_mjpeg_dst *dst = to;
	struct jpeg_decompress_struct *j = &m->jpeg;
	struct sampling s = {0};
	size_t chroma_stride;

	if (!read_header(m, dst->width, dst->height, &s))
		return -KA_E_FORMAT;
	j->raw_data_out = TRUE;
	if (!jpeg_start_decompress(j))
		return -KA_E_FORMAT;
	chroma_stride = j->num_components == 3 ? j->comp_info[1].width_in_blocks * DCTSIZE : 0;
	if (j->comp_info[0].width_in_blocks * DCTSIZE > PADDED_MAX || chroma_stride > PADDED_MAX)
		return -KA_E_FORMAT;
	for (uint32_t y = 0; y < dst->height && !m->cut_off;) {
		uint32_t band = read_band(m, dst, y, chroma_stride);
		uint32_t rows = KA_MIN(band, dst->height - y);
		const struct ka_nv12_rows at = {dst->rows.y + y * dst->rows.y_stride,
						dst->rows.uv + y / 2 * dst->rows.uv_stride, dst->rows.y_stride,
						dst->rows.uv_stride};

		/* Without an end marker it was cut off on the way; with one, bits are missing in between. Only the last
		 * few may lack: some devices round down. */
		if (m->ran_dry && !m->cut_off && y + band < dst->height)
			return -KA_E_FORMAT;
		if (!band || m->damaged || (m->cut_off && y == 0))
			return -KA_E_FORMAT;
		put_chroma(m, dst, y, rows, chroma_stride, s);
		if (dst->colour)
			ka_recolour_rows(dst->colour, &at, &at, dst->width, rows);
		y += band;
	}
	return finish(m);
}

/* Begins to give Y, U, V of each pixel, of one in `less` each way. */
static bool begin_triples(struct ka_mjpeg *m, const struct ka_mjpeg_pixels *dst, unsigned int less)
{
	struct jpeg_decompress_struct *j = &m->jpeg;
	struct sampling s;

	if (!read_header(m, dst->width, dst->height, &s))
		return false;
	j->out_color_space = j->num_components == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
	j->scale_num = 1;
	j->scale_denom = less;
	return jpeg_start_decompress(j);
}

static bool read_triples(struct ka_mjpeg *m, uint8_t *to, uint32_t width)
{
	JSAMPROW row = m->luma;

	if (!jpeg_read_scanlines(&m->jpeg, &row, 1) || m->damaged)
		return false;
	if (m->jpeg.num_components == 3) {
		memcpy(to, row, (size_t)3 * width);
		return true;
	}
	for (uint32_t x = 0; x < width; x++) {
		to[3 * x] = row[x];
		to[3 * x + 1] = to[3 * x + 2] = 128;
	}
	return true;
}

static int decode_pixels(struct ka_mjpeg *m, const void *to)
{
	const struct ka_mjpeg_pixels *dst = to;
	uint32_t band;

	if (!begin_triples(m, dst, 1))
		return -KA_E_FORMAT;
	band = (uint32_t)(m->jpeg.max_v_samp_factor * DCTSIZE);
	for (uint32_t y = 0; y < dst->height; y++) {
		if (!read_triples(m, dst->data + y * dst->stride, dst->width) || (m->cut_off && y < band))
			return -KA_E_FORMAT;
		if (m->ran_dry && !m->cut_off && y - y % band + band < dst->height)
			return -KA_E_FORMAT;
	}
	return finish(m);
}

static int decode_eighth(struct ka_mjpeg *m, const void *to)
{
	const struct ka_mjpeg_pixels *dst = to;

	if (!begin_triples(m, dst, 8))
		return -KA_E_FORMAT;
	for (uint32_t y = 0; y < (dst->height + 7) / 8; y++) {
		if (!read_triples(m, dst->data + y * dst->stride, (dst->width + 7) / 8) || m->cut_off)
			return -KA_E_FORMAT;
		if (m->ran_dry && y * 8 + 2 * BAND_MAX < dst->height)
			return -KA_E_FORMAT;
	}
	return 0;
}

/* One of those above; libjpeg's errors come back here. */
static int run(struct ka_mjpeg *m, const uint8_t *data, size_t len, int (*decoder)(struct ka_mjpeg *m, const void *to),
	       const void *to)
{
	int ret;

	m->cut_off = m->ran_dry = m->damaged = false;
	m->left_over = 0;
	if (setjmp(m->escape)) {
		jpeg_abort_decompress(&m->jpeg);
		return -KA_E_FORMAT;
	}
	jpeg_mem_src(&m->jpeg, data, len);
	ret = decoder(m, to);
	/* Also after the last row: what follows it is of no interest. */
	jpeg_abort_decompress(&m->jpeg);
	return ret;
}

int ka_mjpeg_decode(struct ka_mjpeg *m, const uint8_t *data, size_t len, const struct ka_mjpeg_dst *dst)
{
	return run(m, data, len, decode, dst);
}

int ka_mjpeg_decode_eighth(struct ka_mjpeg *m, const uint8_t *data, size_t len, const struct ka_mjpeg_pixels *dst)
{
	return run(m, data, len, decode_eighth, dst);
}

int ka_mjpeg_decode_pixels(struct ka_mjpeg *m, const uint8_t *data, size_t len, const struct ka_mjpeg_pixels *dst)
{
	return run(m, data, len, decode_pixels, dst);
}
