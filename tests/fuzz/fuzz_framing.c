/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way of a stream's bytes: framer, then unsealing. First byte: size of the pieces; second: how large a message may
 * be; third: sealed or not. The rest is the stream, and after that a message of our own that must come through.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/err.h"
#include "rustdesk/wire/framing.h"
#include "rustdesk/wire/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[KA_SEAL_KEY] = {0x33, 0x33, 0x33, 0x33};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

/* What fits of it; how much that was. */
static size_t feed(struct ka_framer *f, const uint8_t *data, size_t len)
{
	size_t room;
	uint8_t *at = ka_framer_room(f, &room);
	size_t n = KA_MIN(room, len);

	demand(at && room);
	memcpy(at, data, n);
	ka_framer_filled(f, n);
	demand(f->in.len <= f->in.max && f->in.cap <= f->in.max && f->in.cap <= 2 * f->in.len + 65536);
	return n;
}

static void read_stream(const uint8_t *data, size_t size, size_t step, size_t limit, bool sealed)
{
	struct ka_framer f;
	struct ka_seal rx;
	size_t at = 0;
	int ret = 0;

	ka_framer_init(&f, limit);
	ka_seal_init(&rx, key);
	while (at < size && ret >= 0) {
		uint8_t *payload;
		size_t len;

		at += feed(&f, data + at, KA_MIN(step, size - at));
		while ((ret = ka_framer_next(&f, &payload, &len)) == 1) {
			demand(len <= limit);
			if (sealed && ka_seal_open(&rx, payload, len, &payload, &len) < 0) {
				ret = -KA_E_AUTH;
				break;
			}
			/* All of it is ours, to read and to write. */
			for (size_t i = 0; i < len; i++)
				payload[i] ^= 0xff;
		}
	}
	ka_seal_fini(&rx);
	ka_framer_fini(&f);
}

static void come_through(const uint8_t *data, size_t size, size_t step, bool sealed)
{
	size_t tag = sealed ? KA_SEAL_TAG : 0;
	uint8_t *wire = malloc(KA_FRAMING_HEADER_MAX + tag + size);
	struct ka_framer f;
	struct ka_seal tx;
	struct ka_seal rx;
	uint8_t *payload;
	size_t len;
	size_t n;

	demand(wire);
	n = ka_framing_header(wire, tag + size);
	if (size)
		memcpy(wire + n + tag, data, size);
	ka_seal_init(&tx, key);
	ka_seal_init(&rx, key);
	if (sealed)
		ka_seal_close(&tx, wire + n, size);
	n += tag + size;
	ka_framer_init(&f, tag + size);
	for (size_t at = 0; at < n;)
		at += feed(&f, wire + at, KA_MIN(step, n - at));
	demand(ka_framer_next(&f, &payload, &len) == 1 && len == tag + size);
	if (sealed)
		demand(ka_seal_open(&rx, payload, len, &payload, &len) == 0);
	demand(len == size && (!size || !memcmp(payload, data, size)));
	demand(ka_framer_next(&f, &payload, &len) == 0);
	ka_framer_fini(&f);
	free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sodium_init() < 0)
		abort();
	if (size < 3)
		return 0;
	size_t step = data[0] + 1u;
	size_t limit = (size_t)data[1] << 6;
	bool sealed = data[2] & 1;

	read_stream(data + 3, size - 3, step, limit, sealed);
	come_through(data + 3, size - 3, step, sealed);
	return 0;
}
