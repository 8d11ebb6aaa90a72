/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/encoder_rig.h"

#include <math.h>
#include <string.h>

#include "tests/check/check.h"

#include "capture/paint.h"

struct ka_encoder_cfg encoder_rig_settings(void)
{
	return (struct ka_encoder_cfg){
		.preset = "superfast", .tune = "", .fps = 30, .width = W, .height = H, .kbps = 2000};
}

static vpx_codec_iface_t *decoder_of(enum ka_codec codec)
{
	return codec == KA_CODEC_H264 ? NULL : codec == KA_CODEC_VP8 ? vpx_codec_vp8_dx() : vpx_codec_vp9_dx();
}

void encoder_rig_open_decoder(struct encoder_rig *s)
{
	vpx_codec_iface_t *iface = decoder_of(s->ops->codec);

	s->decodes = iface != NULL;
	if (iface)
		assert_int_equal(vpx_codec_dec_init(&s->dec, iface, NULL, 0), 0);
}

void encoder_rig_close_decoder(struct encoder_rig *s)
{
	if (s->decodes)
		assert_int_equal(vpx_codec_destroy(&s->dec), 0);
	s->decodes = false;
	ka_frame_unref(&s->out);
}

void encoder_rig_open(struct encoder_rig *s, const struct ka_encoder_ops *ops, const struct ka_encoder_cfg *cfg)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	assert_int_equal(ops->open(&s->e, cfg), 0);
	encoder_rig_open_decoder(s);
}

void encoder_rig_close(struct encoder_rig *s)
{
	encoder_rig_close_decoder(s);
	s->ops->close(s->e);
}

static void keep_picture(struct encoder_rig *s, const vpx_image_t *img)
{
	enum ka_pixfmt format = s->ops->codec == KA_CODEC_VP9_444 ? KA_PIX_I444 : KA_PIX_I420;

	ka_frame_unref(&s->out);
	assert_int_equal(img->fmt, format == KA_PIX_I444 ? VPX_IMG_FMT_I444 : VPX_IMG_FMT_I420);
	assert_int_equal(img->bit_depth, 8);
	assert_int_equal(ka_frame_alloc(&s->out, format, img->d_w, img->d_h), 0);
	for (unsigned int p = 0; p < 3; p++) {
		for (uint32_t y = 0; y < ka_pixfmt_rows(format, p, img->d_h); y++)
			memcpy(s->out->planes[p].data + y * s->out->planes[p].stride,
			       img->planes[p] + (ptrdiff_t)y * img->stride[p],
			       ka_pixfmt_row_bytes(format, p, img->d_w));
	}
}

/* Exactly one picture comes out of each packet, of the packet's size. */
static void decode(struct encoder_rig *s, const struct ka_packet *p)
{
	vpx_codec_iter_t iter = NULL;
	vpx_image_t *img;

	if (!s->decodes)
		return;
	assert_int_equal(vpx_codec_decode(&s->dec, p->data, (unsigned int)p->size, NULL, 0), 0);
	img = vpx_codec_get_frame(&s->dec, &iter);
	assert_non_null(img);
	assert_int_equal(img->d_w, p->width);
	assert_int_equal(img->d_h, p->height);
	keep_picture(s, img);
	assert_null(vpx_codec_get_frame(&s->dec, &iter));
}

size_t encoder_rig_show_more(struct encoder_rig *s, const struct ka_frame *f, struct ka_encode_ask ask, int *more)
{
	bool first = s->pts_ms == 0;
	struct ka_packet *p;
	size_t size;

	s->pts_ms += 33;
	ask.pts_ms = s->pts_ms;
	*more = s->ops->encode(s->e, f, &ask, &p);
	assert_true(*more >= 0);
	assert_int_equal(p->pts_ms, ask.pts_ms);
	assert_int_equal(p->codec, s->ops->codec);
	assert_int_equal(p->width, f->width);
	assert_int_equal(p->height, f->height);
	assert_int_equal(p->key, ask.key || first);
	assert_true(p->size > 0);
	decode(s, p);
	size = p->size;
	ka_packet_unref(&p);
	return size;
}

size_t encoder_rig_show(struct encoder_rig *s, const struct ka_frame *f, bool key)
{
	int more;

	return encoder_rig_show_more(s, f, (struct ka_encode_ask){.key = key}, &more);
}

struct ka_frame *encoder_rig_page(uint32_t w, uint32_t h, unsigned int n)
{
	struct ka_frame *f;
	char line[160];

	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, w, h), 0);
	ka_paint_rect(f, 0, 0, (int)w, (int)h, ka_paint_rgb(32, 32, 40));
	ka_paint_rect(f, (int)w / 2, 0, (int)w / 2, (int)h / 2, ka_paint_rgb(30, 60, 140));
	for (unsigned int y = 2; y + 10 < h; y += 12) {
		for (unsigned int i = 0; i < sizeof(line) - 1; i++)
			line[i] = (char)('!' + (n * 31 + y * 7 + i * i * 3) % 90);
		line[sizeof(line) - 1] = '\0';
		ka_paint_text(f, 4, (int)y, 1, 220, line);
	}
	return f;
}

double encoder_rig_psnr_in(const struct ka_frame *a, const struct ka_frame *b, uint32_t x0, uint32_t y0, uint32_t w,
			   uint32_t h)
{
	uint64_t sum = 0;

	for (uint32_t y = y0; y < y0 + h; y++) {
		for (uint32_t x = x0; x < x0 + w; x++) {
			int d = a->planes[0].data[y * a->planes[0].stride + x] -
				b->planes[0].data[y * b->planes[0].stride + x];

			sum += (uint64_t)(d * d);
		}
	}
	return sum ? 10 * log10(255.0 * 255.0 * w * h / (double)sum) : 99;
}

double encoder_rig_psnr(const struct ka_frame *a, const struct ka_frame *b)
{
	return encoder_rig_psnr_in(a, b, 0, 0, a->width, a->height);
}
