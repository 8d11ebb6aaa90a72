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
#include "rustdesk/reach/reach_priv.h"
#include "rustdesk/reach/rendezvous.h"
#include "rustdesk/reach/serve.h"

static const struct ka_reach_timing timing_default = {
	.registration = KA_REGISTRATION_TIMING,
	.connect_ms = 18000,
	.accept_ms = 18000,
	.open_ms = 30,
	.nat_retry_ms = 1000,
	.nat_retry_max_ms = 300000,
};

struct ka_reach {
	struct ka_reach_cfg cfg;
	struct ka_reach_env env;
	struct ka_listener *listener;
	struct ka_serve *serve;
	struct ka_lan *lan;
	struct ka_rendezvous *rendezvous;
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

static void on_nat(void *arg, enum ka_nat result, int32_t serial)
{
	struct ka_reach *r = arg;

	ka_log(INFO, "nat", "type known", "type=%s",
	       result == KA_NAT_SYMMETRIC ? "\"symmetric: relay only\"" : "\"asymmetric: punching can work\"");
	r->env.nat = result;
	if (serial > r->env.serial)
		r->env.serial = serial;
}

static int take_server(struct ka_reach *r, const struct ka_rd_cfg *rd, struct ka_errbuf *eb)
{
	char host[KA_RESOLVE_HOST_MAX + 1];
	uint16_t port;

	if (*rd->server && ka_resolve_split(rd->server, KA_HBBS_PORT, r->env.host, &r->env.port) < 0) {
		ka_errbuf_set(eb, "server \"%s\" is not host or host:port", rd->server);
		return -KA_E_CONFIG;
	}
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
				       .serial = KA_REACH_SERIAL};
	ret = take_server(r, cfg->rd, eb);
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
	if (!rd->direct)
		return 0;
	return ka_listener_new(&r->listener, r->cfg.uv, rd->direct_address, rd->direct_port, on_accepted, r, eb);
}

static int start_server(struct ka_reach *r)
{
	const struct ka_rendezvous_cfg cfg = {.env = &r->env, .on_call = on_call, .on_server = on_server, .arg = r};
	int ret = ka_nat_new(&r->nat, &r->env, on_nat, r);

	if (ret == 0)
		ret = ka_rendezvous_new(&r->rendezvous, &cfg);
	if (ret == 0)
		ka_rendezvous_start(r->rendezvous);
	return ret;
}

int ka_reach_start(struct ka_reach *r)
{
	int ret = r->listener ? ka_listener_start(r->listener) : 0;

	if (ret == 0 && r->serve)
		ret = ka_serve_start(r->serve);
	if (ret < 0)
		return ret;
	return *r->env.host ? start_server(r) : 0;
}

void ka_reach_close(struct ka_reach *r)
{
	if (!r)
		return;
	ka_calls_free(r->calls);
	ka_rendezvous_free(r->rendezvous);
	ka_nat_free(r->nat);
	ka_lan_free(r->lan);
	ka_listener_free(r->listener);
	ka_serve_free(r->serve);
	r->serve = NULL;
	r->calls = NULL;
	r->rendezvous = NULL;
	r->nat = NULL;
	r->lan = NULL;
	r->listener = NULL;
}

void ka_reach_free(struct ka_reach *r)
{
	ka_reach_close(r);
	free(r);
}

void ka_reach_pk_rejected(struct ka_reach *r)
{
	if (r->rendezvous)
		ka_rendezvous_pk_rejected(r->rendezvous);
}

void ka_reach_get_status(struct ka_reach *r, struct ka_reach_status *out)
{
	*out = (struct ka_reach_status){.direct_port = r->listener ? ka_listener_port(r->listener) : 0,
					.serve_port = r->serve ? ka_serve_port(r->serve) : 0};
	if (!r->rendezvous) {
		ka_str_copy(out->server_state, sizeof(out->server_state),
			    *r->env.host ? "not started" : "no server configured");
		return;
	}
	out->registered = ka_rendezvous_registered(r->rendezvous);
	ka_rendezvous_words(r->rendezvous, out->server_state, sizeof(out->server_state));
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
