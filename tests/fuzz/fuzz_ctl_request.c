/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request on the control socket, all the way to the reply; and the same bytes as a line of the chat. */
#include <stdlib.h>
#include <string.h>

#include "agent/ctl_request.h"
#include "base/log.h"
#include "base/str.h"
#include "tests/fake/fake_console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct fake_console *f, const char *line, size_t size)
{
	const struct ka_console_caller caller = {.where = KA_CONSOLE_SOCKET};
	struct ka_ctl_request request;
	struct ka_console_answer answer;
	char *reply;

	if (ka_ctl_request_parse(&request, line, size) < 0)
		return;
	if (request.n < 1 || request.n > KA_CONSOLE_MAX_WORDS)
		abort();
	if (ka_console_run(&f->console, &caller, request.n, request.words, &answer) < 0)
		abort();
	reply = ka_ctl_request_reply(&answer);
	/* One line, whatever was asked. */
	if (!reply || strchr(reply, '\n'))
		abort();
	free(reply);
	ka_console_answer_fini(&answer);
	ka_ctl_request_fini(&request);
}

static void chat(struct fake_console *f, const char *line)
{
	const struct ka_host_caller caller = {.session = 4, .permissions = KA_RD_MAY_KEYBOARD};
	char answer[200];

	f->kicked = f->approved = f->refused = 0;
	ka_console_chat(&f->console, &caller, line, answer, sizeof(answer));
	if (!ka_utf8_valid(answer, sizeof(answer)) || f->kicked || f->approved || f->refused)
		abort();
	/* The one-time password, unless it was asked in that word. */
	if (strstr(answer, "qrst789") && !strstr(line, "qrst789"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_console f;
	char *line = malloc(size + 1);

	if (!line)
		return 0;
	ka_log_init(2, KA_LOG_ERROR);
	memcpy(line, data, size);
	line[size] = '\0';
	fake_console_init(&f);
	fake_console_add(&f, 4, "in", false);
	fake_console_add(&f, 5, "waits", true);
	ask(&f, line, size);
	chat(&f, line);
	free(line);
	return 0;
}
