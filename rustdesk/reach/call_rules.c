/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/call_rules.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

enum ka_call_way ka_call_rules_way(const struct ka_rdv_call *call, enum ka_nat own)
{
	switch (call->kind) {
	case KA_RDV_REQUEST_RELAY:
		return KA_CALL_RELAY_ACCEPT;
	case KA_RDV_FETCH_LOCAL_ADDR:
		return KA_CALL_LOCAL;
	default:
		if (call->nat == KA_NAT_SYMMETRIC || own == KA_NAT_SYMMETRIC || call->force_relay)
			return KA_CALL_RELAY_OFFER;
		return KA_CALL_PUNCH;
	}
}

int ka_call_rules_relay(char *dst, size_t dst_size, const char *configured, const char *said, const char *host,
			uint16_t port)
{
	if (*configured)
		return ka_str_format(dst, dst_size, "%s", configured);
	if (*said)
		return ka_str_format(dst, dst_size, "%s", said);
	return ka_str_format(dst, dst_size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port + 1u);
}

void ka_call_gate_init(struct ka_call_gate *g, int64_t now_us)
{
	*g = (struct ka_call_gate){.at_us = {INT64_MIN / 2, INT64_MIN / 2},
				   .all = {.tokens_us = KA_CALL_SAVED_US, .filled_us = now_us}};
}

static struct ka_call_bucket *bucket_of(struct ka_call_gate *g, const struct sockaddr_storage *peer, int64_t now_us)
{
	struct ka_call_bucket *quiet = &g->networks[0];

	for (unsigned int i = 0; i < KA_CALL_NETWORKS; i++) {
		struct ka_call_bucket *b = &g->networks[i];

		if (b->network.ss_family && ka_addr_same_network(&b->network, peer))
			return b;
		if (!b->network.ss_family || (quiet->network.ss_family && b->filled_us < quiet->filled_us))
			quiet = b;
	}
	*quiet = (struct ka_call_bucket){.network = *peer, .tokens_us = KA_CALL_SAVED_US, .filled_us = now_us};
	return quiet;
}

static bool pay(struct ka_call_bucket *b, int64_t cost_us, int64_t now_us)
{
	b->tokens_us = KA_MIN(b->tokens_us + now_us - b->filled_us, (int64_t)KA_CALL_SAVED_US);
	b->filled_us = now_us;
	if (b->tokens_us < cost_us)
		return false;
	b->tokens_us -= cost_us;
	return true;
}

int ka_call_gate_pass(struct ka_call_gate *g, const struct ka_rdv_call *call, int64_t now_us)
{
	unsigned int i = call->kind == KA_RDV_REQUEST_RELAY;
	bool same = g->peers[i].ss_family && ka_addr_same_host(&g->peers[i], &call->peer) &&
		    ka_addr_port(&g->peers[i]) == ka_addr_port(&call->peer);

	if (same && now_us - g->at_us[i] < KA_CALL_DOUBLE_US)
		return -EALREADY;
	if (!pay(bucket_of(g, &call->peer, now_us), KA_CALL_COST_US, now_us) ||
	    !pay(&g->all, KA_CALL_COST_ALL_US, now_us))
		return -EAGAIN;
	g->peers[i] = call->peer;
	g->at_us[i] = now_us;
	return 0;
}
