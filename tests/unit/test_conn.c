/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <sodium.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "proto/message.pb-c.h"
#include "rustdesk/wire/conn.h"
#include "rustdesk/wire/framing.h"
#include "tests/fake/tcp_pair.h"

#define IN_LIMIT 1000
#define OUT_LIMIT 200000

/* A connection on a loop that the test turns by hand, and the socket of the peer. */
struct rig {
	uv_loop_t uv;
	struct ka_conn *conn;
	int peer;
	int messages;
	int drained;
	int ended;
	int end_err;
	int answer; /* what on_message gives back */
	bool seal_at_message, close_at_message;
	uint8_t key[KA_SEAL_KEY];
	uint8_t last[IN_LIMIT];
	size_t last_len;
};

static int on_message(void *arg, uint8_t *data, size_t len)
{
	struct rig *r = arg;

	r->messages++;
	r->last_len = len;
	if (len) {
		memcpy(r->last, data, len);
		memset(data, 0xee, len); /* ours to write on */
	}
	if (r->seal_at_message && !ka_conn_sealed(r->conn))
		ka_conn_seal(r->conn, r->key);
	if (r->close_at_message)
		ka_conn_close(r->conn);
	return r->answer;
}

static void on_drained(void *arg)
{
	((struct rig *)arg)->drained++;
}

static void on_end(void *arg, int err)
{
	struct rig *r = arg;

	r->ended++;
	r->end_err = err;
}

static int open_rig(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int fds[2];

	if (!r || uv_loop_init(&r->uv) < 0 || tcp_pair(fds, 4096) < 0)
		return -1;
	struct ka_conn_cfg cfg = {
		.uv = &r->uv,
		.in_limit = IN_LIMIT,
		.out_limit = OUT_LIMIT,
		.on_message = on_message,
		.on_drained = on_drained,
		.on_end = on_end,
		.arg = r,
	};

	memset(r->key, 0x33, sizeof(r->key));
	r->peer = fds[1];
	*state = r;
	return ka_conn_new(&r->conn, &cfg, fds[0]);
}

static void drain_loop(struct rig *r)
{
	while (uv_run(&r->uv, UV_RUN_DEFAULT) != 0)
		;
}

static int close_rig(void **state)
{
	struct rig *r = *state;
	int ret;

	ka_conn_close(r->conn);
	ka_conn_close(r->conn);
	drain_loop(r);
	ka_conn_free(r->conn);
	ret = uv_loop_close(&r->uv);
	if (r->peer >= 0)
		close(r->peer);
	free(r);
	return ret;
}

static void turn(struct rig *r)
{
	uv_run(&r->uv, UV_RUN_NOWAIT);
}

static void peer_sends(struct rig *r, const char *hex)
{
	uint8_t data[512];
	size_t n = hex_bytes(data, sizeof(data), hex);

	assert_int_equal(send(r->peer, data, n, MSG_NOSIGNAL), n);
}

/* Turns the loop until `*what` has reached `n`. */
static void wait_for(struct rig *r, const int *what, int n)
{
	int64_t deadline = ka_clock_us() + KA_SEC(20);

	while (*what < n && ka_clock_us() < deadline)
		uv_run(&r->uv, UV_RUN_ONCE);
	assert_int_equal(*what, n);
}

static size_t peer_reads(struct rig *r, uint8_t *dst, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t more = recv(r->peer, dst + got, n - got, MSG_DONTWAIT);

		if (more == 0 || (more < 0 && errno != EAGAIN))
			break;
		if (more > 0)
			got += (size_t)more;
		turn(r);
	}
	return got;
}

static int send_delay(struct rig *r)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__TestDelay delay = RD__TEST_DELAY__INIT;

	msg.union_case = RD__MESSAGE__UNION_TEST_DELAY;
	msg.test_delay = &delay;
	return ka_conn_send(r->conn, &msg.base);
}

static int send_video(struct rig *r, size_t size)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__ScreenshotResponse shot = RD__SCREENSHOT_RESPONSE__INIT;
	int ret;

	shot.data.data = calloc(1, size);
	shot.data.len = size;
	assert_non_null(shot.data.data);
	msg.union_case = RD__MESSAGE__UNION_SCREENSHOT_RESPONSE;
	msg.screenshot_response = &shot;
	ret = ka_conn_send(r->conn, &msg.base);
	free(shot.data.data);
	return ret;
}

static void test_length_at_the_limit_waits_for_the_rest(void **state)
{
	struct rig *r = *state;

	peer_sends(r, "a1 0f"); /* 1000 is legal ... */
	turn(r);
	assert_int_equal(r->ended, 0);
	close(r->peer);
	r->peer = -1;
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->messages, 0);
}

static void test_one_byte_over_the_limit_ends_it(void **state)
{
	struct rig *r = *state;

	peer_sends(r, "a5 0f"); /* ... 1001 is not */
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, -KA_E_TOO_BIG);
	assert_int_equal(send_delay(r), -EPIPE);
	drain_loop(r);
	assert_int_equal(r->ended, 1);
}

static void test_garbage_while_sealed_ends_it(void **state)
{
	struct rig *r = *state;

	ka_conn_seal(r->conn, r->key);
	peer_sends(r, "44 0102030405060708090a0b0c0d0e0f1011");
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, -KA_E_AUTH);
	assert_int_equal(r->messages, 0);
}

static void test_refused_message_ends_it_and_the_rest_is_not_delivered(void **state)
{
	struct rig *r = *state;

	r->answer = -KA_E_PEER;
	peer_sends(r, "08 2a00 08 2a00");
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, -KA_E_PEER);
	assert_int_equal(r->messages, 1);
	drain_loop(r);
	assert_int_equal(r->messages, 1);
}

static void test_close_within_a_message_stops_delivery_without_an_end(void **state)
{
	struct rig *r = *state;

	r->close_at_message = true;
	peer_sends(r, "08 2a00 08 2a00 08 2a00");
	wait_for(r, &r->messages, 1);
	drain_loop(r);
	assert_int_equal(r->messages, 1);
	assert_int_equal(r->ended, 0);
	assert_int_equal(send_delay(r), -EPIPE);
	assert_int_equal(ka_conn_send_framed(r->conn, (const uint8_t *)"", 1), -EPIPE);
	assert_int_equal(ka_conn_pending(r->conn), 0);
}

static void test_end_of_the_stream_is_told_once(void **state)
{
	struct rig *r = *state;

	peer_sends(r, "0c 2a"); /* the middle of a message */
	shutdown(r->peer, SHUT_WR);
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, 0);
	drain_loop(r);
	assert_int_equal(r->ended, 1);
	assert_int_equal(r->messages, 0);
}

static void test_reset_is_an_error(void **state)
{
	struct rig *r = *state;
	struct linger hard = {.l_onoff = 1};

	setsockopt(r->peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(r->peer);
	r->peer = -1;
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, -ECONNRESET);
}

static void test_messages_arrive_whole_however_they_are_cut(void **state)
{
	struct rig *r = *state;

	peer_sends(r, "08 2a00 00 0d");
	wait_for(r, &r->messages, 2);
	assert_int_equal(r->last_len, 0); /* the empty one */
	turn(r);
	assert_int_equal(r->messages, 2);
	peer_sends(r, "00 52 02");
	turn(r);
	peer_sends(r, "08");
	wait_for(r, &r->messages, 3);
	assert_hex(r->last, r->last_len, "52 02 08");
	ka_conn_set_in_limit(r->conn, 1);
	peer_sends(r, "08 2a00");
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, -KA_E_TOO_BIG);
}

static void test_sending_is_framed_and_then_sealed(void **state)
{
	struct rig *r = *state;
	uint8_t data[64];

	assert_int_equal(ka_conn_send_framed(r->conn, (const uint8_t *)"\x04x", 2), 0);
	assert_int_equal(send_delay(r), 0);
	assert_int_equal(peer_reads(r, data, 5), 5);
	assert_hex(data, 5, "04 78 08 2a 00");
	wait_for(r, &r->drained, 2);
	assert_false(ka_conn_sealed(r->conn));
	ka_conn_seal(r->conn, r->key);
	assert_true(ka_conn_sealed(r->conn));
	assert_int_equal(send_delay(r), 0);
	assert_int_equal(peer_reads(r, data, 19), 19);
	assert_int_equal(data[0], 18 << 2);
	struct ka_seal in;
	uint8_t *plain;
	size_t len;

	ka_seal_init(&in, r->key);
	assert_int_equal(ka_seal_open(&in, data + 1, 18, &plain, &len), 0);
	assert_hex(plain, len, "2a 00");
}

static void test_seal_counts_from_the_very_next_message_of_one_segment(void **state)
{
	struct rig *r = *state;
	struct ka_seal out;
	uint8_t wire[64] = {0x08, 0x22, 0x00, (16 + 2) << 2};

	r->seal_at_message = true;
	ka_seal_init(&out, r->key);
	memcpy(wire + 4 + KA_SEAL_TAG, "\x2a\x00", 2);
	ka_seal_close(&out, wire + 4, 2);
	assert_int_equal(send(r->peer, wire, 4 + KA_SEAL_TAG + 2, 0), 4 + KA_SEAL_TAG + 2);
	wait_for(r, &r->messages, 2);
	assert_hex(r->last, r->last_len, "2a 00");
	assert_int_equal(r->ended, 0);
}

static void test_peer_that_does_not_read_is_bounded_and_seen(void **state)
{
	struct rig *r = *state;
	int64_t now = KA_SEC(1000);
	uint8_t sink[4096];
	size_t before;
	int sent = 0;
	int ret;

	assert_int_equal(ka_conn_stalled_us(r->conn, now), 0);
	while (!(ret = send_video(r, 10000))) {
		assert_true(ka_conn_pending(r->conn) <= OUT_LIMIT);
		turn(r);
		assert_true(++sent < 1000);
	}
	assert_int_equal(ret, -KA_E_TOO_BIG);
	before = ka_conn_pending(r->conn);
	assert_true(before > 0 && before <= OUT_LIMIT);
	assert_int_equal(ka_conn_stalled_us(r->conn, now), 0);
	assert_true(ka_conn_stalled_us(r->conn, now + KA_SEC(1)) == KA_SEC(1));
	/* More behind it is no movement. */
	assert_int_equal(send_delay(r), 0);
	turn(r);
	assert_true(ka_conn_pending(r->conn) > before);
	assert_true(ka_conn_stalled_us(r->conn, now + KA_SEC(13)) == KA_SEC(13));
	/* The peer reads a little: time starts anew. */
	while (ka_conn_pending(r->conn) >= before) {
		assert_true(recv(r->peer, sink, sizeof(sink), 0) > 0);
		turn(r);
	}
	assert_int_equal(ka_conn_stalled_us(r->conn, now + KA_SEC(14)), 0);
	assert_true(ka_conn_stalled_us(r->conn, now + KA_SEC(15)) == KA_SEC(1));
	assert_int_equal(r->ended, 0);
	/* What is pending goes with the connection: close_rig() sees to that. */
}

static void test_drained_comes_when_all_has_been_taken(void **state)
{
	struct rig *r = *state;
	uint8_t sink[4096];

	assert_int_equal(send_video(r, OUT_LIMIT - 100), 0);
	assert_true(ka_conn_pending(r->conn) > 0);
	assert_int_equal(r->drained, 0);
	while (!r->drained) {
		assert_true(recv(r->peer, sink, sizeof(sink), 0) > 0);
		turn(r);
	}
	assert_int_equal(ka_conn_pending(r->conn), 0);
	assert_int_equal(r->drained, 1);
	assert_int_equal(send_video(r, OUT_LIMIT + 1), -KA_E_TOO_BIG);
}

static void test_descriptor_that_is_no_stream_is_refused_and_closed(void **state)
{
	struct rig *r = *state;
	struct ka_conn_cfg cfg = {.uv = &r->uv, .in_limit = 1, .out_limit = 1};
	struct ka_conn *c = NULL;
	int ret = ka_conn_new(&c, &cfg, -1);

	assert_true(ret < 0);
	assert_null(c);
}

/* More is under way than the peer's kernel takes at once. */
static void test_finish_ends_after_the_last_byte_and_goes_on_reading(void **state)
{
	static uint8_t data[100000];
	static uint8_t got[sizeof(data) + 1];
	struct rig *r = *state;

	memset(data, 0x5a, sizeof(data));
	assert_int_equal(ka_conn_send_framed(r->conn, data, sizeof(data)), 0);
	ka_conn_finish(r->conn);
	ka_conn_finish(r->conn);
	assert_int_equal(peer_reads(r, got, sizeof(data)), sizeof(data));
	assert_memory_equal(got, data, sizeof(data));
	/* The end, and not just nothing more for now. */
	for (int64_t deadline = ka_clock_us() + KA_SEC(20); recv(r->peer, got, 1, MSG_DONTWAIT | MSG_PEEK) < 0;) {
		assert_true(ka_clock_us() < deadline);
		turn(r);
	}
	assert_int_equal(recv(r->peer, got, 1, MSG_DONTWAIT), 0);
	assert_int_equal(r->ended, 0);
	peer_sends(r, "08 0102");
	wait_for(r, &r->messages, 1);
	shutdown(r->peer, SHUT_WR);
	wait_for(r, &r->ended, 1);
	assert_int_equal(r->end_err, 0);
	ka_conn_finish(r->conn);
}

int main(void)
{
#define RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		RIG(test_finish_ends_after_the_last_byte_and_goes_on_reading),
		RIG(test_length_at_the_limit_waits_for_the_rest),
		RIG(test_one_byte_over_the_limit_ends_it),
		RIG(test_garbage_while_sealed_ends_it),
		RIG(test_refused_message_ends_it_and_the_rest_is_not_delivered),
		RIG(test_close_within_a_message_stops_delivery_without_an_end),
		RIG(test_end_of_the_stream_is_told_once),
		RIG(test_reset_is_an_error),
		RIG(test_messages_arrive_whole_however_they_are_cut),
		RIG(test_sending_is_framed_and_then_sealed),
		RIG(test_seal_counts_from_the_very_next_message_of_one_segment),
		RIG(test_peer_that_does_not_read_is_bounded_and_seen),
		RIG(test_drained_comes_when_all_has_been_taken),
		RIG(test_descriptor_that_is_no_stream_is_refused_and_closed),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
