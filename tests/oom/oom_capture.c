/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/oom/oom_capture.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/check/check.h"

#include "capture/enc_vpx.h"
#include "capture/pngout.h"
#include "capture/prepare.h"
#include "capture/snapshot.h"
#include "capture/streams.h"

int oom_make_png(void)
{
	static const atomic_bool go_on;
	struct ka_frame *f = NULL;
	struct ka_bytes png;
	int ret;

	ka_bytes_init(&png, 1 << 20);
	ret = ka_frame_alloc(&f, KA_PIX_NV12, 64, 64);
	if (!ret)
		ret = ka_pngout_encode(&png, f, &go_on);
	if (!ret)
		assert_true(png.len > 100);
	ka_frame_unref(&f);
	ka_bytes_fini(&png);
	return ret;
}

static int look_at(struct ka_prepare *p, enum ka_pixfmt format, uint8_t value)
{
	struct ka_frame *raw = NULL, *out = NULL;
	int ret = ka_frame_alloc(&raw, format, 96, 64);

	if (!ret) {
		memset(raw->bufs[0]->data, value, raw->bufs[0]->size);
		ret = ka_prepare_look(p, raw);
	}
	for (int full = 0; ret >= 0 && full < 2; full++) {
		ret = ka_prepare_get(p, full, &out);
		ka_frame_unref(&out);
	}
	ka_frame_unref(&raw);
	return ret;
}

int oom_prepare_pictures(void)
{
	struct ka_prepare *p = NULL;
	int ret = ka_prepare_new(&p);

	for (unsigned int i = 0; ret >= 0 && i < 6; i++)
		ret = look_at(p, i < 3 ? KA_PIX_YUYV : KA_PIX_NV16, (uint8_t)(i * 9));
	ka_prepare_free(p);
	return ret;
}

static void post(void *arg)
{
	sem_post(arg);
}

/* Memory may run out on its own thread as well: then that is the answer. */
int oom_take_snapshot(void)
{
	struct ka_snapshots *all = NULL;
	struct ka_cap_state *st = NULL;
	struct ka_snapshot *one = NULL;
	struct ka_bytes png = {0};
	sem_t done;
	int ret = ka_cap_state_new(&st, (struct ka_geometry){64, 64});

	sem_init(&done, 0, 0);
	if (!ret)
		ret = ka_snapshots_new(&all, st, "");
	if (!ret)
		/* A slate is drawn at once. */
		ka_cap_state_set_cause(st, -KA_E_NO_CABLE, "", 0);
	if (!ret)
		ret = ka_snapshots_begin(all, 1 << 20, (struct ka_wake){post, &done}, &one);
	if (!ret) {
		while (sem_wait(&done) < 0)
			;
		ret = ka_snapshot_take(one, &png);
		ka_snapshot_drop(one);
	}
	ka_bytes_fini(&png);
	ka_snapshots_free(all);
	ka_cap_state_free(st);
	sem_destroy(&done);
	return ret;
}

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
