/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/notices.h"

#include <stdio.h>
#include <string.h>
#include <uniname.h>

#define ROOM 64 /* kept for the words that follow the names */

static size_t append(char *dst, size_t len, const char *text)
{
	size_t left = KA_RD_WORDS_MAX - 1 - len;
	size_t n = strlen(text);

	n = n < left ? n : left;
	memcpy(dst + len, text, n);
	dst[len + n] = '\0';
	return len + n;
}

static void name_of(char *dst, size_t size, uint32_t cp)
{
	char name[UNINAME_MAX];

	if (cp == 0xfffd)
		snprintf(dst, size, "bytes that are no text");
	else if (unicode_character_name(cp, name))
		snprintf(dst, size, "U+%04X %s", cp, name);
	else
		snprintf(dst, size, "U+%04X", cp);
}

static void list_left_out(char *dst, size_t len, const struct ka_hid_notice *n)
{
	unsigned int named = n->named < KA_HID_NOTICE_CODES ? n->named : KA_HID_NOTICE_CODES;
	unsigned int i = 0;
	char name[UNINAME_MAX + 16];

	for (; i < named; i++) {
		name_of(name, sizeof(name), n->codes[i]);
		if (len + strlen(name) + 2 + ROOM >= KA_RD_WORDS_MAX)
			break;
		len = append(dst, len, i ? ", " : "");
		len = append(dst, len, name);
	}
	if (n->count > i) {
		snprintf(name, sizeof(name), " (%u characters in all)", n->count);
		append(dst, len, name);
	}
}

void ka_notice_words(char dst[static KA_RD_WORDS_MAX], const struct ka_hid_notice *n, const char *layout)
{
	dst[0] = '\0';
	switch (n->kind) {
	case KA_HID_LEFT_OUT:
		snprintf(dst, KA_RD_WORDS_MAX, "Left out, keyboard layout \"%.64s\" cannot type it: ", layout);
		list_left_out(dst, strlen(dst), n);
		break;
	case KA_HID_REFUSED:
		snprintf(dst, KA_RD_WORDS_MAX, "Not typed: too many texts wait already");
		break;
	case KA_HID_STOPPED:
		snprintf(dst, KA_RD_WORDS_MAX, "Typing stopped, %u characters before the end", n->count);
		break;
	}
}

void ka_notices_pass(struct ka_hid *hid, struct ka_rd *rd, const char *layout)
{
	struct ka_hid_notice n;
	char words[KA_RD_WORDS_MAX];

	while (ka_hid_take_notice(hid, &n)) {
		ka_notice_words(words, &n, layout);
		ka_rd_tell(rd, n.source, words);
	}
}
