/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and connections: splitting, literals, connects with deadlines, giving up half-way. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/fdwait.h"
#include "rustdesk/reach/resolve.h"
#include "rustdesk/wire/addr.h"

#define NOT_YET 1

static void test_split(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused */
		uint16_t port;
	} cases[] = {
		{"hbbs.example", "hbbs.example", 5},
		{"hbbs.example:21116", "hbbs.example", 21116},
		{"192.0.2.1", "192.0.2.1", 5},
		{"192.0.2.1:1", "192.0.2.1", 1},
		{"[2001:db8::1]:65535", "2001:db8::1", 65535},
		{"[2001:db8::1]", "2001:db8::1", 5},
		{"2001:db8::1", "2001:db8::1", 5},
		{"::1", "::1", 5},
		{"", NULL, 0},
		{":21116", NULL, 0},
		{"host:", NULL, 0},
		{"host:0", NULL, 0},
		{"host:65536", NULL, 0},
		{"host:-1", NULL, 0},
		{"host:1x", NULL, 0},
		{"[::1", NULL, 0},
		{"[::1]x", NULL, 0},
		{"[::1]:", NULL, 0},
		{"[]:1", NULL, 0},
	};
	char host[KA_RESOLVE_HOST_MAX + 1];
	char text[KA_RESOLVE_HOST_MAX + 2];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(cases); i++) {
		int ret = ka_resolve_split(cases[i].text, 5, host, &port);

		assert_int_equal(ret, cases[i].host ? 0 : -EINVAL);
		if (cases[i].host) {
			assert_string_equal(host, cases[i].host);
			assert_int_equal(port, cases[i].port);
		}
	}
	memset(text, 'a', sizeof(text));
	text[KA_RESOLVE_HOST_MAX + 1] = '\0';
	assert_int_equal(ka_resolve_split(text, 5, host, &port), -EINVAL);
	text[KA_RESOLVE_HOST_MAX] = '\0';
	assert_int_equal(ka_resolve_split(text, 5, host, &port), 0);
}

static void test_literal(void **state)
{
	struct ka_resolve_list list;

	(void)state;
	assert_true(ka_resolve_literal("192.0.2.1", 7, &list));
	assert_int_equal(list.addrs[0].ss_family, AF_INET);
	assert_true(ka_resolve_literal("::1", 7, &list));
	assert_int_equal(list.addrs[0].ss_family, AF_INET6);
	assert_int_equal(ka_addr_port(&list.addrs[0]), 7);
	assert_false(ka_resolve_literal("localhost", 7, &list));
	assert_false(ka_resolve_literal("1.2.3", 7, &list));
}

/* A listening socket on 127.0.0.1; *addr is where. */
static int listen_here(struct sockaddr_storage *addr)
{
	socklen_t len = sizeof(*addr);
	struct ka_resolve_list list;
	int fd;

	assert_true(ka_resolve_literal("127.0.0.1", 0, &list));
	fd = ka_dial_socket(AF_INET, &list.addrs[0]);
	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static void test_socket_has_a_port_before_it_connects(void **state)
{
	static const int families[] = {AF_INET, AF_INET6};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(families); i++) {
		struct sockaddr_storage a;
		socklen_t len = sizeof(a);
		int fd = ka_dial_socket(families[i], NULL);

		assert_true(fd >= 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
		assert_int_not_equal(ka_addr_port(&a), 0);
		close(fd);
	}
}

static void keep(void *arg, int fd)
{
	*(int *)arg = fd == 0 ? -EBADF : fd;
}

static void test_connects(void **state)
{
	struct sockaddr_storage to;
	struct sockaddr_storage local;
	int server = listen_here(&to);
	int result = NOT_YET;
	struct ka_dial *d;
	socklen_t len = sizeof(local);
	int on = 0;
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	assert_int_equal(ka_dial_addr(&d, &uv, &to, NULL, 5000, keep, &result), 0);
	assert_int_equal(result, NOT_YET); /* never from within the start */
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_true(result > 2);
	assert_true(fcntl(result, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(result, F_GETFD) & FD_CLOEXEC);
	len = sizeof(on);
	assert_int_equal(getsockopt(result, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_true(on);
	/* a second one from the same port to another place, while the first one stands */
	struct sockaddr_storage other;
	int second_server = listen_here(&other);
	int second = NOT_YET;

	len = sizeof(local);
	assert_int_equal(getsockname(result, (struct sockaddr *)&local, &len), 0);
	assert_int_equal(ka_dial_addr(&d, &uv, &other, &local, 5000, keep, &second), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_true(second > 2);
	close(second);
	close(second_server);
	close(result);
	close(server);
	assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_refused(void **state)
{
	struct sockaddr_storage to;
	int result = NOT_YET;
	struct ka_dial *d;
	uv_loop_t uv;

	(void)state;
	close(listen_here(&to));
	uv_loop_init(&uv);
	if (ka_dial_addr(&d, &uv, &to, NULL, 5000, keep, &result) == 0)
		uv_run(&uv, UV_RUN_DEFAULT);
	else
		result = -ECONNREFUSED;
	assert_int_equal(result, -ECONNREFUSED);
	assert_string_equal(ka_dial_words(result), "refused: nothing listens there");
	assert_int_equal(uv_loop_close(&uv), 0);
}

/* Fills the backlog: further SYNs stay unanswered. */
static void fill(int server, const struct sockaddr_storage *to, int *fds, int n)
{
	listen(server, 0);
	for (int i = 0; i < n; i++) {
		fds[i] = ka_dial_socket(AF_INET, NULL);
		assert_true(fds[i] >= 0);
		assert_true(connect(fds[i], (const struct sockaddr *)to, ka_addr_len(to)) == 0 || errno == EINPROGRESS);
	}
}

static void test_deadline(void **state)
{
	struct sockaddr_storage to;
	int server = listen_here(&to);
	int fds[4];
	int result = NOT_YET;
	struct ka_dial *d;
	int64_t start;
	uv_loop_t uv;

	(void)state;
	fill(server, &to, fds, 4);
	uv_loop_init(&uv);
	start = ka_clock_us();
	assert_int_equal(ka_dial_addr(&d, &uv, &to, NULL, 30, keep, &result), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(result, -ETIMEDOUT);
	assert_true(ka_clock_us() - start >= KA_MS(29));
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(server);
	assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_given_up_half_way(void **state)
{
	struct sockaddr_storage to;
	int server = listen_here(&to);
	int fds[4];
	int result = NOT_YET;
	struct ka_dial *d;
	struct ka_resolver *names;
	uv_loop_t uv;

	(void)state;
	fill(server, &to, fds, 4);
	uv_loop_init(&uv);
	assert_int_equal(ka_resolver_new(&names, &uv, 1), 0);
	assert_int_equal(ka_dial_addr(&d, &uv, &to, NULL, 60000, keep, &result), 0);
	uv_run(&uv, UV_RUN_NOWAIT);
	ka_dial_free(d);
	assert_int_equal(ka_dial_host(&d, names, "localhost", 9, 60000, keep, &result), 0);
	ka_dial_free(d); /* during the look-up */
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(result, NOT_YET);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	close(server);
	ka_resolver_free(names);
	assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_host_by_name_and_number(void **state)
{
	struct sockaddr_storage to;
	int server = listen_here(&to);
	char text[KA_ADDR_TEXT];
	char name[64];
	int result = NOT_YET;
	struct ka_dial *d;
	struct ka_resolver *names;
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	assert_int_equal(ka_resolver_new(&names, &uv, 8), 0);
	assert_int_equal(ka_dial_host(&d, names, ka_addr_text(text, &to), 1, 5000, keep, &result), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_true(result > 2);
	close(result);
	/* localhost may mean ::1 first, where nobody listens */
	snprintf(name, sizeof(name), "localhost:%u", ka_addr_port(&to));
	assert_int_equal(ka_dial_host(&d, names, name, 1, 5000, keep, &result), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_true(result > 2);
	close(result);
	assert_int_equal(ka_dial_host(&d, names, "localhost", ka_addr_port(&to), 5000, keep, &result), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_true(result > 2);
	close(result);
	assert_int_equal(ka_dial_host(&d, names, "bad:port:x]", 1, 5000, keep, &result), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_true(result < 0);
	assert_int_equal(ka_dial_host(&d, names, "host:99999", 1, 5000, keep, &result), -EINVAL);
	close(server);
	ka_resolver_free(names);
	assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_wait_for_something_impossible(void **state)
{
	struct ka_fdwait *w;
	int result = NOT_YET;
	int fd = open("/dev/null", O_RDONLY);
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	assert_true(ka_fdwait_new(&w, &uv, fd, UV_READABLE, 10, keep, &result) < 0);
	assert_true(ka_fdwait_new(&w, &uv, -1, UV_READABLE, 10, keep, &result) < 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(result, NOT_YET);
	close(fd);
	assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(ka_dial_words(-ETIMEDOUT), "no answer");
	assert_string_equal(ka_dial_words(UV_EAI_NONAME), "name unknown");
	assert_string_equal(ka_dial_words(UV_EAI_SERVICE), uv_strerror(UV_EAI_SERVICE));
	assert_string_equal(ka_dial_words(-KA_E_PEER), ka_err_str(-KA_E_PEER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_socket_has_a_port_before_it_connects),
		cmocka_unit_test(test_connects),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_given_up_half_way),
		cmocka_unit_test(test_host_by_name_and_number),
		cmocka_unit_test(test_wait_for_something_impossible),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
