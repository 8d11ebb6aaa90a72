/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/wishes.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

struct ka_wishes {
	pthread_mutex_t lock; /* guards all below */
	struct ka_wish_entry *entries;
	enum ka_key_wish key;
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

void ka_wishes_add(struct ka_wishes *w, struct ka_wish_entry *e, const struct ka_video_wish *wish)
{
	pthread_mutex_lock(&w->lock);
	e->wish = *wish;
	e->next = w->entries;
	w->entries = e;
	w->key = KA_KEY_JOIN;
	pthread_mutex_unlock(&w->lock);
}

void ka_wishes_set(struct ka_wishes *w, struct ka_wish_entry *e, const struct ka_video_wish *wish)
{
	pthread_mutex_lock(&w->lock);
	e->wish = *wish;
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

void ka_wishes_ask_key(struct ka_wishes *w)
{
	pthread_mutex_lock(&w->lock);
	w->key = KA_MAX(w->key, KA_KEY_ASKED);
	pthread_mutex_unlock(&w->lock);
}

void ka_wishes_get(struct ka_wishes *w, struct ka_wishes_now *out)
{
	*out = (struct ka_wishes_now){0};
	pthread_mutex_lock(&w->lock);
	for (const struct ka_wish_entry *e = w->entries; e; e = e->next) {
		out->viewers++;
		out->kbps = KA_MAX(out->kbps, e->wish.kbps);
		if (e->wish.fps)
			out->fps = out->fps ? KA_MIN(out->fps, e->wish.fps) : e->wish.fps;
	}
	pthread_mutex_unlock(&w->lock);
}

enum ka_key_wish ka_wishes_take_key(struct ka_wishes *w)
{
	enum ka_key_wish key;

	pthread_mutex_lock(&w->lock);
	key = w->key;
	w->key = KA_KEY_NONE;
	pthread_mutex_unlock(&w->lock);
	return key;
}
