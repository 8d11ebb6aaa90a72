/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/codecs.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/enc_vpx.h"

#define ENCODERS_MAX 16u
#define FAILURES_MAX 3u
#define ASIDE_MIN_US KA_SEC(60)
#define ASIDE_MAX_US KA_SEC(3600)
/* Large enough for every encoder, hardware too. */
#define PROBE_WIDTH 320u
#define PROBE_HEIGHT 192u

const struct ka_encoder_ops *const ka_encoders[] = {&ka_enc_x264, &ka_enc_vp9, &ka_enc_vp9_444, &ka_enc_vp8, NULL};

struct entry {
	const struct ka_encoder_ops *ops;
	bool good; /* has not failed the probe */
	unsigned int failures;
	int64_t aside_us; /* how long the last time */
	int64_t until_us; /* set aside until then */
};

struct ka_codecs {
	pthread_mutex_t lock; /* guards entries' failures */
	struct ka_encoder_cfg settings;
	struct ka_codec_list allowed;
	struct entry entries[ENCODERS_MAX];
	size_t n_entries;
};

static bool is_listed(const struct ka_codec_list *l, enum ka_codec codec)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->order[i] == codec)
			return true;
	}
	return false;
}

static bool find_codec(const char *name, size_t len, enum ka_codec *out)
{
	for (unsigned int i = 0; i < KA_CODECS; i++) {
		*out = (enum ka_codec)i;
		if (strlen(ka_codec_name(*out)) == len && memcmp(ka_codec_name(*out), name, len) == 0)
			return true;
	}
	return false;
}

int ka_codecs_read(struct ka_codec_list *out, const char *order, struct ka_errbuf *eb)
{
	struct ka_codec_list l = {0};
	const char *at = order + strspn(order, ", ");

	while (*at) {
		size_t len = strcspn(at, ", ");
		enum ka_codec codec;

		if (!find_codec(at, len, &codec)) {
			ka_errbuf_set(eb, "codecs: '%.*s' is none of h264, vp9, vp9-444, vp8",
				      (int)KA_MIN(len, (size_t)32), at);
			return -KA_E_CONFIG;
		}
		if (is_listed(&l, codec)) {
			ka_errbuf_set(eb, "codecs: '%.*s' is named twice", (int)len, at);
			return -KA_E_CONFIG;
		}
		l.order[l.n++] = codec;
		at += len;
		at += strspn(at, ", ");
	}
	for (unsigned int i = 0; !*order && i < KA_CODECS; i++)
		l.order[l.n++] = (enum ka_codec)i;
	if (!l.n) {
		ka_errbuf_set(eb, "codecs: '%s' names none", order);
		return -KA_E_CONFIG;
	}
	*out = l;
	return 0;
}

int ka_codecs_new(struct ka_codecs **out, const struct ka_encoder_ops *const *list, const char *order,
		  const struct ka_encoder_cfg *settings, struct ka_errbuf *eb)
{
	struct ka_codecs *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	c->settings = *settings;
	ret = ka_codecs_read(&c->allowed, order, eb);
	for (; ret == 0 && *list && c->n_entries < ENCODERS_MAX; list++) {
		if (!is_listed(&c->allowed, (*list)->codec))
			continue;
		c->entries[c->n_entries++] = (struct entry){.ops = *list, .good = true};
		ret = (*list)->check(settings, eb);
	}
	if (ret < 0) {
		ka_codecs_free(c);
		return ret;
	}
	*out = c;
	return 0;
}

void ka_codecs_free(struct ka_codecs *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int probe(const struct ka_encoder_ops *ops, const struct ka_encoder_cfg *settings)
{
	struct ka_encoder_cfg cfg = *settings;
	struct ka_encoder *e = NULL;
	struct ka_packet *p = NULL;
	struct ka_frame *f = NULL;
	int ret;

	cfg.width = PROBE_WIDTH;
	cfg.height = PROBE_HEIGHT;
	cfg.kbps = 1000;
	ret = ka_frame_alloc(&f, KA_PIX_NV12, cfg.width, cfg.height);
	if (ret == 0) {
		memset(f->bufs[0]->data, 128, f->bufs[0]->size);
		ret = ops->open(&e, &cfg);
	}
	if (ret == 0)
		ret = ops->encode(e, f, &(struct ka_encode_ask){.key = true, .pts_ms = 1}, &p);
	if (ret >= 0)
		ret = p->key && p->size ? 0 : -EIO;
	ka_packet_unref(&p);
	ops->close(e);
	ka_frame_unref(&f);
	return ret;
}

void ka_codecs_probe(struct ka_codecs *c)
{
	for (size_t i = 0; i < c->n_entries; i++) {
		struct entry *e = &c->entries[i];
		int64_t begin = ka_clock_us();
		int ret = probe(e->ops, &c->settings);

		pthread_mutex_lock(&c->lock);
		e->good = ret == 0;
		pthread_mutex_unlock(&c->lock);
		if (ret == 0)
			ka_log(INFO, "encode", "encoder", "name=%s codec=%s probe_ms=%d", e->ops->name,
			       ka_codec_name(e->ops->codec), (int)((ka_clock_us() - begin) / 1000));
		else
			ka_log(WARN, "encode", "no-encoder", "name=%s codec=%s cause=\"%s\"", e->ops->name,
			       ka_codec_name(e->ops->codec), ka_err_str(ret));
	}
}

/* lock held. The best that is not set aside, else the best. */
static struct entry *pick(struct ka_codecs *c, enum ka_codec codec, int64_t now, bool *working)
{
	struct entry *any = NULL;

	for (size_t i = 0; i < c->n_entries; i++) {
		struct entry *e = &c->entries[i];

		if (e->ops->codec != codec || !e->good)
			continue;
		*working = e->until_us <= now;
		if (*working)
			return e;
		if (!any)
			any = e;
	}
	*working = false;
	return any;
}

void ka_codecs_get(struct ka_codecs *c, struct ka_codec_list *out)
{
	int64_t now = ka_clock_us();

	*out = (struct ka_codec_list){0};
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->allowed.n; i++) {
		bool working;

		if (!pick(c, c->allowed.order[i], now, &working))
			continue;
		out->order[out->n++] = c->allowed.order[i];
		if (working)
			out->working |= 1u << c->allowed.order[i];
	}
	pthread_mutex_unlock(&c->lock);
}

const struct ka_encoder_ops *ka_codecs_encoder(struct ka_codecs *c, enum ka_codec codec)
{
	struct entry *e;
	bool working;

	pthread_mutex_lock(&c->lock);
	e = pick(c, codec, ka_clock_us(), &working);
	pthread_mutex_unlock(&c->lock);
	return e ? e->ops : NULL;
}

/* lock held. True: it is set aside from now on. */
static bool count_failure(struct entry *e, int64_t now_us)
{
	if (e->until_us > now_us || ++e->failures < FAILURES_MAX)
		return false;
	e->failures = 0;
	e->aside_us = KA_CLAMP(e->aside_us * 2, ASIDE_MIN_US, ASIDE_MAX_US);
	e->until_us = now_us + e->aside_us;
	return true;
}

void ka_codecs_told(struct ka_codecs *c, const struct ka_encoder_ops *ops, bool good, int64_t now_us)
{
	int64_t aside_us = 0;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < c->n_entries; i++) {
		struct entry *e = &c->entries[i];

		if (e->ops != ops)
			continue;
		if (good)
			e->failures = 0;
		else if (count_failure(e, now_us))
			aside_us = e->aside_us;
	}
	pthread_mutex_unlock(&c->lock);
	if (aside_us)
		ka_log(ERROR, "encode", "set-aside", "encoder=%s for_s=%d", ops->name, (int)(aside_us / 1000000));
}
