/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounded reading of bytes from outside: pointer, end, sticky error. A read past the end yields 0 and sets the error;
 * the caller checks once, before it acts on anything. No pointer arithmetic on foreign bytes anywhere else.
 */
#ifndef KA_SPAN_H
#define KA_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ka_span {
	const uint8_t *p;
	const uint8_t *end;
	bool error;
};

static inline struct ka_span ka_span_make(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct ka_span){.p = p, .end = len ? p + len : p};
}

static inline size_t ka_span_left(const struct ka_span *s)
{
	return (size_t)(s->end - s->p);
}

/* len bytes in place, or NULL and the error. */
static inline const uint8_t *ka_span_take(struct ka_span *s, size_t len)
{
	const uint8_t *p = s->p;

	if (s->error || ka_span_left(s) < len) {
		s->error = true;
		return NULL;
	}
	if (len) /* p is NULL in an empty span of nothing */
		s->p += len;
	return p;
}

static inline uint64_t ka_span_le(struct ka_span *s, size_t n)
{
	const uint8_t *p = ka_span_take(s, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static inline uint64_t ka_span_be(struct ka_span *s, size_t n)
{
	const uint8_t *p = ka_span_take(s, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t ka_span_u8(struct ka_span *s)
{
	return (uint8_t)ka_span_le(s, 1);
}

#endif
