/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded queue of fixed-size items from any thread to one owner. Each mailbox states its overflow policy. A put always
 * consumes the item: when it is refused, dropped or merged, `drop` has disposed of what it owned.
 */
#ifndef KA_MAILBOX_H
#define KA_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/wake.h"

enum ka_mailbox_policy {
	KA_MAILBOX_REFUSE,	/* a full box refuses the new item: -EAGAIN */
	KA_MAILBOX_DROP_OLDEST, /* a full box drops its oldest item: 1 */
};

struct ka_mailbox_cfg {
	size_t item_size;
	unsigned int capacity;
	enum ka_mailbox_policy policy;
	/* Optional: releases what an item owns. Runs on the putting thread, outside the lock. */
	void (*drop)(void *item);
	/* Optional: folds `item` into `last`, the newest queued one; true when done. Runs inside the lock: values only.
	 */
	bool (*merge)(void *last, const void *item);
	struct ka_wake wake; /* called after each put that queued or merged something */
};

struct ka_mailbox;

int ka_mailbox_new(struct ka_mailbox **out, const struct ka_mailbox_cfg *cfg) KA_MUST_USE;
/* Drops what is left. NULL is fine. No other thread may use it any more. */
void ka_mailbox_free(struct ka_mailbox *mb);
/* Any thread. 0 queued or merged, 1 queued after dropping the oldest, -EAGAIN full, -EPIPE closed. */
int ka_mailbox_put(struct ka_mailbox *mb, void *item);
/* Owner. False when empty. */
bool ka_mailbox_take(struct ka_mailbox *mb, void *item) KA_MUST_USE;
/* Any thread. Later puts are refused; what is queued can still be taken. */
void ka_mailbox_close(struct ka_mailbox *mb);
/* Any thread. Drops everything queued. */
void ka_mailbox_clear(struct ka_mailbox *mb);

#endif
