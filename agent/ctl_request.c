/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ctl_request.h"

#include <errno.h>
#include <string.h>

#include "agent/ctl_proto.h"
#include "base/bytes.h"

/* Words are looked up or logged: nothing that could pass for something else. Jansson has seen to UTF-8 and NUL. */
static bool plain_word(const char *word, size_t len)
{
	if (!len || len > KA_CONSOLE_MAX_WORD)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)word[i] < 0x20 || word[i] == 0x7f)
			return false;
	}
	return true;
}

static bool take_words(struct ka_ctl_request *out)
{
	size_t n = json_array_size(out->root);

	if (!n || n > KA_CONSOLE_MAX_WORDS)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *word = json_array_get(out->root, i);

		if (!json_is_string(word) || !plain_word(json_string_value(word), json_string_length(word)))
			return false;
		out->words[i] = json_string_value(word);
	}
	out->n = n;
	return true;
}

int ka_ctl_request_parse(struct ka_ctl_request *out, const char *line, size_t len)
{
	json_error_t error;

	*out = (struct ka_ctl_request){0};
	out->root = json_loadb(line, len, 0, &error);
	if (!out->root)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -KA_E_PEER;
	if (take_words(out))
		return 0;
	ka_ctl_request_fini(out);
	return -KA_E_PEER;
}

void ka_ctl_request_fini(struct ka_ctl_request *r)
{
	json_decref(r->root);
	*r = (struct ka_ctl_request){0};
}

static int collect(const char *data, size_t len, void *arg)
{
	return ka_bytes_add(arg, data, len) < 0 ? -1 : 0;
}

/* Jansson 2.14 overlooks when the name of a member was not taken; an error of the bytes stays. */
static char *dump(json_t *reply)
{
	struct ka_bytes line;

	ka_bytes_init(&line, KA_CTL_REPLY_MAX);
	if (!reply || json_dump_callback(reply, collect, &line, JSON_COMPACT) < 0 || ka_bytes_add(&line, "", 1) < 0)
		ka_bytes_fini(&line);
	json_decref(reply);
	return (char *)line.data;
}

char *ka_ctl_request_reply(const struct ka_console_answer *a)
{
	return dump(json_pack("{s:i, s:s#, s:O}", "code", (int)a->code, "text", (const char *)a->text.data,
			      (int)a->text.len, "data", a->data));
}

char *ka_ctl_request_refusal(enum ka_console_code code, const char *error)
{
	return dump(json_pack("{s:i, s:s+, s:{s:s}}", "code", (int)code, "text", error, "\n", "data", "error", error));
}
