/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/calls.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/punch.h"
#include "rustdesk/reach/relay.h"

/* Holds a punch or a relay; free when it holds neither. */
struct slot {
	struct ka_calls *calls;
	struct ka_punch *punch;
	struct ka_relay *relay;
	struct ka_rdv_call call;
	int64_t since_us;
};

struct ka_calls {
	const struct ka_reach_env *env;
	void (*incoming)(void *arg, struct ka_incoming *in);
	void *arg;
	struct ka_call_gate gate;
	struct slot punches[KA_CALLS_MAX];
	struct slot relays[KA_CALLS_MAX];
};

static bool busy(const struct slot *s)
{
	return s->punch || s->relay;
}

static unsigned int count_calls(const struct slot *slots, const struct sockaddr_storage *network)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < KA_CALLS_MAX; i++)
		n += busy(&slots[i]) && ka_addr_same_network(&slots[i].call.peer, network);
	return n;
}

/* The oldest call of the network that has most: one stranger cannot keep others out. */
static struct slot *evict(struct slot *slots)
{
	struct slot *victim = &slots[0];
	unsigned int most = 0;

	for (unsigned int i = 0; i < KA_CALLS_MAX; i++) {
		unsigned int n = count_calls(slots, &slots[i].call.peer);

		if (n > most || (n == most && slots[i].since_us < victim->since_us)) {
			most = n;
			victim = &slots[i];
		}
	}
	ka_log_every(WARN, KA_SEC(10), "calls", "crowded", "all %d places taken, the oldest call gave way",
		     KA_CALLS_MAX);
	ka_punch_free(victim->punch);
	victim->punch = NULL;
	ka_relay_free(victim->relay);
	victim->relay = NULL;
	return victim;
}

static struct slot *find_place(struct slot *slots)
{
	for (unsigned int i = 0; i < KA_CALLS_MAX; i++) {
		if (!busy(&slots[i]))
			return &slots[i];
	}
	return evict(slots);
}

static void on_relay(void *arg, int status, struct ka_incoming *in)
{
	struct slot *s = arg;

	s->relay = NULL;
	if (status == 0)
		s->calls->incoming(s->calls->arg, in);
}

static void start_relay(struct ka_calls *c, const struct ka_rdv_call *call, bool offer)
{
	struct slot *s = find_place(c->relays);
	int ret;

	*s = (struct slot){.calls = c, .since_us = ka_clock_us(), .call = *call};
	ret = ka_relay_new(&s->relay, c->env, call, offer, on_relay, s);
	if (ret < 0)
		ka_log(WARN, "relay", "not started", "cause=\"%s\"", ka_dial_words(ret));
}

static void on_punch(void *arg, int status, bool told, struct ka_incoming *in)
{
	struct slot *s = arg;

	s->punch = NULL;
	if (status == 0) {
		s->calls->incoming(s->calls->arg, in);
		return;
	}
	ka_log(DEBUG, "punch", "nobody came", "cause=\"%s\"", ka_dial_words(status));
	if (!told)
		start_relay(s->calls, &s->call, true);
}

static void start_punch(struct ka_calls *c, const struct ka_rdv_call *call)
{
	struct slot *s = find_place(c->punches);
	int ret;

	*s = (struct slot){.calls = c, .since_us = ka_clock_us(), .call = *call};
	ret = ka_punch_new(&s->punch, c->env, call, on_punch, s);
	if (ret < 0)
		ka_log(WARN, "punch", "not started", "cause=\"%s\"", ka_dial_words(ret));
}

static const char *way_name(enum ka_call_way way)
{
	switch (way) {
	case KA_CALL_RELAY_OFFER:
		return "relay (our offer)";
	case KA_CALL_RELAY_ACCEPT:
		return "relay (as asked)";
	case KA_CALL_PUNCH:
		return "punch";
	default:
		return "same LAN";
	}
}

void ka_calls_serve(struct ka_calls *c, const struct ka_rdv_call *call)
{
	enum ka_call_way way = ka_call_rules_way(call, c->env->nat);
	char peer[KA_ADDR_TEXT];
	int ret = ka_call_gate_pass(&c->gate, call, ka_clock_us());

	if (ret == -EAGAIN)
		ka_log_every(WARN, KA_SEC(10), "rendezvous", "too many calls", "dropped the latest");
	if (ret < 0)
		return;
	ka_log(INFO, "rendezvous", "call", "peer=%s way=\"%s\"", ka_addr_text(peer, &call->peer), way_name(way));
	if (way == KA_CALL_PUNCH || way == KA_CALL_LOCAL)
		start_punch(c, call);
	else
		start_relay(c, call, way == KA_CALL_RELAY_OFFER);
}

unsigned int ka_calls_count(const struct ka_calls *c)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < KA_CALLS_MAX; i++)
		n += (unsigned int)busy(&c->punches[i]) + (unsigned int)busy(&c->relays[i]);
	return n;
}

int ka_calls_new(struct ka_calls **out, const struct ka_reach_env *env,
		 void (*incoming)(void *arg, struct ka_incoming *in), void *arg)
{
	struct ka_calls *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->env = env;
	c->incoming = incoming;
	c->arg = arg;
	ka_call_gate_init(&c->gate, ka_clock_us());
	*out = c;
	return 0;
}

void ka_calls_free(struct ka_calls *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < KA_CALLS_MAX; i++) {
		ka_punch_free(c->punches[i].punch);
		ka_relay_free(c->relays[i].relay);
	}
	free(c);
}
