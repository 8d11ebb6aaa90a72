/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/oom/oom_codecs.h"

#include "capture/enc_vpx.h"
#include "capture/streams.h"

/* What allocates in libraries is not counted; what is ours is. */
static int encode_with(const struct ka_encoder_ops *ops)
{
	struct ka_encoder_cfg cfg = {
		.preset = "ultrafast", .tune = "", .fps = 30, .width = 64, .height = 64, .kbps = 20, .burst_ms = 250};
	struct ka_encoder *e = NULL;
	struct ka_packet *p = NULL;
	struct ka_frame *f = NULL;
	int ret = ka_frame_alloc(&f, KA_PIX_NV12, 64, 64);

	if (!ret) {
		/* As hard as it gets: softened on the way. */
		for (size_t i = 0; i < f->bufs[0]->size; i++)
			f->bufs[0]->data[i] = (uint8_t)(i * i * 7 >> 3);
		ret = ops->open(&e, &cfg);
	}
	for (int i = 1; ret >= 0 && i <= 3; i++) {
		ret = ops->encode(e, f, &(struct ka_encode_ask){.key = i == 1, .pts_ms = i, .refine = i == 3}, &p);
		ka_packet_unref(&p);
	}
	ops->close(e);
	ka_frame_unref(&f);
	return ret < 0 ? ret : 0;
}

int oom_encode_vp9(void)
{
	return encode_with(&ka_enc_vp9);
}

int oom_encode_vp9_444(void)
{
	return encode_with(&ka_enc_vp9_444);
}

int oom_encode_vp8(void)
{
	return encode_with(&ka_enc_vp8);
}

int oom_make_streams(void)
{
	struct ka_stage_encode_cfg cfg = {
		.settings = {.preset = "ultrafast", .tune = "", .fps = 30}, .slate_fps = 1, .device = ""};
	struct ka_codecs *codecs = NULL;
	struct ka_streams *s = NULL;
	struct ka_wishes *w = NULL;
	struct ka_errbuf eb;
	int ret = ka_codecs_new(&codecs, ka_encoders, "", &cfg.settings, &eb);

	if (!ret)
		ret = ka_wishes_new(&w);
	cfg.codecs = codecs;
	cfg.wishes = w;
	if (!ret)
		ret = ka_streams_new(&s, &cfg);
	if (!ret)
		ret = ka_streams_need(s, ka_rendition(KA_CODEC_VP9, true));
	if (s) {
		ka_streams_stop(s);
		ka_streams_join(s);
	}
	ka_streams_free(s);
	ka_wishes_free(w);
	ka_codecs_free(codecs);
	return ret;
}
