/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/enc_vpx.h"

#include <errno.h>
#include <string.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/soften.h"
#include "capture/work_map.h"

/* Of libvpx's 0..63. A picture in motion is never made better than GOOD_Q, one that stands still than FINE_Q. */
#define GOOD_Q 16u
#define FINE_Q 2u
#define WORST_Q 63u
/* A picture may take what the rate carries in so long, unless told otherwise. */
#define BURST_MS 750u
/* Pixels a second for which one thread is enough on the boards this runs on. */
#define THREAD_PIXELS (1280ull * 720 * 30)
#define MIDDLE_Q 40u
/* Bytes that a block of dense text takes at FINE_Q, GOOD_Q and WORST_Q, until pictures say more. */
#define FINE_BYTES 150u
#define GOOD_BYTES 100u
#define WORST_BYTES 20u
/* VP8 lowers its quantizer by steps: a refinement is given up that is not fine after so many pictures. */
#define REFINE_TRIES 24u
/* Speeds of libvpx. VP9: 8 costs twice as much as 9, and is hardly better on desktops. VP8: faster ones than 4 lose
 * track of text that scrolls, and send twice as much. */
#define VP9_SPEED 9
#define VP8_SPEED 4

struct ka_encoder {
	const struct ka_encoder_ops *ops;
	vpx_codec_ctx_t vpx; /* iface NULL: not open */
	vpx_codec_enc_cfg_t cfg;
	struct ka_frame *wide; /* 4:2:0 pictures as 4:4:4 ones; NULL = none came yet */
	struct ka_frame *soft; /* a picture that was too large; NULL = none yet */
	struct ka_work_map map;
	bool mapped;	    /* the last picture had a map */
	bool bounded;	    /* no picture may be larger than the burst */
	size_t burst_bytes; /* what the rate carries in burst_ms */
	int64_t burst_ms;
	size_t fine_bytes, good_bytes, worst_bytes; /* of a block, as seen lately */
	size_t stale;				    /* blocks that had changed in the last picture */
	unsigned int tries;			    /* refinements in a row that were not fine enough */
	int64_t clock_ms;			    /* libvpx's time: stands still in pauses longer than a burst */
	int64_t pts_ms;				    /* of the last picture */
};

static bool is_vp9(const struct ka_encoder *e)
{
	return e->ops->codec != KA_CODEC_VP8;
}

static bool is_444(const struct ka_encoder *e)
{
	return e->ops->codec == KA_CODEC_VP9_444;
}

static int fail(struct ka_encoder *e, const char *what)
{
	const char *detail = vpx_codec_error_detail(&e->vpx);

	ka_log_every(ERROR, KA_SEC(10), "vpx", "error", "encoder=%s call=%s text=\"%s\" detail=\"%s\"", e->ops->name,
		     what, vpx_codec_error(&e->vpx), detail ? detail : "");
	return e->vpx.err == VPX_CODEC_MEM_ERROR ? -ENOMEM : -EIO;
}

static void set_rate(struct ka_encoder *e, uint32_t kbps, uint32_t burst_ms)
{
	kbps = KA_CLAMP(kbps, KA_ENCODER_MIN_KBPS, KA_ENCODER_MAX_KBPS);
	e->bounded = burst_ms != 0;
	e->burst_ms = burst_ms ? burst_ms : BURST_MS;
	e->burst_bytes = (size_t)((uint64_t)kbps * (uint64_t)e->burst_ms / 8);
	e->cfg.rc_target_bitrate = kbps;
	e->cfg.rc_buf_sz = (unsigned int)e->burst_ms;
	e->cfg.rc_buf_initial_sz = e->cfg.rc_buf_sz;
	e->cfg.rc_buf_optimal_sz = e->cfg.rc_buf_sz * 3 / 4;
}

static uint64_t pixel_rate(const struct ka_encoder_cfg *cfg)
{
	return (uint64_t)cfg->width * cfg->height * cfg->fps;
}

/* VP8's threads wait for one another without sleeping, which costs more than it gains when others need the cores. */
static unsigned int choose_threads(const struct ka_encoder *e, const struct ka_encoder_cfg *cfg)
{
	if (cfg->threads || !is_vp9(e))
		return KA_MAX(cfg->threads, 1u);
	return ka_encoder_threads((pixel_rate(cfg) + THREAD_PIXELS - 1) / THREAD_PIXELS);
}

static void set_config(struct ka_encoder *e, const struct ka_encoder_cfg *cfg)
{
	vpx_codec_enc_cfg_t *c = &e->cfg;

	c->g_w = cfg->width;
	c->g_h = cfg->height;
	c->g_profile = is_444(e);
	c->g_timebase = (vpx_rational_t){1, 1000};
	c->g_lag_in_frames = 0;
	c->g_pass = VPX_RC_ONE_PASS;
	c->g_error_resilient = 0; /* nothing is lost on the way */
	c->g_threads = choose_threads(e, cfg);
	c->kf_mode = VPX_KF_DISABLED;
	c->rc_end_usage = VPX_CBR;
	c->rc_dropframe_thresh = 0; /* the client takes a packet without a picture for a failure */
	c->rc_resize_allowed = 0;
	c->rc_min_quantizer = GOOD_Q;
	c->rc_max_quantizer = WORST_Q;
	set_rate(e, cfg->kbps, cfg->burst_ms);
}

static int set_vp9(struct ka_encoder *e)
{
	unsigned int tiles = e->cfg.g_threads >= 4 ? 2 : e->cfg.g_threads >= 2; /* as a power of two */
	vpx_codec_err_t err = 0;

	err |= vpx_codec_control(&e->vpx, VP8E_SET_CPUUSED, VP9_SPEED);
	err |= vpx_codec_control(&e->vpx, VP9E_SET_TUNE_CONTENT, VP9E_CONTENT_SCREEN);
	err |= vpx_codec_control(&e->vpx, VP9E_SET_AQ_MODE, 0); /* still parts are refined when asked to */
	err |= vpx_codec_control(&e->vpx, VP9E_SET_ROW_MT, 1);
	err |= vpx_codec_control(&e->vpx, VP9E_SET_TILE_COLUMNS, (int)tiles);
	err |= vpx_codec_control(&e->vpx, VP9E_SET_FRAME_PARALLEL_DECODING, 0);
	err |= vpx_codec_control(&e->vpx, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
	err |= vpx_codec_control(&e->vpx, VP9E_SET_COLOR_RANGE, VPX_CR_STUDIO_RANGE);
	return (int)err;
}

static int set_vp8(struct ka_encoder *e)
{
	vpx_codec_err_t err = 0;

	/* Below zero: this speed whatever the time it takes. */
	err |= vpx_codec_control(&e->vpx, VP8E_SET_CPUUSED, -VP8_SPEED);
	err |= vpx_codec_control(&e->vpx, VP8E_SET_SCREEN_CONTENT_MODE, 1);
	err |= vpx_codec_control(&e->vpx, VP8E_SET_TOKEN_PARTITIONS,
				 e->cfg.g_threads > 1 ? VP8_FOUR_TOKENPARTITION : VP8_ONE_TOKENPARTITION);
	return (int)err;
}

static int set_controls(struct ka_encoder *e)
{
	int err = is_vp9(e) ? set_vp9(e) : set_vp8(e);

	err |= vpx_codec_control(&e->vpx, VP8E_SET_STATIC_THRESHOLD, 1);
	err |= vpx_codec_control(&e->vpx, VP8E_SET_ENABLEAUTOALTREF, 0);
	return err ? fail(e, "control") : 0;
}

static void close_encoder(struct ka_encoder *e)
{
	if (!e)
		return;
	if (e->vpx.iface)
		vpx_codec_destroy(&e->vpx);
	ka_frame_unref(&e->wide);
	ka_frame_unref(&e->soft);
	ka_work_map_fini(&e->map);
	free(e);
}

static int open_encoder(const struct ka_encoder_ops *ops, vpx_codec_iface_t *iface, struct ka_encoder **out,
			const struct ka_encoder_cfg *cfg)
{
	struct ka_encoder *e = calloc(1, sizeof(*e));
	int ret;

	if (!e)
		return -ENOMEM;
	e->ops = ops;
	e->fine_bytes = FINE_BYTES;
	e->good_bytes = GOOD_BYTES;
	e->worst_bytes = WORST_BYTES;
	ret = ka_work_map_init(&e->map, cfg->width, cfg->height);
	if (ret == 0)
		ret = vpx_codec_enc_config_default(iface, &e->cfg, 0) ? -EIO : 0;
	if (ret == 0) {
		set_config(e, cfg);
		ret = vpx_codec_enc_init(&e->vpx, iface, &e->cfg, 0) ? fail(e, "init") : 0;
	}
	if (ret == 0)
		ret = set_controls(e);
	if (ret < 0) {
		close_encoder(e);
		return ret;
	}
	*out = e;
	return 0;
}

static int open_vp9(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	return open_encoder(&ka_enc_vp9, vpx_codec_vp9_cx(), out, cfg);
}

static int open_vp9_444(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	return open_encoder(&ka_enc_vp9_444, vpx_codec_vp9_cx(), out, cfg);
}

static int open_vp8(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	return open_encoder(&ka_enc_vp8, vpx_codec_vp8_cx(), out, cfg);
}

static void wrap(vpx_image_t *img, const struct ka_frame *f)
{
	vpx_img_fmt_t fmt = f->format == KA_PIX_NV12   ? VPX_IMG_FMT_NV12
			    : f->format == KA_PIX_I444 ? VPX_IMG_FMT_I444
						       : VPX_IMG_FMT_I420;

	vpx_img_wrap(img, fmt, f->width, f->height, 1, f->planes[0].data);
	for (unsigned int i = 0; i < ka_pixfmt_planes(f->format); i++) {
		img->planes[i] = f->planes[i].data;
		img->stride[i] = (int)f->planes[i].stride;
	}
	if (f->format == KA_PIX_NV12) {
		img->planes[VPX_PLANE_V] = f->planes[1].data + 1;
		img->stride[VPX_PLANE_V] = img->stride[VPX_PLANE_U];
	}
}

static int set_map(struct ka_encoder *e, bool wanted)
{
	vpx_active_map_t map = {wanted ? e->map.chosen : NULL, e->map.rows, e->map.cols};

	if (!wanted && !e->mapped)
		return 0;
	e->mapped = wanted;
	return vpx_codec_control(&e->vpx, VP8E_SET_ACTIVEMAP, &map) ? fail(e, "map") : 0;
}

static int set_quality(struct ka_encoder *e, uint32_t min_q, uint32_t max_q)
{
	if (e->cfg.rc_min_quantizer == min_q && e->cfg.rc_max_quantizer == max_q)
		return 0;
	e->cfg.rc_min_quantizer = min_q;
	e->cfg.rc_max_quantizer = max_q;
	return vpx_codec_enc_config_set(&e->vpx, &e->cfg) ? fail(e, "config") : 0;
}

/* One picture; *q: the quantizer it got. */
static int run(struct ka_encoder *e, const struct ka_frame *f, bool key, int64_t step_ms,
	       const vpx_codec_cx_pkt_t **out, int *q)
{
	vpx_codec_iter_t iter = NULL;
	vpx_image_t img;

	wrap(&img, f);
	e->clock_ms += step_ms;
	if (vpx_codec_encode(&e->vpx, &img, e->clock_ms, (unsigned long)step_ms, key ? VPX_EFLAG_FORCE_KF : 0,
			     VPX_DL_REALTIME))
		return fail(e, "encode");
	do
		*out = vpx_codec_get_cx_data(&e->vpx, &iter);
	while (*out && (*out)->kind != VPX_CODEC_CX_FRAME_PKT);
	if (!*out || !(*out)->data.frame.sz)
		return -EIO;
	return vpx_codec_control(&e->vpx, VP8E_GET_LAST_QUANTIZER_64, q) ? fail(e, "quantizer") : 0;
}

static int run_key(struct ka_encoder *e, const struct ka_frame *f, const vpx_codec_cx_pkt_t **pkt)
{
	int q;
	int ret = set_map(e, false);

	if (ret == 0)
		ret = set_quality(e, GOOD_Q, WORST_Q);
	if (ret == 0)
		ret = run(e, f, true, e->burst_ms, pkt, &q);
	/* A key picture depends on nothing, so one that is too large may be made again. */
	if (ret == 0 && e->bounded && (*pkt)->data.frame.sz > e->burst_bytes && q < (int)WORST_Q) {
		ret = set_quality(e, WORST_Q, WORST_Q);
		if (ret == 0)
			ret = run(e, f, true, 1, pkt, &q);
	}
	ka_work_map_choose(&e->map, KA_WORK_STALE, SIZE_MAX);
	if (ret == 0 && e->bounded && (*pkt)->data.frame.sz > e->burst_bytes) {
		ret = ka_soften(&e->soft, f);
		if (ret == 0)
			ret = run(e, e->soft, true, 1, pkt, &q);
	} else {
		ka_work_map_set_chosen(&e->map, q <= (int)GOOD_Q ? KA_WORK_GOOD : KA_WORK_COARSE);
	}
	return ret;
}

/* How many blocks may come with a picture. What they cost is known from those before, but not when suddenly many more
 * have changed: that is other contents. */
static size_t most_changes(struct ka_encoder *e)
{
	size_t stale = ka_work_map_count(&e->map, KA_WORK_STALE);
	bool sudden = stale > 2 * e->stale;

	e->stale = stale;
	if (!e->bounded)
		return SIZE_MAX;
	if (sudden)
		e->worst_bytes = WORST_BYTES;
	return KA_MAX(e->burst_bytes / e->worst_bytes, (size_t)e->map.cols);
}

/* The best quality that n blocks may get. libvpx judges by pictures before this one, which says little when much
 * changes: on a narrow link, and with VP8 after a refinement, whose quantizer it goes on with. */
static uint32_t best_quality(const struct ka_encoder *e, size_t n)
{
	size_t room = n ? e->burst_bytes / n : SIZE_MAX / 8;
	size_t worst = e->worst_bytes;

	if (e->bounded)
		return room >= worst * 8 ? GOOD_Q : room >= worst * 4 ? MIDDLE_Q : WORST_Q;
	if (!is_vp9(e) && n > (size_t)e->map.cols * e->map.rows / 4 && e->cfg.rc_max_quantizer != WORST_Q)
		return MIDDLE_Q;
	return GOOD_Q;
}

/* What n blocks that came at this quality would take at the worst. */
static size_t worst_bytes(size_t size, size_t n, int q)
{
	return 1 + size / n * (q >= 60 ? 10 : q >= (int)MIDDLE_Q ? 4 : 2) / 10;
}

/* Brings what has changed, at least part of it. */
static int run_changes(struct ka_encoder *e, const struct ka_frame *f, int64_t step_ms, const vpx_codec_cx_pkt_t **pkt)
{
	size_t n = ka_work_map_choose(&e->map, KA_WORK_STALE, most_changes(e));
	int q;
	int ret = set_map(e, true);

	if (ret == 0)
		ret = set_quality(e, best_quality(e, n), WORST_Q);
	if (ret == 0)
		ret = run(e, f, false, step_ms, pkt, &q);
	if (ret < 0)
		return ret;
	ka_work_map_set_chosen(&e->map, q <= (int)GOOD_Q ? KA_WORK_GOOD : KA_WORK_COARSE);
	if (n)
		e->worst_bytes = KA_MAX(worst_bytes((*pkt)->data.frame.sz, n, q), e->worst_bytes * 3 / 4);
	e->fine_bytes = FINE_BYTES;
	e->good_bytes = GOOD_BYTES;
	e->tries = 0;
	return 0;
}

/* Makes what is right already good, then fine, as much as a burst carries. */
static int refine(struct ka_encoder *e, const struct ka_frame *f, int64_t step_ms, const vpx_codec_cx_pkt_t **pkt)
{
	bool fine = !ka_work_map_count(&e->map, KA_WORK_COARSE);
	size_t *bytes = fine ? &e->fine_bytes : &e->good_bytes;
	size_t n = ka_work_map_choose(&e->map, fine ? KA_WORK_GOOD : KA_WORK_COARSE, e->burst_bytes / 2 / *bytes + 1);
	uint32_t goal = fine ? FINE_Q : GOOD_Q;
	int q;
	int ret = set_map(e, true);

	if (ret == 0)
		ret = set_quality(e, goal, goal);
	if (ret == 0)
		ret = run(e, f, false, step_ms, pkt, &q);
	if (ret < 0)
		return ret;
	if (q <= (int)goal || ++e->tries > REFINE_TRIES) {
		ka_work_map_set_chosen(&e->map, fine ? KA_WORK_FINE : KA_WORK_GOOD);
		e->tries = 0;
	}
	if (n)
		*bytes = KA_MAX((*pkt)->data.frame.sz / n + 1, *bytes * 3 / 4);
	return 0;
}

static int make_packet(struct ka_encoder *e, const vpx_codec_cx_pkt_t *pkt, int64_t pts_ms, struct ka_packet **out)
{
	struct ka_packet *p;
	int ret = ka_packet_new(&p, pkt->data.frame.sz);

	if (ret < 0)
		return ret;
	memcpy(p->data, pkt->data.frame.buf, pkt->data.frame.sz);
	p->codec = e->ops->codec;
	p->key = pkt->data.frame.flags & VPX_FRAME_IS_KEY;
	p->width = e->cfg.g_w;
	p->height = e->cfg.g_h;
	p->pts_ms = pts_ms;
	*out = p;
	return 0;
}

/* The picture as this stream takes it, borrowed, or NULL. */
static const struct ka_frame *suit(struct ka_encoder *e, const struct ka_frame *f, int *ret)
{
	bool is_420 = f->format == KA_PIX_NV12 || f->format == KA_PIX_I420;

	*ret = 0;
	if (f->width != e->cfg.g_w || f->height != e->cfg.g_h || (!is_420 && !(is_444(e) && f->format == KA_PIX_I444)))
		*ret = -EINVAL;
	else if (is_420 && is_444(e))
		*ret = ka_widen(&e->wide, f);
	else
		return f;
	return *ret ? NULL : e->wide;
}

static int encode_picture(struct ka_encoder *e, const struct ka_frame *f, const struct ka_encode_ask *ask,
			  struct ka_packet **out)
{
	int64_t step_ms = KA_CLAMP(ask->pts_ms - e->pts_ms, (int64_t)1, e->burst_ms);
	const vpx_codec_cx_pkt_t *pkt;
	int ret;

	f = suit(e, f, &ret);
	if (!f)
		return ret;
	ka_work_map_note(&e->map, ask);
	if (ask->key || !e->clock_ms)
		ret = run_key(e, f, &pkt);
	else if (ask->refine && !ka_work_map_count(&e->map, KA_WORK_STALE))
		ret = refine(e, f, step_ms, &pkt);
	else
		ret = run_changes(e, f, step_ms, &pkt);
	if (ret == 0)
		ret = make_packet(e, pkt, ask->pts_ms, out);
	if (ret < 0)
		return ret;
	e->pts_ms = ask->pts_ms;
	return ka_work_map_count(&e->map, ask->refine ? KA_WORK_GOOD : KA_WORK_STALE) > 0;
}

static int change_rate(struct ka_encoder *e, uint32_t kbps, uint32_t fps, uint32_t burst_ms)
{
	(void)fps; /* libvpx measures the time between pictures */
	set_rate(e, kbps, burst_ms);
	return vpx_codec_enc_config_set(&e->vpx, &e->cfg) ? fail(e, "config") : 0;
}

#define VPX_OPS(text, which, opener)                                                                                   \
	{                                                                                                              \
		.name = text, .codec = which, .check = ka_encoder_check_threads, .open = opener,                       \
		.encode = encode_picture, .set_rate = change_rate, .close = close_encoder,                             \
	}

const struct ka_encoder_ops ka_enc_vp9 = VPX_OPS("vpx-vp9", KA_CODEC_VP9, open_vp9);
const struct ka_encoder_ops ka_enc_vp9_444 = VPX_OPS("vpx-vp9-444", KA_CODEC_VP9_444, open_vp9_444);
const struct ka_encoder_ops ka_enc_vp8 = VPX_OPS("vpx-vp8", KA_CODEC_VP8, open_vp8);
