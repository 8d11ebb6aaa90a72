/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/serve_gate.h"

#include "base/clock.h"
#include "rustdesk/wire/addr.h"

static int find(const struct ka_serve_gate *g, const struct sockaddr_storage *from)
{
	for (int i = 0; i < KA_SERVE_GATE_NETWORKS; i++) {
		if (g->networks[i].from.ss_family && ka_addr_same_network(&g->networks[i].from, from))
			return i;
	}
	return -1;
}

/* A free place, else that of the quietest stranger, else of the quietest: strangers cannot make friends forgotten while
 * there are other strangers. */
static struct ka_serve_network *take_place(struct ka_serve_gate *g)
{
	struct ka_serve_network *best = &g->networks[0];

	for (int i = 0; i < KA_SERVE_GATE_NETWORKS; i++) {
		struct ka_serve_network *n = &g->networks[i];

		if (!n->from.ss_family)
			return n;
		if (n->has_key == best->has_key ? n->last_us < best->last_us : best->has_key)
			best = n;
	}
	return best;
}

bool ka_serve_gate_knows(const struct ka_serve_gate *g, const struct sockaddr_storage *from, int64_t now_us)
{
	int i = find(g, from);

	return i >= 0 && g->networks[i].has_key && now_us - g->networks[i].key_us <= KA_SEC(KA_SERVE_KEY_GOOD_S);
}

static bool count(int64_t *minute, unsigned int *questions, unsigned int limit, int64_t now_us)
{
	int64_t now = now_us / KA_SEC(60);

	if (*minute != now) {
		*minute = now;
		*questions = 0;
	}
	if (*questions >= limit)
		return false;
	++*questions;
	return true;
}

bool ka_serve_gate_pass(struct ka_serve_gate *g, const struct sockaddr_storage *from, int64_t now_us)
{
	int i = find(g, from);
	struct ka_serve_network *n = i < 0 ? take_place(g) : &g->networks[i];

	if (i < 0)
		*n = (struct ka_serve_network){.from = *from};
	n->last_us = now_us;
	if (!count(&n->minute, &n->questions, KA_SERVE_QUESTIONS, now_us))
		return false;
	return ka_serve_gate_knows(g, from, now_us) || count(&g->minute, &g->questions, KA_SERVE_QUESTIONS_ALL, now_us);
}

void ka_serve_gate_key_shown(struct ka_serve_gate *g, const struct sockaddr_storage *from, int64_t now_us)
{
	int i = find(g, from);

	if (i < 0)
		return;
	g->networks[i].has_key = true;
	g->networks[i].key_us = now_us;
}
