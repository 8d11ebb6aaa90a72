/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Atomic reference count for objects that cross threads and are immutable once shared. */
#ifndef KA_REF_H
#define KA_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>

struct ka_ref {
	atomic_uint count;
};

static inline void ka_ref_init(struct ka_ref *r)
{
	atomic_init(&r->count, 1);
}

static inline void ka_ref_get(struct ka_ref *r)
{
	unsigned int old = atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);

	assert(old > 0 && old < 1u << 30);
}

/* True when this was the last one: the caller destroys the object. */
static inline bool ka_ref_put(struct ka_ref *r)
{
	unsigned int old = atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel);

	assert(old > 0);
	return old == 1;
}

static inline bool ka_ref_only(struct ka_ref *r)
{
	return atomic_load_explicit(&r->count, memory_order_acquire) == 1;
}

#endif
