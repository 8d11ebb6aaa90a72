/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/chat_text.h"

#include <string.h>

#include "base/attr.h"
#include "base/str.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define ZERO_WIDTH_NON_JOINER 0x200c
#define ZERO_WIDTH_JOINER 0x200d

/* What stands for a character of n bytes (0: not UTF-8); "" = nothing, NULL = itself. */
static const char *replacement(uint32_t cp, size_t n)
{
	if (!n)
		return "?";
	if (cp == '\t')
		return " ";
	if (ka_utf8_hidden(cp) && cp != ZERO_WIDTH_NON_JOINER && cp != ZERO_WIDTH_JOINER)
		return "";
	return NULL;
}

size_t ka_chat_text_clean(char *dst, size_t dst_size, const char *text, const char *indent)
{
	size_t len = strlen(text);
	size_t out = 0;
	size_t whole = 0; /* up to here there is room for an ellipsis */

	dst[0] = '\0';
	if (dst_size < sizeof(ELLIPSIS))
		return 0;
	for (size_t in = 0; in < len;) {
		uint32_t cp = 0;
		size_t n = ka_utf8_decode(text + in, len - in, &cp);
		const char *piece = n && cp == '\n' ? indent : replacement(cp, n);
		size_t size = piece ? strlen(piece) : n;
		size_t newline = n && cp == '\n';

		if (out + newline + size + 1 > dst_size) {
			memcpy(dst + whole, ELLIPSIS, sizeof(ELLIPSIS));
			return whole + sizeof(ELLIPSIS) - 1;
		}
		if (newline)
			dst[out++] = '\n';
		memcpy(dst + out, piece ? piece : text + in, size);
		out += size;
		if (out + sizeof(ELLIPSIS) <= dst_size)
			whole = out;
		in += KA_MAX(n, (size_t)1);
	}
	dst[out] = '\0';
	return out;
}

bool ka_chat_rate_pass(struct ka_chat_rate *r, int64_t now_us)
{
	int64_t full = KA_MAX(r->full_us, now_us) + KA_CHAT_PERIOD_US;

	if (full - now_us > (int64_t)KA_CHAT_BURST * KA_CHAT_PERIOD_US) {
		r->left_out += r->left_out < UINT32_MAX;
		return false;
	}
	r->full_us = full;
	return true;
}
