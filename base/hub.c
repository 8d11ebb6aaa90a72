/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/hub.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

struct ka_hub_sub {
	struct ka_hub *hub;
	struct ka_hub_sub *next;
	struct ka_wake wake;
	unsigned int depth;
	unsigned int head;
	unsigned int count;
	unsigned int rendition, wanted;
	bool starved;
	struct ka_packet *queue[];
};

struct ka_hub {
	pthread_mutex_t lock; /* guards all below and every sub; wakes run inside it, so unsubscribe can promise */
	struct ka_hub_sub *subs;
	unsigned int n_subs;
};

int ka_hub_new(struct ka_hub **out)
{
	struct ka_hub *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	*out = h;
	return 0;
}

void ka_hub_free(struct ka_hub *h)
{
	if (!h)
		return;
	assert(!h->subs);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static void drop_all(struct ka_hub_sub *s)
{
	for (; s->count; s->count--) {
		ka_packet_unref(&s->queue[s->head]);
		s->head = (s->head + 1) % s->depth;
	}
}

static void offer(struct ka_hub_sub *s, struct ka_packet *p)
{
	if (p->rendition != s->rendition) {
		if (p->rendition != s->wanted || !p->key)
			return;
		s->rendition = s->wanted;
	}
	/* A key packet makes everything before it needless: the newest picture wins. */
	if (p->key) {
		drop_all(s);
		s->starved = false;
	} else if (s->count == s->depth) {
		drop_all(s);
		s->starved = true;
	}
	if (s->starved)
		return;
	s->queue[(s->head + s->count) % s->depth] = ka_packet_ref(p);
	s->count++;
	ka_wake_call(&s->wake);
}

unsigned int ka_hub_publish(struct ka_hub *h, struct ka_packet *p)
{
	unsigned int starved = 0;

	pthread_mutex_lock(&h->lock);
	for (struct ka_hub_sub *s = h->subs; s; s = s->next) {
		offer(s, p);
		starved += s->starved;
	}
	pthread_mutex_unlock(&h->lock);
	ka_packet_unref(&p);
	return starved;
}

int ka_hub_subscribe(struct ka_hub *h, unsigned int depth, struct ka_wake wake, struct ka_hub_sub **out)
{
	struct ka_hub_sub *s;

	assert(depth);
	s = calloc(1, sizeof(*s) + depth * sizeof(s->queue[0]));
	if (!s)
		return -ENOMEM;
	s->hub = h;
	s->wake = wake;
	s->depth = depth;
	s->starved = true;
	pthread_mutex_lock(&h->lock);
	s->next = h->subs;
	h->subs = s;
	h->n_subs++;
	pthread_mutex_unlock(&h->lock);
	*out = s;
	return 0;
}

void ka_hub_unsubscribe(struct ka_hub_sub *s)
{
	struct ka_hub_sub **at;

	if (!s)
		return;
	pthread_mutex_lock(&s->hub->lock);
	for (at = &s->hub->subs; *at != s; at = &(*at)->next)
		assert(*at);
	*at = s->next;
	s->hub->n_subs--;
	drop_all(s);
	pthread_mutex_unlock(&s->hub->lock);
	free(s);
}

struct ka_packet *ka_hub_take(struct ka_hub_sub *s)
{
	struct ka_packet *p = NULL;

	pthread_mutex_lock(&s->hub->lock);
	if (s->count) {
		p = s->queue[s->head];
		s->head = (s->head + 1) % s->depth;
		s->count--;
	}
	pthread_mutex_unlock(&s->hub->lock);
	return p;
}

void ka_hub_set_rendition(struct ka_hub_sub *s, unsigned int rendition)
{
	assert(rendition < KA_RENDITIONS);
	pthread_mutex_lock(&s->hub->lock);
	s->wanted = rendition;
	/* Who waits for a key packet anyway waits for the right one. */
	if (s->starved)
		s->rendition = rendition;
	pthread_mutex_unlock(&s->hub->lock);
}

bool ka_hub_starved(struct ka_hub_sub *s)
{
	bool starved;

	pthread_mutex_lock(&s->hub->lock);
	starved = s->starved;
	pthread_mutex_unlock(&s->hub->lock);
	return starved;
}

void ka_hub_restart(struct ka_hub_sub *s)
{
	pthread_mutex_lock(&s->hub->lock);
	drop_all(s);
	s->starved = true;
	pthread_mutex_unlock(&s->hub->lock);
}

unsigned int ka_hub_count(struct ka_hub *h)
{
	unsigned int n;

	pthread_mutex_lock(&h->lock);
	n = h->n_subs;
	pthread_mutex_unlock(&h->lock);
	return n;
}
