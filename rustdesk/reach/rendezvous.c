/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/rendezvous.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "rustdesk/reach/dial.h"

/* Replaced as a whole; closes and frees itself. */
struct link {
	uv_udp_t udp;
	struct ka_rendezvous *rz;
	uint8_t rx[KA_RDV_READ_MAX];
};

struct ka_rendezvous {
	struct ka_rendezvous_cfg cfg;
	struct ka_registration reg;
	uv_timer_t *timer; /* closes and frees itself */
	struct link *link;
	struct ka_resolve *lookup;
	struct ka_resolve_list list;
	unsigned int next;		 /* address of list to use next */
	struct sockaddr_storage address; /* of the server */
	struct ka_pb pb;
	char logged[96]; /* last words */
};

static void on_handle_closed(uv_handle_t *h)
{
	free(h->data);
}

static void step(struct ka_rendezvous *rz);

/* One line per change, whatever the cause. */
static void log_change(struct ka_rendezvous *rz)
{
	char words[sizeof(rz->logged)];

	ka_rendezvous_words(rz, words, sizeof(words));
	if (!strcmp(words, rz->logged))
		return;
	memcpy(rz->logged, words, sizeof(words));
	if (rz->cfg.quiet)
		ka_log(DEBUG, "rendezvous", words, "trial=%s", rz->cfg.server->text);
	else if (rz->reg.state == KA_REG_OK || rz->reg.state == KA_REG_LOOKUP || rz->reg.state == KA_REG_ASKING)
		ka_log(INFO, "rendezvous", words, "id=%s server=%s", rz->cfg.env->identity->id, rz->cfg.server->text);
	else
		ka_log(WARN, "rendezvous", words, "id=%s server=%s", rz->cfg.env->identity->id, rz->cfg.server->text);
}

static void take_serial(struct ka_rendezvous *rz, int32_t serial)
{
	if (serial > rz->cfg.env->serial)
		rz->cfg.env->serial = serial;
}

static void take(struct ka_rendezvous *rz, const uint8_t *data, size_t len)
{
	struct ka_rdv_in in;

	if (ka_rdv_read(&rz->pb, &in, data, len) < 0) {
		ka_log_every(DEBUG, KA_SEC(10), "rendezvous", "datagram ignored", "bytes=%zu", len);
		return;
	}
	switch (in.kind) {
	case KA_RDV_REGISTER_PEER_RESPONSE:
		ka_registration_on_peer_response(&rz->reg, ka_clock_us(), in.request_pk);
		break;
	case KA_RDV_REGISTER_PK_RESPONSE:
		ka_registration_on_pk_response(&rz->reg, ka_clock_us(), in.pk_result);
		break;
	case KA_RDV_PUNCH_HOLE:
	case KA_RDV_FETCH_LOCAL_ADDR:
	case KA_RDV_REQUEST_RELAY:
		rz->cfg.on_call(rz->cfg.arg, rz, &in.call);
		break;
	case KA_RDV_CONFIGURE_UPDATE:
		take_serial(rz, in.test.serial);
		break;
	default:
		break;
	}
	step(rz);
}

static void note_failure(struct ka_rendezvous *rz, int cause)
{
	ka_registration_unreachable(&rz->reg, ka_clock_us(), cause != -ECONNREFUSED);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct link *l = h->data;

	(void)suggested;
	*buf = uv_buf_init((char *)l->rx, sizeof(l->rx));
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned int flags)
{
	struct link *l = udp->data;

	if (n < 0) {
		/* What ICMP told about something we sent. */
		ka_log(DEBUG, "rendezvous", "socket", "cause=\"%s\"", ka_dial_words((int)n));
		note_failure(l->rz, (int)n);
		step(l->rz);
	} else if (from && n > 0 && !(flags & UV_UDP_PARTIAL)) {
		take(l->rz, (const uint8_t *)buf->base, (size_t)n);
	}
}

static void close_link(struct ka_rendezvous *rz)
{
	if (rz->link)
		uv_close((uv_handle_t *)&rz->link->udp, on_handle_closed);
	rz->link = NULL;
}

static int open_link(struct ka_rendezvous *rz, const struct sockaddr_storage *server)
{
	struct link *l = calloc(1, sizeof(*l));
	int ret;

	if (!l)
		return -ENOMEM;
	l->rz = rz;
	ret = uv_udp_init(rz->cfg.env->uv, &l->udp);
	if (ret < 0) {
		free(l);
		return ret;
	}
	l->udp.data = l;
	ret = uv_udp_connect(&l->udp, (const struct sockaddr *)server);
	if (ret == 0)
		ret = uv_udp_recv_start(&l->udp, on_alloc, on_datagram);
	if (ret < 0) {
		uv_close((uv_handle_t *)&l->udp, on_handle_closed);
		return ret;
	}
	close_link(rz);
	rz->link = l;
	return 0;
}

/* Opens a socket to the next address of the list. */
static void open_next(struct ka_rendezvous *rz)
{
	int ret = -ENOENT;

	while (rz->next < rz->list.n) {
		const struct sockaddr_storage *server = &rz->list.addrs[rz->next++];
		char text[KA_ADDR_TEXT];

		ret = open_link(rz, server);
		if (ret < 0) {
			ka_log(DEBUG, "rendezvous", "no socket", "server=%s cause=\"%s\"", ka_addr_text(text, server),
			       ka_dial_words(ret));
			continue;
		}
		ka_log(DEBUG, "rendezvous", "new socket", "server=%s", ka_addr_text(text, server));
		rz->address = *server;
		ka_registration_opened(&rz->reg, ka_clock_us(), rz->list.n - rz->next);
		rz->cfg.on_server(rz->cfg.arg, rz);
		return;
	}
	ka_registration_no_route(&rz->reg, ka_clock_us());
}

static void on_resolved(void *arg, int status, const struct ka_resolve_list *list)
{
	struct ka_rendezvous *rz = arg;

	rz->lookup = NULL;
	if (status < 0) {
		ka_log(DEBUG, "rendezvous", "look-up failed", "cause=\"%s\"", ka_dial_words(status));
		ka_registration_lookup_failed(&rz->reg, ka_clock_us());
	} else {
		rz->list = *list;
		rz->next = 0;
		open_next(rz);
	}
	step(rz);
}

static void resolve(struct ka_rendezvous *rz)
{
	const struct ka_server *server = rz->cfg.server;

	if (rz->next < rz->list.n) {
		open_next(rz);
		return;
	}
	if (ka_resolve_literal(server->host, server->port, &rz->list)) {
		rz->next = 0;
		open_next(rz);
		return;
	}
	if (ka_resolve_new(&rz->lookup, rz->cfg.env->server_names, server->host, server->port, on_resolved, rz) < 0)
		ka_registration_lookup_failed(&rz->reg, ka_clock_us());
}

static void transmit(struct ka_rendezvous *rz, const struct ka_rdv_buf *b)
{
	uv_buf_t buf;
	union {
		const uint8_t *in;
		char *out;
	} u = {.in = b->data};
	int ret;

	buf = uv_buf_init(u.out, (unsigned int)b->len);
	ret = uv_udp_try_send(&rz->link->udp, &buf, 1, NULL);
	if (ret >= 0)
		return;
	/* The timeout deals with it; a socket that has lost its address is replaced like any silent one. */
	ka_log_every(DEBUG, KA_SEC(10), "rendezvous", "not sent", "cause=\"%s\"", ka_dial_words(ret));
	note_failure(rz, ret);
}

static void send_peer(struct ka_rendezvous *rz)
{
	const struct ka_reach_env *env = rz->cfg.env;
	struct ka_rdv_buf b;

	if (ka_rdv_register_peer(&b, env->identity->id, env->serial) == 0)
		transmit(rz, &b);
}

static void send_pk(struct ka_rendezvous *rz)
{
	const struct ka_rd_identity *who = rz->cfg.env->identity;
	struct ka_rdv_buf b;

	if (ka_rdv_register_pk(&b, who->id, who->uuid, sizeof(who->uuid), who->sign_pk) == 0)
		transmit(rz, &b);
}

static void on_timer(uv_timer_t *timer)
{
	step(timer->data);
}

/* Does what is due and sets the timer for the rest. */
static void step(struct ka_rendezvous *rz)
{
	enum ka_registration_action action;
	int64_t next_us;

	while ((action = ka_registration_poll(&rz->reg, ka_clock_us())) != KA_REG_DO_NOTHING) {
		if (action == KA_REG_DO_RESOLVE)
			resolve(rz);
		else if (action == KA_REG_DO_PEER)
			send_peer(rz);
		else
			send_pk(rz);
	}
	log_change(rz);
	next_us = ka_registration_next_us(&rz->reg);
	if (next_us == INT64_MAX)
		uv_timer_stop(rz->timer);
	else
		ka_timer_once(rz->timer, on_timer, (uint64_t)KA_MAX(next_us - ka_clock_us() + 999, (int64_t)0) / 1000);
	rz->cfg.on_change(rz->cfg.arg, rz);
}

int ka_rendezvous_new(struct ka_rendezvous **out, const struct ka_rendezvous_cfg *cfg)
{
	struct ka_rendezvous *rz = calloc(1, sizeof(*rz));

	if (!rz)
		return -ENOMEM;
	rz->cfg = *cfg;
	ka_registration_init(&rz->reg, &cfg->env->timing.registration);
	ka_pb_init(&rz->pb, KA_RDV_BUDGET);
	rz->timer = calloc(1, sizeof(*rz->timer));
	if (!rz->timer) {
		free(rz);
		return -ENOMEM;
	}
	uv_timer_init(cfg->env->uv, rz->timer);
	rz->timer->data = rz;
	*out = rz;
	return 0;
}

void ka_rendezvous_start(struct ka_rendezvous *rz)
{
	ka_timer_once(rz->timer, on_timer, 0);
}

void ka_rendezvous_speak_up(struct ka_rendezvous *rz)
{
	rz->cfg.quiet = false;
	rz->logged[0] = '\0';
	log_change(rz);
}

void ka_rendezvous_free(struct ka_rendezvous *rz)
{
	if (!rz)
		return;
	ka_resolve_free(rz->lookup);
	close_link(rz);
	ka_pb_fini(&rz->pb);
	rz->timer->data = rz->timer;
	uv_close((uv_handle_t *)rz->timer, on_handle_closed);
	free(rz);
}

void ka_rendezvous_pk_rejected(struct ka_rendezvous *rz)
{
	ka_registration_pk_rejected(&rz->reg, ka_clock_us());
	step(rz);
}

/* The address that packets to the server would leave from now. */
static int find_own_address(const struct ka_rendezvous *rz, struct sockaddr_storage *own)
{
	const struct sockaddr_storage *to = &rz->address;
	socklen_t len = sizeof(*own);
	int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = fd < 0 ? -errno : 0;

	if (ret == 0 && (connect(fd, (const struct sockaddr *)to, ka_addr_len(to)) < 0 ||
			 getsockname(fd, (struct sockaddr *)own, &len) < 0))
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

static bool address_changed(const struct ka_rendezvous *rz)
{
	struct sockaddr_storage bound;
	struct sockaddr_storage now;
	int len = sizeof(bound);

	return find_own_address(rz, &now) < 0 ||
	       uv_udp_getsockname(&rz->link->udp, (struct sockaddr *)&bound, &len) < 0 ||
	       !ka_addr_same_host(&now, &bound);
}

void ka_rendezvous_moved(struct ka_rendezvous *rz)
{
	if (!rz->link || !rz->reg.open || !address_changed(rz)) {
		ka_registration_hurry(&rz->reg, ka_clock_us());
	} else {
		ka_log(INFO, "rendezvous", "own address changed", "server=%s", rz->cfg.server->text);
		rz->next = rz->list.n;
		ka_registration_moved(&rz->reg, ka_clock_us());
	}
	step(rz);
}

const struct sockaddr_storage *ka_rendezvous_address(const struct ka_rendezvous *rz)
{
	return &rz->address;
}

bool ka_rendezvous_failing(const struct ka_rendezvous *rz)
{
	return ka_registration_failing(&rz->reg);
}

bool ka_rendezvous_registered(const struct ka_rendezvous *rz)
{
	return ka_registration_confirmed(&rz->reg, ka_clock_us());
}

void ka_rendezvous_words(const struct ka_rendezvous *rz, char *dst, size_t dst_size)
{
	ka_registration_words(&rz->reg, rz->cfg.server->text, dst, dst_size);
}
