/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/console_table.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "rustdesk/rustdesk.h"

#define EVERYBODY (KA_CONSOLE_SOCKET | KA_CONSOLE_CHAT)

const struct ka_console_command ka_console_table[KA_CONSOLE_COUNT] = {
	[KA_CONSOLE_HELP] = {"help", "[COMMAND]", "list the commands, or explain one", KA_CONSOLE_MAYBE_WORD,
			     EVERYBODY},
	[KA_CONSOLE_STATUS] = {"status", "", "picture, USB, server, who is connected", KA_CONSOLE_NOTHING, EVERYBODY},
	[KA_CONSOLE_ID] = {"id", "", "the ID and what to paste into a client", KA_CONSOLE_NOTHING, KA_CONSOLE_SOCKET},
	[KA_CONSOLE_SESSIONS] = {"sessions", "", "who is connected, or waits to be let in", KA_CONSOLE_NOTHING,
				 EVERYBODY},
	[KA_CONSOLE_APPROVE] = {"approve", "[N]", "let in who waits: session N, or the only one",
				KA_CONSOLE_MAYBE_NUMBER, KA_CONSOLE_SOCKET},
	[KA_CONSOLE_REFUSE] = {"refuse", "[N]", "send away who waits: session N, or the only one",
			       KA_CONSOLE_MAYBE_NUMBER, KA_CONSOLE_SOCKET},
	[KA_CONSOLE_KICK] = {"kick", "N", "end session N; its client does not come back by itself", KA_CONSOLE_NUMBER,
			     KA_CONSOLE_SOCKET},
	[KA_CONSOLE_PASSWORD] = {"password", "", "show the one-time password of the moment", KA_CONSOLE_NOTHING,
				 KA_CONSOLE_SOCKET},
	[KA_CONSOLE_RELEASE] = {"release", "", "let go of every key and button of the target", KA_CONSOLE_NOTHING,
				EVERYBODY, KA_RD_MAY_KEYBOARD},
	[KA_CONSOLE_STOP_TYPING] = {"stop-typing", "", "stop texts that are being typed, and drop those that wait",
				    KA_CONSOLE_NOTHING, EVERYBODY, KA_RD_MAY_KEYBOARD},
	[KA_CONSOLE_POWER] = {"power", "[ACTION]", "press, hold or reset the target; alone: whether it is on",
			      KA_CONSOLE_MAYBE_WORD, EVERYBODY, KA_RD_MAY_POWER},
	[KA_CONSOLE_VERSION] = {"version", "", "version of the agent", KA_CONSOLE_NOTHING, EVERYBODY},
};

enum ka_console_id ka_console_table_find(const char *name)
{
	enum ka_console_id id = 0;

	while (id < KA_CONSOLE_COUNT && strcmp(ka_console_table[id].name, name))
		id++;
	return id;
}

int ka_console_table_check(enum ka_console_id id, size_t n, const char *const *words, uint32_t *number)
{
	enum ka_console_argument kind = ka_console_table[id].argument;
	uint64_t value;

	*number = 0;
	if (n <= 1)
		return n == 1 && kind != KA_CONSOLE_NUMBER ? 0 : -EINVAL;
	if (n > 2 || kind == KA_CONSOLE_NOTHING)
		return -EINVAL;
	if (kind == KA_CONSOLE_MAYBE_WORD)
		return 0;
	if (ka_str_parse_u64(words[1], 1, UINT32_MAX, &value) < 0)
		return -EINVAL;
	*number = (uint32_t)value;
	return 0;
}
