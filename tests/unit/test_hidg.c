/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node over a socket pair: the other end is the host that polls. Failing writes are scripted. */
#include "tests/check/check.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "hid/hidg.h"

static struct {
	int write_errno; /* 0: really written */
	unsigned int writes;
	int read_errno;
	unsigned int reads;
} script; /* the io table has no argument */

static ssize_t scripted_write(int fd, const void *buf, size_t len)
{
	script.writes++;
	if (script.write_errno) {
		errno = script.write_errno;
		return -1;
	}
	return write(fd, buf, len);
}

static ssize_t scripted_read(int fd, void *buf, size_t len)
{
	script.reads++;
	if (script.read_errno) {
		errno = script.read_errno;
		return -1;
	}
	return read(fd, buf, len);
}

static const struct ka_hidg_io io = {.read = scripted_read, .write = scripted_write};

struct bench {
	uv_loop_t loop;
	struct ka_hidg g;
	struct ka_backend counters;
	int host; /* the other end */
	unsigned int settled, lost, retries;
	bool may_send;
	uint8_t leds;
	unsigned int led_reports;
	uint64_t seq;
};

static void on_leds(void *arg, uint8_t leds)
{
	struct bench *b = arg;

	b->leds = leds;
	b->led_reports++;
}

static void on_settled(void *arg, struct ka_hidg *g)
{
	(void)g;
	((struct bench *)arg)->settled++;
}

static void on_lost(void *arg, struct ka_hidg *g)
{
	((struct bench *)arg)->lost++;
	ka_hidg_host(g, false);
}

static void on_retry(void *arg, unsigned int ms)
{
	assert_true(ms > 0);
	((struct bench *)arg)->retries++;
}

static bool may_send(void *arg, struct ka_hidg *g, uint64_t seq, int64_t queued_us)
{
	(void)g;
	(void)seq;
	assert_true(queued_us <= ka_clock_us());
	return ((struct bench *)arg)->may_send;
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	int pair[2];
	int small = 1;

	assert_non_null(b);
	memset(&script, 0, sizeof(script));
	assert_int_equal(uv_loop_init(&b->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	b->host = pair[1];
	b->may_send = true;
	ka_hidg_init(&b->g, &b->loop, &io,
		     &(struct ka_hidg_events){.arg = b,
					      .leds = on_leds,
					      .settled = on_settled,
					      .lost = on_lost,
					      .retry = on_retry,
					      .may_send = may_send},
		     &b->counters);
	assert_int_equal(ka_hidg_attach(&b->g, pair[0]), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	ka_hidg_close(&b->g);
	ka_hidg_close(&b->g);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	close(b->host);
	free(b);
	return 0;
}

static void turn(struct bench *b)
{
	for (unsigned int i = 0; i < 10; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
}

/* Makes the socket so full that it is not writable any more. (Its buffer is tiny: also after a report or two.) */
static void stop_polling(struct bench *b)
{
	while (write(b->g.fd, "", 1) == 1)
		;
}

/* Fetches what is there and forgets it. */
static void fetch_all(struct bench *b)
{
	uint8_t buf[16];

	while (read(b->host, buf, sizeof(buf)) > 0)
		;
}

static void assert_fetched(struct bench *b, const char *hex)
{
	uint8_t buf[16];
	ssize_t n;

	turn(b);
	n = read(b->host, buf, sizeof(buf));
	assert_true(n > 0);
	assert_hex(buf, (size_t)n, hex);
	turn(b);
}

static void assert_nothing(struct bench *b)
{
	uint8_t buf[16];

	assert_true(read(b->host, buf, sizeof(buf)) < 0);
}

static void push_key(struct bench *b, uint8_t usage)
{
	struct ka_report r;

	ka_report_keyboard(&r, 0, &usage, usage ? 1 : 0);
	ka_hidg_push(&b->g, &r, ++b->seq);
}

static void push_move(struct bench *b, uint8_t buttons, uint16_t x, bool edge)
{
	struct ka_report_pointer p = {.buttons = buttons, .x = x};
	struct ka_report r;

	ka_report_abs(&r, &p, edge);
	ka_hidg_push(&b->g, &r, ++b->seq);
}

static void test_without_a_host_reports_are_dropped(void **state)
{
	struct bench *b = *state;

	push_key(b, 4);
	turn(b);
	assert_int_equal(script.writes, 0);
	assert_int_equal(b->counters.dropped, 1);
	assert_false(ka_hidg_busy(&b->g));
	ka_hidg_close(&b->g);
	ka_hidg_host(&b->g, true);
	push_key(b, 4);
	assert_int_equal(b->counters.dropped, 2);
	assert_int_equal(ka_hidg_open(&b->g, "/nonexistent"), -ENOENT);
}

static void test_reports_go_one_after_the_other(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	push_key(b, 4);
	push_key(b, 0);
	push_key(b, 4);
	assert_int_equal(script.writes, 1);
	assert_true(ka_hidg_busy(&b->g));
	assert_fetched(b, "00 00 04 00 00 00 00 00");
	assert_fetched(b, "00 00 00 00 00 00 00 00");
	assert_fetched(b, "00 00 04 00 00 00 00 00");
	assert_nothing(b);
	assert_int_equal(b->counters.reports, 3);
	assert_int_equal(b->settled, 3);
	assert_false(ka_hidg_busy(&b->g));
}

static void test_eagain_waits_for_the_host(void **state)
{
	struct bench *b = *state;
	unsigned int writes;

	ka_hidg_host(&b->g, true);
	stop_polling(b);
	push_key(b, 4);
	push_key(b, 0);
	turn(b);
	writes = script.writes;
	turn(b);
	/* No busy loop, nothing lost. */
	assert_int_equal(script.writes, writes);
	assert_true(ka_hidg_busy(&b->g));
	assert_int_equal(b->settled, 0);
	fetch_all(b);
	turn(b);
	assert_fetched(b, "00 00 04 00 00 00 00 00");
	assert_fetched(b, "00 00 00 00 00 00 00 00");
	assert_false(ka_hidg_busy(&b->g));
}

static void test_moves_fold_while_the_host_does_not_poll(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	stop_polling(b);
	push_move(b, 0, 1, false);
	for (uint16_t x = 2; x < 1000; x++)
		push_move(b, 0, x, false);
	push_move(b, 1, 999, true);
	push_move(b, 1, 1000, false);
	push_move(b, 1, 1001, false);
	push_move(b, 0, 1001, true);
	assert_int_equal(b->g.count, 4);
	fetch_all(b);
	turn(b);
	assert_fetched(b, "00 e703 0000 00 00");
	assert_fetched(b, "01 e703 0000 00 00");
	assert_fetched(b, "01 e903 0000 00 00");
	assert_fetched(b, "00 e903 0000 00 00");
	assert_nothing(b);
}

static void test_sleeping_host_grows_nothing(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	stop_polling(b);
	for (unsigned int i = 0; i < 10000; i++) {
		push_key(b, 4);
		push_key(b, 0);
	}
	assert_true(b->g.count <= KA_HIDG_QUEUE);
	fetch_all(b);
	/* All of it became old meanwhile: the newest alone says how things are. */
	for (unsigned int i = 0; i < KA_HIDG_QUEUE; i++)
		b->g.queue[i].queued_us -= 2 * KA_HIDG_STALE_US;
	turn(b);
	assert_fetched(b, "00 00 00 00 00 00 00 00");
	assert_nothing(b);
	assert_int_equal(b->counters.reports + b->counters.dropped, 20000);
}

static void test_shutdown_is_retried_then_lost(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	script.write_errno = ESHUTDOWN;
	push_key(b, 4);
	/* The socket says writable all the time: that must not make it spin. */
	turn(b);
	assert_int_equal(script.writes, 1);
	assert_int_equal(b->retries, 1);
	for (unsigned int i = 1; i < KA_HIDG_SHUTDOWNS; i++) {
		assert_int_equal(b->lost, 0);
		ka_hidg_retry(&b->g);
	}
	assert_int_equal(b->lost, 1);
	assert_false(ka_hidg_busy(&b->g));
	assert_int_equal(b->settled, 1);
	push_key(b, 5);
	turn(b);
	assert_int_equal(script.writes, KA_HIDG_SHUTDOWNS);
}

static void test_short_shutdown_loses_nothing(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	script.write_errno = ESHUTDOWN;
	push_key(b, 4);
	push_key(b, 0);
	ka_hidg_retry(&b->g);
	script.write_errno = 0;
	ka_hidg_retry(&b->g);
	turn(b);
	assert_fetched(b, "00 00 04 00 00 00 00 00");
	assert_fetched(b, "00 00 00 00 00 00 00 00");
	assert_int_equal(b->lost, 0);
	assert_int_equal(b->g.shutdowns, 0);
}

static void test_probe_finds_a_host(void **state)
{
	struct bench *b = *state;
	struct ka_report r;

	ka_report_keyboard(&r, 1, NULL, 0);
	script.write_errno = ESHUTDOWN;
	assert_false(ka_hidg_probe(&b->g, &r));
	assert_false(ka_hidg_busy(&b->g));
	script.write_errno = 0;
	assert_true(ka_hidg_probe(&b->g, &r));
	ka_hidg_host(&b->g, true);
	push_key(b, 4);
	turn(b);
	assert_fetched(b, "01 00 00 00 00 00 00 00");
	assert_fetched(b, "00 00 04 00 00 00 00 00");
}

static void test_host_that_leaves_takes_the_queue_along(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	stop_polling(b);
	push_key(b, 4);
	push_key(b, 0);
	ka_hidg_host(&b->g, false);
	assert_false(ka_hidg_busy(&b->g));
	assert_int_equal(b->settled, 1);
	assert_int_equal(b->counters.dropped, 2);
	fetch_all(b);
	turn(b);
	assert_nothing(b);
}

static void test_presses_wait_for_their_turn(void **state)
{
	struct bench *b = *state;

	ka_hidg_host(&b->g, true);
	b->may_send = false;
	push_move(b, 0, 7, false);
	turn(b);
	assert_fetched(b, "00 0700 0000 00 00");
	push_move(b, 1, 7, true);
	turn(b);
	assert_nothing(b);
	assert_true(ka_hidg_edge_before(&b->g, b->seq + 1));
	assert_false(ka_hidg_edge_before(&b->g, b->seq));
	b->may_send = true;
	ka_hidg_flush(&b->g);
	/* In flight counts as well. */
	assert_true(ka_hidg_edge_before(&b->g, b->seq + 1));
	assert_fetched(b, "01 0700 0000 00 00");
	assert_false(ka_hidg_edge_before(&b->g, b->seq + 1));
}

static void test_leds_are_read(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write(b->host, "\x02", 1), 1);
	turn(b);
	assert_int_equal(b->leds, 2);
	assert_int_equal(write(b->host, "\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10), 10);
	turn(b);
	assert_int_equal(b->leds, 3);
	assert_int_equal(b->led_reports, 2);
}

static void test_readable_without_a_report_does_not_spin(void **state)
{
	struct bench *b = *state;

	script.read_errno = EAGAIN;
	assert_int_equal(write(b->host, "\x02", 1), 1);
	for (unsigned int i = 0; i < 20; i++)
		turn(b);
	assert_true(script.reads <= 8);
	assert_int_equal(b->retries, 1);
	script.read_errno = 0;
	ka_hidg_retry(&b->g);
	turn(b);
	assert_int_equal(b->leds, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_host_reports_are_dropped),
		TEST(test_reports_go_one_after_the_other),
		TEST(test_eagain_waits_for_the_host),
		TEST(test_moves_fold_while_the_host_does_not_poll),
		TEST(test_sleeping_host_grows_nothing),
		TEST(test_shutdown_is_retried_then_lost),
		TEST(test_short_shutdown_loses_nothing),
		TEST(test_probe_finds_a_host),
		TEST(test_host_that_leaves_takes_the_queue_along),
		TEST(test_presses_wait_for_their_turn),
		TEST(test_leds_are_read),
		TEST(test_readable_without_a_report_does_not_spin),
	};

	ka_log_init(STDERR_FILENO, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
