/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/wire/framing.h"

#include <assert.h>

#include "base/err.h"
#include "base/span.h"

#define READ_CHUNK 16384u

size_t ka_framing_header(uint8_t out[static KA_FRAMING_HEADER_MAX], size_t len)
{
	size_t n = len <= 0x3f ? 1 : len <= 0x3fff ? 2 : len <= 0x3fffff ? 3 : 4;
	uint32_t v = (uint32_t)len << 2 | (uint32_t)(n - 1);

	assert(len <= KA_FRAMING_PAYLOAD_MAX);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> (8 * i));
	return n;
}

void ka_framer_init(struct ka_framer *f, size_t limit)
{
	ka_bytes_init(&f->in, limit + KA_FRAMING_HEADER_MAX + READ_CHUNK);
	f->limit = limit;
	f->consumed = 0;
}

void ka_framer_fini(struct ka_framer *f)
{
	ka_bytes_fini(&f->in);
}

void ka_framer_set_limit(struct ka_framer *f, size_t limit)
{
	f->limit = limit;
	f->in.max = KA_MAX(limit + KA_FRAMING_HEADER_MAX + READ_CHUNK, f->in.len);
}

static void drop_consumed(struct ka_framer *f)
{
	ka_bytes_consume(&f->in, f->consumed);
	f->consumed = 0;
}

uint8_t *ka_framer_room(struct ka_framer *f, size_t *room)
{
	size_t want;
	uint8_t *at;

	drop_consumed(f);
	want = KA_MIN(f->in.max - f->in.len, KA_MAX(f->in.cap - f->in.len, (size_t)READ_CHUNK));
	at = want ? ka_bytes_extend(&f->in, want) : NULL;
	if (!at) {
		*room = 0;
		return NULL;
	}
	f->in.len -= want;
	*room = want;
	return at;
}

void ka_framer_filled(struct ka_framer *f, size_t n)
{
	assert(f->in.len + n <= f->in.cap);
	f->in.len += n;
}

int ka_framer_next(struct ka_framer *f, uint8_t **payload, size_t *len)
{
	struct ka_span s;
	size_t header;
	size_t n;

	/* Also before anything has arrived: there is no memory to point into then. */
	if (f->consumed == f->in.len)
		return 0;
	s = ka_span_make(f->in.data + f->consumed, f->in.len - f->consumed);
	header = (*s.p & 3u) + 1;
	if (ka_span_left(&s) < header)
		return 0;
	n = (size_t)(ka_span_le(&s, header) >> 2);
	if (n > f->limit)
		return -KA_E_TOO_BIG;
	if (ka_span_left(&s) < n)
		return 0;
	*payload = f->in.data + f->consumed + header;
	*len = n;
	f->consumed += header + n;
	return 1;
}
