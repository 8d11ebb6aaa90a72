/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Named threads with all signals blocked, and the check that an object is used by its owner only. */
#ifndef KA_THREAD_H
#define KA_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"

struct ka_thread {
	pthread_t id;
	bool running; /* owned by whoever starts and joins */
};

/* name: at most 15 bytes. fn runs on the new thread. */
int ka_thread_start(struct ka_thread *t, const char *name, void *(*fn)(void *), void *arg) KA_MUST_USE;
/* For a call of the C library that blocks and cannot be stopped (name look-ups): nobody joins it, so it may outlive
 * what started it and the end of main(). It owns arg or shares it by count, and touches nothing else. */
int ka_thread_detach(const char *name, void *(*fn)(void *), void *arg) KA_MUST_USE;
/* Waits for the end; no-op when it does not run. */
void ka_thread_join(struct ka_thread *t);

/* Who owns an object. Bound by the owner itself; unbound objects (being built or torn down) belong to their holder. */
struct ka_owner {
	_Atomic pthread_t id;
	_Atomic bool bound;
};
void ka_owner_bind(struct ka_owner *o);
void ka_owner_unbind(struct ka_owner *o);
bool ka_owner_ok(struct ka_owner *o);
#define KA_OWNER(x) assert(ka_owner_ok(&(x)->owner))

#endif
