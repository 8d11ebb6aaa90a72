/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/console_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/stages.h"
#include "base/str.h"

#define LINE_MAX_BYTES 1024
/* As the package leaves it. */
#define NO_WAY_IN                                                                                                      \
	"Nobody can connect: set 'server', or enable 'serve' or 'direct', in section 'rustdesk' of the "               \
	"configuration, and restart.\n"

static void add(struct ka_bytes *out, const char *fmt, ...) KA_PRINTF(2, 3);
static void add(struct ka_bytes *out, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	len = strlen(line);
	/* What was cut, was cut between characters. */
	while (len && len >= sizeof(line) - 4 && !ka_utf8_valid(line, len))
		line[--len] = '\0';
	/* An error sticks to out. */
	(void)ka_bytes_add(out, line, len);
}

/* "" when there is no such member: a chat's data has fewer. */
static const char *word_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static int64_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool is_set(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static void add_duration(struct ka_bytes *out, int64_t seconds)
{
	if (seconds < 60)
		add(out, "%" PRId64 " s", seconds);
	else if (seconds < 3600)
		add(out, "%" PRId64 " min", seconds / 60);
	else
		add(out, "%" PRId64 " h %02" PRId64 " min", seconds / 3600, seconds / 60 % 60);
}

static void add_session(struct ka_bytes *out, const json_t *s)
{
	add(out, "%5" PRId64 "  %s \"%s\"", number_of(s, "number"), word_of(s, "id"), word_of(s, "name"));
	if (json_object_get(s, "address"))
		add(out, "  from %s, %s, %s", word_of(s, "address"), word_of(s, "path"),
		    is_set(s, "encrypted") ? "encrypted" : "NOT encrypted");
	if (is_set(s, "waiting")) {
		add(out, "  WAITS to be let in for ");
		add_duration(out, number_of(s, "seconds"));
	} else {
		add(out, "  for ");
		add_duration(out, number_of(s, "seconds"));
		if (json_object_get(s, "profile"))
			add(out, ", password \"%s\"", word_of(s, "profile"));
	}
	add(out, "%s\n", is_set(s, "you") ? " (you)" : "");
}

static void add_sessions(struct ka_bytes *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		add_session(out, json_array_get(list, i));
}

static size_t count_waiting(const json_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		n += is_set(json_array_get(list, i), "waiting");
	return n;
}

static void show_help(struct ka_bytes *out, const json_t *data)
{
	const json_t *list = json_object_get(data, "commands");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		const char *arguments = word_of(c, "arguments");
		int room = 18 - (int)strlen(word_of(c, "name")) - (arguments[0] ? 1 : 0);

		add(out, "%s%s%-*s  %s\n", word_of(c, "name"), arguments[0] ? " " : "", KA_MAX(room, 0), arguments,
		    word_of(c, "help"));
	}
}

/* named: there are several. */
static void show_picture(struct ka_bytes *out, const json_t *p, bool named)
{
	double fps = json_real_value(json_object_get(p, "source_fps"));
	const char *state = word_of(p, "state");

	add(out, "picture   %s%s", named ? word_of(p, "name") : "", named ? ": " : "");
	if (!strcmp(state, "idle")) {
		add(out, "nobody watches, so nothing is captured\n");
		return;
	}
	if (!strcmp(state, "slate"))
		add(out, "none (%s); a picture that says so is shown, ", word_of(p, "cause"));
	else
		add(out, "live, ");
	add(out, "%" PRId64 "x%" PRId64, number_of(p, "width"), number_of(p, "height"));
	if (fps > 0)
		add(out, ", source %.2f Hz", fps);
	add(out, ", %" PRId64 " kbit/s\n", number_of(p, "kbps"));
}

static void show_codecs(struct ka_bytes *out, json_t *codecs)
{
	const char *name;
	const char *gap = "";
	json_t *works;

	add(out, "codecs    %s", json_object_size(codecs) ? "" : "no encoder works");
	json_object_foreach(codecs, name, works)
	{
		add(out, "%s%s%s", gap, name, json_is_true(works) ? "" : " (fails now)");
		gap = ", ";
	}
	add(out, "\n");
}

static double ms_of(const json_t *stage, const char *key)
{
	return (double)number_of(stage, key) / 1000;
}

static void show_stages(struct ka_bytes *out, const json_t *stages)
{
	static const char *const words[KA_STAGES] = {
		[KA_STAGE_ARRIVE] = "driver to agent",	[KA_STAGE_PREPARE] = "compare and convert",
		[KA_STAGE_WAIT] = "wait for encoder",	[KA_STAGE_ENCODE] = "encode",
		[KA_STAGE_QUEUE] = "wait for session",	[KA_STAGE_SEND] = "seal and send",
		[KA_STAGE_BESIDE] = "all but encoding", [KA_STAGE_WHOLE] = "driver to socket",
	};

	if (!json_object_size(stages))
		return;
	add(out, "delays    of the last pictures in ms: half of them within, 95 %%, 99 %%\n");
	for (enum ka_stage i = 0; i < KA_STAGES; i++) {
		const json_t *s = json_object_get(stages, ka_stage_name(i));

		if (s)
			add(out, "          %-20s%8.2f%8.2f%8.2f\n", words[i], ms_of(s, "p50_us"), ms_of(s, "p95_us"),
			    ms_of(s, "p99_us"));
	}
}

static void show_usb(struct ka_bytes *out, const json_t *usb)
{
	static const char *const states[][2] = {
		{"none", "no USB device controller works"},
		{"detached", "no target is attached"},
		{"suspended", "the target sleeps"},
		{"configured", "the target takes keys and mouse"},
	};
	const json_t *leds = json_object_get(usb, "leds");
	const char *state = word_of(usb, "state");

	for (size_t i = 0; i < KA_ARRAY_LEN(states); i++) {
		if (!strcmp(state, states[i][0]))
			state = states[i][1];
	}
	add(out, "usb       %s", state);
	if (word_of(usb, "cause")[0])
		add(out, ": %s", word_of(usb, "cause"));
	if (json_is_object(leds))
		add(out, "; NumLock %s, CapsLock %s, ScrollLock %s", is_set(leds, "num") ? "on" : "off",
		    is_set(leds, "caps") ? "on" : "off", is_set(leds, "scroll") ? "on" : "off");
	add(out, "\n");
}

static void show_status(struct ka_bytes *out, const json_t *data)
{
	const json_t *rendezvous = json_object_get(data, "rendezvous");
	const json_t *sessions = json_object_get(data, "sessions");
	const json_t *displays = json_object_get(data, "displays");
	size_t waiting = count_waiting(sessions);

	add(out, "kvmagent  %s", word_of(data, "version"));
	if (json_object_get(data, "id"))
		add(out, ", ID %s, shown as \"%s\", RustDesk %s on %s", word_of(data, "id"), word_of(data, "hostname"),
		    word_of(json_object_get(data, "reported"), "version"),
		    word_of(json_object_get(data, "reported"), "platform"));
	add(out, "\n");
	for (size_t i = 0; i < json_array_size(displays); i++) {
		const json_t *p = json_array_get(displays, i);

		show_picture(out, p, json_array_size(displays) > 1);
		if (json_object_get(data, "id"))
			show_stages(out, json_object_get(p, "stages"));
	}
	show_codecs(out, json_object_get(data, "codecs"));
	show_usb(out, json_object_get(data, "usb"));
	if (rendezvous)
		add(out, "server    %s\n", word_of(rendezvous, "state"));
	if (number_of(data, "serve_port"))
		add(out, "serve     port %" PRId64 " (encrypted, without any server: kvmagentctl id)\n",
		    number_of(data, "serve_port"));
	if (number_of(data, "direct_port"))
		add(out, "direct    port %" PRId64 " (NOT encrypted)\n", number_of(data, "direct_port"));
	if (rendezvous && !word_of(rendezvous, "server")[0] && !number_of(data, "serve_port") &&
	    !number_of(data, "direct_port"))
		add(out, NO_WAY_IN);
	add(out, "sessions  %zu of %" PRId64, json_array_size(sessions) - waiting, number_of(data, "max_sessions"));
	if (waiting)
		add(out, ", and %zu waiting: kvmagentctl approve or refuse", waiting);
	add(out, "\n");
	add_sessions(out, sessions);
}

static void add_links(struct ka_bytes *out, const char *title, const json_t *links)
{
	if (json_array_size(links))
		add(out, "%s\n", title);
	for (size_t i = 0; i < json_array_size(links); i++)
		add(out, "  %s\n", json_string_value(json_array_get(links, i)));
}

static void show_id(struct ka_bytes *out, const json_t *data)
{
	const json_t *links = json_object_get(data, "connect_with");
	const json_t *direct = json_object_get(data, "direct");

	add(out, "ID        %s\n", word_of(data, "id"));
	if (word_of(data, "server")[0])
		add(out, "server    %s: enter the ID in a client that uses the same server and key\n",
		    word_of(data, "server"));
	else if (!json_array_size(links) && !json_array_size(direct))
		add(out, NO_WAY_IN);
	add_links(out, "Encrypted, without any server: paste one of these into a client's ID box:", links);
	add_links(out, "Direct, NOT encrypted: type one of these into a client's ID box:", direct);
}

static void show_sessions(struct ka_bytes *out, const json_t *data)
{
	const json_t *list = json_object_get(data, "sessions");

	if (!json_array_size(list))
		add(out, "nobody is connected\n");
	add_sessions(out, list);
}

static void show_done(struct ka_bytes *out, const json_t *data)
{
	add(out, "session %" PRId64 " %s: %s \"%s\" from %s\n", number_of(data, "number"), word_of(data, "done"),
	    word_of(data, "id"), word_of(data, "name"), word_of(data, "address"));
}

static void show_password(struct ka_bytes *out, const json_t *data)
{
	add(out, "%s\n", word_of(data, "password"));
}

static void show_stop_typing(struct ka_bytes *out, const json_t *data)
{
	(void)data;
	add(out, "typing is stopped\n");
}

static void show_release(struct ka_bytes *out, const json_t *data)
{
	(void)data;
	add(out, "all keys and buttons are released\n");
}

static void show_power(struct ka_bytes *out, const json_t *data)
{
	const char *done = json_string_value(json_object_get(data, "done"));
	int64_t light = number_of(data, "light");

	if (done)
		add(out, "%s\n", done);
	else
		add(out, "the target is %s\n",
		    light < 0 ? "on or off: its power light is not wired"
		    : light   ? "on"
			      : "off");
}

static void show_version(struct ka_bytes *out, const json_t *data)
{
	const json_t *reported = json_object_get(data, "reported");

	add(out, "kvmagent %s (controllers are told RustDesk %s on %s)\n", word_of(data, "version"),
	    word_of(reported, "version"), word_of(reported, "platform"));
}

static void (*const shows[KA_CONSOLE_COUNT])(struct ka_bytes *out, const json_t *data) = {
	[KA_CONSOLE_HELP] = show_help,	     [KA_CONSOLE_STATUS] = show_status,
	[KA_CONSOLE_ID] = show_id,	     [KA_CONSOLE_SESSIONS] = show_sessions,
	[KA_CONSOLE_APPROVE] = show_done,    [KA_CONSOLE_REFUSE] = show_done,
	[KA_CONSOLE_KICK] = show_done,	     [KA_CONSOLE_PASSWORD] = show_password,
	[KA_CONSOLE_RELEASE] = show_release, [KA_CONSOLE_STOP_TYPING] = show_stop_typing,
	[KA_CONSOLE_POWER] = show_power,     [KA_CONSOLE_VERSION] = show_version,
};

int ka_console_text_render(struct ka_bytes *out, enum ka_console_id id, const json_t *data)
{
	const char *error = json_string_value(json_object_get(data, "error"));

	if (error) {
		add(out, "%s\n", error);
		add_sessions(out, json_object_get(data, "waiting"));
	} else {
		shows[id](out, data);
	}
	if (ka_bytes_add(out, "", 1) < 0)
		return out->error;
	out->len--;
	return 0;
}
