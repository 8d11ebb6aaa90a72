/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/qos.h"

#include "base/clock.h"

/* On the way at most so long beyond the round trip: enough that a link never runs dry between two pictures. */
#define AHEAD_US KA_MS(120)
#define AHEAD_MIN_BYTES 16384u
#define AHEAD_UNKNOWN_BYTES 65536u
#define LAG_BAD_US KA_MS(150)
#define LAG_AWFUL_US KA_MS(400)
#define LAG_GOOD_US KA_MS(60)
/* A round trip of TestDelay takes the client's own time too. */
#define PROBE_BAD_US KA_MS(250)
#define PROBE_GOOD_US KA_MS(100)
#define PROBE_HOLD_US KA_MS(400)
/* A client that never echoes must see pictures all the same. */
#define PROBE_GIVEN_UP_US KA_SEC(3)
/* More round trip than this over the least is a queue. */
#define RTT_QUEUED_US KA_MS(40)
#define SAMPLE_US KA_MS(100)
#define CUT_EVERY_US KA_MS(250)
#define RAISE_AFTER_US KA_SEC(1)
#define RAISE_EVERY_US KA_MS(300)
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

void ka_qos_init(struct ka_qos *q)
{
	*q = (struct ka_qos){
		.rtt = {.now = NOTHING, .before = NOTHING},
		.probe = {.now = NOTHING, .before = NOTHING},
	};
}

void ka_qos_limit(struct ka_qos *q, uint32_t kbps, uint32_t fps, uint32_t full_kbps)
{
	bool free = q->kbps >= q->user_kbps;

	q->kbps = free ? kbps : KA_MIN(q->kbps, kbps);
	q->user_kbps = kbps;
	q->user_fps = fps;
	q->full_kbps = full_kbps;
}

void ka_qos_probe_sent(struct ka_qos *q, int64_t now_us)
{
	q->probe_sent_us = now_us;
}

void ka_qos_probe_answered(struct ka_qos *q, int64_t now_us)
{
	if (!q->probe_sent_us)
		return;
	q->probe_us = now_us - q->probe_sent_us;
	q->probe_sent_us = 0;
	floor_add(&q->probe, now_us, q->probe_us);
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
	if (age > trip && age < PROBE_GIVEN_UP_US)
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

static void learn_rate(struct ka_qos *q, uint64_t sample)
{
	/* While the encoder decides, what is carried shows the least that can be. */
	if (q->rate && sample > q->rate)
		q->rate = (q->rate + 3 * sample) / 4;
	else if (q->mark_busy)
		q->rate = q->rate ? (q->rate + sample) / 2 : sample;
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
	if (!q->mark_us || now_us - q->mark_us >= SAMPLE_US) {
		uint64_t bytes = link->acked - q->mark_acked;

		q->mark_busy = q->mark_busy && is_busy(q, link);
		/* An idle moment says nothing about the link. */
		if (q->mark_us && bytes)
			learn_rate(q, bytes * 1000000 / (uint64_t)(now_us - q->mark_us));
		q->mark_us = now_us;
		q->mark_acked = link->acked;
		q->mark_busy = is_busy(q, link);
	}
	q->mark_busy = q->mark_busy && is_busy(q, link);
}

static size_t budget(const struct ka_qos *q)
{
	uint64_t ahead = (uint64_t)(floor_get(&q->rtt) + AHEAD_US);

	if (!q->rate)
		return AHEAD_UNKNOWN_BYTES;
	return (size_t)KA_MAX(q->rate * ahead / 1000000, (uint64_t)AHEAD_MIN_BYTES);
}

int64_t ka_qos_hold_us(struct ka_qos *q, int64_t now_us)
{
	int64_t age = q->probe_sent_us ? now_us - q->probe_sent_us : 0;
	size_t may = budget(q);
	int64_t hold = HOLD_MAX_US;

	if (q->link.outstanding > may && is_queued(q, &q->link)) {
		if (q->rate)
			hold = (int64_t)((q->link.outstanding - may) * 1000000 / q->rate);
	} else if (!ever_answered(q) || age <= floor_get(&q->probe) + PROBE_HOLD_US || age >= PROBE_GIVEN_UP_US) {
		q->closed_us = 0;
		return 0;
	}
	if (!q->closed_us)
		q->closed_us = now_us;
	return KA_CLAMP(hold, HOLD_MIN_US, HOLD_MAX_US);
}

void ka_qos_resume(struct ka_qos *q)
{
	q->closed_us = 0;
}

/* Below a twentieth of what the size deserves nothing can be read any more: rather fewer pictures then. */
static uint32_t least_kbps(const struct ka_qos *q)
{
	return KA_MIN(q->user_kbps, KA_MAX(q->full_kbps / 20, (uint32_t)KA_QOS_MIN_KBPS));
}

static void cut(struct ka_qos *q, int64_t now_us, int64_t lag)
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
}

static void raise(struct ka_qos *q, int64_t now_us)
{
	int64_t steps = (now_us - q->raised_us) / RAISE_EVERY_US;

	if (now_us - q->cut_us < RAISE_AFTER_US || steps < 1)
		return;
	q->raised_us = now_us;
	if (now_us - q->cut_us > BAD_FORGOTTEN_US)
		q->bad_kbps = 0;
	for (steps = KA_MIN(steps, (int64_t)4); steps > 0; steps--) {
		/* Carefully past the rate that was too much last; beyond, it is history. */
		bool near = q->kbps > q->bad_kbps / 100 * 85 && q->kbps < q->bad_kbps / 100 * 115;
		uint32_t percent = near ? 2 : 5;

		q->kbps = KA_MIN(q->kbps + KA_MAX(q->kbps * percent / 100, 1u), q->user_kbps);
	}
}

/* Fewer but better pictures where there are few bits. */
static uint32_t affordable_fps(const struct ka_qos *q)
{
	uint32_t share = q->full_kbps ? (uint32_t)((uint64_t)q->kbps * 100 / q->full_kbps) : 100;
	uint32_t most = share >= 40 ? 0 : share >= 20 ? 20 : share >= 10 ? 15 : 10;

	/* Few bits by choice are the user's business. */
	if (q->kbps >= q->user_kbps || !most)
		return q->user_fps;
	return q->user_fps ? KA_MIN(q->user_fps, most) : most;
}

struct ka_qos_wish ka_qos_decide(struct ka_qos *q, int64_t now_us)
{
	int64_t lag = ka_qos_lag_us(q, now_us);
	int64_t probe = probe_lag(q, now_us);

	if (lag > LAG_BAD_US || probe > PROBE_BAD_US)
		cut(q, now_us, KA_MAX(lag, probe));
	else if (lag < LAG_GOOD_US && probe < PROBE_GOOD_US && q->kbps < q->user_kbps)
		raise(q, now_us);
	return (struct ka_qos_wish){
		.kbps = q->kbps,
		.fps = affordable_fps(q),
		.narrow = q->kbps < q->user_kbps || (q->cut_us && now_us - q->cut_us < NARROW_US),
	};
}
