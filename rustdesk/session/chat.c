/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Chat of one controller: its lines go to the log and to the other controllers, lines with a slash to the console of
 * the host. Neither a flood of lines nor a peer that does not read costs anybody else.
 */
#include "rustdesk/session/session_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

#define COMMAND_MAX 4096 /* bytes; longer ones are refused, not cut */
#define ANSWER_SIZE 4096
#define LOG_TEXT_SIZE 512
#define INDENT "    "

int ka_chat_answer(struct ka_session *s, const char *text)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__ChatMessage chat = RD__CHAT_MESSAGE__INIT;
	char clean[ANSWER_SIZE];

	if (!ka_chat_text_clean(clean, sizeof(clean), text, ""))
		return 0;
	chat.text = clean;
	misc.union_case = RD__MISC__UNION_CHAT_MESSAGE;
	misc.chat_message = &chat;
	return ka_session_send_misc(s, &misc);
}

/* What follows the name of a command may be meant for the target only: it is not logged. */
static void log_command(const struct ka_session *s, const char *line, unsigned int left_out)
{
	char name[64];

	ka_log_escape(name, sizeof(name), line, strcspn(line, " \t\r\n"));
	ka_log(INFO, "chat", "command", "n=%u id=\"%s\" name=\"%s\" command=\"%s\" left_out=%u", s->cfg.number,
	       s->peer_id, s->peer_name, name, left_out);
}

static int command(struct ka_session *s, const char *line, unsigned int left_out)
{
	const struct ka_host *host = s->cfg.host;
	struct ka_host_caller caller = {.session = s->cfg.number, .permissions = s->pass.permissions};
	char text[ANSWER_SIZE] = "";

	log_command(s, line, left_out);
	if (!host->console)
		return ka_chat_answer(s, "This device has no commands");
	if (!ka_utf8_valid(line, COMMAND_MAX))
		return ka_chat_answer(s, "Too long, or not text");
	host->console(host->ctx, &caller, line, text, sizeof(text));
	return ka_chat_answer(s, text);
}

static void tell_others(struct ka_session *s, const char *text, unsigned int left_out)
{
	struct ka_chat_line line;
	char clean[KA_CHAT_TEXT_MAX + 1];
	char escaped[LOG_TEXT_SIZE];

	ka_log_escape(escaped, sizeof(escaped), text, strlen(text));
	ka_log(INFO, "chat", "line", "n=%u id=\"%s\" name=\"%s\" text=\"%s\" left_out=%u", s->cfg.number, s->peer_id,
	       s->peer_name, escaped, left_out);
	if (!ka_chat_text_clean(clean, sizeof(clean), text, INDENT))
		return;
	snprintf(line.text, sizeof(line.text), "%s: %s", s->peer_name[0] ? s->peer_name : s->peer_id, clean);
	ka_chat_room_say(s->chat.seat, &line);
}

int ka_chat_message(struct ka_session *s, const char *text)
{
	unsigned int left_out = s->chat.rate.left_out;

	if (!*text)
		return 0;
	/* Somebody is there. */
	s->last_input_us = s->last_rx_us;
	if (!ka_chat_rate_pass(&s->chat.rate, s->last_rx_us))
		return left_out ? 0 : ka_chat_answer(s, "Too fast: lines are left out until you pause");
	s->chat.rate.left_out = 0;
	if (text[0] == '/')
		return command(s, text + 1, left_out);
	tell_others(s, text, left_out);
	return 0;
}

int ka_chat_join(struct ka_session *s)
{
	return ka_chat_room_join(s->cfg.chat, s->cfg.number, ka_loop_waker(&s->loop), &s->chat.seat);
}

void ka_chat_leave(struct ka_session *s)
{
	ka_chat_room_leave(s->chat.seat);
	s->chat.seat = NULL;
}

int ka_chat_pump(struct ka_session *s)
{
	struct ka_chat_line line;
	int ret = 0;

	/* What the kernel does not take stays in the seat, where old lines give way to new ones. */
	while (s->chat.seat && !ret && !ka_conn_pending(s->conn) && ka_chat_room_hear(s->chat.seat, &line))
		ret = ka_chat_answer(s, line.text);
	return ret;
}
