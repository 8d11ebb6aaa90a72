/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The direct port and the LAN port. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "rustdesk/reach/lan.h"
#include "rustdesk/reach/listener.h"
#include "rustdesk/reach/resolve.h"

struct taken {
	int fds[64];
	unsigned int n;
	struct sockaddr_storage peer;
};

static void take(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct taken *t = arg;

	t->fds[t->n++] = fd;
	t->peer = *peer;
}

static void drop_all(struct taken *t)
{
	while (t->n)
		close(t->fds[--t->n]);
}

static int knock(const char *ip, uint16_t port)
{
	struct ka_resolve_list list;
	int fd;

	assert_true(ka_resolve_literal(ip, port, &list));
	fd = socket(list.addrs[0].ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&list.addrs[0], ka_addr_len(&list.addrs[0])) == 0)
		return fd;
	close(fd);
	return -errno;
}

/* Runs the loop until n connections were taken or for ms; counts the rounds. */
static unsigned int run(uv_loop_t *uv, const struct taken *t, unsigned int n, int ms)
{
	int64_t deadline = ka_clock_us() + KA_MS(ms);
	unsigned int rounds = 0;

	while (t->n < n && ka_clock_us() < deadline) {
		struct pollfd p = {.fd = uv_backend_fd(uv), .events = POLLIN};
		int left = (int)((deadline - ka_clock_us()) / 1000) + 1;
		int loop_ms = uv_backend_timeout(uv);

		uv_run(uv, UV_RUN_NOWAIT);
		poll(&p, 1, loop_ms >= 0 && loop_ms < left ? loop_ms : left);
		rounds++;
	}
	return rounds;
}

static void close_loop(uv_loop_t *uv)
{
	uv_run(uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(uv), 0);
}

static void test_any_address_takes_both_families(void **state)
{
	static const char *const addresses[] = {"", "::"};
	struct taken t = {0};
	struct ka_listener *l;
	struct ka_errbuf eb;
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	for (size_t i = 0; i < KA_ARRAY_LEN(addresses); i++) {
		assert_int_equal(ka_listener_new(&l, &uv, addresses[i], 0, take, &t, &eb), 0);
		assert_int_not_equal(ka_listener_port(l), 0);
		int before = knock("127.0.0.1", ka_listener_port(l)); /* queues until start */

		assert_int_equal(ka_listener_start(l), 0);
		int after = knock("::1", ka_listener_port(l));

		assert_true(before >= 0 && after >= 0);
		run(&uv, &t, 2, 3000);
		assert_int_equal(t.n, 2);
		assert_true(fcntl(t.fds[0], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(t.fds[0], F_GETFD) & FD_CLOEXEC);
		drop_all(&t);
		close(before);
		close(after);
		ka_listener_free(l);
	}
	close_loop(&uv);
}

static void test_one_address_takes_only_its_own(void **state)
{
	struct taken t = {0};
	struct ka_listener *l;
	struct ka_errbuf eb;
	uv_loop_t uv;
	int fd;

	(void)state;
	uv_loop_init(&uv);
	assert_int_equal(ka_listener_new(&l, &uv, "127.0.0.1", 0, take, &t, &eb), 0);
	assert_int_equal(ka_listener_start(l), 0);
	assert_int_equal(knock("::1", ka_listener_port(l)), -ECONNREFUSED);
	assert_int_equal(knock("127.0.0.2", ka_listener_port(l)), -ECONNREFUSED);
	fd = knock("127.0.0.1", ka_listener_port(l));
	assert_true(fd >= 0);
	run(&uv, &t, 1, 3000);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.peer.ss_family, AF_INET);
	close(fd);
	drop_all(&t);
	ka_listener_free(l);
	ka_listener_free(NULL);
	close_loop(&uv);
}

static void test_errors_name_the_address_and_the_way_out(void **state)
{
	struct taken t = {0};
	struct ka_listener *l;
	struct ka_listener *second;
	struct ka_errbuf eb;
	char want[128];
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	assert_int_equal(ka_listener_new(&l, &uv, "127.0.0.1", 0, take, &t, &eb), 0);
	assert_int_equal(ka_listener_new(&second, &uv, "127.0.0.1", ka_listener_port(l), take, &t, &eb), -EADDRINUSE);
	snprintf(want, sizeof(want),
		 "cannot listen on 127.0.0.1 port %u: another program uses it; choose another direct_port",
		 ka_listener_port(l));
	assert_string_equal(eb.text, want);
	assert_int_equal(ka_listener_new(&second, &uv, "192.0.2.99", 4444, take, &t, &eb), -EADDRNOTAVAIL);
	assert_string_equal(eb.text, "cannot listen on 192.0.2.99 port 4444: this machine does not have that address");
	assert_int_equal(ka_listener_new(&second, &uv, "kvm.local", 4444, take, &t, &eb), -EINVAL);
	assert_string_equal(eb.text, "direct_address \"kvm.local\" is neither an IPv4 nor an IPv6 address");
	ka_listener_free(l);
	close_loop(&uv);
}

static void test_out_of_descriptors_pauses_instead_of_spinning(void **state)
{
	struct taken t = {0};
	struct ka_listener *l;
	struct rlimit old;
	struct rlimit none;
	struct ka_errbuf eb;
	unsigned int rounds;
	uv_loop_t uv;
	int fd;

	(void)state;
	uv_loop_init(&uv);
	assert_int_equal(ka_listener_new(&l, &uv, "127.0.0.1", 0, take, &t, &eb), 0);
	assert_int_equal(ka_listener_start(l), 0);
	uv_run(&uv, UV_RUN_NOWAIT);
	fd = knock("127.0.0.1", ka_listener_port(l));
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)fd + 1;
	for (int i = 0; i <= fd; i++)
		assert_true(fcntl(i, F_GETFD) >= 0 || dup2(fd, i) == i); /* no holes below */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rounds = run(&uv, &t, 1, 300);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(t.n, 0);
	assert_true(rounds < 20);
	run(&uv, &t, 1, 3000);
	assert_int_equal(t.n, 1);
	close(fd);
	drop_all(&t);
	ka_listener_free(l);
	close_loop(&uv);
}

/* ---- LAN discovery */

struct lan_bench {
	uv_loop_t uv;
	struct ka_rd_cfg rd;
	struct ka_rd_identity who;
	struct ka_reach_env env;
	struct ka_lan *lan;
	int client;
};

static void lan_open(struct lan_bench *b)
{
	struct sockaddr_storage any = {.ss_family = AF_INET};
	socklen_t len = sizeof(any);
	int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(b, 0, sizeof(*b));
	assert_int_equal(bind(probe, (struct sockaddr *)&any, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(getsockname(probe, (struct sockaddr *)&any, &len), 0);
	close(probe);
	uv_loop_init(&b->uv);
	b->rd = (struct ka_rd_cfg){.hostname = "localhost", .username = "root", .lan_port = ka_addr_port(&any)};
	b->who = (struct ka_rd_identity){.id = "123456789"};
	b->env = (struct ka_reach_env){.uv = &b->uv, .rd = &b->rd, .identity = &b->who};
	assert_int_equal(ka_lan_new(&b->lan, &b->env), 0);
	b->client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static void lan_close(struct lan_bench *b)
{
	ka_lan_free(b->lan);
	close(b->client);
	close_loop(&b->uv);
}

/* Sends bytes; the length of what comes back, -1 for nothing. */
static ssize_t lan_ask(struct lan_bench *b, const char *hex, uint8_t *out, size_t size)
{
	struct ka_resolve_list list;
	uint8_t data[256];
	size_t len = strlen(hex) / 2;
	struct taken nothing = {0};

	assert_int_equal(ka_hex_decode(data, len, hex), 0);
	assert_true(ka_resolve_literal("127.0.0.1", b->rd.lan_port, &list));
	assert_int_equal(sendto(b->client, data, len, 0, (struct sockaddr *)&list.addrs[0], sizeof(struct sockaddr_in)),
			 len);
	run(&b->uv, &nothing, 1, 20);
	return recv(b->client, out, size, 0);
}

static void test_lan_ping_is_answered(void **state)
{
	struct lan_bench b;
	uint8_t out[256];
	char hex[513];
	ssize_t n;

	(void)state;
	lan_open(&b);
	n = lan_ask(&b, "b201060a0470696e67", out, sizeof(out));
	assert_true(n > 0);
	ka_hex_encode(hex, out, (size_t)n);
	/* loopback has no mac; "localhost" says nothing and becomes "unknown" */
	assert_string_equal(hex,
			    "b201270a04706f6e671a093132333435363738392204726f6f742a07756e6b6e6f776e32054c696e7578");
	lan_close(&b);
}

static void test_lan_other_datagrams_are_ignored(void **state)
{
	static const char *const silent[] = {
		"",
		"00",
		"ffffffff",
		"b201060a04706f6e67",			    /* a pong */
		"b201110a0470696e671a09313233343536373839", /* our own id */
		"b201020a04",				    /* cut off */
		"320d0a093132333435363738391003",
		"b20100",
		"4a0c0a0a431af1ac682486ae4abf", /* other messages */
	};
	struct lan_bench b;
	uint8_t out[256];

	(void)state;
	lan_open(&b);
	for (size_t i = 0; i < KA_ARRAY_LEN(silent); i++)
		assert_int_equal(lan_ask(&b, silent[i], out, sizeof(out)), -1);
	assert_true(lan_ask(&b, "b201060a0470696e67", out, sizeof(out)) > 0);
	lan_close(&b);
}

static void test_lan_port_taken(void **state)
{
	struct lan_bench b;
	struct ka_lan *second;

	(void)state;
	lan_open(&b);
	assert_int_equal(ka_lan_new(&second, &b.env), -EADDRINUSE);
	ka_lan_free(NULL);
	lan_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_address_takes_both_families),
		cmocka_unit_test(test_one_address_takes_only_its_own),
		cmocka_unit_test(test_errors_name_the_address_and_the_way_out),
		cmocka_unit_test(test_out_of_descriptors_pauses_instead_of_spinning),
		cmocka_unit_test(test_lan_ping_is_answered),
		cmocka_unit_test(test_lan_other_datagrams_are_ignored),
		cmocka_unit_test(test_lan_port_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
