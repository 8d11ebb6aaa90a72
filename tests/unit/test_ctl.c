/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket's clients of every kind on a real loop. */
#include "tests/check/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/ctl.h"
#include "agent/ctl_proto.h"
#include "base/clock.h"
#include "tests/fake/fake_console.h"

#define PATIENCE_US KA_SEC(20)

/* A folder of its own for each test. */
struct place {
	char dir[64];
	char path[80];
	struct ka_errbuf eb;
};

static void make_place(struct place *p)
{
	*p = (struct place){.dir = "/tmp/ka-ctl-XXXXXX"};
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/" KA_CTL_NAME, p->dir);
}

static void remove_place(struct place *p)
{
	/* Nothing is left in it. */
	assert_int_equal(rmdir(p->dir), 0);
}

struct bench {
	struct place place;
	struct fake_console console;
	uv_loop_t uv;
	struct ka_ctl *ctl;
};

static void open_bench(struct bench *b)
{
	make_place(&b->place);
	fake_console_init(&b->console);
	assert_int_equal(uv_loop_init(&b->uv), 0);
	const struct ka_ctl_cfg cfg = {b->place.dir, "", &b->uv, &b->console.console};

	assert_int_equal(ka_ctl_new(&b->ctl, &cfg, &b->place.eb), 0);
	assert_int_equal(ka_ctl_start(b->ctl), 0);
}

static void close_bench(struct bench *b)
{
	ka_ctl_close(b->ctl);
	ka_ctl_close(b->ctl);
	while (uv_run(&b->uv, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&b->uv), 0);
	ka_ctl_free(b->ctl);
	remove_place(&b->place);
}

static void turn(struct bench *b)
{
	for (int i = 0; i < 5; i++)
		uv_run(&b->uv, UV_RUN_NOWAIT);
}

static int dial(struct bench *b)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", b->place.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until the end; the code in it, -1 when nothing came. */
static int hear(struct bench *b, int fd, char *text, size_t size)
{
	int64_t deadline = ka_clock_us() + PATIENCE_US;
	json_t *root;
	size_t len = 0;
	int code;

	for (;;) {
		ssize_t n = recv(fd, text + len, size - 1 - len, 0);

		assert_true(ka_clock_us() < deadline);
		if (n > 0)
			len += (size_t)n;
		else if (n == 0 || errno == ECONNRESET)
			break;
		else
			turn(b);
	}
	close(fd);
	text[len] = '\0';
	if (!len)
		return -1;
	assert_int_equal(text[len - 1], '\n');
	root = json_loadb(text, len, 0, NULL);
	assert_true(json_is_object(root));
	code = (int)json_integer_value(json_object_get(root, "code"));
	assert_true(json_is_string(json_object_get(root, "text")));
	assert_true(json_is_object(json_object_get(root, "data")));
	json_decref(root);
	return code;
}

static int ask(struct bench *b, const char *request, const char *part)
{
	char text[65536];
	int fd = dial(b);
	int code;

	say(fd, request);
	code = hear(b, fd, text, sizeof(text));
	if (!strstr(text, part))
		fail_msg("'%s' has no '%s'", text, part);
	return code;
}

static void test_one_request_one_answer(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b);
	fake_console_add(&b.console, 4, "in", false);
	assert_int_equal(ask(&b, "[\"version\"]\n", "\"version\""), KA_CONSOLE_DONE);
	assert_int_equal(ask(&b, "[\"kick\", \"4\"]\n", "session 4 kicked"), KA_CONSOLE_DONE);
	assert_int_equal(b.console.kicked, 4);
	assert_int_equal(ask(&b, "[\"kick\", \"9\"]\n", "no session 9"), KA_CONSOLE_REFUSED);
	assert_int_equal(ask(&b, "[\"foo\"]\n[\"release\"]\n", "no command 'foo'"), KA_CONSOLE_USAGE);
	assert_int_equal(b.console.released, 0);
	close_bench(&b);
}

static void test_garbage_is_answered_and_harmless(void **state)
{
	char longer[KA_CTL_REQUEST_MAX + 1];
	struct bench b;

	(void)state;
	open_bench(&b);
	assert_int_equal(ask(&b, "\n", "no array of words"), KA_CONSOLE_USAGE);
	assert_int_equal(ask(&b, "GET / HTTP/1.0\r\n\r\n", "no array of words"), KA_CONSOLE_USAGE);
	memset(longer, ' ', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(ask(&b, longer, "too long"), KA_CONSOLE_USAGE);
	/* The longest that fits. */
	memcpy(longer, "[\"version\"]", 11);
	longer[KA_CTL_REQUEST_MAX - 1] = '\n';
	assert_int_equal(ask(&b, longer, "version"), KA_CONSOLE_DONE);
	close_bench(&b);
}

static void test_request_in_pieces_and_hang_up_before_its_end(void **state)
{
	static const char request[] = "[\"release\"]\n";
	char text[4096];
	struct bench b;
	int fd;

	(void)state;
	open_bench(&b);
	fd = dial(&b);
	for (const char *c = request; *c; c++) {
		assert_int_equal(send(fd, c, 1, MSG_NOSIGNAL), 1);
		turn(&b);
	}
	assert_int_equal(hear(&b, fd, text, sizeof(text)), KA_CONSOLE_DONE);
	assert_int_equal(b.console.released, 1);
	fd = dial(&b);
	say(fd, "[\"release\"]");
	shutdown(fd, SHUT_WR);
	assert_int_equal(hear(&b, fd, text, sizeof(text)), -1);
	fd = dial(&b);
	say(fd, request);
	close(fd);
	turn(&b);
	assert_int_equal(b.console.released, 2);
	close_bench(&b);
}

static void test_idle_clients_make_room_for_newcomers(void **state)
{
	int idle[50];
	char text[4096];
	unsigned int gone = 0;
	struct bench b;

	(void)state;
	open_bench(&b);
	for (size_t i = 0; i < KA_ARRAY_LEN(idle); i++) {
		idle[i] = dial(&b);
		turn(&b);
	}
	assert_int_equal(ask(&b, "[\"version\"]\n", "version"), KA_CONSOLE_DONE);
	for (size_t i = 0; i < KA_ARRAY_LEN(idle); i++)
		gone += recv(idle[i], text, sizeof(text), 0) == 0;
	/* All but those who have a place. */
	assert_in_range(gone, 34, 49);
	/* Those who came last have theirs. */
	say(idle[49], "[\"version\"]\n");
	assert_int_equal(hear(&b, idle[49], text, sizeof(text)), KA_CONSOLE_DONE);
	for (size_t i = 0; i < KA_ARRAY_LEN(idle) - 1; i++)
		close(idle[i]);
	close_bench(&b);
}

static void test_many_at_once_are_served_in_turn(void **state)
{
	int fds[40];
	unsigned int served = 0;
	char text[4096];
	struct bench b;

	(void)state;
	open_bench(&b);
	for (size_t i = 0; i < KA_ARRAY_LEN(fds); i++) {
		fds[i] = dial(&b);
		say(fds[i], "[\"version\"]\n");
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(fds); i++)
		served += hear(&b, fds[i], text, sizeof(text)) == KA_CONSOLE_DONE;
	/* They had time to speak before they had to make room, unless this machine was busy elsewhere meanwhile. */
	assert_in_range(served, 32, KA_ARRAY_LEN(fds));
	assert_int_equal(ask(&b, "[\"version\"]\n", "version"), KA_CONSOLE_DONE);
	close_bench(&b);
}

static void test_silent_client_is_sent_away_in_time(void **state)
{
	char text[64];
	struct bench b;
	int fd;

	(void)state;
	open_bench(&b);
	fd = dial(&b);
	say(fd, "[\"rel");
	assert_int_equal(hear(&b, fd, text, sizeof(text)), -1);
	assert_int_equal(b.console.released, 0);
	close_bench(&b);
}

static void test_close_cuts_everybody_off(void **state)
{
	struct bench b;
	char c;
	int idle;
	int backlog;

	(void)state;
	open_bench(&b);
	idle = dial(&b);
	turn(&b);
	backlog = dial(&b);
	close_bench(&b);
	assert_int_equal(recv(idle, &c, 1, 0), 0);
	assert_true(recv(backlog, &c, 1, 0) <= 0);
	close(idle);
	close(backlog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_request_one_answer),
		cmocka_unit_test(test_garbage_is_answered_and_harmless),
		cmocka_unit_test(test_request_in_pieces_and_hang_up_before_its_end),
		cmocka_unit_test(test_idle_clients_make_room_for_newcomers),
		cmocka_unit_test(test_many_at_once_are_served_in_turn),
		cmocka_unit_test(test_silent_client_is_sent_away_in_time),
		cmocka_unit_test(test_close_cuts_everybody_off),
	};

	/* As the agent does. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
