/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quality of service against a simulated link and encoder. */
#include "tests/check/check.h"

#include "base/clock.h"
#include "rustdesk/session/qos.h"

#define STEP_US KA_MS(1)
#define PERIOD_US 33333
#define DEPTH 8
#define START_US KA_SEC(1000)

/* An encoder that uses all it may, a queue as the hub's, and a link with an endless buffer. */
struct sim {
	struct ka_qos q;
	int64_t now;
	uint64_t link_kbps;  /* of the slowest leg */
	uint64_t first_kbps; /* of the leg our kernel sees; more than link_kbps = a relay in between */
	int64_t trip_us;     /* there and back */
	bool echoes;	     /* the client answers TestDelay */
	uint32_t client_fps; /* more than these make it answer late; 0 = it is quick enough */
	unsigned int idle;   /* pictures cost nothing: a still screen */
	/* State. Bits, so that nothing is lost by rounding. */
	uint64_t in, first, out; /* handed over, past the first leg, arrived */
	int64_t next_picture, next_probe;
	struct {
		uint64_t end;
		int64_t made;
	} sent[4096];
	unsigned int n_sent, seen;
	struct {
		uint32_t bits;
		int64_t made;
	} queue[DEPTH];
	unsigned int queued, overflows;
	bool starved;
	uint64_t probe_end; /* 0 = none on its way */
	int64_t age;	    /* of the picture seen last, when it arrived */
	int64_t worst;	    /* oldest on screen since cleared */
	int64_t last_made;  /* of the picture on screen */
	struct ka_qos_wish wish;
};

static void sim_init(struct sim *s, uint64_t link_kbps, int64_t trip_us)
{
	memset(s, 0, sizeof(*s));
	ka_qos_init(&s->q, false);
	s->now = s->next_picture = s->next_probe = s->last_made = START_US;
	s->link_kbps = s->first_kbps = link_kbps;
	s->trip_us = trip_us;
	s->echoes = true;
	ka_qos_limit(&s->q, 8000, 0, 4000);
	s->wish = ka_qos_decide(&s->q, s->now);
}

/* As a session begins: the round trip is known from the login. */
static void sim_init_known(struct sim *s, uint64_t link_kbps, int64_t trip_us)
{
	sim_init(s, link_kbps, trip_us);
	ka_qos_init(&s->q, false);
	ka_qos_link(&s->q, s->now, &(struct ka_qos_link){.rtt_us = trip_us});
	ka_qos_limit(&s->q, 8000, 0, 4000);
	s->wish = ka_qos_decide(&s->q, s->now);
}

static void sim_encode(struct sim *s)
{
	uint32_t fps = s->wish.fps ? s->wish.fps : 30;

	if (s->now < s->next_picture)
		return;
	s->next_picture += 1000000 / fps;
	if (s->starved) {
		/* The key picture that was asked for, of three pictures' size. */
		s->starved = false;
		s->queue[0].bits = s->wish.kbps * 3000 / fps;
		s->queue[0].made = s->now;
		s->queued = 1;
	} else if (s->queued == DEPTH) {
		s->queued = 0;
		s->starved = true;
		s->overflows++;
	} else {
		s->queue[s->queued].bits = s->idle ? 2000 : s->wish.kbps * 1000 / fps;
		s->queue[s->queued++].made = s->now;
	}
}

static void sim_read(struct sim *s)
{
	/* Acknowledged is what has passed the first leg: half a trip ago, there and back alike. */
	uint64_t acked = s->first / 8;
	struct ka_qos_link l = {.acked = acked, .outstanding = (size_t)(s->in / 8 - acked)};
	uint64_t backlog = s->in - s->first;

	l.rtt_us = s->trip_us + (int64_t)(backlog * 1000 / KA_MAX(s->first_kbps, (uint64_t)1));
	ka_qos_link(&s->q, s->now, &l);
	s->wish = ka_qos_decide(&s->q, s->now);
}

static void sim_send(struct sim *s)
{
	sim_read(s);
	while (s->queued && !ka_qos_hold_us(&s->q, s->now)) {
		assert_true(s->n_sent - s->seen < KA_ARRAY_LEN(s->sent));
		s->in += s->queue[0].bits;
		s->sent[s->n_sent % KA_ARRAY_LEN(s->sent)].end = s->in;
		s->sent[s->n_sent++ % KA_ARRAY_LEN(s->sent)].made = s->queue[0].made;
		memmove(s->queue, s->queue + 1, --s->queued * sizeof(s->queue[0]));
		sim_read(s);
	}
	if (s->now >= s->next_probe && !s->probe_end) {
		s->in += 160;
		s->probe_end = s->in;
		s->next_probe = s->now + KA_SEC(1);
		ka_qos_probe_sent(&s->q, s->now);
	}
}

static bool is_swamped(const struct sim *s)
{
	return s->client_fps && (!s->wish.fps || s->wish.fps > s->client_fps);
}

static void sim_carry(struct sim *s)
{
	s->first = KA_MIN(s->in, s->first + s->first_kbps * STEP_US / 1000);
	s->out = KA_MIN(s->first, s->out + s->link_kbps * STEP_US / 1000);
	while (s->seen < s->n_sent && s->sent[s->seen % KA_ARRAY_LEN(s->sent)].end <= s->out) {
		s->last_made = s->sent[s->seen++ % KA_ARRAY_LEN(s->sent)].made;
		s->age = s->now - s->last_made + s->trip_us / 2;
	}
	s->worst = KA_MAX(s->worst, s->now - s->last_made + s->trip_us / 2);
	if (s->probe_end && s->probe_end <= s->out && s->echoes) {
		s->probe_end = 0;
		ka_qos_probe_answered(&s->q, s->now + s->trip_us + (is_swamped(s) ? KA_MS(350) : 0));
	}
}

/* Oldest picture on screen in all that time. */
static int64_t run(struct sim *s, int64_t duration_us)
{
	int64_t end = s->now + duration_us;

	s->worst = 0;
	for (; s->now < end; s->now += STEP_US) {
		sim_encode(s);
		sim_send(s);
		sim_carry(s);
	}
	return s->worst;
}

static void test_fast_link_gets_what_the_user_chose(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 100000, KA_MS(2));
	assert_true(run(&s, KA_SEC(20)) < KA_MS(150));
	assert_int_equal(s.wish.kbps, 8000);
	assert_int_equal(s.wish.fps, 0);
	assert_int_equal(s.overflows, 0);
}

static void test_distant_fast_link_is_not_taken_for_a_slow_one(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 50000, KA_MS(250));
	run(&s, KA_SEC(20));
	assert_int_equal(s.wish.kbps, 8000);
	assert_true(run(&s, KA_SEC(5)) < KA_MS(350));
}

static void test_slow_link_is_used_and_pictures_stay_young(void **state)
{
	struct sim s;
	uint64_t before;

	(void)state;
	sim_init(&s, 2000, KA_MS(40));
	run(&s, KA_SEC(5));
	before = s.out;
	assert_true(run(&s, KA_SEC(30)) < KA_MS(500));
	/* 30 s of 2000 kbit/s: at least 60 % of them used. */
	assert_true(s.out - before > 60000000u * 6 / 10);
	assert_true(s.wish.kbps < 2600);
}

static void test_very_slow_link_gets_fewer_pictures(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 300, KA_MS(80));
	run(&s, KA_SEC(10));
	assert_in_range(s.wish.fps, 1, 20);
	assert_true(run(&s, KA_SEC(20)) < KA_SEC(1));
}

static void test_link_that_breaks_down_is_followed_and_recovers(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 20000, KA_MS(20));
	run(&s, KA_SEC(5));
	assert_int_equal(s.wish.kbps, 8000);
	s.link_kbps = s.first_kbps = 1000;
	run(&s, KA_SEC(4));
	assert_true(s.wish.kbps < 1500);
	assert_true(run(&s, KA_SEC(10)) < KA_MS(700));
	s.link_kbps = s.first_kbps = 20000;
	run(&s, KA_SEC(30));
	assert_int_equal(s.wish.kbps, 8000);
}

static void test_link_that_stands_still_and_comes_back(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 10000, KA_MS(20));
	run(&s, KA_SEC(5));
	s.link_kbps = s.first_kbps = 0;
	run(&s, KA_SEC(5));
	/* Hardly anything was put on the way meanwhile. */
	assert_true(s.in - s.first < 10000u * 1000 / 4);
	s.link_kbps = s.first_kbps = 10000;
	run(&s, KA_SEC(2));
	assert_true(run(&s, KA_SEC(3)) < KA_MS(300));
	run(&s, KA_SEC(40));
	assert_int_equal(s.wish.kbps, 8000);
}

static void test_congestion_behind_a_relay_shows_in_test_delay(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 2000, KA_MS(40));
	s.q.relayed = true;
	s.first_kbps = 100000;
	run(&s, KA_SEC(15));
	assert_true(s.wish.kbps < 4000);
	assert_true(run(&s, KA_SEC(30)) < KA_SEC(2));
}

static void test_far_link_begins_cautiously(void **state)
{
	struct sim s;

	(void)state;
	sim_init_known(&s, 2000, KA_MS(40));
	assert_int_equal(s.wish.kbps, 1000);
	assert_true(s.wish.narrow);
	assert_true(run(&s, KA_SEC(6)) < KA_MS(450));
	sim_init_known(&s, 50000, KA_MS(40));
	run(&s, KA_SEC(4));
	assert_int_equal(s.wish.kbps, 8000);
	assert_false(s.wish.narrow);
	/* More by choice is approached in the same way; less is given at once. */
	ka_qos_limit(&s.q, 16000, 0, 4000);
	assert_int_equal(ka_qos_decide(&s.q, s.now).kbps, 8000);
	ka_qos_limit(&s.q, 500, 0, 4000);
	assert_int_equal(ka_qos_decide(&s.q, s.now).kbps, 500);
	ka_qos_limit(&s.q, 900, 0, 4000);
	assert_int_equal(ka_qos_decide(&s.q, s.now).kbps, 900);
	/* A LAN needs no caution. */
	sim_init_known(&s, 100000, KA_MS(2));
	assert_int_equal(s.wish.kbps, 8000);
}

static void test_slow_client_gets_fewer_pictures_not_worse_ones(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 100000, KA_MS(2));
	run(&s, KA_SEC(5));
	s.client_fps = 12;
	run(&s, KA_SEC(8));
	for (int i = 0; i < 20; i++) {
		run(&s, KA_SEC(1));
		assert_int_equal(s.wish.kbps, 8000);
		assert_in_range(s.wish.fps, 6, 20);
		assert_true(s.wish.narrow);
	}
	s.client_fps = 0;
	run(&s, KA_SEC(30));
	assert_int_equal(s.wish.fps, 0);
	assert_false(s.wish.narrow);
	/* One late answer may be a lost segment. */
	ka_qos_probe_sent(&s.q, s.now);
	ka_qos_probe_answered(&s.q, s.now + KA_MS(600));
	assert_int_equal(ka_qos_decide(&s.q, s.now).fps, 0);
}

/* TCP ends at the tunnel's near end, and nobody told us. */
static void test_congestion_behind_a_tunnel_is_seen_in_the_end(void **state)
{
	struct sim s;

	(void)state;
	sim_init_known(&s, 2000, KA_MS(40));
	s.first_kbps = 100000;
	run(&s, KA_SEC(30));
	assert_true(s.wish.kbps < 4000);
	for (int i = 0; i < 3; i++)
		assert_true(run(&s, KA_SEC(30)) < KA_SEC(5));
}

static void test_slow_begin_of_tcp_is_no_congestion(void **state)
{
	struct ka_qos_link l = {.acked = 500, .mss = 1448, .rtt_us = 200000, .outstanding = 60000, .unsent = 45000};
	struct ka_qos q;

	(void)state;
	ka_qos_init(&q, false);
	ka_qos_link(&q, START_US, &(struct ka_qos_link){.rtt_us = 200000});
	ka_qos_limit(&q, 1000, 0, 4000);
	for (int64_t now = START_US; now < START_US + KA_MS(400); now += KA_MS(5)) {
		ka_qos_link(&q, now, &l);
		(void)ka_qos_hold_us(&q, now);
		assert_int_equal(ka_qos_decide(&q, now).kbps, 1000);
	}
}

static void test_rate_that_is_not_used_is_not_raised_after_a_cut(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 2000, KA_MS(40));
	run(&s, KA_SEC(5));
	s.idle = 1;
	run(&s, KA_SEC(40));
	assert_in_range(s.wish.kbps, 1000, 3300);
	s.idle = 0;
	assert_true(run(&s, KA_SEC(5)) < KA_MS(500));
	s.idle = 1;
	run(&s, KA_SEC(80));
	assert_int_equal(s.wish.kbps, 8000);
}

static void test_still_screen_does_not_pull_the_rate_down(void **state)
{
	struct sim s;

	(void)state;
	sim_init(&s, 20000, KA_MS(100));
	s.idle = 1;
	run(&s, KA_SEC(20));
	assert_int_equal(s.wish.kbps, 8000);
	/* What was learnt while little was sent must not hold up what comes now. */
	s.idle = 0;
	assert_true(run(&s, KA_SEC(3)) < KA_MS(400));
	assert_int_equal(s.wish.kbps, 8000);
}

static void test_client_that_never_echoes_sees_pictures(void **state)
{
	struct sim s;
	unsigned int seen;

	(void)state;
	sim_init(&s, 20000, KA_MS(20));
	s.echoes = false;
	run(&s, KA_SEC(6));
	seen = s.seen;
	run(&s, KA_SEC(10));
	assert_true(s.seen - seen > 100);
}

static void test_delayed_acknowledgements_are_no_congestion(void **state)
{
	struct ka_qos_link l = {.mss = 1448, .rtt_us = 300};
	struct ka_qos q;
	int64_t now = START_US;

	(void)state;
	ka_qos_init(&q, false);
	ka_qos_limit(&q, 8000, 0, 4000);
	ka_qos_link(&q, now, &l);
	/* A still screen: small pictures whose acknowledgement comes with the next one's, or after 45 ms. */
	for (int i = 0; i < 300; i++) {
		now += PERIOD_US;
		l.rtt_us = 45000;
		l.acked += 1500;
		l.outstanding = 2500;
		ka_qos_link(&q, now, &l);
		assert_int_equal(ka_qos_hold_us(&q, now), 0);
		assert_int_equal(ka_qos_decide(&q, now).kbps, 8000);
	}
	/* Then a key picture. */
	l.outstanding = 40000;
	for (int i = 0; i < 10; i++) {
		now += KA_MS(1);
		ka_qos_link(&q, now, &l);
		assert_int_equal(ka_qos_hold_us(&q, now), 0);
		assert_int_equal(ka_qos_decide(&q, now).kbps, 8000);
	}
	assert_false(ka_qos_decide(&q, now).narrow);
}

static void test_users_choice_bounds_and_is_followed_at_once(void **state)
{
	struct ka_qos q;
	struct ka_qos_wish w;

	(void)state;
	ka_qos_init(&q, false);
	ka_qos_limit(&q, 1000, 20, 4000);
	w = ka_qos_decide(&q, START_US);
	assert_int_equal(w.kbps, 1000);
	/* Few bits by choice do not cost pictures. */
	assert_int_equal(w.fps, 20);
	ka_qos_limit(&q, 6000, 0, 4000);
	w = ka_qos_decide(&q, START_US + 1);
	assert_int_equal(w.kbps, 6000);
	assert_int_equal(w.fps, 0);
	ka_qos_limit(&q, 10, 0, 4000);
	assert_int_equal(ka_qos_decide(&q, START_US + 2).kbps, 10);
	/* An answer nobody asked for. */
	ka_qos_probe_answered(&q, START_US + 3);
	assert_int_equal(ka_qos_hold_us(&q, START_US + 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast_link_gets_what_the_user_chose),
		cmocka_unit_test(test_distant_fast_link_is_not_taken_for_a_slow_one),
		cmocka_unit_test(test_slow_link_is_used_and_pictures_stay_young),
		cmocka_unit_test(test_very_slow_link_gets_fewer_pictures),
		cmocka_unit_test(test_link_that_breaks_down_is_followed_and_recovers),
		cmocka_unit_test(test_link_that_stands_still_and_comes_back),
		cmocka_unit_test(test_congestion_behind_a_relay_shows_in_test_delay),
		cmocka_unit_test(test_far_link_begins_cautiously),
		cmocka_unit_test(test_slow_client_gets_fewer_pictures_not_worse_ones),
		cmocka_unit_test(test_congestion_behind_a_tunnel_is_seen_in_the_end),
		cmocka_unit_test(test_slow_begin_of_tcp_is_no_congestion),
		cmocka_unit_test(test_rate_that_is_not_used_is_not_raised_after_a_cut),
		cmocka_unit_test(test_still_screen_does_not_pull_the_rate_down),
		cmocka_unit_test(test_client_that_never_echoes_sees_pictures),
		cmocka_unit_test(test_delayed_acknowledgements_are_no_congestion),
		cmocka_unit_test(test_users_choice_bounds_and_is_followed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
