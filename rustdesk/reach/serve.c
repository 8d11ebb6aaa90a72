/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/serve.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "rustdesk/reach/listener.h"
#include "rustdesk/reach/reach_env.h"
#include "rustdesk/reach/resolve.h"
#include "rustdesk/reach/serve_gate.h"
#include "rustdesk/reach/serve_msg.h"
#include "rustdesk/wire/addr.h"
#include "rustdesk/wire/conn.h"
#include "rustdesk/wire/keys.h"

#define OUT_LIMIT 8192
#define TICK_MS 1000

struct stream {
	struct ka_serve *serve;
	struct ka_conn *conn; /* NULL = free place */
	struct sockaddr_storage peer;
	struct sockaddr_storage local; /* where the controller reached us */
	int64_t since_us;
	bool answered; /* one question a stream, as stock clients ask */
};

struct ka_serve {
	struct ka_serve_cfg cfg;
	char key[KA_RD_KEY_TEXT];
	uint8_t sk[64];
	struct ka_listener *main_port;
	struct ka_listener *nat_port;
	struct ka_listener *session_port;
	uv_timer_t *tick; /* closes and frees itself */
	struct ka_pb pb;
	struct ka_serve_gate gate;
	struct stream streams[KA_SERVE_STREAMS];
};

static void drop(struct stream *st)
{
	ka_conn_dispose(st->conn);
	st->conn = NULL;
}

static const struct ka_rd_peer *find_peer(const struct ka_serve *s, const char *id)
{
	for (size_t i = 0; i < s->cfg.rd->serve.n_peers; i++) {
		if (!strcmp(s->cfg.rd->serve.peers[i].id, id))
			return &s->cfg.rd->serve.peers[i];
	}
	return NULL;
}

static bool is_known(const struct ka_serve *s, const char *id)
{
	return !strcmp(s->cfg.identity->id, id) || find_peer(s, id);
}

static bool has_shown_key(const struct stream *st)
{
	return ka_serve_gate_knows(&st->serve->gate, &st->peer, ka_clock_us());
}

/* Online queries carry no key. This device's own id is no secret to whoever reaches it: the session port says it first
 * thing. Those of its neighbours are. */
static bool looks_online(void *arg, const char *id)
{
	const struct stream *st = arg;

	return !strcmp(st->serve->cfg.identity->id, id) || (find_peer(st->serve, id) && has_shown_key(st));
}

/* Where a neighbour's session port is: an address checked when the configuration was read. */
static int locate_peer(struct ka_serve_answer *a, const struct ka_rd_peer *peer)
{
	char host[KA_RESOLVE_HOST_MAX + 1];
	struct ka_resolve_list list;
	uint16_t port;

	if (ka_resolve_split(peer->address, KA_HBBR_PORT, host, &port) < 0 || !ka_resolve_literal(host, port, &list))
		return -EINVAL;
	a->addr = list.addrs[0];
	return 0;
}

/* What a controller is told about a device; relay and signed are storage for it. */
static int describe(const struct stream *st, const char *id, struct ka_serve_answer *a,
		    char relay[static KA_RDV_HOST_MAX + 1], uint8_t signed_pk[static KA_KEYS_SIGNED_MAX])
{
	const struct ka_serve *s = st->serve;
	const struct ka_rd_peer *peer = find_peer(s, id);
	char text[KA_ADDR_TEXT];
	int ret = 0;

	*a = (struct ka_serve_answer){.stamp = (uint32_t)ka_clock_wall_us()};
	if (peer) {
		ret = locate_peer(a, peer);
	} else {
		a->addr = st->local;
		ka_addr_set_port(&a->addr, ka_listener_port(s->session_port));
	}
	if (ret < 0)
		return ret;
	if (!peer && *s->cfg.rd->serve.public_address)
		ka_str_copy(relay, KA_RDV_HOST_MAX + 1, s->cfg.rd->serve.public_address);
	else
		ka_str_copy(relay, KA_RDV_HOST_MAX + 1, ka_addr_text(text, &a->addr));
	a->relay_server = relay;
	a->signed_pk = signed_pk;
	a->signed_pk_len = ka_keys_sign_id(signed_pk, id, peer ? peer->pk : s->cfg.identity->sign_pk, s->sk);
	return 0;
}

static bool key_matches(const struct ka_serve *s, const char *key)
{
	return strlen(key) == sizeof(s->key) - 1 && !sodium_memcmp(key, s->key, sizeof(s->key) - 1);
}

static void log_refusal(const struct stream *st, const char *why)
{
	char from[KA_ADDR_TEXT];

	ka_log_every(WARN, KA_SEC(1), "serve", "refused", "from=%s why=\"%s\"", ka_addr_text(from, &st->peer), why);
}

static int answer_punch(struct stream *st, const struct ka_serve_request *r, struct ka_rdv_buf *b)
{
	char relay[KA_RDV_HOST_MAX + 1];
	uint8_t signed_pk[KA_KEYS_SIGNED_MAX];
	struct ka_serve_answer a;
	char uuid[37];
	int ret;

	/* The key first: without it nobody gets an address or a signature. */
	if (!key_matches(st->serve, r->key)) {
		log_refusal(st, "wrong key");
		return ka_serve_punch_failure(b, KA_SERVE_WRONG_KEY);
	}
	ka_serve_gate_key_shown(&st->serve->gate, &st->peer, ka_clock_us());
	if (!is_known(st->serve, r->id)) {
		log_refusal(st, "unknown id");
		return ka_serve_punch_failure(b, KA_SERVE_NO_SUCH_ID);
	}
	ret = describe(st, r->id, &a, relay, signed_pk);
	if (ret < 0)
		return ret;
	if (!r->force_relay)
		return ka_serve_punch_answer(b, &a);
	/* Nobody but the controller itself ever compares it: our session port is the relay. */
	ka_keys_random_text(uuid, sizeof(uuid) - 1);
	return ka_serve_relay_offer(b, &a, uuid, st->serve->cfg.rd->version);
}

/* The request carries no key, but clients send it only after a PunchHoleRequest that did. */
static int answer_relay(struct stream *st, const struct ka_serve_request *r, struct ka_rdv_buf *b)
{
	if (!has_shown_key(st)) {
		log_refusal(st, "relay asked for without the key");
		return ka_serve_relay_refusal(b, "The key has not been shown from this address");
	}
	if (is_known(st->serve, r->id))
		return ka_serve_relay_accept(b, st->serve->cfg.rd->version);
	log_refusal(st, "unknown id");
	return ka_serve_relay_refusal(b, "ID does not exist");
}

static int on_message(void *arg, uint8_t *data, size_t len)
{
	struct stream *st = arg;
	struct ka_serve_request r;
	struct ka_rdv_buf b = {.len = 0};
	int ret;

	if (st->answered)
		return 0;
	if (!ka_serve_gate_pass(&st->serve->gate, &st->peer, ka_clock_us())) {
		log_refusal(st, "too many questions");
		return -KA_E_LIMIT;
	}
	ret = ka_serve_read(&st->serve->pb, &r, data, len, looks_online, st);
	if (ret < 0)
		return ret;
	switch (r.kind) {
	case KA_SERVE_PUNCH:
		ret = answer_punch(st, &r, &b);
		break;
	case KA_SERVE_RELAY:
		ret = answer_relay(st, &r, &b);
		break;
	case KA_SERVE_NAT_TEST:
		ret = ka_serve_nat_answer(&b, ka_addr_port(&st->peer));
		break;
	case KA_SERVE_ONLINE:
		ret = ka_serve_online_answer(&b, &r);
		break;
	case KA_SERVE_OTHER:
		break;
	}
	if (ret < 0 || !b.len)
		return ret;
	ret = ka_conn_send_framed(st->conn, b.data, b.len);
	if (ret < 0)
		return ret;
	/* Not closed at once: with bytes of it unread that would reset the stream before the answer is read. */
	ka_conn_finish(st->conn);
	st->answered = true;
	st->since_us = ka_clock_us();
	return 0;
}

static void on_drained(void *arg)
{
	(void)arg;
}

static void on_end(void *arg, int err)
{
	(void)err;
	drop(arg);
}

static unsigned int count_streams(const struct ka_serve *s, const struct sockaddr_storage *network)
{
	unsigned int n = 0;

	for (size_t i = 0; i < KA_SERVE_STREAMS; i++)
		n += s->streams[i].conn && ka_addr_same_network(&s->streams[i].peer, network);
	return n;
}

/* The oldest stream of the network that has most: questions take milliseconds, so it is no loss. */
static struct stream *evict(struct ka_serve *s)
{
	struct stream *victim = &s->streams[0];
	unsigned int most = 0;

	for (size_t i = 0; i < KA_SERVE_STREAMS; i++) {
		struct stream *st = &s->streams[i];
		unsigned int n = st->conn ? count_streams(s, &st->peer) : 0;

		if (n > most || (n && n == most && st->since_us < victim->since_us)) {
			most = n;
			victim = st;
		}
	}
	ka_log_every(WARN, KA_SEC(10), "serve", "too-many-streams", "limit=%d", KA_SERVE_STREAMS);
	drop(victim);
	return victim;
}

static struct stream *find_place(struct ka_serve *s)
{
	for (size_t i = 0; i < KA_SERVE_STREAMS; i++) {
		if (!s->streams[i].conn)
			return &s->streams[i];
	}
	return evict(s);
}

static void on_asked(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct ka_serve *s = arg;
	struct stream *st = find_place(s);
	socklen_t len = sizeof(st->local);

	*st = (struct stream){.serve = s, .peer = *peer, .since_us = ka_clock_us()};
	if (getsockname(fd, (struct sockaddr *)&st->local, &len) < 0) {
		close(fd);
		return;
	}
	const struct ka_conn_cfg cfg = {
		.uv = s->cfg.uv,
		.in_limit = KA_RDV_READ_MAX * 8, /* an online query names many devices */
		.out_limit = OUT_LIMIT,
		.on_message = on_message,
		.on_drained = on_drained,
		.on_end = on_end,
		.arg = st,
	};

	if (ka_conn_new(&st->conn, &cfg, fd) < 0)
		st->conn = NULL;
}

static void on_session(void *arg, int fd, const struct sockaddr_storage *peer)
{
	struct ka_serve *s = arg;
	struct ka_incoming in = {.fd = fd, .path = KA_PATH_SERVED, .secure = true, .peer = *peer};

	s->cfg.incoming(s->cfg.arg, &in);
}

static void on_tick(uv_timer_t *t)
{
	struct ka_serve *s = t->data;
	int64_t now = ka_clock_us();

	for (size_t i = 0; i < KA_SERVE_STREAMS; i++) {
		const struct stream *st = &s->streams[i];
		int64_t patience = KA_MS(st->answered ? KA_SERVE_ANSWERED_MS : KA_SERVE_STREAM_MS);

		if (st->conn && now - st->since_us > patience)
			drop(&s->streams[i]);
	}
}

static int listen_on(struct ka_serve *s, struct ka_listener **out, uint16_t port, ka_listener_fn fn,
		     struct ka_errbuf *eb)
{
	const struct ka_rd_serve_cfg *cfg = &s->cfg.rd->serve;
	int ret = ka_listener_new(out, s->cfg.uv, cfg->address, port, fn, s, NULL);

	if (ret < 0)
		ka_errbuf_set(eb, "the rendezvous service cannot listen on %s port %u: %s (section 'serve')",
			      *cfg->address ? cfg->address : "any address,", port, ka_err_str(ret));
	return ret;
}

int ka_serve_new(struct ka_serve **out, const struct ka_serve_cfg *cfg, struct ka_errbuf *eb)
{
	const struct ka_rd_serve_cfg *serve = &cfg->rd->serve;
	struct ka_serve *s = calloc(1, sizeof(*s));
	uint8_t pk[32];
	int ret;

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	ka_pb_init(&s->pb, KA_RDV_BUDGET * 8);
	ka_keys_serve_pair(pk, s->sk, cfg->identity->sign_sk);
	ka_rd_serve_key(s->key, cfg->identity);
	ret = listen_on(s, &s->main_port, serve->port, on_asked, eb);
	if (ret == 0)
		ret = listen_on(s, &s->session_port, serve->session_port, on_session, eb);
	/* Clients that look for the NAT type do without when it is missing. */
	if (ret == 0 && listen_on(s, &s->nat_port, (uint16_t)(ka_listener_port(s->main_port) - 1), on_asked, NULL) < 0)
		ka_log(WARN, "serve", "no-nat-test", "port=%u", ka_listener_port(s->main_port) - 1);
	if (ret < 0) {
		ka_serve_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

static void on_tick_closed(uv_handle_t *h)
{
	free(h);
}

int ka_serve_start(struct ka_serve *s)
{
	int ret = ka_listener_start(s->main_port);

	if (ret == 0)
		ret = ka_listener_start(s->session_port);
	if (ret == 0 && s->nat_port)
		ret = ka_listener_start(s->nat_port);
	if (ret < 0)
		return ret;
	s->tick = calloc(1, sizeof(*s->tick));
	if (!s->tick)
		return -ENOMEM;
	uv_timer_init(s->cfg.uv, s->tick);
	s->tick->data = s;
	return uv_timer_start(s->tick, on_tick, TICK_MS, TICK_MS);
}

uint16_t ka_serve_port(const struct ka_serve *s)
{
	return ka_listener_port(s->main_port);
}

void ka_serve_free(struct ka_serve *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < KA_SERVE_STREAMS; i++)
		drop(&s->streams[i]);
	if (s->tick)
		uv_close((uv_handle_t *)s->tick, on_tick_closed);
	ka_listener_free(s->main_port);
	ka_listener_free(s->nat_port);
	ka_listener_free(s->session_port);
	ka_pb_fini(&s->pb);
	sodium_memzero(s, sizeof(*s));
	free(s);
}
