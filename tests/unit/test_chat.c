/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chat of a session: lines to others, commands to the host, and no flood. */
#include "tests/fake/session_check.h"

#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#include "base/str.h"

/* Somebody else in the room. */
struct listener {
	struct ka_chat_seat *seat;
	sem_t heard;
};

static void on_heard(void *arg)
{
	sem_post(arg);
}

static void listen_in(struct listener *l, struct session_rig *r)
{
	struct ka_wake wake = {.fn = on_heard, .arg = &l->heard};

	sem_init(&l->heard, 0, 0);
	assert_int_equal(ka_chat_room_join(r->chat, 1000, wake, &l->seat), 0);
}

static const char *hear(struct listener *l, struct ka_chat_line *line)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 20;
	assert_int_equal(sem_timedwait(&l->heard, &deadline), 0);
	assert_true(ka_chat_room_hear(l->seat, line));
	return line->text;
}

static unsigned int count_heard(struct listener *l)
{
	struct ka_chat_line line;
	unsigned int n = 0;

	while (ka_chat_room_hear(l->seat, &line))
		n++;
	return n;
}

static void leave(struct listener *l)
{
	ka_chat_room_leave(l->seat);
	sem_destroy(&l->heard);
}

static void write_line(struct session_rig *r, const char *text)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__ChatMessage chat = RD__CHAT_MESSAGE__INIT;
	char *copy = strdup(text);

	assert_non_null(copy);
	chat.text = copy;
	misc.union_case = RD__MISC__UNION_CHAT_MESSAGE;
	misc.chat_message = &chat;
	assert_true(client_send_misc(&r->client, &misc));
	free(copy);
}

static const char *read_line(struct session_rig *r)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CHAT_MESSAGE);
	return m->misc->chat_message->text;
}

static void login(struct session_rig *r)
{
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
}

static char rude_id[] = "9\n9";
static char rude_name[] = "";

static void rude(Rd__LoginRequest *l)
{
	l->my_id = rude_id;
	l->my_name = rude_name;
}

static void test_line_goes_to_others_and_not_back(void **state)
{
	struct session_rig *r = *state;
	struct ka_chat_line line;
	struct listener other;

	listen_in(&other, r);
	login(r);
	write_line(r, "hello\nEve: \xe2\x80\xaeyou\xff");
	assert_string_equal(hear(&other, &line), "Tester: hello\n    Eve: you?");
	assert_int_equal(client_fence(&r->client), 0);
	/* Nothing in it. */
	write_line(r, "");
	write_line(r, "\xe2\x80\x8b");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(count_heard(&other), 0);
	leave(&other);
}

static void test_nameless_speaks_by_its_id(void **state)
{
	struct session_rig *r = *state;
	struct ka_chat_line line;
	struct listener other;

	listen_in(&other, r);
	assert_true(session_rig_login(r, rude));
	write_line(r, "it is me");
	assert_string_equal(hear(&other, &line), "9\\x0a9: it is me");
	leave(&other);
}

static void test_what_others_say_is_heard_once_in(void **state)
{
	struct ka_chat_line line = {"Alice: hello\n    there \xf0\x9f\x98\x80"};
	struct session_rig *r = *state;
	struct listener other;

	listen_in(&other, r);
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	ka_chat_room_say(other.seat, &line);
	write_line(r, "before login");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(count_heard(&other), 0);
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_non_null(client_next(&r->client));
	assert_int_equal(client_fence(&r->client), 0);
	ka_chat_room_say(other.seat, &line);
	assert_string_equal(read_line(r), line.text);
	leave(&other);
}

static void test_long_line_is_cut(void **state)
{
	struct session_rig *r = *state;
	struct ka_chat_line line;
	struct listener other;
	char text[5001];

	listen_in(&other, r);
	login(r);
	memset(text, 'x', 5000);
	text[5000] = '\0';
	write_line(r, text);
	assert_int_equal(strlen(hear(&other, &line)), strlen("Tester: ") + KA_CHAT_TEXT_MAX);
	assert_string_equal(line.text + strlen(line.text) - 3, "\xe2\x80\xa6");
	leave(&other);
}

static void test_flood_is_stopped_with_one_word(void **state)
{
	struct session_rig *r = *state;
	struct listener other;

	fake_host_give_console(&r->host, "");
	listen_in(&other, r);
	login(r);
	for (int i = 0; i < 200; i++) {
		write_line(r, "flood");
		write_line(r, "/flood");
	}
	assert_non_null(strstr(read_line(r), "Too fast"));
	/* Slow machines may let one or two more pass, each of which may be followed by another word. */
	assert_in_range(client_fence(&r->client), 0, 20);
	assert_in_range(count_heard(&other) + fake_host_count(&r->host, &r->host.console_calls), KA_CHAT_BURST, 40);
	leave(&other);
}

static void test_commands_go_to_the_console_only(void **state)
{
	struct session_rig *r = *state;
	struct listener other;
	char text[5001] = "/";

	fake_host_give_console(&r->host, "one\ntwo \xc3\xb6");
	listen_in(&other, r);
	login(r);
	write_line(r, "/type a \xc3\xb6\n b");
	assert_string_equal(read_line(r), "one\ntwo \xc3\xb6");
	assert_string_equal(r->host.console_line, "type a \xc3\xb6\n b");
	assert_int_equal(r->host.console_caller.session, RIG_NUMBER);
	assert_int_equal(r->host.console_caller.permissions, KA_RD_MAY_ALL);
	/* Half a command may do harm: none instead. */
	memset(text + 1, 'x', 4999);
	write_line(r, text);
	assert_non_null(strstr(read_line(r), "long"));
	write_line(r, "/type \xff");
	assert_non_null(strstr(read_line(r), "text"));
	assert_int_equal(fake_host_count(&r->host, &r->host.console_calls), 1);
	assert_int_equal(count_heard(&other), 0);
	leave(&other);
}

static void test_silent_command_is_not_answered(void **state)
{
	struct session_rig *r = *state;

	fake_host_give_console(&r->host, "");
	login(r);
	write_line(r, "/quiet");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.console_calls), 1);
}

static void test_without_console_there_are_no_commands(void **state)
{
	struct session_rig *r = *state;
	struct listener other;

	listen_in(&other, r);
	login(r);
	write_line(r, "/help");
	assert_string_equal(read_line(r), "This device has no commands");
	assert_int_equal(count_heard(&other), 0);
	leave(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_line_goes_to_others_and_not_back), RIG(test_nameless_speaks_by_its_id),
		RIG(test_what_others_say_is_heard_once_in), RIG(test_long_line_is_cut),
		RIG(test_flood_is_stopped_with_one_word),   RIG(test_commands_go_to_the_console_only),
		RIG(test_silent_command_is_not_answered),   RIG(test_without_console_there_are_no_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
