/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <errno.h>

static void release_own(void *cookie)
{
	free(cookie);
}

int ka_buf_wrap(struct ka_buf **out, void *data, size_t size, ka_buf_release_fn release, void *cookie)
{
	struct ka_buf *b = malloc(sizeof(*b));

	if (!b)
		return -ENOMEM;
	*b = (struct ka_buf){.data = data, .size = size, .release = release, .cookie = cookie};
	ka_ref_init(&b->ref);
	*out = b;
	return 0;
}

int ka_buf_new(struct ka_buf **out, size_t size)
{
	void *data;
	int ret;

	if (posix_memalign(&data, 64, size ? size : 64))
		return -ENOMEM;
	ret = ka_buf_wrap(out, data, size, release_own, data);
	if (ret < 0)
		free(data);
	return ret;
}

struct ka_buf *ka_buf_ref(struct ka_buf *b)
{
	ka_ref_get(&b->ref);
	return b;
}

void ka_buf_unref(struct ka_buf **b)
{
	struct ka_buf *old = *b;

	*b = NULL;
	if (!old || !ka_ref_put(&old->ref))
		return;
	if (old->release)
		old->release(old->cookie);
	free(old);
}
