/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the unit tests share: cmocka with its includes in order, and bytes written as hex text. */
#ifndef KA_CHECK_H
#define KA_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"

/* Digits in pairs; blanks between them are skipped. Returns the bytes written; anything else fails the test. */
static inline size_t hex_bytes(uint8_t *dst, size_t cap, const char *hex)
{
	size_t n = 0;

	for (; *hex; hex++) {
		char pair[3] = {hex[0], hex[0] == ' ' ? '\0' : hex[1], '\0'};
		char *end;

		if (*hex == ' ')
			continue;
		assert_true(n < cap);
		dst[n++] = (uint8_t)strtoul(pair, &end, 16);
		assert_ptr_equal(end, pair + 2);
		hex++;
	}
	return n;
}

#define assert_hex(data, len, hex)                                                                                     \
	do {                                                                                                           \
		uint8_t want_[4096];                                                                                   \
		size_t want_len_ = hex_bytes(want_, sizeof(want_), hex);                                               \
		assert_int_equal(len, want_len_);                                                                      \
		assert_memory_equal(data, want_, want_len_);                                                           \
	} while (0)

#endif
