/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Refcounted memory with a release hook. Any thread may take and drop references. The hook runs on whichever thread
 * drops the last one, so it may only post to the owner of the memory (e.g. a V4L2 buffer index to the capture thread).
 */
#ifndef KA_BUF_H
#define KA_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/ref.h"

typedef void (*ka_buf_release_fn)(void *cookie);

struct ka_buf {
	struct ka_ref ref;
	uint8_t *data;
	size_t size;
	ka_buf_release_fn release;
	void *cookie;
};

/* size bytes of own memory, 64-byte aligned, not cleared. -ENOMEM. */
int ka_buf_new(struct ka_buf **out, size_t size) KA_MUST_USE;
/* Wraps memory of somebody else until the last reference drops; then release(cookie). On error nothing is released. */
int ka_buf_wrap(struct ka_buf **out, void *data, size_t size, ka_buf_release_fn release, void *cookie) KA_MUST_USE;
struct ka_buf *ka_buf_ref(struct ka_buf *b);
/* Drops *b (may be NULL) and clears the pointer. */
void ka_buf_unref(struct ka_buf **b);

#endif
