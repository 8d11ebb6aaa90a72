/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/console_picture.h"
#include "agent/console_text.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define MAX_LINE 4096 /* bytes, of the chat */

struct call {
	const struct ka_console *c;
	const struct ka_console_caller *caller;
	uint32_t number;  /* 0 = none given */
	const char *word; /* NULL = none given */
	enum ka_console_code code;
};

static bool from_chat(const struct call *k)
{
	return k->caller->where == KA_CONSOLE_CHAT;
}

static json_t *fail(struct call *k, enum ka_console_code code, const char *fmt, ...) KA_PRINTF(3, 4);
static json_t *fail(struct call *k, enum ka_console_code code, const char *fmt, ...)
{
	char words[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	k->code = code;
	return json_pack("{s:o}", "error", ka_console_word(words));
}

static bool may_use(const struct ka_console_command *command, const struct ka_console_caller *caller)
{
	return caller->where == KA_CONSOLE_SOCKET || !(command->permissions & ~caller->permissions);
}

static json_t *run_help(struct call *k)
{
	enum ka_console_id only = k->word ? ka_console_table_find(k->word) : KA_CONSOLE_COUNT;
	json_t *list = json_array();
	char word[64];

	for (enum ka_console_id id = 0; id < KA_CONSOLE_COUNT; id++) {
		const struct ka_console_command *command = &ka_console_table[id];

		if ((k->word && id != only) || !(command->where & k->caller->where) || !may_use(command, k->caller))
			continue;
		if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", command->name, "arguments",
							  command->arguments, "help", command->help)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	if (list && !json_array_size(list)) {
		json_decref(list);
		return fail(k, KA_CONSOLE_REFUSED, "no command '%s': 'help' lists them",
			    ka_log_escape(word, sizeof(word), k->word, strlen(k->word)));
	}
	return json_pack("{s:o}", "commands", list);
}

static json_t *describe_session(const struct call *k, const struct ka_rd_session *s)
{
	int64_t seconds = ka_clock_wall_us() / KA_SEC(1) - s->since_s;
	json_t *o = json_pack("{s:I, s:o, s:o, s:I, s:b}", "number", (json_int_t)s->number, "id",
			      ka_console_word(s->id), "name", ka_console_word(s->name), "seconds",
			      (json_int_t)KA_MAX(seconds, 0), "waiting", s->waiting);
	int ret;

	if (!o)
		return NULL;
	if (from_chat(k))
		ret = json_object_set_new(o, "you", json_boolean(s->number == k->caller->session));
	else
		ret = json_object_update_new(o, json_pack("{s:o, s:s, s:b, s:o, s:I}", "address",
							  ka_console_word(s->address), "path", s->path, "encrypted",
							  s->encrypted, "profile", ka_console_word(s->profile), "since",
							  (json_int_t)s->since_s));
	if (!ret)
		return o;
	json_decref(o);
	return NULL;
}

/* A controller sees who else is in, not where they are, nor who waits at the door. */
static json_t *list_sessions(const struct call *k, bool waiting_only)
{
	struct ka_rd_session found[KA_RD_MAX_STREAMS];
	size_t n = k->c->port.sessions(k->c->port.ctx, found, KA_RD_MAX_STREAMS);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		if ((from_chat(k) && found[i].waiting) || (waiting_only && !found[i].waiting))
			continue;
		if (json_array_append_new(list, describe_session(k, &found[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *run_sessions(struct call *k)
{
	return json_pack("{s:o}", "sessions", list_sessions(k, false));
}

static json_t *describe_usb(const struct call *k)
{
	struct ka_hid_state st = {0};
	json_t *leds;

	k->c->port.hid(k->c->port.ctx, &st);
	leds = st.leds_known ? json_pack("{s:b, s:b, s:b}", "num", !!(st.leds & KA_LED_NUM), "caps",
					 !!(st.leds & KA_LED_CAPS), "scroll", !!(st.leds & KA_LED_SCROLL))
			     : json_null();
	return json_pack("{s:s, s:o, s:o}", "state", ka_usb_state_name(st.usb), "cause",
			 ka_console_word(st.cause ? ka_err_str(st.cause) : ""), "leds", leds);
}

static json_t *run_status(struct call *k)
{
	const struct ka_console_facts *f = &k->c->facts;
	json_t *displays = ka_console_displays(k->c);
	json_t *o = json_pack("{s:s, s:O, s:o, s:o, s:o, s:o, s:I}", "version", KA_VERSION, "picture",
			      json_array_get(displays, 0), "displays", displays, "codecs", ka_console_codecs(k->c),
			      "usb", describe_usb(k), "sessions", list_sessions(k, false), "max_sessions",
			      (json_int_t)f->max_controllers);
	struct ka_rd_status st = {0};
	json_t *more;

	if (!o || from_chat(k))
		return o;
	k->c->port.endpoint(k->c->port.ctx, &st);
	more = json_pack("{s:o, s:o, s:{s:o, s:o, s:b}, s:{s:s, s:s}, s:I, s:I, s:I}", "id", ka_console_word(f->id),
			 "hostname", ka_console_word(f->hostname), "rendezvous", "server", ka_console_word(f->server),
			 "state", ka_console_word(st.server_state), "registered", st.registered, "reported", "platform",
			 f->platform, "version", f->rd_version, "connections", (json_int_t)st.connections,
			 "direct_port", (json_int_t)st.direct_port, "serve_port", (json_int_t)st.serve_port);
	if (json_object_update_new(o, more) < 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *list_links(const struct call *k, bool encrypted)
{
	char links[KA_CONSOLE_MAX_LINKS][KA_CONSOLE_LINK];
	size_t n = k->c->port.links(k->c->port.ctx, encrypted, links, KA_CONSOLE_MAX_LINKS);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(list, ka_console_word(links[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *run_id(struct call *k)
{
	const struct ka_console_facts *f = &k->c->facts;

	return json_pack("{s:o, s:o, s:o, s:o}", "id", ka_console_word(f->id), "server", ka_console_word(f->server),
			 "connect_with", list_links(k, true), "direct", list_links(k, false));
}

/* The number given, or that of the only one who waits; 0 with *refusal set. */
static uint32_t choose_waiting(struct call *k, json_t **refusal)
{
	json_t *waiting = list_sessions(k, true);
	size_t n = json_array_size(waiting);
	uint32_t number = k->number;

	*refusal = NULL;
	if (!number && n == 1)
		number = (uint32_t)json_integer_value(json_object_get(json_array_get(waiting, 0), "number"));
	if (!number && waiting) {
		*refusal = n ? fail(k, KA_CONSOLE_REFUSED, "several wait to be let in: say which")
			     : fail(k, KA_CONSOLE_REFUSED, "nobody waits to be let in%s",
				    k->c->facts.approval ? "" : ": 'approval' is off in section 'rustdesk'");
		if (n && *refusal && json_object_set(*refusal, "waiting", waiting) < 0) {
			json_decref(*refusal);
			*refusal = NULL;
		}
	}
	json_decref(waiting);
	return number;
}

/* Whom it is about: another may have come since the operator looked. */
static struct ka_rd_session who_is(const struct call *k, uint32_t number)
{
	struct ka_rd_session found[KA_RD_MAX_STREAMS];
	size_t n = k->c->port.sessions(k->c->port.ctx, found, KA_RD_MAX_STREAMS);

	for (size_t i = 0; i < n; i++) {
		if (found[i].number == number)
			return found[i];
	}
	return (struct ka_rd_session){.number = number};
}

static json_t *tell(const struct call *k, const struct ka_rd_session *who, const char *done)
{
	ka_log(INFO, "console", done, "n=%u from=%s id=\"%s\" name=\"%s\" uid=%u", who->number, who->address, who->id,
	       who->name, (unsigned int)k->caller->uid);
	return json_pack("{s:I, s:s, s:o, s:o, s:o}", "number", (json_int_t)who->number, "done", done, "id",
			 ka_console_word(who->id), "name", ka_console_word(who->name), "address",
			 ka_console_word(who->address));
}

static json_t *decide(struct call *k, int (*act)(void *ctx, uint32_t number), const char *done)
{
	json_t *refusal;
	uint32_t number = choose_waiting(k, &refusal);
	struct ka_rd_session who;

	if (!number)
		return refusal;
	who = who_is(k, number);
	if (act(k->c->port.ctx, number) < 0)
		return fail(k, KA_CONSOLE_REFUSED, "session %u does not wait to be let in", number);
	return tell(k, &who, done);
}

static json_t *run_approve(struct call *k)
{
	return decide(k, k->c->port.approve, "approved");
}

static json_t *run_refuse(struct call *k)
{
	return decide(k, k->c->port.refuse, "refused");
}

static json_t *run_kick(struct call *k)
{
	struct ka_rd_session who = who_is(k, k->number);

	if (k->c->port.kick(k->c->port.ctx, k->number) < 0)
		return fail(k, KA_CONSOLE_REFUSED, "there is no session %u: 'sessions' lists them", k->number);
	return tell(k, &who, "kicked");
}

static json_t *run_password(struct call *k)
{
	char otp[64] = "";
	json_t *o;

	if (!k->c->facts.otp)
		return fail(k, KA_CONSOLE_REFUSED, "one-time passwords are off: 'one_time_password_length' is 0");
	k->c->port.otp(k->c->port.ctx, otp, sizeof(otp));
	o = json_pack("{s:s}", "password", otp);
	explicit_bzero(otp, sizeof(otp));
	return o;
}

static void log_done(const struct call *k, const char *done)
{
	if (from_chat(k))
		ka_log(INFO, "console", done, "n=%u", k->caller->session);
	else
		ka_log(INFO, "console", done, "uid=%u", (unsigned int)k->caller->uid);
}

static json_t *run_release(struct call *k)
{
	k->c->port.release(k->c->port.ctx);
	log_done(k, "released");
	return json_pack("{s:b}", "released", 1);
}

static json_t *run_stop_typing(struct call *k)
{
	k->c->port.stop_typing(k->c->port.ctx);
	log_done(k, "typing stopped");
	return json_pack("{s:b}", "stopped", 1);
}

static json_t *run_power(struct call *k)
{
	static const struct {
		const char *word, *done;
		enum ka_atx_action action;
	} actions[] = {{"press", "power button pressed", KA_ATX_POWER},
		       {"hold", "power button held", KA_ATX_HOLD},
		       {"reset", "reset button pressed", KA_ATX_RESET}};
	size_t i = 0;
	int ret;

	if (!k->word)
		return json_pack("{s:i}", "light", k->c->port.light(k->c->port.ctx));
	while (i < KA_ARRAY_LEN(actions) && strcmp(k->word, actions[i].word))
		i++;
	if (i == KA_ARRAY_LEN(actions))
		return fail(k, KA_CONSOLE_USAGE, "usage: power, power press, power hold or power reset");
	ret = k->c->port.press(k->c->port.ctx, actions[i].action);
	if (ret == -EBUSY)
		return fail(k, KA_CONSOLE_REFUSED, "a button is being pressed already");
	if (ret == -ENODEV)
		return fail(k, KA_CONSOLE_REFUSED, "the GPIO line of that button cannot be had: the log says why");
	if (ret < 0)
		return fail(k, KA_CONSOLE_REFUSED,
			    "that button is not wired: see section 'power' of the configuration");
	log_done(k, actions[i].done);
	return json_pack("{s:s}", "done", actions[i].done);
}

static json_t *run_version(struct call *k)
{
	const struct ka_console_facts *f = &k->c->facts;

	return json_pack("{s:s, s:{s:s, s:s}}", "version", KA_VERSION, "reported", "platform", f->platform, "version",
			 f->rd_version);
}

static json_t *(*const handlers[KA_CONSOLE_COUNT])(struct call *k) = {
	[KA_CONSOLE_HELP] = run_help,	    [KA_CONSOLE_STATUS] = run_status,
	[KA_CONSOLE_ID] = run_id,	    [KA_CONSOLE_SESSIONS] = run_sessions,
	[KA_CONSOLE_APPROVE] = run_approve, [KA_CONSOLE_REFUSE] = run_refuse,
	[KA_CONSOLE_KICK] = run_kick,	    [KA_CONSOLE_PASSWORD] = run_password,
	[KA_CONSOLE_RELEASE] = run_release, [KA_CONSOLE_STOP_TYPING] = run_stop_typing,
	[KA_CONSOLE_POWER] = run_power,	    [KA_CONSOLE_VERSION] = run_version,
};

static json_t *run(struct call *k, enum ka_console_id id, size_t n, const char *const *words)
{
	const struct ka_console_command *command = &ka_console_table[KA_MIN(id, KA_CONSOLE_COUNT - 1)];
	char word[64];

	/* What only an operator may do does not exist in the chat. */
	if (id == KA_CONSOLE_COUNT || !(command->where & k->caller->where))
		return fail(k, KA_CONSOLE_USAGE, "no command '%s': 'help' lists them",
			    ka_log_escape(word, sizeof(word), words[0], strlen(words[0])));
	if (!may_use(command, k->caller))
		return fail(k, KA_CONSOLE_REFUSED, "your password does not open '%s'", command->name);
	if (ka_console_table_check(id, n, words, &k->number) < 0)
		return fail(k, KA_CONSOLE_USAGE, "usage: %s%s%s", command->name, command->arguments[0] ? " " : "",
			    command->arguments);
	k->word = n > 1 ? words[1] : NULL;
	return handlers[id](k);
}

int ka_console_run(const struct ka_console *c, const struct ka_console_caller *caller, size_t n,
		   const char *const *words, struct ka_console_answer *out)
{
	struct call k = {.c = c, .caller = caller};
	enum ka_console_id id = ka_console_table_find(words[0]);
	int ret = -ENOMEM;

	*out = (struct ka_console_answer){0};
	ka_bytes_init(&out->text, KA_CONSOLE_TEXT_MAX);
	out->data = run(&k, id, n, words);
	out->code = k.code;
	if (out->data)
		ret = ka_console_text_render(&out->text, id, out->data);
	if (ret < 0)
		ka_console_answer_fini(out);
	return ret;
}

void ka_console_answer_fini(struct ka_console_answer *a)
{
	/* It may be the one-time password. */
	if (a->text.data)
		explicit_bzero(a->text.data, a->text.cap);
	ka_bytes_fini(&a->text);
	json_decref(a->data);
	a->data = NULL;
}

/* Splits at blanks, in place. Returns how many words there are, at most max. */
static size_t split(char *line, const char **words, size_t max)
{
	size_t n = 0;
	char *rest = line;
	char *word;

	while (n < max && (word = strsep(&rest, " \t\r\n"))) {
		if (*word)
			words[n++] = word;
	}
	return n;
}

/* Whole characters only. */
static void copy_cut(char *dst, size_t dst_size, const char *src)
{
	size_t len;

	if (ka_str_copy(dst, dst_size, src))
		return;
	len = strlen(dst);
	while (len && !ka_utf8_valid(dst, len))
		dst[--len] = '\0';
}

void ka_console_chat(const struct ka_console *c, const struct ka_host_caller *caller, const char *line, char *answer,
		     size_t answer_size)
{
	const struct ka_console_caller who = {
		.where = KA_CONSOLE_CHAT,
		.session = caller->session,
		.permissions = caller->permissions,
	};
	const char *words[KA_CONSOLE_MAX_WORDS];
	struct ka_console_answer a;
	char copy[MAX_LINE];
	size_t n;

	if (!answer_size)
		return;
	if (!ka_str_copy(copy, sizeof(copy), line) || !ka_utf8_valid(copy, sizeof(copy))) {
		ka_str_copy(answer, answer_size, "That is no command: /help lists them.");
		return;
	}
	n = split(copy, words, KA_CONSOLE_MAX_WORDS);
	if (!n)
		words[n++] = ka_console_table[KA_CONSOLE_HELP].name;
	if (ka_console_run(c, &who, n, words, &a) < 0) {
		ka_str_copy(answer, answer_size, "That failed.");
		return;
	}
	copy_cut(answer, answer_size, (const char *)a.text.data);
	ka_console_answer_fini(&a);
}
