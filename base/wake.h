/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A wake-up: called on any thread, may do nothing but unblock the owner (set a flag, signal, uv_async_send). */
#ifndef KA_WAKE_H
#define KA_WAKE_H

struct ka_wake {
	void (*fn)(void *arg); /* NULL: nobody to wake */
	void *arg;
};

static inline void ka_wake_call(const struct ka_wake *w)
{
	if (w->fn)
		w->fn(w->arg);
}

#endif
