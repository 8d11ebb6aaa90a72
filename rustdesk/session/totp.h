/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One-time codes of an authenticator app: RFC 6238 with HMAC-SHA-1, 6 digits, steps of 30 s, one step either way. Pure.
 */
#ifndef KA_TOTP_H
#define KA_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define KA_TOTP_KEY_MIN 10 /* bytes: what common services give out at least */
#define KA_TOTP_KEY_MAX 64

/* The bytes of a base32 secret; case, blanks, '-' and '=' at the end do not matter. Their number, or -EINVAL. */
int ka_totp_decode_secret(uint8_t key[static KA_TOTP_KEY_MAX], const char *text) KA_MUST_USE;
/* The code of a step (seconds of the epoch / 30), 0 to 999999. */
uint32_t ka_totp_code(const uint8_t *key, size_t key_len, uint64_t step);
/* Is code (6 digits) good at now_s, and of a later step than *last_step? Then *last_step becomes its step, so that it
 * is never good again. */
bool ka_totp_check(const uint8_t *key, size_t key_len, const char *code, int64_t now_s, int64_t *last_step) KA_MUST_USE;

#endif
