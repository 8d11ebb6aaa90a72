/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/watchdog.h"
#include "base/latest.h"
#include "base/loop.h"
#include "base/pulse.h"
#include "base/str.h"

#define SECOND 1000000

struct fixture {
	char dir[32];
	int manager; /* where the service manager listens */
	struct ka_pulse hands, net;
	struct ka_watchdog watchdog;
};

static bool pulse_alive(void *arg)
{
	return ka_pulse_ask(arg);
}

static int setup(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct fixture *f = calloc(1, sizeof(*f));
	char pid[16];

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/ka-watchdog-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", f->dir);
	f->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->manager < 0 || bind(f->manager, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	ka_watchdog_init(&f->watchdog);
	ka_watchdog_add(&f->watchdog, "hands", pulse_alive, &f->hands);
	ka_watchdog_add(&f->watchdog, "network", pulse_alive, &f->net);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[64];

	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	close(f->manager);
	snprintf(path, sizeof(path), "%s/notify", f->dir);
	unlink(path);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* How often the service manager was told since the last time. */
static unsigned int told(const struct fixture *f)
{
	unsigned int n = 0;
	char text[64];
	ssize_t len;

	while ((len = recv(f->manager, text, sizeof(text) - 1, 0)) > 0) {
		text[len] = '\0';
		assert_string_equal(text, "WATCHDOG=1");
		n++;
	}
	return n;
}

static void test_tells_four_times_in_the_time_granted(void **state)
{
	struct fixture *f = *state;

	for (int second = 0; second < 60; second++) {
		ka_watchdog_turn(&f->watchdog, (100 + second) * (int64_t)SECOND);
		ka_pulse_answer(&f->hands);
		ka_pulse_answer(&f->net);
	}
	assert_int_equal(told(f), 8);
}

static void test_tells_nothing_while_one_is_stuck(void **state)
{
	struct fixture *f = *state;
	int64_t now = 0;

	ka_watchdog_turn(&f->watchdog, now);
	assert_int_equal(told(f), 1);
	ka_pulse_answer(&f->hands);
	for (int i = 0; i < 5; i++) {
		ka_watchdog_turn(&f->watchdog, now += 8 * SECOND);
		ka_pulse_answer(&f->hands);
		assert_int_equal(told(f), 0);
	}
	ka_pulse_answer(&f->net);
	ka_watchdog_turn(&f->watchdog, now += 8 * SECOND);
	assert_int_equal(told(f), 1);
}

static void test_tells_nothing_when_nobody_wants_to_know(void **state)
{
	struct fixture *f = *state;

	setenv("WATCHDOG_PID", "1", 1);
	ka_watchdog_init(&f->watchdog);
	ka_watchdog_turn(&f->watchdog, SECOND);
	assert_int_equal(told(f), 0);
	assert_int_equal(atomic_load(&f->hands.asked), 0);
}

static void test_a_loop_is_alive_when_it_has_come_round(void **state)
{
	struct ka_loop loop;

	(void)state;
	assert_int_equal(ka_loop_init(&loop, NULL, NULL), 0);
	assert_true(ka_loop_alive(&loop));
	assert_false(ka_loop_alive(&loop));
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_true(ka_loop_alive(&loop));
	ka_loop_fini(&loop);
}

static void test_a_consumer_is_alive_when_it_has_come_to_wait(void **state)
{
	struct ka_latest *latest;

	(void)state;
	assert_int_equal(ka_latest_new(&latest), 0);
	assert_true(ka_latest_alive(latest));
	assert_false(ka_latest_alive(latest));
	/* Kicked, so this does not wait. */
	assert_null(ka_latest_wait(latest, INT64_MAX));
	assert_true(ka_latest_alive(latest));
	ka_latest_free(latest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tells_four_times_in_the_time_granted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tells_nothing_while_one_is_stuck, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tells_nothing_when_nobody_wants_to_know, setup, teardown),
		cmocka_unit_test(test_a_loop_is_alive_when_it_has_come_round),
		cmocka_unit_test(test_a_consumer_is_alive_when_it_has_come_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
