/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growable byte buffer whose maximum is stated at init. One owner. Appending past the maximum or without memory sets a
 * sticky error and changes nothing; check `error` (or the result) once before using the content.
 */
#ifndef KA_BYTES_H
#define KA_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct ka_bytes {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
	int error; /* 0, -ENOMEM or -KA_E_TOO_BIG */
};

void ka_bytes_init(struct ka_bytes *b, size_t max);
void ka_bytes_fini(struct ka_bytes *b);
/* Keeps the memory, forgets content and error. */
void ka_bytes_clear(struct ka_bytes *b);
/* Room for n more bytes at the returned place, already counted in len; NULL on error. */
uint8_t *ka_bytes_extend(struct ka_bytes *b, size_t n);
int ka_bytes_add(struct ka_bytes *b, const void *data, size_t n);
/* Removes n (<= len) bytes at the front. */
void ka_bytes_consume(struct ka_bytes *b, size_t n);

#endif
