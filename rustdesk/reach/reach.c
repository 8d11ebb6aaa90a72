/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "rustdesk/reach/calls.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/lan.h"
#include "rustdesk/reach/listener.h"
#include "rustdesk/reach/nat.h"
#include "rustdesk/reach/netwatch.h"
#include "rustdesk/reach/reach_priv.h"
#include "rustdesk/reach/serve.h"
#include "rustdesk/reach/servers.h"

static const struct ka_reach_timing timing_default = {
	.registration = KA_REGISTRATION_TIMING,
	.connect_ms = 18000,
	.accept_ms = 18000,
	.open_ms = 30,
	.trial_ms = 20000,
	.return_ms = 60000,
	.settle_ms = 1000,
	.nat_retry_ms = 1000,
	.nat_retry_max_ms = 300000,
};

struct ka_reach {
	struct ka_reach_cfg cfg;
	struct ka_reach_env env;
	struct ka_servers_list list;
	struct ka_listener *listeners[KA_REACH_LISTENERS_MAX];
	unsigned int n_listeners;
	struct ka_serve *serve;
	struct ka_lan *lan;
	struct ka_servers *servers;
	struct ka_netwatch *netwatch;
	struct ka_nat_test *nat;
	struct ka_calls *calls;
};

const char *ka_path_name(enum ka_path p)
{
	switch (p) {
	case KA_PATH_DIRECT:
		return "direct";
	case KA_PATH_PUNCHED:
		return "punched";
	case KA_PATH_LAN:
		return "same LAN";
	case KA_PATH_RELAY:
		return "relay";
	case KA_PATH_SERVED:
		return "own service";
	}
	return "?";
}

static void on_incoming(void *arg, struct ka_incoming *in)
{
	struct ka_reach *r = arg;

	r->cfg.incoming(r->cfg.arg, in);
}

static void on_accepted(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct ka_incoming in = {.fd = fd, .path = KA_PATH_DIRECT, .peer = *peer};

	on_incoming(arg, &in);
}

static void on_call(void *arg, const struct ka_rdv_call *call)
{
	struct ka_reach *r = arg;

	ka_calls_serve(r->calls, call);
}

static void on_server(void *arg)
{
	struct ka_reach *r = arg;

	ka_nat_restart(r->nat);
}

static void on_network(void *arg)
{
	struct ka_reach *r = arg;

	ka_servers_moved(r->servers);
}

static void on_nat(void *arg, enum ka_nat result, int32_t serial)
{
	struct ka_reach *r = arg;

	ka_log(INFO, "nat", "type known", "type=%s",
	       result == KA_NAT_SYMMETRIC ? "\"symmetric: relay only\"" : "\"asymmetric: punching can work\"");
	r->env.nat = result;
	if (serial > r->env.serial)
		r->env.serial = serial;
}

static int take_servers(struct ka_reach *r, const struct ka_rd_cfg *rd, struct ka_errbuf *eb)
{
	char host[KA_RESOLVE_HOST_MAX + 1];
	uint16_t port;

	int ret = ka_servers_parse(&r->list, rd->server, eb);

	if (ret < 0)
		return ret;
	if (*rd->relay && ka_resolve_split(rd->relay, KA_HBBR_PORT, host, &port) < 0) {
		ka_errbuf_set(eb, "relay \"%s\" is not host or host:port", rd->relay);
		return -KA_E_CONFIG;
	}
	if (strlen(rd->key) > KA_RDV_KEY_MAX) {
		ka_errbuf_set(eb, "key is longer than %d characters", KA_RDV_KEY_MAX);
		return -KA_E_CONFIG;
	}
	return 0;
}

int ka_reach_new(struct ka_reach **out, const struct ka_reach_cfg *cfg, struct ka_errbuf *eb)
{
	struct ka_reach *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	r->env = (struct ka_reach_env){.uv = cfg->uv,
				       .rd = cfg->rd,
				       .identity = cfg->identity,
				       .timing = timing_default,
				       .nat = (enum ka_nat)cfg->rd->nat.type,
				       .serial = KA_MAX(cfg->rd->nat.serial, KA_REACH_SERIAL)};
	ret = take_servers(r, cfg->rd, eb);
	if (ret == 0)
		ret = ka_resolver_new(&r->env.server_names, cfg->uv, KA_REACH_SERVER_LOOKUPS);
	if (ret == 0)
		ret = ka_resolver_new(&r->env.relay_names, cfg->uv, KA_REACH_RELAY_LOOKUPS);
	if (ret == 0)
		ret = ka_calls_new(&r->calls, &r->env, on_incoming, r);
	if (ret < 0) {
		ka_reach_free(r);
		return ret;
	}
	*out = r;
	return 0;
}

static void listen_on_lan(struct ka_reach *r)
{
	int ret = ka_lan_new(&r->lan, &r->env);

	if (ret < 0)
		ka_log(WARN, "lan", "discovery does not answer", "port=%u cause=\"%s\"", r->cfg.rd->lan_port,
		       ka_dial_words(ret));
}

static int listen_directly(struct ka_reach *r, struct ka_errbuf *eb)
{
	const char *rest = r->cfg.rd->direct_address;
	uint16_t port = r->cfg.rd->direct_port;

	do {
		char address[KA_RESOLVE_HOST_MAX + 1];
		size_t len = strcspn(rest, ",");
		int ret = ka_str_format(address, sizeof(address), "%.*s", (int)len, rest);

		if (ret == 0 && r->n_listeners == KA_REACH_LISTENERS_MAX)
			ret = -KA_E_TOO_BIG;
		if (ret < 0) {
			ka_errbuf_set(eb, "direct_address \"%s\": at most %d addresses fit", rest,
				      KA_REACH_LISTENERS_MAX);
			return ret;
		}
		ret = ka_listener_new(&r->listeners[r->n_listeners], r->cfg.uv, address, port, on_accepted, r, eb);
		if (ret < 0)
			return ret;
		/* Any free port: the same one for all. */
		port = ka_listener_port(r->listeners[r->n_listeners++]);
		rest += len;
		if (*rest)
			rest += 1 + strspn(rest + 1, " ");
	} while (*rest);
	return 0;
}

int ka_reach_listen(struct ka_reach *r, struct ka_errbuf *eb)
{
	const struct ka_rd_cfg *rd = r->cfg.rd;

	if (rd->lan_discovery)
		listen_on_lan(r);
	if (rd->serve.enabled) {
		const struct ka_serve_cfg serve = {
			.rd = rd, .identity = r->cfg.identity, .uv = r->cfg.uv, .incoming = on_incoming, .arg = r};
		int ret = ka_serve_new(&r->serve, &serve, eb);

		if (ret < 0)
			return ret;
	}
	return rd->direct ? listen_directly(r, eb) : 0;
}

static int start_servers(struct ka_reach *r)
{
	const struct ka_servers_cfg cfg = {
		.env = &r->env, .list = &r->list, .on_call = on_call, .on_server = on_server, .arg = r};
	int ret = ka_nat_new(&r->nat, &r->env, on_nat, r);

	if (ret == 0)
		ret = ka_servers_new(&r->servers, &cfg);
	if (ret == 0)
		ret = ka_servers_start(r->servers);
	if (ret < 0)
		return ret;
	ret = ka_netwatch_new(&r->netwatch, r->env.uv, r->env.timing.settle_ms, on_network, r);
	if (ret < 0)
		ka_log(WARN, "rendezvous", "changes of our addresses are noticed late", "cause=\"%s\"",
		       ka_dial_words(ret));
	return 0;
}

int ka_reach_start(struct ka_reach *r)
{
	int ret = 0;

	for (unsigned int i = 0; i < r->n_listeners && ret == 0; i++)
		ret = ka_listener_start(r->listeners[i]);
	if (ret == 0 && r->serve)
		ret = ka_serve_start(r->serve);
	if (ret < 0)
		return ret;
	return r->list.n ? start_servers(r) : 0;
}

void ka_reach_close(struct ka_reach *r)
{
	if (!r)
		return;
	ka_calls_free(r->calls);
	ka_netwatch_free(r->netwatch);
	ka_servers_free(r->servers);
	ka_nat_free(r->nat);
	ka_lan_free(r->lan);
	while (r->n_listeners)
		ka_listener_free(r->listeners[--r->n_listeners]);
	ka_serve_free(r->serve);
	r->serve = NULL;
	r->calls = NULL;
	r->servers = NULL;
	r->netwatch = NULL;
	r->nat = NULL;
	r->lan = NULL;
}

void ka_reach_free(struct ka_reach *r)
{
	ka_reach_close(r);
	if (r) {
		ka_resolver_free(r->env.server_names);
		ka_resolver_free(r->env.relay_names);
	}
	free(r);
}

void ka_reach_pk_rejected(struct ka_reach *r)
{
	if (r->servers)
		ka_servers_pk_rejected(r->servers);
}

void ka_reach_get_status(struct ka_reach *r, struct ka_reach_status *out)
{
	*out = (struct ka_reach_status){.direct_port = r->n_listeners ? ka_listener_port(r->listeners[0]) : 0,
					.serve_port = r->serve ? ka_serve_port(r->serve) : 0,
					.nat = {.type = (int)r->env.nat, .serial = r->env.serial}};
	if (!r->servers) {
		ka_str_copy(out->server_state, sizeof(out->server_state),
			    r->list.n ? "not started" : "no server configured");
		return;
	}
	out->registered = ka_servers_registered(r->servers);
	ka_servers_words(r->servers, out->server_state, sizeof(out->server_state));
}

void ka_reach_set_timing(struct ka_reach *r, const struct ka_reach_timing *timing)
{
	r->env.timing = *timing;
}

const struct ka_reach_env *ka_reach_get_env(const struct ka_reach *r)
{
	return &r->env;
}

unsigned int ka_reach_count_calls(const struct ka_reach *r)
{
	return ka_calls_count(r->calls);
}
