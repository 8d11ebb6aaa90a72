/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

void ka_bytes_init(struct ka_bytes *b, size_t max)
{
	*b = (struct ka_bytes){.max = max};
}

void ka_bytes_fini(struct ka_bytes *b)
{
	free(b->data);
	*b = (struct ka_bytes){.max = b->max};
}

void ka_bytes_clear(struct ka_bytes *b)
{
	b->len = 0;
	b->error = 0;
}

uint8_t *ka_bytes_extend(struct ka_bytes *b, size_t n)
{
	uint8_t *at;

	if (b->error)
		return NULL;
	if (n > b->max - b->len) {
		b->error = -KA_E_TOO_BIG;
		return NULL;
	}
	if (b->len + n > b->cap) {
		size_t cap = KA_MIN(KA_MAX(b->cap * 2, KA_MAX(b->len + n, (size_t)64)), b->max);
		uint8_t *data = realloc(b->data, cap);

		if (!data) {
			b->error = -ENOMEM;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	at = b->data + b->len;
	b->len += n;
	return at;
}

int ka_bytes_add(struct ka_bytes *b, const void *data, size_t n)
{
	uint8_t *at;

	if (!n)
		return b->error;
	at = ka_bytes_extend(b, n);
	if (!at)
		return b->error;
	memcpy(at, data, n);
	return 0;
}

void ka_bytes_consume(struct ka_bytes *b, size_t n)
{
	assert(n <= b->len);
	if (n && n < b->len)
		memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}
