/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded text helpers: pure, any thread. */
#ifndef KA_STR_H
#define KA_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Copies, cutting at dst_size - 1; always terminates. Returns false when cut. */
bool ka_str_copy(char *dst, size_t dst_size, const char *src);
/* printf into dst; -KA_E_TOO_BIG when cut (dst still terminated). */
int ka_str_format(char *dst, size_t dst_size, const char *fmt, ...) KA_PRINTF(3, 4) KA_MUST_USE;
/* Decimal digits only, whole string, min..max; -EINVAL otherwise. */
int ka_str_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out) KA_MUST_USE;
/* One code point from at most len bytes. Returns the bytes it took (1..4), 0 when invalid, overlong or cut off. */
size_t ka_utf8_decode(const char *s, size_t len, uint32_t *cp);
/* Whether a code point shows nothing of itself: controls, line separators, and what changes the look or the order of
 * the text around it (Unicode 15: categories Cc, Cf, Zl, Zp, fillers, tags, noncharacters). */
bool ka_utf8_hidden(uint32_t cp);
/* Whether s is valid UTF-8 of at most max bytes. */
bool ka_utf8_valid(const char *s, size_t max);
/* dst needs 2 * len + 1 bytes. */
void ka_hex_encode(char *dst, const uint8_t *src, size_t len);
/* Exactly len bytes from 2 * len digits; -EINVAL otherwise. */
int ka_hex_decode(uint8_t *dst, size_t len, const char *hex) KA_MUST_USE;

#endif
