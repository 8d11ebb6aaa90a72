/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * H.264 by x264: constant quality under a ceiling of bits (VBV), so a still desktop costs next to nothing and motion
 * never more than the rate asked for. What the receiving decoders need is written at set_stream().
 */
#include "capture/enc_x264.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "capture/touch_up.h"

/* Visually clean desktop text with the fast presets; the ceiling decides while things move. */
#define QUALITY_CRF 21.0f
/* A picture that stands still is brought to this quantiser, whatever that costs: a decoded page of text is then the
 * same to the eye and to SSIM (0.999). No picture gets a finer one: a block that has it is not sent again when others
 * change. */
#define REFINED_QP 16
#define REFINE_CRF 1.0f
/* The ceiling is averaged over this long unless told otherwise: a key picture may take that much of the line. */
#define VBV_MS 750

struct ka_encoder {
	x264_t *x;
	uint32_t width, height;
	struct rate {
		uint32_t kbps, fps, burst_ms;
	} rate;	      /* asked of us */
	bool refines; /* how x264 is set up */
	struct ka_touch_up *touch_up;
	struct ka_decoded decoded; /* the last picture; x264's memory */
	uint8_t *constant;	   /* flags of each macroblock */
};

KA_PRINTF(3, 0)
static void log_x264(void *arg, int level, const char *fmt, va_list ap)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	if (level == X264_LOG_ERROR)
		ka_log(ERROR, "x264", "error", "%s", text);
	else if (level == X264_LOG_WARNING)
		ka_log_every(WARN, KA_SEC(10), "x264", "warning", "%s", text);
	else
		ka_log(DEBUG, "x264", "says", "%s", text);
}

/* "film" becomes "film,zerolatency". */
static int full_tune(char *dst, size_t size, const char *tune)
{
	if (!tune || !tune[0])
		return ka_str_format(dst, size, "zerolatency");
	if (strstr(tune, "zerolatency"))
		return ka_str_format(dst, size, "%s", tune);
	return ka_str_format(dst, size, "%s,zerolatency", tune);
}

static bool is_listed(const char *const *names, const char *word, size_t len)
{
	for (; *names; names++) {
		if (strlen(*names) == len && memcmp(*names, word, len) == 0)
			return true;
	}
	return false;
}

/* x264 would complain about others on stderr. */
static bool are_tunes(const char *list)
{
	size_t len;

	for (; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (!is_listed(x264_tune_names, list, len))
			return false;
	}
	return true;
}

static int check_settings(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb)
{
	x264_param_t p;
	char tune[128];

	/* By name only: x264 would take a number too, and "placebo" is a promise nobody can keep live. */
	if (!is_listed(x264_preset_names, cfg->preset, strlen(cfg->preset)) || strcmp(cfg->preset, "placebo") == 0) {
		ka_errbuf_set(eb, "'%s' is not an x264 preset from ultrafast to veryslow", cfg->preset);
		return -KA_E_CONFIG;
	}
	if (full_tune(tune, sizeof(tune), cfg->tune) < 0 || !are_tunes(tune) ||
	    x264_param_default_preset(&p, cfg->preset, tune) < 0) {
		ka_errbuf_set(eb, "'%s' is not an x264 tune", cfg->tune ? cfg->tune : "");
		return -KA_E_CONFIG;
	}
	return ka_encoder_check_threads(cfg, eb);
}

/* Slices of a picture run in parallel; each more costs bits and wake-ups, and where bits are short one slice may get
 * none that are worth having: only as many as the size and rate need. */
static unsigned int choose_threads(const struct ka_encoder_cfg *cfg)
{
	uint64_t rate = (uint64_t)cfg->width * cfg->height * cfg->fps;

	if (cfg->threads)
		return cfg->threads;
	/* One thread for each 1280x720 at 60. */
	return ka_encoder_threads(1 + (rate - 1) / (1280u * 720u * 60u));
}

/* x264 counts a picture as 1 / fps of the time it was opened with: when fewer come, each may be larger. */
static void set_rate(x264_param_t *p, uint32_t kbps, uint32_t fps, uint32_t burst_ms)
{
	uint64_t most = KA_CLAMP((uint64_t)kbps * p->i_fps_num / fps, KA_ENCODER_MIN_KBPS, KA_ENCODER_MAX_KBPS);

	p->rc.i_vbv_max_bitrate = (int)most;
	/* One picture's share at least, which x264 would insist on. */
	p->rc.i_vbv_buffer_size =
		(int)KA_CLAMP((uint64_t)kbps * KA_MAX(burst_ms ? burst_ms : VBV_MS, 1000 / fps + 1) / 1000,
			      most / p->i_fps_num + 1, KA_ENCODER_MAX_KBPS);
}

/* What comes out: wire facts, none of them a matter of taste. */
static void set_stream(x264_param_t *p)
{
	p->b_annexb = 1;
	p->b_repeat_headers = 1; /* the client's decoder starts without extradata */
	p->b_aud = 0;
	p->i_bframe = 0; /* the client takes a packet without a picture for a failure */
	p->i_frame_reference = 1;
	p->b_intra_refresh = 0;
	p->b_open_gop = 0;
	p->b_interlaced = 0;
	/* Key pictures on demand only: never by time, never by content. */
	p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
	p->i_scenecut_threshold = 0;
	/* BT.601 limited whatever the source was: the client's converter knows nothing else. H.264 table E-3..E-5: 6 =
	 * SMPTE 170M. */
	p->vui.b_fullrange = 0;
	p->vui.i_colorprim = 6;
	p->vui.i_transfer = 6;
	p->vui.i_colmatrix = 6;
	p->vui.i_sar_width = 1;
	p->vui.i_sar_height = 1;
}

int ka_enc_x264_params(x264_param_t *p, const struct ka_encoder_cfg *cfg)
{
	char tune[128];

	if (full_tune(tune, sizeof(tune), cfg->tune) < 0 || x264_param_default_preset(p, cfg->preset, tune) < 0)
		return -EINVAL;
	p->pf_log = log_x264;
	p->i_log_level = X264_LOG_INFO;
	p->i_csp = X264_CSP_NV12;
	p->i_width = (int)cfg->width;
	p->i_height = (int)cfg->height;
	p->i_threads = (int)choose_threads(cfg);
	p->b_sliced_threads = 1;
	/* With variable rates x264 waits for the next picture to know how long this one lasts. */
	p->b_vfr_input = 0;
	p->i_fps_num = cfg->fps;
	p->i_fps_den = 1;
	p->rc.i_rc_method = X264_RC_CRF;
	p->rc.f_rf_constant = QUALITY_CRF;
	p->rc.i_qp_min = REFINED_QP;
	p->analyse.b_mb_info = 1;
	/* It compares sources; what refines a picture is none, and would pass for one that fades. */
	p->analyse.i_weighted_pred = X264_WEIGHTP_NONE;
	set_rate(p, cfg->kbps, cfg->fps, cfg->burst_ms);
	set_stream(p);
	return x264_param_apply_profile(p, "high") < 0 ? -EINVAL : 0;
}

static void close_encoder(struct ka_encoder *e)
{
	if (!e)
		return;
	if (e->x)
		x264_encoder_close(e->x);
	ka_touch_up_free(e->touch_up);
	free(e->constant);
	free(e);
}

static int open_encoder(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	struct ka_encoder *e;
	x264_param_t p;
	int ret = ka_enc_x264_params(&p, cfg);

	if (ret < 0)
		return ret;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->width = cfg->width;
	e->height = cfg->height;
	e->rate = (struct rate){cfg->kbps, cfg->fps, cfg->burst_ms};
	e->constant = malloc(ka_frame_block_count(cfg->width, cfg->height));
	ret = e->constant ? ka_touch_up_new(&e->touch_up, cfg->width, cfg->height) : -ENOMEM;
	if (ret == 0) {
		e->x = x264_encoder_open(&p);
		ret = e->x ? 0 : -EIO;
	}
	if (ret < 0) {
		close_encoder(e);
		return ret;
	}
	*out = e;
	return 0;
}

static int make_packet(struct ka_packet **out, const x264_nal_t *nals, int size)
{
	struct ka_packet *p;
	int ret = ka_packet_new(&p, (size_t)size);

	if (ret < 0)
		return ret;
	/* x264.h: the payloads of all NAL units of a picture lie one behind the other. */
	memcpy(p->data, nals[0].p_payload, (size_t)size);
	*out = p;
	return 0;
}

/* While it refines, what x264 gets to see is measured out for the line: were it to save bits as well, it would do so by
 * making everything coarser. */
static int set_up(struct ka_encoder *e, bool refine)
{
	x264_param_t p;

	x264_encoder_parameters(e->x, &p);
	set_rate(&p, refine ? KA_ENCODER_MAX_KBPS / 4 : e->rate.kbps, e->rate.fps, e->rate.burst_ms);
	p.rc.f_rf_constant = refine ? REFINE_CRF : QUALITY_CRF;
	e->refines = refine;
	return x264_encoder_reconfig(e->x, &p) < 0 ? -EIO : 0;
}

/* x264 looks at blocks that it knows to be constant only where they are to become better than they are. */
static void tell_changes(struct ka_encoder *e, x264_picture_t *in, const uint8_t *changed)
{
	size_t blocks = ka_frame_block_count(e->width, e->height);

	if (!changed)
		return;
	for (size_t i = 0; i < blocks; i++)
		e->constant[i] = changed[i] ? 0 : X264_MBINFO_CONSTANT;
	in->prop.mb_info = e->constant;
}

static void set_planes(x264_picture_t *in, const struct ka_frame *f)
{
	in->img.i_csp = f->format == KA_PIX_NV12 ? X264_CSP_NV12 : X264_CSP_I420;
	in->img.i_plane = (int)ka_pixfmt_planes(f->format);
	for (int i = 0; i < in->img.i_plane; i++) {
		in->img.plane[i] = f->planes[i].data;
		in->img.i_stride[i] = (int)f->planes[i].stride;
	}
}

static void note_decoded(struct ka_encoder *e, const x264_picture_t *coded)
{
	for (int i = 0; i < 2; i++) {
		e->decoded.planes[i] = coded->img.plane[i];
		e->decoded.strides[i] = (size_t)coded->img.i_stride[i];
	}
}

/* One picture through x264. *qp: the quantiser that it began with; rows may have got a coarser one. */
static int run_x264(struct ka_encoder *e, x264_picture_t *in, struct ka_packet **out, int *qp)
{
	x264_picture_t coded;
	x264_nal_t *nals;
	int n_nals;
	int size = x264_encoder_encode(e->x, &nals, &n_nals, in, &coded);
	int ret;

	if (size <= 0)
		return -EIO;
	note_decoded(e, &coded);
	ret = make_packet(out, nals, size);
	if (ret < 0)
		return ret;
	(*out)->codec = KA_CODEC_H264;
	(*out)->key = coded.b_keyframe;
	(*out)->width = e->width;
	(*out)->height = e->height;
	(*out)->pts_ms = in->i_pts;
	*qp = coded.i_qpplus1 - 1;
	return 0;
}

/* first: x264 counts the bits of its buffer picture by picture, and learns only now that it has more. */
static int refine_picture(struct ka_encoder *e, const struct ka_frame *f, x264_picture_t *in, bool first,
			  struct ka_packet **out)
{
	uint64_t bytes = first ? 0 : (uint64_t)e->rate.kbps * (e->rate.burst_ms ? e->rate.burst_ms : VBV_MS) / 8;
	bool left;
	int ret, qp;

	set_planes(in, ka_touch_up_mix(e->touch_up, f, &e->decoded, bytes, &left));
	ret = run_x264(e, in, out, &qp);
	if (ret < 0)
		return ret;
	ka_touch_up_done(e->touch_up, (*out)->size, qp <= REFINED_QP);
	return left || qp > REFINED_QP;
}

static int encode_picture(struct ka_encoder *e, const struct ka_frame *f, const struct ka_encode_ask *ask,
			  struct ka_packet **out)
{
	bool refine = ask->refine && !ask->key && e->decoded.planes[0];
	x264_picture_t in;
	bool first;
	int ret, qp;

	if (f->width != e->width || f->height != e->height || (f->format != KA_PIX_NV12 && f->format != KA_PIX_I420))
		return -EINVAL;
	first = refine && !e->refines;
	ret = refine == e->refines ? 0 : set_up(e, refine);
	if (ret < 0)
		return ret;
	x264_picture_init(&in);
	in.i_type = ask->key ? X264_TYPE_IDR : X264_TYPE_AUTO;
	in.i_pts = ask->pts_ms;
	ka_touch_up_changed(e->touch_up, ask->key ? NULL : ask->changed);
	if (refine)
		return refine_picture(e, f, &in, first, out);
	set_planes(&in, f);
	tell_changes(e, &in, ask->changed);
	return run_x264(e, &in, out, &qp);
}

static int change_rate(struct ka_encoder *e, uint32_t kbps, uint32_t fps, uint32_t burst_ms)
{
	e->rate = (struct rate){kbps, fps, burst_ms};
	return set_up(e, e->refines);
}

const struct ka_encoder_ops ka_enc_x264 = {
	.name = "x264",
	.codec = KA_CODEC_H264,
	.check = check_settings,
	.open = open_encoder,
	.encode = encode_picture,
	.set_rate = change_rate,
	.close = close_encoder,
};
