/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/wishes.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#include "base/packet.h"

/* Percent of the highest wish below which a narrow link gets its own rendition, and from which it comes back. */
#define LEAVE_PERCENT 80
#define RETURN_PERCENT 95

struct ka_wishes {
	pthread_mutex_t lock; /* guards all below */
	struct ka_wish_entry *entries;
	enum ka_key_wish key[KA_RENDITIONS];
};

int ka_wishes_new(struct ka_wishes **out)
{
	struct ka_wishes *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	*out = w;
	return 0;
}

void ka_wishes_free(struct ka_wishes *w)
{
	if (!w)
		return;
	assert(!w->entries);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* fps: 0 = as many as there are. */
static uint64_t pictures(const struct ka_video_wish *wish)
{
	return wish->fps ? wish->fps : UINT32_MAX;
}

/* e: the one that asks, not counted among the others; NULL = a newcomer. */
static unsigned int choose_rendition(const struct ka_wishes *w, const struct ka_wish_entry *e,
				     const struct ka_video_wish *wish)
{
	uint32_t percent = e && ka_rendition_narrow(e->rendition) ? RETURN_PERCENT : LEAVE_PERCENT;
	uint64_t most_kbps = 0;
	uint64_t most_fps = 0;

	if (!wish->narrow)
		return ka_rendition(wish->codec, false);
	for (const struct ka_wish_entry *o = w->entries; o; o = o->next) {
		if (o == e || o->wish.codec != wish->codec)
			continue;
		most_kbps = KA_MAX(most_kbps, (uint64_t)o->wish.kbps);
		most_fps = KA_MAX(most_fps, pictures(&o->wish));
	}
	return ka_rendition(wish->codec,
			    wish->kbps * 100ull < most_kbps * percent || pictures(wish) * 100 < most_fps * percent);
}

unsigned int ka_wishes_suits(struct ka_wishes *w, const struct ka_wish_entry *e, const struct ka_video_wish *wish)
{
	unsigned int rendition;

	pthread_mutex_lock(&w->lock);
	rendition = choose_rendition(w, e, wish);
	pthread_mutex_unlock(&w->lock);
	return rendition;
}

void ka_wishes_add(struct ka_wishes *w, struct ka_wish_entry *e, const struct ka_video_wish *wish)
{
	pthread_mutex_lock(&w->lock);
	e->wish = *wish;
	e->next = w->entries;
	w->entries = e;
	w->key[e->rendition] = KA_KEY_JOIN;
	pthread_mutex_unlock(&w->lock);
}

void ka_wishes_set(struct ka_wishes *w, struct ka_wish_entry *e, const struct ka_video_wish *wish,
		   unsigned int rendition)
{
	pthread_mutex_lock(&w->lock);
	e->wish = *wish;
	if (rendition != e->rendition)
		w->key[rendition] = KA_MAX(w->key[rendition], KA_KEY_ASKED);
	e->rendition = rendition;
	pthread_mutex_unlock(&w->lock);
}

void ka_wishes_remove(struct ka_wishes *w, struct ka_wish_entry *e)
{
	struct ka_wish_entry **at;

	pthread_mutex_lock(&w->lock);
	for (at = &w->entries; *at != e; at = &(*at)->next)
		assert(*at);
	*at = e->next;
	pthread_mutex_unlock(&w->lock);
}

void ka_wishes_ask_key(struct ka_wishes *w, const struct ka_wish_entry *e)
{
	pthread_mutex_lock(&w->lock);
	w->key[e->rendition] = KA_MAX(w->key[e->rendition], KA_KEY_ASKED);
	pthread_mutex_unlock(&w->lock);
}

/* kbps 0 = no wish, which any other beats. */
static bool decides(unsigned int rendition, const struct ka_video_wish *wish, uint32_t kbps)
{
	if (ka_rendition_narrow(rendition) && wish->kbps && kbps)
		return wish->kbps < kbps;
	return wish->kbps > kbps;
}

void ka_wishes_get(struct ka_wishes *w, unsigned int rendition, struct ka_wishes_now *out)
{
	*out = (struct ka_wishes_now){0};
	pthread_mutex_lock(&w->lock);
	for (const struct ka_wish_entry *e = w->entries; e; e = e->next) {
		if (e->rendition != rendition)
			continue;
		out->viewers++;
		if (out->viewers == 1 || decides(rendition, &e->wish, out->kbps)) {
			out->kbps = e->wish.kbps;
			out->narrow = e->wish.narrow;
		}
		if (e->wish.fps)
			out->fps = out->fps ? KA_MIN(out->fps, e->wish.fps) : e->wish.fps;
	}
	pthread_mutex_unlock(&w->lock);
}

enum ka_key_wish ka_wishes_take_key(struct ka_wishes *w, unsigned int rendition)
{
	enum ka_key_wish key;

	pthread_mutex_lock(&w->lock);
	key = w->key[rendition];
	w->key[rendition] = KA_KEY_NONE;
	pthread_mutex_unlock(&w->lock);
	return key;
}
