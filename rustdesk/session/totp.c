/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libsodium has no SHA-1 (FIPS 180-4), which authenticator apps want; it is written out here and used for nothing else.
 */
#include "rustdesk/session/totp.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define BLOCK 64
#define DIGEST 20
#define STEP_S 30
#define CODE_DIGITS 6

static uint32_t rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static void mix(uint32_t h[static 5], const uint8_t block[static BLOCK])
{
	uint32_t w[80];
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t t = rotate(a, 5) + f + e + k[i / 20] + w[i];

		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
	sodium_memzero(w, sizeof(w));
}

/* Of one whole block and up to 55 bytes: all that HMAC needs here. */
static void sha1(uint8_t out[static DIGEST], const uint8_t first[static BLOCK], const uint8_t *rest, size_t n)
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t last[BLOCK] = {0};
	size_t bits = (BLOCK + n) * 8;

	mix(h, first);
	memcpy(last, rest, n);
	last[n] = 0x80;
	last[BLOCK - 2] = (uint8_t)(bits >> 8);
	last[BLOCK - 1] = (uint8_t)bits;
	mix(h, last);
	for (int i = 0; i < DIGEST; i++)
		out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

uint32_t ka_totp_code(const uint8_t *key, size_t key_len, uint64_t step)
{
	uint8_t inner[BLOCK], outer[BLOCK];
	uint8_t message[8];
	uint8_t digest[DIGEST];
	const uint8_t *at;

	memset(inner, 0x36, BLOCK);
	memset(outer, 0x5c, BLOCK);
	for (size_t i = 0; i < key_len && i < BLOCK; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	for (int i = 0; i < 8; i++)
		message[i] = (uint8_t)(step >> (56 - 8 * i));
	sha1(digest, inner, message, sizeof(message));
	sha1(digest, outer, digest, sizeof(digest));
	sodium_memzero(inner, sizeof(inner));
	sodium_memzero(outer, sizeof(outer));
	at = digest + (digest[DIGEST - 1] & 15);
	return ((uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) % 1000000;
}

static int base32_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

int ka_totp_decode_secret(uint8_t key[static KA_TOTP_KEY_MAX], const char *text)
{
	size_t end = strlen(text);
	uint32_t pending = 0;
	unsigned int bits = 0;
	int n = 0;

	while (end && strchr("= \t\r\n", text[end - 1]))
		end--;
	for (size_t i = 0; i < end; i++) {
		int v = base32_value(text[i]);

		if (text[i] == ' ' || text[i] == '-')
			continue;
		if (v < 0)
			return -EINVAL;
		pending = (pending << 5 | (uint32_t)v) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		if (n == KA_TOTP_KEY_MAX)
			return -EINVAL;
		bits -= 8;
		key[n++] = (uint8_t)(pending >> bits);
	}
	return n >= KA_TOTP_KEY_MIN ? n : -EINVAL;
}

bool ka_totp_check(const uint8_t *key, size_t key_len, const char *code, int64_t now_s, int64_t *last_step)
{
	int64_t now = now_s / STEP_S;
	int64_t found = -1;
	uint32_t given = 0;

	if (strlen(code) != CODE_DIGITS || strspn(code, "0123456789") != CODE_DIGITS || now < 1)
		return false;
	for (int i = 0; i < CODE_DIGITS; i++)
		given = given * 10 + (uint32_t)(code[i] - '0');
	/* All three always, so that the time taken tells nothing. */
	for (int64_t step = now - 1; step <= now + 1; step++) {
		if (ka_totp_code(key, key_len, (uint64_t)step) == given && step > *last_step)
			found = step;
	}
	if (found < 0)
		return false;
	*last_step = found;
	return true;
}
