/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/outlets.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "capture/pacing.h"
#include "capture/prepare.h"

struct ka_outlets {
	struct ka_prepare *prepare;
	struct outlet {
		struct ka_latest *latest;
		struct ka_pacing pacing;
		uint32_t fps; /* 0 = nobody watches it */
		bool full_chroma;
		bool due;
		uint64_t given; /* number of the last picture that went there; 0 = none */
	} outlets[KA_RENDITIONS];
};

int ka_outlets_new(struct ka_outlets **out, struct ka_latest *const latest[static KA_RENDITIONS])
{
	struct ka_outlets *o = calloc(1, sizeof(*o));
	int ret;

	if (!o)
		return -ENOMEM;
	ret = ka_prepare_new(&o->prepare);
	if (ret < 0) {
		free(o);
		return ret;
	}
	for (unsigned int i = 0; i < KA_RENDITIONS; i++)
		o->outlets[i].latest = latest[i];
	*out = o;
	return 0;
}

void ka_outlets_free(struct ka_outlets *o)
{
	if (!o)
		return;
	ka_prepare_free(o->prepare);
	free(o);
}

/* The newest picture, unless it has been there already. */
static unsigned int give(struct ka_outlets *o, struct outlet *t)
{
	uint64_t number = ka_prepare_number(o->prepare);
	struct ka_frame *f;
	int ret;

	if (number == t->given)
		return 0;
	ret = ka_prepare_get(o->prepare, t->full_chroma, &f);
	if (ret < 0) {
		/* Tried again at the next turn. */
		ka_log_every(WARN, KA_SEC(10), "capture", "not_prepared", "cause=\"%s\"", ka_err_str(ret));
		return 0;
	}
	t->given = number;
	return ka_latest_put(t->latest, f);
}

unsigned int ka_outlets_want(struct ka_outlets *o, unsigned int rendition, uint32_t fps, bool full_chroma)
{
	struct outlet *t = &o->outlets[rendition];
	bool joins = fps && (!t->fps || full_chroma != t->full_chroma);
	bool leaves = !fps && t->fps;

	t->fps = fps;
	t->full_chroma = full_chroma;
	if (!joins && !leaves)
		return 0;
	t->pacing = (struct ka_pacing){0};
	t->given = 0;
	if (joins && ka_prepare_number(o->prepare))
		return give(o, t);
	return ka_latest_put(t->latest, NULL);
}

void ka_outlets_renew(struct ka_outlets *o)
{
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		o->outlets[i].pacing = (struct ka_pacing){0};
		o->outlets[i].given = 0;
	}
}

bool ka_outlets_due(struct ka_outlets *o, int64_t now_us)
{
	bool any = false;

	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		struct outlet *t = &o->outlets[i];

		t->due = t->fps && ka_pacing_pass(&t->pacing, now_us, t->fps);
		any |= t->due;
	}
	return any;
}

int ka_outlets_look(struct ka_outlets *o, struct ka_frame *raw)
{
	int ret = ka_prepare_look(o->prepare, raw);

	return ret < 0 ? ret : 0;
}

unsigned int ka_outlets_give(struct ka_outlets *o)
{
	unsigned int replaced = 0;

	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		if (o->outlets[i].due)
			replaced += give(o, &o->outlets[i]);
		o->outlets[i].due = false;
	}
	return replaced;
}

unsigned int ka_outlets_forget(struct ka_outlets *o)
{
	unsigned int missed = 0;

	ka_prepare_forget(o->prepare);
	for (unsigned int i = 0; i < KA_RENDITIONS; i++) {
		o->outlets[i].given = 0;
		missed += ka_latest_put(o->outlets[i].latest, NULL);
	}
	return missed;
}
