/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No hands at all: for looking only. */
#include <errno.h>

#include "hid/backend.h"

static void none_start(struct ka_backend *b)
{
	b->events.state(b->events.arg, KA_USB_NONE, 0);
}

static void none_send(struct ka_backend *b, const struct ka_report *r)
{
	(void)r;
	atomic_fetch_add_explicit(&b->dropped, 1, memory_order_relaxed);
}

static bool none_busy(struct ka_backend *b, unsigned int functions)
{
	(void)b;
	(void)functions;
	return false;
}

static void none_stop(struct ka_backend *b)
{
	(void)b;
}

static void none_free(struct ka_backend *b)
{
	free(b);
}

int ka_backend_none_new(struct ka_backend **out, const struct ka_backend_events *events)
{
	static const struct ka_backend_ops ops = {none_start, none_send, none_busy, none_stop, none_free};
	struct ka_backend *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->ops = &ops;
	b->events = *events;
	*out = b;
	return 0;
}
