/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chat lines as others may see them, and how many a controller may write. Pure. */
#ifndef KA_CHAT_TEXT_H
#define KA_CHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KA_CHAT_TEXT_MAX 1000  /* bytes of what somebody writes; the rest is cut */
#define KA_CHAT_LINE_SIZE 1100 /* bytes with the writer's name and the terminator */

/* Copies text, terminated: what is not UTF-8 becomes '?', hidden characters go (but joiners, which scripts and emoji
 * need), tabs become blanks. Lines after the first begin with indent, so that nobody can pose as the next speaker.
 * What is cut off shows as an ellipsis. Returns the bytes written. dst_size: at least 1. */
size_t ka_chat_text_clean(char *dst, size_t dst_size, const char *text, const char *indent);

/* KA_CHAT_BURST lines at once, then one each KA_CHAT_PERIOD_US. */
#define KA_CHAT_BURST 10
#define KA_CHAT_PERIOD_US 1000000
struct ka_chat_rate {
	int64_t full_us;       /* when the burst is whole again */
	unsigned int left_out; /* refused since the last one that passed */
};
/* False: too fast. */
bool ka_chat_rate_pass(struct ka_chat_rate *r, int64_t now_us);

#endif
