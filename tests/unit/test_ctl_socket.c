/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of the control socket and what is said over it. */
#include "tests/check/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/ctl_proto.h"
#include "agent/ctl_request.h"
#include "agent/ctl_socket.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
