/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How sessions end, and that nothing stays behind. */
#include "tests/fake/session_check.h"

#include <poll.h>
#include <sys/socket.h>

#define ROUNDS 100
#define AT_A_TIME 10

/* Logged in, one key and one button down. */
static void hold_something(struct session_rig *r)
{
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_publish(&r->host, 1, true, 1280, 720, 100);
	assert_non_null(client_next(&r->client));
	assert_true(client_send_payload(&r->client, "\x7a\x06\x08\x01\x20\x26\x48\x01", 8));
	assert_true(client_send_payload(&r->client, "\x52\x02\x08\x09", 4));
	assert_true(fake_host_wait_inputs(&r->host, 2));
	assert_int_equal(ka_gate_controllers(r->gate), 1);
}

static void assert_nothing_stays_behind(struct session_rig *r)
{
	unsigned int n;

	assert_true(session_rig_wait_end(r));
	n = fake_host_count(&r->host, &r->host.n_inputs);
	assert_true(n >= 3);
	assert_int_equal(fake_host_input(&r->host, n - 1).kind, KA_INPUT_RELEASE);
	assert_int_equal(fake_host_input(&r->host, n - 1).source, RIG_NUMBER);
	assert_int_equal(fake_host_count(&r->host, &r->host.unwatched), fake_host_count(&r->host, &r->host.watched));
	assert_int_equal(ka_hub_count(r->host.hubs[0]), 0);
	assert_int_equal(ka_gate_controllers(r->gate), 0);
}

static void test_close_reason_releases(void **state)
{
	struct session_rig *r = *state;
	struct pollfd stream = {.events = POLLRDHUP};

	hold_something(r);
	stream.fd = r->client.fd;
	assert_true(client_send_payload(&r->client, "\x9a\x01\x02\x4a\x00", 5));
	/* At once, not when the stream is gone: that lingers for a second. */
	assert_true(fake_host_wait_inputs(&r->host, 3));
	assert_int_equal(poll(&stream, 1, 0), 0);
	assert_true(fake_host_wait_unwatched(&r->host, 1));
	/* What comes behind a good-bye does not count. */
	assert_true(client_send_payload(&r->client, "\x7a\x06\x08\x01\x20\x26\x48\x01", 8));
	assert_true(client_wait_eof(&r->client));
	assert_nothing_stays_behind(r);
	for (unsigned int i = 2; i < r->host.n_inputs; i++)
		assert_int_equal(r->host.inputs[i].kind, KA_INPUT_RELEASE);
}

static void test_end_of_the_stream_releases(void **state)
{
	struct session_rig *r = *state;

	hold_something(r);
	close(r->client.fd);
	r->client.fd = -1;
	assert_nothing_stays_behind(r);
}

static void test_reset_releases(void **state)
{
	struct session_rig *r = *state;
	struct linger hard = {.l_onoff = 1};

	hold_something(r);
	setsockopt(r->client.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(r->client.fd);
	r->client.fd = -1;
	assert_nothing_stays_behind(r);
}

static void test_garbage_releases(void **state)
{
	struct session_rig *r = *state;

	hold_something(r);
	assert_true(client_send_payload(&r->client, "\xff\xff\xff\xff\xff", 5));
	assert_nothing_stays_behind(r);
}

static void test_frame_too_large_releases(void **state)
{
	struct session_rig *r = *state;

	hold_something(r);
	assert_true(client_send_raw(&r->client, "\xff\xff\xff\xff", 4));
	assert_nothing_stays_behind(r);
}

static void test_half_a_frame_and_silence_is_no_hang_at_stop(void **state)
{
	struct session_rig *r = *state;

	hold_something(r);
	assert_true(client_send_raw(&r->client, "\x20\x52", 2));
	ka_session_stop(r->session, "The KVM service is stopping");
	assert_nothing_stays_behind(r);
}

static void test_stop_tells_why_and_releases(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	hold_something(r);
	ka_session_stop(r->session, "The KVM service is stopping");
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CLOSE_REASON);
	assert_string_equal(m->misc->close_reason, "The KVM service is stopping");
	assert_nothing_stays_behind(r);
}

static void test_peer_that_makes_us_answer_and_never_reads_is_bounded(void **state)
{
	/* Wishes for a restart, answered with a text each: a few bytes in, a hundred out. */
	static const uint8_t restart[] = {0x9a, 0x01, 0x02, 0x70, 0x01};
	struct session_rig *r = *state;

	hold_something(r);
	for (int i = 0; i < 1000000 && client_send_payload(&r->client, restart, sizeof(restart)); i++)
		;
	assert_nothing_stays_behind(r);
}

static void test_stop_before_anything_was_said(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	ka_session_stop(r->session, "The KVM service is stopping");
	ka_session_stop(r->session, "Twice");
	assert_true(session_rig_wait_end(r));
	assert_int_equal(fake_host_count(&r->host, &r->host.n_inputs), 0);
}

static void test_free_waits_for_the_end(void **state)
{
	struct session_rig *r = *state;

	hold_something(r);
	ka_session_stop(r->session, "The KVM service is stopping");
	ka_session_free(r->session);
	r->session = NULL;
	assert_int_equal(fake_host_count(&r->host, &r->host.unwatched), 1);
	ka_session_free(NULL);
}

struct round {
	struct session_rig rig;
	bool logged_in;
};

static void start_round(struct round *n, int i)
{
	assert_int_equal(session_rig_init(&n->rig), 0);
	/* Every third is caught in the key exchange, every third at login, every third with pictures under way. */
	n->logged_in = i % 3 == 2;
	if (n->logged_in) {
		assert_true(session_rig_login(&n->rig, NULL));
		for (int64_t pts = 0; pts < 20; pts++)
			fake_host_publish(&n->rig.host, pts, pts == 0, 1280, 720, 1000);
	} else {
		assert_int_equal(session_rig_start(&n->rig, KA_PATH_LAN, i % 3 == 0), 0);
	}
}

static void test_a_hundred_starts_and_stops(void **state)
{
	struct round *rounds = calloc(AT_A_TIME, sizeof(*rounds));

	(void)state;
	assert_non_null(rounds);
	for (int i = 0; i < ROUNDS; i += AT_A_TIME) {
		for (int k = 0; k < AT_A_TIME; k++)
			start_round(&rounds[k], i + k);
		for (int k = 0; k < AT_A_TIME; k++)
			ka_session_stop(rounds[k].rig.session, "The KVM service is stopping");
		for (int k = 0; k < AT_A_TIME; k++) {
			struct fake_host *h = &rounds[k].rig.host;

			assert_true(session_rig_wait_end(&rounds[k].rig));
			assert_int_equal(ka_hub_count(h->hubs[0]), 0);
			assert_true(!rounds[k].logged_in || h->n_inputs > 0);
			assert_int_equal(ka_gate_controllers(rounds[k].rig.gate), 0);
			session_rig_fini(&rounds[k].rig);
		}
	}
	free(rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_close_reason_releases),
		RIG(test_end_of_the_stream_releases),
		RIG(test_reset_releases),
		RIG(test_garbage_releases),
		RIG(test_frame_too_large_releases),
		RIG(test_half_a_frame_and_silence_is_no_hang_at_stop),
		RIG(test_stop_tells_why_and_releases),
		RIG(test_peer_that_makes_us_answer_and_never_reads_is_bounded),
		RIG(test_stop_before_anything_was_said),
		RIG(test_free_waits_for_the_end),
		cmocka_unit_test(test_a_hundred_starts_and_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
