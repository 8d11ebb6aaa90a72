/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

struct ka_mailbox {
	struct ka_mailbox_cfg cfg;
	pthread_mutex_t lock; /* guards all below */
	unsigned int head;    /* oldest item */
	unsigned int count;
	bool closed;
	uint8_t *victim; /* where DROP_OLDEST parks the dropped item; used under `drop_lock` */
	pthread_mutex_t drop_lock;
	uint8_t slots[];
};

int ka_mailbox_new(struct ka_mailbox **out, const struct ka_mailbox_cfg *cfg)
{
	struct ka_mailbox *mb = calloc(1, sizeof(*mb) + cfg->item_size * (cfg->capacity + 1));

	assert(cfg->item_size && cfg->capacity);
	if (!mb)
		return -ENOMEM;
	mb->cfg = *cfg;
	mb->victim = mb->slots + cfg->item_size * cfg->capacity;
	pthread_mutex_init(&mb->lock, NULL);
	pthread_mutex_init(&mb->drop_lock, NULL);
	*out = mb;
	return 0;
}

static void *slot(struct ka_mailbox *mb, unsigned int i)
{
	return mb->slots + mb->cfg.item_size * ((mb->head + i) % mb->cfg.capacity);
}

static void drop_item(struct ka_mailbox *mb, void *item)
{
	if (mb->cfg.drop)
		mb->cfg.drop(item);
}

/* Results of put_locked() beyond those of put. */
enum { PUT_DROPPED = 1, PUT_MERGED = 2 };

/* Under the lock; takes the oldest item out into item. */
static void pop(struct ka_mailbox *mb, void *item)
{
	memcpy(item, slot(mb, 0), mb->cfg.item_size);
	mb->head = (mb->head + 1) % mb->cfg.capacity;
	mb->count--;
}

static int put_locked(struct ka_mailbox *mb, const void *item)
{
	int ret = 0;

	if (mb->closed)
		return -EPIPE;
	if (mb->count && mb->cfg.merge && mb->cfg.merge(slot(mb, mb->count - 1), item))
		return PUT_MERGED;
	if (mb->count == mb->cfg.capacity) {
		if (mb->cfg.policy == KA_MAILBOX_REFUSE)
			return -EAGAIN;
		pop(mb, mb->victim);
		ret = PUT_DROPPED;
	}
	memcpy(slot(mb, mb->count), item, mb->cfg.item_size);
	mb->count++;
	return ret;
}

int ka_mailbox_put(struct ka_mailbox *mb, void *item)
{
	int ret;

	/* The victim slot is one: puts that may need it go one at a time. */
	if (mb->cfg.policy == KA_MAILBOX_DROP_OLDEST)
		pthread_mutex_lock(&mb->drop_lock);
	pthread_mutex_lock(&mb->lock);
	ret = put_locked(mb, item);
	pthread_mutex_unlock(&mb->lock);
	if (ret == PUT_DROPPED)
		drop_item(mb, mb->victim);
	if (mb->cfg.policy == KA_MAILBOX_DROP_OLDEST)
		pthread_mutex_unlock(&mb->drop_lock);
	if (ret < 0 || ret == PUT_MERGED)
		drop_item(mb, item);
	if (ret < 0)
		return ret;
	ka_wake_call(&mb->cfg.wake);
	return ret == PUT_DROPPED;
}

bool ka_mailbox_take(struct ka_mailbox *mb, void *item)
{
	bool got;

	pthread_mutex_lock(&mb->lock);
	got = mb->count > 0;
	if (got)
		pop(mb, item);
	pthread_mutex_unlock(&mb->lock);
	return got;
}

void ka_mailbox_close(struct ka_mailbox *mb)
{
	pthread_mutex_lock(&mb->lock);
	mb->closed = true;
	pthread_mutex_unlock(&mb->lock);
}

void ka_mailbox_clear(struct ka_mailbox *mb)
{
	bool got = true;

	pthread_mutex_lock(&mb->drop_lock);
	while (got) {
		pthread_mutex_lock(&mb->lock);
		got = mb->count > 0;
		if (got)
			pop(mb, mb->victim);
		pthread_mutex_unlock(&mb->lock);
		if (got)
			drop_item(mb, mb->victim);
	}
	pthread_mutex_unlock(&mb->drop_lock);
}

void ka_mailbox_free(struct ka_mailbox *mb)
{
	if (!mb)
		return;
	ka_mailbox_clear(mb);
	pthread_mutex_destroy(&mb->lock);
	pthread_mutex_destroy(&mb->drop_lock);
	free(mb);
}
