/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a thread still get round? Somebody asks now and then and wakes it; it answers where its loop begins anew. Costs
 * the thread one load and one store for each round, and nothing while nobody asks.
 */
#ifndef KA_PULSE_H
#define KA_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>

struct ka_pulse {
	atomic_uint asked, answered; /* zeroed memory: answered */
};

/* One thread alone asks. False: the question before this one has no answer yet; it is not asked again. */
static inline bool ka_pulse_ask(struct ka_pulse *p)
{
	unsigned int asked = atomic_load_explicit(&p->asked, memory_order_relaxed);

	if (atomic_load_explicit(&p->answered, memory_order_acquire) != asked)
		return false;
	atomic_store_explicit(&p->asked, asked + 1, memory_order_release);
	return true;
}

/* The thread that is asked. */
static inline void ka_pulse_answer(struct ka_pulse *p)
{
	atomic_store_explicit(&p->answered, atomic_load_explicit(&p->asked, memory_order_acquire),
			      memory_order_release);
}

#endif
