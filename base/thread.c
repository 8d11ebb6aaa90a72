/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

/* Signals belong to the main thread alone; a new thread inherits the mask. */
static int create(pthread_t *id, const char *name, void *(*fn)(void *), void *arg)
{
	sigset_t all;
	sigset_t before;
	int err;

	assert(strlen(name) <= 15);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(id, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		pthread_setname_np(*id, name);
	return -err;
}

int ka_thread_start(struct ka_thread *t, const char *name, void *(*fn)(void *), void *arg)
{
	int ret;

	assert(!t->running);
	ret = create(&t->id, name, fn, arg);
	t->running = ret == 0;
	return ret;
}

int ka_thread_detach(const char *name, void *(*fn)(void *), void *arg)
{
	pthread_t id;
	int ret = create(&id, name, fn, arg);

	/* Only now, so that the name could still be given. */
	if (ret == 0)
		pthread_detach(id);
	return ret;
}

void ka_thread_join(struct ka_thread *t)
{
	if (!t->running)
		return;
	pthread_join(t->id, NULL);
	t->running = false;
}

void ka_owner_bind(struct ka_owner *o)
{
	atomic_store_explicit(&o->id, pthread_self(), memory_order_relaxed);
	atomic_store_explicit(&o->bound, true, memory_order_release);
}

void ka_owner_unbind(struct ka_owner *o)
{
	atomic_store_explicit(&o->bound, false, memory_order_release);
}

bool ka_owner_ok(struct ka_owner *o)
{
	return !atomic_load_explicit(&o->bound, memory_order_acquire) ||
	       pthread_equal(atomic_load_explicit(&o->id, memory_order_relaxed), pthread_self());
}
