/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions against a held clock: what takes its time, and what comes at the same moment. */
#include "tests/check/check.h"

#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/err.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/session_bench.h"

static void login(struct session_bench *b, const char *password)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginRequest q = RD__LOGIN_REQUEST__INIT;
	Rd__OptionMessage option = RD__OPTION_MESSAGE__INIT;
	Rd__SupportedDecoding decoding = RD__SUPPORTED_DECODING__INIT;
	struct sockaddr_storage peer = {.ss_family = AF_INET};
	char id[] = BENCH_ID;
	uint8_t proof[32];

	session_bench_start(b, KA_PATH_DIRECT, false, &peer);
	decoding.ability_h264 = 1;
	option.supported_decoding = &decoding;
	q.username = q.my_id = id;
	q.option = &option;
	if (password) {
		session_bench_answer(b, password, proof);
		q.password = (ProtobufCBinaryData){.len = sizeof(proof), .data = proof};
		b->shown.full = true;
	}
	msg.union_case = RD__MESSAGE__UNION_LOGIN_REQUEST;
	msg.login_request = &q;
	session_bench_send(b, &msg);
	session_bench_spin(b);
}

static void answer_probe(struct session_bench *b)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__TestDelay probe = RD__TEST_DELAY__INIT;

	msg.union_case = RD__MESSAGE__UNION_TEST_DELAY;
	msg.test_delay = &probe;
	session_bench_send(b, &msg);
}

static void ask(struct session_bench *b)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__ScreenshotRequest request = RD__SCREENSHOT_REQUEST__INIT;
	char sid[] = "slow";

	request.sid = sid;
	msg.union_case = RD__MESSAGE__UNION_SCREENSHOT_REQUEST;
	msg.screenshot_request = &request;
	session_bench_send(b, &msg);
	session_bench_spin(b);
}

/* So much of what is on its way arrives. */
static void carry(const struct session_bench *b, size_t bytes)
{
	static uint8_t sink[64 * 1024];

	for (size_t n = 0; n < bytes;) {
		ssize_t got = recv(b->fd, sink, KA_MIN(sizeof(sink), bytes - n), MSG_DONTWAIT);

		if (got <= 0)
			return;
		n += (size_t)got;
	}
}

/* Pictures were held back when it was begun; that they go on waiting behind the file says nothing about the link. */
static void test_file_on_a_link_that_held_pictures_back(void **state)
{
	struct session_bench *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	fake_clock_hold();
	session_bench_init(b);
	session_bench_open(b);
	login(b, BENCH_PASSWORD);
	assert_int_equal(b->session->state, KA_SES_ACTIVE);
	fake_host_publish(&b->machine, 1, true, 1280, 720, 1000);
	session_bench_step(b, 10);
	answer_probe(b);
	session_bench_step(b, 1000);
	/* The next one is not answered in time. */
	session_bench_step(b, 500);
	fake_host_publish(&b->machine, 2, false, 1280, 720, 1000);
	session_bench_spin(b);
	assert_true(b->session->video.held);
	b->deaf = true;
	ask(b);
	assert_int_equal(b->machine.shots, 1);
	fake_host_finish_shot(&b->machine, 0, 15 << 20);
	session_bench_spin(b);
	assert_true(ka_conn_pending(b->session->conn) > 10 << 20);
	for (int seconds = 0; seconds < 20; seconds++) {
		session_bench_step(b, 1000);
		carry(b, 300 * 1024);
		assert_int_equal(b->ends, 0);
		assert_false(atomic_load(&b->session->loop.stop));
	}
	session_bench_hang_up(b);
	session_bench_spin(b);
	session_bench_end(b);
	session_bench_fini(b);
	fake_clock_release();
	free(b);
}

static void pass_seconds(struct session_bench *b, int seconds, bool echo)
{
	while (seconds--) {
		if (echo)
			answer_probe(b);
		session_bench_step(b, 1000);
	}
}

static void test_silent_controller_holds_nothing(void **state)
{
	struct session_bench *b = calloc(1, sizeof(*b));
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__KeyEvent k = RD__KEY_EVENT__INIT;

	(void)state;
	assert_non_null(b);
	fake_clock_hold();
	session_bench_init(b);
	session_bench_open(b);
	login(b, BENCH_PASSWORD);
	msg.union_case = RD__MESSAGE__UNION_KEY_EVENT;
	msg.key_event = &k;
	k.union_case = RD__KEY_EVENT__UNION_CHR;
	k.chr = 38;
	k.mode = 1; /* Map */
	k.down = true;
	session_bench_send(b, &msg);
	session_bench_spin(b);
	assert_true(b->typed && !b->released);
	/* Its echoes come: however long the key is held, it is held. */
	pass_seconds(b, 10, true);
	assert_false(b->released);
	pass_seconds(b, 2, false);
	assert_false(b->released);
	pass_seconds(b, 1, false);
	assert_true(b->released);
	/* Once is enough; after it was heard again, again. */
	b->released = false;
	pass_seconds(b, 5, false);
	assert_false(b->released);
	pass_seconds(b, 1, true);
	pass_seconds(b, 4, false);
	assert_true(b->released);
	session_bench_hang_up(b);
	session_bench_spin(b);
	session_bench_end(b);
	session_bench_fini(b);
	fake_clock_release();
	free(b);
}

/* The reason is the first one, whatever else the loop finds afterwards. */
static void test_end_and_picture_at_once(void **state)
{
	static const uint8_t too_long[] = {0xff, 0xff, 0xff, 0xff};
	struct session_bench *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	fake_clock_hold();
	session_bench_init(b);
	session_bench_open(b);
	login(b, BENCH_PASSWORD);
	fake_host_publish(&b->machine, 1, true, 1280, 720, 1000);
	session_bench_spin(b);
	assert_int_equal(b->session->video.sent, 1);
	assert_int_equal(send(b->fd, too_long, sizeof(too_long), 0), sizeof(too_long));
	fake_host_publish(&b->machine, 2, false, 1280, 720, 1000);
	uv_run(&b->session->loop.uv, UV_RUN_NOWAIT);
	assert_true(atomic_load(&b->session->loop.stop));
	assert_string_equal(b->session->end_reason, ka_err_str(-KA_E_TOO_BIG));
	session_bench_end(b);
	session_bench_fini(b);
	fake_clock_release();
	free(b);
}

/* Nobody comes in who has hung up while an operator said yes. */
static void test_end_and_approval_at_once(void **state)
{
	struct session_bench *b = calloc(1, sizeof(*b));

	(void)state;
	assert_non_null(b);
	fake_clock_hold();
	session_bench_init(b);
	b->cfg.approval = true;
	session_bench_open(b);
	login(b, NULL);
	assert_int_equal(b->session->state, KA_SES_LOGIN);
	assert_non_null(b->session->login.request);
	b->shown.approved = true;
	session_bench_hang_up(b);
	ka_session_approve(b->session);
	uv_run(&b->session->loop.uv, UV_RUN_NOWAIT);
	assert_true(atomic_load(&b->session->loop.stop));
	assert_false(b->session->entered);
	assert_int_equal(ka_gate_controllers(b->gate), 0);
	session_bench_end(b);
	session_bench_fini(b);
	fake_clock_release();
	free(b);
}

static void watch_both(struct session_bench *b)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__Misc misc = RD__MISC__INIT;
	Rd__CaptureDisplays c = RD__CAPTURE_DISPLAYS__INIT;
	int32_t set[] = {0, 1};

	c.n_set = KA_ARRAY_LEN(set);
	c.set = set;
	misc.union_case = RD__MISC__UNION_CAPTURE_DISPLAYS;
	misc.capture_displays = &c;
	msg.union_case = RD__MESSAGE__UNION_MISC;
	msg.misc = &misc;
	session_bench_send(b, &msg);
	session_bench_spin(b);
}

/* What it keeps up with, it does with both displays together. */
static void test_slow_client_gets_fewer_pictures_of_each_display(void **state)
{
	struct session_bench *b = calloc(1, sizeof(*b));
	uint32_t client;

	(void)state;
	assert_non_null(b);
	fake_clock_hold();
	session_bench_init(b);
	fake_host_give_displays(&b->machine, 2);
	session_bench_open(b);
	login(b, BENCH_PASSWORD);
	watch_both(b);
	/* The round trip of a LAN first; then it answers late. */
	for (int i = 0; i < 3; i++) {
		answer_probe(b);
		session_bench_step(b, 1000);
	}
	for (int i = 0; i < 8; i++) {
		session_bench_step(b, 1000);
		session_bench_step(b, 1000);
		answer_probe(b);
		session_bench_step(b, 0);
	}
	client = b->session->video.qos.client_fps;
	assert_true(client > 0 && client < 20);
	assert_int_equal(fake_host_wish_on(&b->machine, 0).fps, client / 2);
	assert_int_equal(fake_host_wish_on(&b->machine, 1).fps, client / 2);
	session_bench_fini(b);
	fake_clock_release();
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_and_approval_at_once),
		cmocka_unit_test(test_silent_controller_holds_nothing),
		cmocka_unit_test(test_end_and_picture_at_once),
		cmocka_unit_test(test_file_on_a_link_that_held_pictures_back),
		cmocka_unit_test(test_slow_client_gets_fewer_pictures_of_each_display),
	};

	signal(SIGPIPE, SIG_IGN); /* blocked in the agent */
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
