/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands of the console: one table that serves the socket, the chat, kvmagentctl and the help texts. Data and
 * look-up only, so that kvmagentctl can be linked with it and with nothing else of the agent. Pure.
 */
#ifndef KA_CONSOLE_TABLE_H
#define KA_CONSOLE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define KA_CONSOLE_MAX_WORDS 8
#define KA_CONSOLE_MAX_WORD 256 /* bytes */

enum ka_console_id {
	KA_CONSOLE_HELP,
	KA_CONSOLE_STATUS,
	KA_CONSOLE_ID,
	KA_CONSOLE_SESSIONS,
	KA_CONSOLE_APPROVE,
	KA_CONSOLE_REFUSE,
	KA_CONSOLE_KICK,
	KA_CONSOLE_PASSWORD,
	KA_CONSOLE_RELEASE,
	KA_CONSOLE_STOP_TYPING,
	KA_CONSOLE_POWER,
	KA_CONSOLE_VERSION,
	KA_CONSOLE_COUNT,
};

/* Where a command may come from. */
enum ka_console_where {
	KA_CONSOLE_SOCKET = 1 << 0, /* an operator of this device */
	KA_CONSOLE_CHAT = 1 << 1,   /* a controller, within what its password opens */
};

enum ka_console_argument {
	KA_CONSOLE_NOTHING,
	KA_CONSOLE_NUMBER,	 /* of a session */
	KA_CONSOLE_MAYBE_NUMBER, /* likewise, or nothing */
	KA_CONSOLE_MAYBE_WORD,
};

struct ka_console_command {
	const char *name;
	const char *arguments; /* as help shows them */
	const char *help;      /* one line */
	enum ka_console_argument argument;
	unsigned int where;   /* of enum ka_console_where */
	uint32_t permissions; /* needed in the chat; of enum ka_rd_permission */
};

/* By enum ka_console_id. */
extern const struct ka_console_command ka_console_table[KA_CONSOLE_COUNT];

/* KA_CONSOLE_COUNT: there is none of that name. */
enum ka_console_id ka_console_table_find(const char *name);
/* Whether n words fit a command, its name among them. number, when there is one: 1..UINT32_MAX, else 0. -EINVAL. */
int ka_console_table_check(enum ka_console_id id, size_t n, const char *const *words, uint32_t *number) KA_MUST_USE;

#endif
