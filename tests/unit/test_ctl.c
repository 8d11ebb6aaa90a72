/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: its file, its requests, and clients of every kind on a real loop. */
#include "tests/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/ctl.h"
#include "agent/ctl_proto.h"
#include "agent/ctl_request.h"
#include "agent/ctl_socket.h"
#include "base/clock.h"
#include "base/log.h"
#include "tests/fake/fake_console.h"

#define PATIENCE_US KA_SEC(20)

static int parse(const char *line)
{
	struct ka_ctl_request r;
	int ret = ka_ctl_request_parse(&r, line, strlen(line));

	if (!ret)
		ka_ctl_request_fini(&r);
	return ret;
}

static void test_hostile_requests_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[",
		"[]",
		"{}",
		"\"kick\"",
		"kick 3",
		"[1]",
		"[\"kick\", 3]",
		"[\"kick\", null]",
		"[[\"kick\"]]",
		"[\"\"]",
		"[\"kick\"] x",
		"[\"kick\"][\"kick\"]",
		"[\"kick\",]",
		"[\"ki\\u0000ck\"]",
		"[\"ki\\nck\"]",
		"[\"\\u001b[2J\"]",
		"[\"\\u007f\"]",
		"[\"\xff\"]",
		"[\"\\ud800\"]",
		"['kick']",
		"[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]",
	};
	char line[KA_CTL_REQUEST_MAX];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		if (parse(bad[i]) != -KA_E_PEER)
			fail_msg("taken: %s", bad[i]);
	}
	snprintf(line, sizeof(line), "[\"%0*d\"]", KA_CONSOLE_MAX_WORD + 1, 0);
	assert_int_equal(parse(line), -KA_E_PEER);
	snprintf(line, sizeof(line), "[\"%0*d\"]", KA_CONSOLE_MAX_WORD, 0);
	assert_int_equal(parse(line), 0);
	memset(line, '[', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse(line), -KA_E_PEER);
}

static void test_request_gives_its_words(void **state)
{
	static const char line[] = " [\"approve\", \"\\u20ac 7\"] and more";
	struct ka_ctl_request r;

	(void)state;
	assert_int_equal(ka_ctl_request_parse(&r, line, strlen(line) - 9), 0);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.words[0], "approve");
	assert_string_equal(r.words[1], "\xe2\x82\xac 7");
	ka_ctl_request_fini(&r);
}

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

/* A socket that nobody listens on any more, or somebody does. */
static int bind_socket(const struct place *p, bool listening)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (listening)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void expect_refused(struct place *p, int err, const char *words)
{
	struct ka_ctl_socket s;

	assert_int_equal(ka_ctl_socket_open(&s, p->dir, "", &p->eb), -err);
	if (!strstr(p->eb.text, words))
		fail_msg("'%s' has no '%s'", p->eb.text, words);
	assert_int_equal(s.fd, -1);
	assert_int_equal(s.lock, -1);
}

static void test_stale_socket_is_replaced(void **state)
{
	struct ka_ctl_socket s;
	struct place p;
	struct stat st;

	(void)state;
	make_place(&p);
	close(bind_socket(&p, true));
	assert_int_equal(ka_ctl_socket_open(&s, p.dir, "", &p.eb), 0);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ka_ctl_socket_close(&s);
	ka_ctl_socket_close(&s);
	remove_place(&p);
}

static void test_living_socket_is_never_stolen(void **state)
{
	struct ka_ctl_socket first;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int queued[8];
	size_t n = 0;
	struct place p;
	int fd;

	(void)state;
	make_place(&p);
	fd = bind_socket(&p, true);
	expect_refused(&p, EADDRINUSE, "somebody else listens");
	/* Its backlog full it lives still. */
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", p.path);
	do {
		assert_in_range(n, 0, KA_ARRAY_LEN(queued) - 1);
		queued[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	} while (connect(queued[n++], (struct sockaddr *)&a, sizeof(a)) == 0);
	assert_int_equal(errno, EAGAIN);
	expect_refused(&p, EADDRINUSE, "somebody else listens");
	assert_int_equal(access(p.path, F_OK), 0);
	unlink(p.path);
	close(fd);
	while (n)
		close(queued[--n]);
	/* Another agent of ours, also while it does not listen yet. */
	assert_int_equal(ka_ctl_socket_open(&first, p.dir, "", &p.eb), 0);
	expect_refused(&p, EADDRINUSE, "another kvmagent");
	assert_int_equal(access(p.path, F_OK), 0);
	ka_ctl_socket_close(&first);
	remove_place(&p);
}

static void test_what_is_no_socket_stays(void **state)
{
	struct place p;

	(void)state;
	make_place(&p);
	close(open(p.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	expect_refused(&p, EEXIST, "remove it");
	assert_int_equal(unlink(p.path), 0);
	assert_int_equal(symlink("/nonexistent", p.path), 0);
	expect_refused(&p, EEXIST, "remove it");
	assert_int_equal(unlink(p.path), 0);
	remove_place(&p);
}

static void test_folder_too_long_or_no_folder_is_said(void **state)
{
	char dir[200];
	struct ka_ctl_socket s;
	struct ka_errbuf eb;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/%0100d", 0);
	assert_int_equal(ka_ctl_socket_open(&s, dir, "", &eb), -ENAMETOOLONG);
	assert_non_null(strstr(eb.text, "107 bytes"));
	assert_int_not_equal(access(dir, F_OK), 0);
	assert_true(ka_ctl_socket_open(&s, "/proc/nothing/here", "", &eb) < 0);
	assert_non_null(strstr(eb.text, "/proc/nothing/here"));
}

static void test_group_gets_in(void **state)
{
	struct ka_ctl_socket s;
	struct group *g = getgrgid(getegid());
	char name[64];
	struct place p;
	struct stat st;

	(void)state;
	if (!g)
		skip();
	snprintf(name, sizeof(name), "%s", g->gr_name);
	make_place(&p);
	assert_int_equal(rmdir(p.dir), 0);
	assert_int_equal(ka_ctl_socket_open(&s, p.dir, name, &p.eb), 0);
	assert_true(s.has_group);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_gid, getegid());
	/* Made by us, so theirs to enter. */
	assert_int_equal(stat(p.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	ka_ctl_socket_close(&s);
	/* It is there now, and its owner's to decide. */
	assert_int_equal(chmod(p.dir, 0700), 0);
	assert_int_equal(ka_ctl_socket_open(&s, p.dir, name, &p.eb), 0);
	assert_int_equal(stat(p.dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	ka_ctl_socket_close(&s);
	assert_int_equal(ka_ctl_socket_open(&s, p.dir, "no-such-group-here", &p.eb), 0);
	assert_false(s.has_group);
	ka_ctl_socket_close(&s);
	remove_place(&p);
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
		cmocka_unit_test(test_hostile_requests_are_refused),
		cmocka_unit_test(test_request_gives_its_words),
		cmocka_unit_test(test_stale_socket_is_replaced),
		cmocka_unit_test(test_living_socket_is_never_stolen),
		cmocka_unit_test(test_what_is_no_socket_stays),
		cmocka_unit_test(test_folder_too_long_or_no_folder_is_said),
		cmocka_unit_test(test_group_gets_in),
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
