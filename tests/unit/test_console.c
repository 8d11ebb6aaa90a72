/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console over a port that the tests fill: who may do what, arguments, data, text. */
#include "tests/check/check.h"

#include <errno.h>

#include "agent/console.h"
#include "base/clock.h"
#include "base/str.h"
#include "tests/fake/fake_console.h"

#define ESCAPED "Eve\\x1b[2J"

static const struct ka_console_caller op = {.where = KA_CONSOLE_SOCKET, .uid = 0};
static const struct ka_console_caller viewer = {.where = KA_CONSOLE_CHAT, .session = 4};
static const struct ka_console_caller typist = {
	.where = KA_CONSOLE_CHAT, .session = 4, .permissions = KA_RD_MAY_KEYBOARD};

/* Runs words (NULL-terminated); the code. *a is to be freed. */
static enum ka_console_code run(struct fake_console *f, const struct ka_console_caller *who,
				struct ka_console_answer *a, const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	assert_int_equal(ka_console_run(&f->console, who, n, words, a), 0);
	assert_true(json_is_object(a->data));
	assert_int_equal(strlen((const char *)a->text.data), a->text.len);
	assert_int_equal(a->text.data[a->text.len - 1], '\n');
	/* People and programs are told of the same errors. */
	assert_int_equal(json_object_get(a->data, "error") != NULL, a->code != KA_CONSOLE_DONE);
	return a->code;
}

#define WORDS(...)                                                                                                     \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}

static void expect(struct fake_console *f, const struct ka_console_caller *who, enum ka_console_code code,
		   const char *part, const char *const *words)
{
	struct ka_console_answer a;

	assert_int_equal(run(f, who, &a, words), code);
	if (!strstr((const char *)a.text.data, part))
		fail_msg("'%s' has no '%s'", (const char *)a.text.data, part);
	ka_console_answer_fini(&a);
}

static void test_table_is_whole(void **state)
{
	(void)state;
	for (enum ka_console_id id = 0; id < KA_CONSOLE_COUNT; id++) {
		const struct ka_console_command *c = &ka_console_table[id];

		assert_true(c->name && c->name[0] && c->help && c->help[0] && c->arguments);
		assert_int_equal(ka_console_table_find(c->name), id);
		assert_true(c->where & KA_CONSOLE_SOCKET);
		/* Help says what is taken. */
		assert_int_equal(c->argument == KA_CONSOLE_NOTHING, !c->arguments[0]);
		assert_true(strlen(c->name) + strlen(c->arguments) < 18);
	}
	assert_int_equal(ka_console_table_find(""), KA_CONSOLE_COUNT);
	assert_int_equal(ka_console_table_find("Kick"), KA_CONSOLE_COUNT);
}

static void test_arguments_are_checked(void **state)
{
	static const char *const bad[] = {"",	"0", "-1", "+1",	 "1 ",
					  " 1", "x", "1x", "4294967296", "99999999999999999999"};
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_int_equal(ka_console_table_check(KA_CONSOLE_KICK, 2, WORDS("kick", bad[i]), &n), -EINVAL);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_KICK, 0, WORDS("kick"), &n), -EINVAL);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_KICK, 1, WORDS("kick"), &n), -EINVAL);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_KICK, 3, WORDS("kick", "1", "2"), &n), -EINVAL);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_STATUS, 2, WORDS("status", "1"), &n), -EINVAL);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_KICK, 2, WORDS("kick", "4294967295"), &n), 0);
	assert_int_equal(n, UINT32_MAX);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_APPROVE, 1, WORDS("approve"), &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ka_console_table_check(KA_CONSOLE_HELP, 2, WORDS("help", "x"), &n), 0);
}

static void test_unknown_and_mistyped_commands_are_usage(void **state)
{
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	expect(&f, &op, KA_CONSOLE_USAGE, "no command 'foo'", WORDS("foo"));
	expect(&f, &op, KA_CONSOLE_USAGE, "no command '\\x1b[2J'", WORDS("\x1b[2J"));
	expect(&f, &op, KA_CONSOLE_USAGE, "usage: kick N", WORDS("kick"));
	expect(&f, &op, KA_CONSOLE_USAGE, "usage: kick N", WORDS("kick", "0"));
	expect(&f, &op, KA_CONSOLE_USAGE, "usage: version\n", WORDS("version", "x"));
	assert_int_equal(f.kicked, 0);
}

static void test_power_presses_buttons_for_those_who_may(void **state)
{
	const struct ka_console_caller powerful = {
		.where = KA_CONSOLE_CHAT, .session = 4, .permissions = KA_RD_MAY_POWER};
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	expect(&f, &typist, KA_CONSOLE_REFUSED, "your password does not open 'power'", WORDS("power", "reset"));
	expect(&f, &op, KA_CONSOLE_USAGE, "usage: power, power press", WORDS("power", "off"));
	assert_int_equal(f.pressed, KA_ATX_NONE);
	expect(&f, &powerful, KA_CONSOLE_DONE, "reset button pressed", WORDS("power", "reset"));
	assert_int_equal(f.pressed, KA_ATX_RESET);
	expect(&f, &op, KA_CONSOLE_DONE, "power button held", WORDS("power", "hold"));
	assert_int_equal(f.pressed, KA_ATX_HOLD);
	expect(&f, &op, KA_CONSOLE_DONE, "power button pressed", WORDS("power", "press"));
	assert_int_equal(f.pressed, KA_ATX_POWER);
	f.press_result = -ENODEV;
	expect(&f, &op, KA_CONSOLE_REFUSED, "cannot be had", WORDS("power", "reset"));
	f.press_result = -ENOTSUP;
	expect(&f, &op, KA_CONSOLE_REFUSED, "not wired", WORDS("power", "press"));
	f.press_result = -EBUSY;
	expect(&f, &op, KA_CONSOLE_REFUSED, "already", WORDS("power", "press"));
	f.light = 1;
	expect(&f, &op, KA_CONSOLE_DONE, "the target is on\n", WORDS("power"));
	f.light = 0;
	expect(&f, &op, KA_CONSOLE_DONE, "the target is off\n", WORDS("power"));
	f.light = -1;
	expect(&f, &op, KA_CONSOLE_DONE, "not wired", WORDS("power"));
}

static void test_help_lists_what_the_caller_may_use(void **state)
{
	struct ka_console_answer a;
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	run(&f, &op, &a, WORDS("help"));
	assert_int_equal(json_array_size(json_object_get(a.data, "commands")), KA_CONSOLE_COUNT);
	ka_console_answer_fini(&a);
	run(&f, &viewer, &a, WORDS("help"));
	assert_non_null(strstr((char *)a.text.data, "status "));
	assert_null(strstr((char *)a.text.data, "release"));
	assert_null(strstr((char *)a.text.data, "password"));
	assert_null(strstr((char *)a.text.data, "kick"));
	ka_console_answer_fini(&a);
	expect(&f, &typist, KA_CONSOLE_DONE, "release ", WORDS("help"));
	expect(&f, &typist, KA_CONSOLE_DONE, "who is connected", WORDS("help", "sessions"));
	expect(&f, &typist, KA_CONSOLE_REFUSED, "no command 'kick'", WORDS("help", "kick"));
}

static void test_chat_is_bounded_by_its_permissions(void **state)
{
	static const char *const never[] = {"id", "approve", "refuse", "kick", "password"};
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	for (size_t i = 0; i < KA_ARRAY_LEN(never); i++) {
		expect(&f, &typist, KA_CONSOLE_USAGE, "no command", WORDS(never[i]));
		expect(&f, &typist, KA_CONSOLE_USAGE, "no command", WORDS(never[i], "4"));
	}
	expect(&f, &viewer, KA_CONSOLE_REFUSED, "your password does not open 'release'", WORDS("release"));
	assert_int_equal(f.released, 0);
	expect(&f, &typist, KA_CONSOLE_DONE, "released", WORDS("release"));
	assert_int_equal(f.released, 1);
	expect(&f, &op, KA_CONSOLE_DONE, "released", WORDS("release"));
	assert_int_equal(f.released, 2);
	expect(&f, &viewer, KA_CONSOLE_REFUSED, "your password does not open 'stop-typing'", WORDS("stop-typing"));
	assert_int_equal(f.typing_stopped, 0);
	expect(&f, &typist, KA_CONSOLE_DONE, "typing is stopped", WORDS("stop-typing"));
	expect(&f, &op, KA_CONSOLE_DONE, "typing is stopped", WORDS("stop-typing"));
	assert_int_equal(f.typing_stopped, 2);
	assert_int_equal(f.kicked + f.approved + f.refused, 0);
}

static void test_sessions_show_the_operator_more_than_the_chat(void **state)
{
	struct ka_console_answer a;
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	fake_console_add(&f, 4, ESCAPED, false);
	fake_console_add(&f, 9, "late", true);
	f.sessions[0].since_s = ka_clock_wall_us() / KA_SEC(1) - 3700;
	run(&f, &op, &a, WORDS("sessions"));
	assert_non_null(strstr((char *)a.text.data,
			       "    4  1000004 \"" ESCAPED "\"  from 192.0.2.4:5004, relay, encrypted  "
			       "for 1 h 01 min, password \"permanent\"\n"));
	assert_non_null(strstr((char *)a.text.data, "    9  1000009 \"late\"  from 192.0.2.9:5009, relay, encrypted  "
						    "WAITS to be let in for "));
	assert_int_equal(json_array_size(json_object_get(a.data, "sessions")), 2);
	ka_console_answer_fini(&a);
	run(&f, &viewer, &a, WORDS("sessions"));
	assert_null(strstr((char *)a.text.data, "192.0.2"));
	assert_null(strstr((char *)a.text.data, "late"));
	assert_null(strstr((char *)a.text.data, "permanent"));
	assert_non_null(strstr((char *)a.text.data, "\"  for 1 h 01 min (you)\n"));
	ka_console_answer_fini(&a);
	f.n_sessions = 0;
	expect(&f, &op, KA_CONSOLE_DONE, "nobody is connected", WORDS("sessions"));
}

static void test_approve_and_refuse_take_the_only_one_who_waits(void **state)
{
	struct ka_console_answer a;
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	fake_console_add(&f, 4, "in", false);
	expect(&f, &op, KA_CONSOLE_REFUSED, "nobody waits to be let in\n", WORDS("approve"));
	f.console.facts.approval = false;
	expect(&f, &op, KA_CONSOLE_REFUSED, "nobody waits to be let in: 'approval' is off", WORDS("refuse"));
	expect(&f, &op, KA_CONSOLE_REFUSED, "session 4 does not wait", WORDS("approve", "4"));
	assert_int_equal(f.approved + f.refused, 0);
	fake_console_add(&f, 5, "one", true);
	expect(&f, &op, KA_CONSOLE_DONE, "session 5 approved: ", WORDS("approve"));
	assert_int_equal(f.approved, 5);
	expect(&f, &op, KA_CONSOLE_DONE, "session 5 refused: ", WORDS("refuse"));
	assert_int_equal(f.refused, 5);
	fake_console_add(&f, 6, "two", true);
	f.approved = 0;
	assert_int_equal(run(&f, &op, &a, WORDS("approve")), KA_CONSOLE_REFUSED);
	assert_non_null(strstr((char *)a.text.data, "say which\n    5  "));
	assert_non_null(strstr((char *)a.text.data, "\n    6  "));
	assert_null(strstr((char *)a.text.data, "\n    4  "));
	assert_int_equal(json_array_size(json_object_get(a.data, "waiting")), 2);
	ka_console_answer_fini(&a);
	assert_int_equal(f.approved, 0);
	expect(&f, &op, KA_CONSOLE_DONE, "session 6 approved", WORDS("approve", "6"));
	assert_int_equal(f.approved, 6);
}

static void test_kick_names_the_session(void **state)
{
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	fake_console_add(&f, 4, "in", false);
	expect(&f, &op, KA_CONSOLE_REFUSED, "there is no session 5", WORDS("kick", "5"));
	expect(&f, &op, KA_CONSOLE_DONE, "session 4 kicked", WORDS("kick", "4"));
	assert_int_equal(f.kicked, 4);
}

static void test_status_tells_what_is_true(void **state)
{
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	expect(&f, &op, KA_CONSOLE_DONE, "picture   nobody watches", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "codecs    no encoder works\n", WORDS("status"));
	f.codecs = (struct ka_codec_list){{KA_CODEC_VP9, KA_CODEC_H264}, 2, 1u << KA_CODEC_H264};
	expect(&f, &op, KA_CONSOLE_DONE, "codecs    vp9 (fails now), h264\n", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "usb       no USB device controller works: no capture device",
	       WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "server    waiting for hbbs", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "ID 123456789, shown as \"kvm-test\", RustDesk 1.3.8 on Linux",
	       WORDS("status"));
	f.signals[0] = (struct ka_signal){.watched = true, .geometry = {1920, 1080}, .source_fps_mhz = 59940};
	f.kbps = 4000;
	f.hid = (struct ka_hid_state){.usb = KA_USB_CONFIGURED, .leds_known = true, .leds = KA_LED_CAPS};
	f.endpoint.serve_port = 21116;
	fake_console_add(&f, 4, "in", false);
	fake_console_add(&f, 5, "out", true);
	expect(&f, &op, KA_CONSOLE_DONE, "picture   live, 1920x1080, source 59.94 Hz, 4000 kbit/s\n", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "; NumLock off, CapsLock on, ScrollLock off\n", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "serve     port 21116", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "sessions  1 of 8, and 1 waiting: kvmagentctl approve", WORDS("status"));
	f.signals[0].cause = -KA_E_NO_CABLE;
	expect(&f, &op, KA_CONSOLE_DONE, "picture   none (", WORDS("status"));
	expect(&f, &viewer, KA_CONSOLE_DONE, "sessions  1 of 8\n", WORDS("status"));
}

static void test_status_tells_how_long_pictures_take(void **state)
{
	struct ka_console_answer a;
	struct fake_console f;
	json_t *stages;

	(void)state;
	fake_console_init(&f);
	run(&f, &op, &a, WORDS("status"));
	assert_null(strstr((char *)a.text.data, "delays"));
	ka_console_answer_fini(&a);
	f.stages[KA_STAGE_ENCODE] = (struct ka_percentiles){1234, 8120, 9000, 15500};
	run(&f, &op, &a, WORDS("status"));
	assert_non_null(strstr((char *)a.text.data, "encode                  8.12    9.00   15.50\n"));
	assert_null(strstr((char *)a.text.data, "seal and send"));
	stages = json_object_get(json_object_get(a.data, "picture"), "stages");
	assert_int_equal(json_object_size(stages), 1);
	stages = json_object_get(stages, "encode");
	assert_int_equal(json_integer_value(json_object_get(stages, "pictures")), 1234);
	assert_int_equal(json_integer_value(json_object_get(stages, "p99_us")), 15500);
	ka_console_answer_fini(&a);
}

static void test_status_names_each_of_several_displays(void **state)
{
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	f.console.facts.n_displays = 2;
	f.signals[0] = (struct ka_signal){.watched = true, .geometry = {1920, 1080}};
	f.signals[1] = (struct ka_signal){.cause = -KA_E_NO_DEVICE, .geometry = {800, 600}};
	expect(&f, &op, KA_CONSOLE_DONE, "picture   HDMI: live, 1920x1080", WORDS("status"));
	expect(&f, &op, KA_CONSOLE_DONE, "picture   right: nobody watches", WORDS("status"));
	f.signals[1].watched = true;
	expect(&f, &op, KA_CONSOLE_DONE, "picture   right: none (", WORDS("status"));
}

static void test_status_of_the_chat_keeps_the_rest_secret(void **state)
{
	struct ka_console_answer a;
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	f.stages[KA_STAGE_ENCODE] = (struct ka_percentiles){1, 1, 1, 1};
	run(&f, &typist, &a, WORDS("status"));
	assert_null(strstr((char *)a.text.data, "hbbs"));
	assert_null(strstr((char *)a.text.data, "delays"));
	assert_null(json_object_get(a.data, "rendezvous"));
	assert_null(json_object_get(a.data, "id"));
	ka_console_answer_fini(&a);
}

static void test_password_is_shown_to_the_operator(void **state)
{
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	expect(&f, &op, KA_CONSOLE_DONE, "qrst789\n", WORDS("password"));
	f.console.facts.otp = false;
	expect(&f, &op, KA_CONSOLE_REFUSED, "one-time passwords are off", WORDS("password"));
}

static void test_id_says_how_to_connect(void **state)
{
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	expect(&f, &op, KA_CONSOLE_DONE, "  123456789@192.0.2.2?key=K\n", WORDS("id"));
	expect(&f, &op, KA_CONSOLE_DONE,
	       "Direct, NOT encrypted: type one of these into a client's ID box:\n  192.0.2.2\n", WORDS("id"));
	expect(&f, &op, KA_CONSOLE_DONE, "server    hbbs.example:", WORDS("id"));
	f.links = false;
	f.console.facts.server = "";
	expect(&f, &op, KA_CONSOLE_DONE, "Nobody can connect", WORDS("id"));
	expect(&f, &op, KA_CONSOLE_DONE, "\nNobody can connect: set 'server'", WORDS("status"));
	/* A configuration may hold any bytes. */
	f.console.facts.server = "h\xff";
	expect(&f, &op, KA_CONSOLE_DONE, "server    h\\xff:", WORDS("id"));
}

static void test_long_words_are_cut_between_characters(void **state)
{
	char server[3001];
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	for (size_t i = 0; i < 1500; i++)
		memcpy(server + 2 * i, "\xc3\xa4", 3);
	f.console.facts.server = server;
	for (size_t shift = 0; shift < 2; shift++) {
		struct ka_console_answer a;

		run(&f, &op, &a, WORDS("id"));
		assert_true(ka_utf8_valid((char *)a.text.data, a.text.len));
		ka_console_answer_fini(&a);
		f.console.facts.id = "1234567890";
		server[0] = 'x';
		memmove(server + 1, server + 2, 2999);
	}
}

static void chat(struct fake_console *f, const char *line, char *answer, size_t size)
{
	const struct ka_host_caller caller = {.session = 4, .permissions = KA_RD_MAY_KEYBOARD};

	memset(answer, 'x', size);
	ka_console_chat(&f->console, &caller, line, answer, size);
	assert_non_null(memchr(answer, '\0', size));
}

static void test_chat_line_is_split_and_answered(void **state)
{
	char answer[2048];
	char longer[5000];
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	chat(&f, "  release \n", answer, sizeof(answer));
	assert_int_equal(f.released, 1);
	assert_non_null(strstr(answer, "released"));
	chat(&f, "", answer, sizeof(answer));
	assert_non_null(strstr(answer, "list the commands"));
	chat(&f, "help\trelease", answer, sizeof(answer));
	assert_int_equal(strncmp(answer, "release ", 8), 0);
	chat(&f, "a b c d e f g h i j k", answer, sizeof(answer));
	assert_non_null(strstr(answer, "no command 'a'"));
	chat(&f, "\xff\xfe", answer, sizeof(answer));
	assert_non_null(strstr(answer, "no command"));
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	chat(&f, longer, answer, sizeof(answer));
	assert_non_null(strstr(answer, "no command"));
	assert_int_equal(f.released, 1);
}

static void test_chat_answer_is_cut_between_characters(void **state)
{
	char answer[64];
	struct fake_console f;

	(void)state;
	fake_console_init(&f);
	fake_console_add(&f, 4, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", false);
	for (size_t size = 1; size < sizeof(answer); size++) {
		chat(&f, "sessions", answer, size);
		assert_true(ka_utf8_valid(answer, size));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_arguments_are_checked),
		cmocka_unit_test(test_unknown_and_mistyped_commands_are_usage),
		cmocka_unit_test(test_power_presses_buttons_for_those_who_may),
		cmocka_unit_test(test_help_lists_what_the_caller_may_use),
		cmocka_unit_test(test_chat_is_bounded_by_its_permissions),
		cmocka_unit_test(test_sessions_show_the_operator_more_than_the_chat),
		cmocka_unit_test(test_approve_and_refuse_take_the_only_one_who_waits),
		cmocka_unit_test(test_kick_names_the_session),
		cmocka_unit_test(test_status_tells_what_is_true),
		cmocka_unit_test(test_status_tells_how_long_pictures_take),
		cmocka_unit_test(test_status_names_each_of_several_displays),
		cmocka_unit_test(test_status_of_the_chat_keeps_the_rest_secret),
		cmocka_unit_test(test_password_is_shown_to_the_operator),
		cmocka_unit_test(test_id_says_how_to_connect),
		cmocka_unit_test(test_long_words_are_cut_between_characters),
		cmocka_unit_test(test_chat_line_is_split_and_answered),
		cmocka_unit_test(test_chat_answer_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
