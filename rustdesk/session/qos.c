/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/qos.h"

#include "base/clock.h"

/* On the way at most so long beyond the round trip: enough that a link never runs dry between two pictures. */
#define AHEAD_US KA_MS(120)
#define AHEAD_MIN_BYTES 16384u
#define AHEAD_UNKNOWN_BYTES 32768u
#define LAG_BAD_US KA_MS(150)
#define TRIP_SHORT_US KA_MS(60)
#define LAG_AWFUL_US KA_MS(400)
#define LAG_GOOD_US KA_MS(60)
/* A round trip of TestDelay takes the client's own time too. */
#define PROBE_BAD_US KA_MS(250)
#define PROBE_GOOD_US KA_MS(100)
#define PROBE_HOLD_US KA_MS(400)
/* A client that no longer echoes must see pictures all the same; few at first. */
#define PROBE_GIVEN_UP_US KA_SEC(3)
#define PROBE_FORGOTTEN_US KA_SEC(20)
/* Past one late answer, which a lost segment explains, it is the client. */
#define LATE_PROBES 2u
#define PROBE_HOPELESS_US KA_MS(1200)
#define CLIENT_FPS_MIN 5u
#define CLIENT_EVERY_US KA_SEC(1)
#define CLIENT_FPS_MOST 60u
/* A link this quick may get what the user chose at once. */
#define LAN_RTT_US KA_MS(5)
#define START_KBPS 1000u
#define START_PERCENT 26u
/* More round trip than this over the least is a queue. */
#define RTT_QUEUED_US KA_MS(40)
#define SAMPLE_US KA_MS(100)
#define CUT_EVERY_US KA_MS(250)
#define RAISE_AFTER_US KA_SEC(1)
#define RAISE_EVERY_US KA_MS(300)
#define RAISE_PERCENT 3u
#define RAISE_PERCENT_MOST 15u
/* TestDelay tells late: no haste. */
#define BLIND_PERCENT 5u
#define UNPROVEN_PERCENT 150
#define BAD_FORGOTTEN_US KA_SEC(20)
#define NARROW_US KA_SEC(60)
#define FLOOR_US KA_SEC(10)
#define HOLD_MIN_US KA_MS(5)
#define HOLD_MAX_US KA_MS(100)
#define NOTHING INT64_MAX

static void floor_add(struct ka_qos_floor *f, int64_t now_us, int64_t value)
{
	if (now_us - f->since_us >= FLOOR_US) {
		f->before = now_us - f->since_us >= 2 * FLOOR_US ? NOTHING : f->now;
		f->now = NOTHING;
		f->since_us = now_us;
	}
	f->now = KA_MIN(f->now, value);
}

static int64_t floor_get(const struct ka_qos_floor *f)
{
	int64_t least = KA_MIN(f->now, f->before);

	return least == NOTHING ? 0 : least;
}

void ka_qos_init(struct ka_qos *q, bool relayed)
{
	*q = (struct ka_qos){
		.relayed = relayed,
		.raise_percent = RAISE_PERCENT,
		.rtt = {.now = NOTHING, .before = NOTHING},
		.probe = {.now = NOTHING, .before = NOTHING},
		.carried = {.now = NOTHING, .before = NOTHING},
	};
}

/* Below a twentieth of what the size deserves nothing can be read any more: rather fewer pictures then. */
static uint32_t least_kbps(const struct ka_qos *q)
{
	return KA_MIN(q->user_kbps, KA_MAX(q->full_kbps / 20, (uint32_t)KA_QOS_MIN_KBPS));
}

bool ka_qos_near(const struct ka_qos *q)
{
	return KA_MAX(floor_get(&q->rtt), q->relayed ? floor_get(&q->probe) : 0) <= LAN_RTT_US;
}

void ka_qos_limit(struct ka_qos *q, uint32_t kbps, uint32_t fps, uint32_t full_kbps)
{
	bool free = q->kbps >= q->user_kbps;

	q->user_kbps = kbps;
	q->user_fps = fps;
	q->full_kbps = full_kbps;
	if (!free) {
		q->kbps = KA_MIN(q->kbps, kbps);
	} else if (ka_qos_near(q) || kbps <= KA_MAX(q->kbps, START_KBPS)) {
		q->kbps = kbps;
	} else {
		q->kbps = KA_MAX(q->kbps, KA_MAX(START_KBPS, least_kbps(q)));
		q->starting = true;
		q->raised_us = 0;
		q->raise_percent = q->relayed ? RAISE_PERCENT_MOST : START_PERCENT;
	}
}

/* A client that does not know TestDelay says nothing about the link by its silence. */
static bool ever_answered(const struct ka_qos *q)
{
	return q->probe.since_us > 0;
}

/* TestDelay beyond its least; one that is not answered yet counts by its age. */
static int64_t probe_lag(const struct ka_qos *q, int64_t now_us)
{
	int64_t age = q->probe_sent_us ? now_us - q->probe_sent_us : 0;
	int64_t trip = q->probe_us;

	if (!ever_answered(q))
		return 0;
	if (age > trip && age < PROBE_FORGOTTEN_US)
		trip = age;
	return KA_MAX(trip - floor_get(&q->probe), (int64_t)0);
}

/* A receiver may sit on the acknowledgement of two segments for some 40 ms (RFC 9293 3.8.6.3): no sign of a queue. */
static size_t outstanding(const struct ka_qos_link *l)
{
	return l->outstanding - KA_MIN(l->outstanding, 2 * l->mss);
}

static int64_t drain_us(const struct ka_qos *q)
{
	return q->rate ? (int64_t)((uint64_t)outstanding(&q->link) * 1000000 / q->rate) : 0;
}

static int64_t rtt_queue_us(const struct ka_qos *q)
{
	return q->link.rtt_us ? KA_MAX(q->link.rtt_us - floor_get(&q->rtt), (int64_t)0) : 0;
}

void ka_qos_probe_sent(struct ka_qos *q, int64_t now_us)
{
	q->probe_sent_us = now_us;
	q->probe_queue_us = drain_us(q) + rtt_queue_us(q);
}

/* A client that cannot keep up gets fewer pictures; worse ones would not help it. */
static void spare_client(struct ka_qos *q, int64_t now_us)
{
	q->client_fps = KA_MAX((q->client_fps ? q->client_fps : 30) * 2 / 3, CLIENT_FPS_MIN);
	q->client_us = now_us;
}

/* Without a relay: how long the client itself took. */
static void judge_client(struct ka_qos *q, int64_t now_us)
{
	int64_t slow = q->probe_us - floor_get(&q->probe) - KA_MAX(q->probe_queue_us, rtt_queue_us(q));

	q->late = slow > PROBE_BAD_US ? q->late + 1 : 0;
	if (q->late >= LATE_PROBES)
		spare_client(q, now_us);
	else if (slow < PROBE_GOOD_US && q->client_fps)
		q->client_fps += q->client_fps / 2;
	if (q->client_fps >= CLIENT_FPS_MOST)
		q->client_fps = 0;
}

void ka_qos_probe_answered(struct ka_qos *q, int64_t now_us)
{
	if (!q->probe_sent_us)
		return;
	q->probe_us = now_us - q->probe_sent_us;
	q->probe_sent_us = 0;
	floor_add(&q->probe, now_us, q->probe_us);
	if (!q->relayed)
		judge_client(q, now_us);
}

/* Bytes wait somewhere. Many of them on the way prove nothing: a long link holds many, and a link that never had much
 * to carry has not shown what it can. */
static bool is_queued(const struct ka_qos *q, const struct ka_qos_link *l)
{
	if (!outstanding(l))
		return false;
	return l->unsent || l->rtt_us > floor_get(&q->rtt) + RTT_QUEUED_US;
}

int64_t ka_qos_lag_us(const struct ka_qos *q, int64_t now_us)
{
	int64_t held = q->closed_us ? now_us - q->closed_us : 0;

	return held + (is_queued(q, &q->link) ? KA_MAX(drain_us(q) - floor_get(&q->rtt), (int64_t)0) : 0);
}

/* The link, not the encoder, decided how much went over it. */
static bool is_busy(const struct ka_qos *q, const struct ka_qos_link *l)
{
	return q->closed_us || is_queued(q, l);
}

static void learn_rate(struct ka_qos *q, int64_t now_us, uint64_t sample)
{
	floor_add(&q->carried, now_us, -(int64_t)sample);
	/* While the encoder decides, what is carried shows the least that can be. */
	if (q->rate && sample > q->rate)
		q->rate = (q->rate + 3 * sample) / 4;
	else if (q->mark_busy)
		/* The first is not believed when it is a hiccup. */
		q->rate = q->rate ? (q->rate + sample) / 2 : KA_MAX(sample, (uint64_t)-floor_get(&q->carried) / 4);
	if (!q->rate)
		return;
	q->rate = KA_MAX(q->rate, (uint64_t)KA_QOS_MIN_KBPS * 125 / 2);
}

void ka_qos_link(struct ka_qos *q, int64_t now_us, const struct ka_qos_link *link)
{
	if (link->rtt_us > 0)
		floor_add(&q->rtt, now_us, link->rtt_us);
	q->link = *link;
	/* Nothing acknowledged yet of what is on the way: the sample goes on until something is. */
	if (link->acked == q->mark_acked && link->outstanding)
		return;
	/* TCP sends in bursts a round trip apart. */
	if (!q->mark_us || now_us - q->mark_us >= KA_MAX(SAMPLE_US, floor_get(&q->rtt))) {
		uint64_t bytes = link->acked - q->mark_acked;

		q->mark_busy = q->mark_busy && is_busy(q, link);
		/* An idle moment says nothing about the link. */
		if (q->mark_us && bytes)
			learn_rate(q, now_us, bytes * 1000000 / (uint64_t)(now_us - q->mark_us));
		q->mark_us = now_us;
		q->mark_acked = link->acked;
		q->mark_busy = is_busy(q, link);
	}
	q->mark_busy = q->mark_busy && is_busy(q, link);
}

static size_t budget(const struct ka_qos *q)
{
	uint64_t ahead = (uint64_t)(floor_get(&q->rtt) + AHEAD_US);

	/* Then what was asked of the encoder, and a key picture. */
	if (!q->rate)
		return KA_MAX((uint64_t)q->kbps * 125 * ahead / 1000000, (uint64_t)AHEAD_UNKNOWN_BYTES);
	return (size_t)KA_MAX(q->rate * ahead / 1000000, (uint64_t)AHEAD_MIN_BYTES);
}

int64_t ka_qos_hold_us(struct ka_qos *q, int64_t now_us)
{
	int64_t age = q->probe_sent_us ? now_us - q->probe_sent_us : 0;
	size_t may = budget(q);
	int64_t hold = HOLD_MAX_US;
	bool full = q->link.outstanding > may && is_queued(q, &q->link);
	bool unheard = ever_answered(q) && age > floor_get(&q->probe) + PROBE_HOLD_US && age < PROBE_GIVEN_UP_US;

	/* Waiting for a slow client says nothing about the link. */
	if (!full && (!unheard || !q->relayed))
		q->closed_us = 0;
	else if (!q->closed_us)
		q->closed_us = now_us;
	if (!full && !unheard)
		return 0;
	if (full && q->rate)
		hold = (int64_t)((q->link.outstanding - may) * 1000000 / q->rate);
	return KA_CLAMP(hold, HOLD_MIN_US, HOLD_MAX_US);
}

void ka_qos_resume(struct ka_qos *q)
{
	q->closed_us = 0;
}

static void cut(struct ka_qos *q, int64_t now_us, int64_t lag, bool blind)
{
	uint64_t carried = q->rate * 8 / 1000;
	uint32_t keep = lag > LAG_AWFUL_US ? 60 : 80;
	uint64_t kbps = (uint64_t)q->kbps * keep / 100;

	/* Nothing acknowledged since is no news: a link that stands still is not slow. */
	if (now_us - q->cut_us < CUT_EVERY_US + q->link.rtt_us || q->link.acked == q->cut_acked)
		return;
	/* What has piled up must drain as well; but one bad sample must not end in nothing. */
	if (carried)
		kbps = KA_MAX(KA_MIN(kbps, carried * keep / 100), (uint64_t)q->kbps / 4);
	q->bad_kbps = carried ? (uint32_t)KA_MIN(carried, (uint64_t)q->kbps) : q->kbps;
	q->kbps = (uint32_t)KA_CLAMP(kbps, (uint64_t)least_kbps(q), (uint64_t)q->user_kbps);
	q->cut_us = q->raised_us = now_us;
	q->cut_acked = q->link.acked;
	q->raise_percent = RAISE_PERCENT;
	q->starting = false;
	q->blind = blind;
}

/* What pictures do not use proves nothing: the next one that moves would come as a flood. */
static bool is_unproven(const struct ka_qos *q, int64_t now_us)
{
	return q->cut_us && now_us - q->cut_us < NARROW_US &&
	       q->kbps * 125ll > -floor_get(&q->carried) * UNPROVEN_PERCENT / 100;
}

static void raise(struct ka_qos *q, int64_t now_us)
{
	int64_t steps = q->raised_us ? (now_us - q->raised_us) / RAISE_EVERY_US : 0;

	if (!q->raised_us)
		q->raised_us = now_us;
	if (now_us - q->cut_us < RAISE_AFTER_US || steps < 1)
		return;
	q->raised_us = now_us;
	if (is_unproven(q, now_us))
		return;
	if (now_us - q->cut_us > BAD_FORGOTTEN_US)
		q->bad_kbps = 0;
	for (steps = KA_MIN(steps, (int64_t)4); steps > 0; steps--) {
		/* Carefully past the rate that was too much last; beyond, it is history. */
		bool near = q->kbps > q->bad_kbps / 100 * 85 && q->kbps < q->bad_kbps / 100 * 115;
		uint32_t percent = near ? RAISE_PERCENT : q->blind ? BLIND_PERCENT : q->raise_percent;

		q->kbps = KA_MIN(q->kbps + KA_MAX(q->kbps * percent / 100, 1u), q->user_kbps);
		if (!near && !q->starting)
			q->raise_percent = KA_MIN(q->raise_percent + 2, RAISE_PERCENT_MOST);
	}
}

/* Fewer but better pictures where there are few bits. */
static uint32_t affordable_fps(const struct ka_qos *q)
{
	uint32_t share = q->full_kbps ? (uint32_t)((uint64_t)q->kbps * 100 / q->full_kbps) : 100;
	uint32_t most = share >= 40 ? 0 : share >= 20 ? 20 : share >= 10 ? 15 : 10;

	/* Few bits by choice are the user's business. */
	if (q->kbps >= q->user_kbps)
		most = 0;
	if (q->client_fps && (!most || q->client_fps < most))
		most = q->client_fps;
	if (!most)
		return q->user_fps;
	return q->user_fps ? KA_MIN(q->user_fps, most) : most;
}

struct ka_qos_wish ka_qos_decide(struct ka_qos *q, int64_t now_us)
{
	int64_t lag = ka_qos_lag_us(q, now_us);
	/* A key picture takes TCP another round trip, and two in the beginning, whatever the link can. */
	int64_t trip = floor_get(&q->rtt);
	int64_t bad = LAG_BAD_US + (q->rate ? KA_MAX(trip - TRIP_SHORT_US, (int64_t)0) : 2 * trip);
	int64_t probe = probe_lag(q, now_us);

	/* Without a relay a late answer is the client's doing; or it calls through a tunnel, when fewer pictures are no
	 * help. */
	if (!q->relayed && probe > PROBE_HOPELESS_US && now_us - q->client_us >= CLIENT_EVERY_US)
		spare_client(q, now_us);
	if (!q->relayed && q->client_fps != CLIENT_FPS_MIN)
		probe = 0;
	if (lag > bad || probe > PROBE_BAD_US)
		cut(q, now_us, KA_MAX(lag, probe), probe > lag);
	else if (lag < LAG_GOOD_US && probe < PROBE_GOOD_US && q->kbps < q->user_kbps)
		raise(q, now_us);
	if (q->kbps >= q->user_kbps && q->starting) {
		q->starting = false;
		q->raise_percent = RAISE_PERCENT;
	}
	return (struct ka_qos_wish){
		.kbps = q->kbps,
		.fps = affordable_fps(q),
		.narrow = q->kbps < q->user_kbps || q->client_fps || (q->cut_us && now_us - q->cut_us < NARROW_US),
	};
}
