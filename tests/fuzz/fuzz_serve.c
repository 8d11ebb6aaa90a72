/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strangers at the ports of our own rendezvous service, on one loop and a held clock. The input is a program of who
 * connects from where, says what in which pieces, and leaves. Nobody who has not shown the key gets a signed device
 * key.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/span.h"
#include "base/str.h"
#include "proto/rendezvous.pb-c.h"
#include "rustdesk/reach/serve.h"
#include "rustdesk/wire/framing.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_random.h"
#include "tests/fake/fuzz_set_up.h"
#include "tests/fake/open_fds.h"

#define OPS_MAX 100
#define CALLERS 48 /* more than the service takes */
#define SPINS 3
#define OWN_ID "123456789"
#define NEIGHBOUR "555555555"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum op {
	OP_COME,    /* port, from where: a new caller, the one that counts from now on */
	OP_CHOOSE,  /* which caller counts from now on */
	OP_MESSAGE, /* length (2), bytes */
	OP_RAW,	    /* length (1), bytes as they are */
	OP_DECLARE, /* length (4): the header of a message that does not come */
	OP_PUNCH,   /* id, key, flags */
	OP_RELAY,   /* id */
	OP_NAT,	    /* serial */
	OP_ONLINE,  /* how many */
	OP_STEP,    /* 2^n ms pass */
	OP_LEAVE,
	OP_CROWD, /* from where: many come, twice at most */
	OPS,
};

struct caller {
	int fd; /* -1 = none */
	bool service, key_shown;
	struct ka_framer framer;
};

struct run {
	uv_loop_t uv;
	struct ka_rd_cfg rd;
	struct ka_rd_identity who;
	struct ka_rd_peer neighbour;
	char key[KA_RD_KEY_TEXT];
	struct ka_serve *serve;
	uint16_t session_port;
	unsigned int incoming;
	struct ka_span in;
	struct caller callers[CALLERS];
	unsigned int at, crowds;
};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void on_incoming(void *arg, struct ka_incoming *in)
{
	struct run *r = arg;

	demand(in->fd >= 0 && in->path == KA_PATH_SERVED && in->secure);
	close(in->fd);
	r->incoming++;
}

/* ---------------------------------------------------------------- callers */

static void leave(struct caller *c)
{
	/* Without a trace in the kernel: ports are few, and there are many runs. */
	const struct linger at_once = {.l_onoff = 1};

	if (c->fd < 0)
		return;
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(c->fd);
	c->fd = -1;
	ka_framer_fini(&c->framer);
}

static void check_answer(const struct caller *c, const uint8_t *data, size_t len)
{
	Rdv__Envelope *e = rdv__envelope__unpack(NULL, len, data);

	demand(e);
	switch (e->union_case) {
	case RDV__ENVELOPE__UNION_PUNCH_HOLE_RESPONSE:
		demand(c->key_shown || (!e->punch_hole_response->pk.len && !e->punch_hole_response->socket_addr.len));
		break;
	case RDV__ENVELOPE__UNION_RELAY_RESPONSE:
		demand(c->key_shown || e->relay_response->union_case != RDV__RELAY_RESPONSE__UNION_PK ||
		       !e->relay_response->pk.len);
		break;
	case RDV__ENVELOPE__UNION_TEST_NAT_RESPONSE:
	case RDV__ENVELOPE__UNION_ONLINE_RESPONSE:
		break;
	default:
		abort();
	}
	rdv__envelope__free_unpacked(e, NULL);
}

static void listen_to(struct caller *c)
{
	uint8_t *data;
	size_t len;

	while (c->fd >= 0 && c->service) {
		size_t room;
		uint8_t *at = ka_framer_room(&c->framer, &room);
		ssize_t n = recv(c->fd, at, room, MSG_DONTWAIT);

		if (n == 0)
			leave(c);
		if (n <= 0)
			return;
		ka_framer_filled(&c->framer, (size_t)n);
		while (ka_framer_next(&c->framer, &data, &len) == 1)
			check_answer(c, data, len);
	}
}

static void spin(struct run *r)
{
	for (int i = 0; i < SPINS; i++)
		uv_run(&r->uv, UV_RUN_NOWAIT);
	for (int i = 0; i < CALLERS; i++)
		listen_to(&r->callers[i]);
}

static struct caller *come(struct run *r, uint8_t where)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001 + (where & 7))};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint16_t ports[] = {ka_serve_port(r->serve), (uint16_t)(ka_serve_port(r->serve) - 1), r->session_port};
	struct caller *c;

	r->at = (r->at + 1) % CALLERS;
	c = &r->callers[r->at];
	leave(c);
	*c = (struct caller){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .service = (where >> 3) % 3 != 2};
	demand(c->fd >= 0);
	ka_framer_init(&c->framer, 65536);
	to.sin_port = htons(ports[(where >> 3) % 3]);
	/* The NAT test's port may be another program's. */
	if (bind(c->fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		leave(c);
	return c;
}

static void say(struct run *r, const void *data, size_t len)
{
	struct caller *c = &r->callers[r->at];

	if (c->fd >= 0)
		send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	spin(r);
}

static void say_message(struct run *r, const uint8_t *data, size_t len)
{
	uint8_t *buf = malloc(KA_FRAMING_HEADER_MAX + len);
	size_t n;

	demand(buf);
	n = ka_framing_header(buf, len);
	if (len)
		memcpy(buf + n, data, len);
	say(r, buf, n + len);
	free(buf);
}

static void say_envelope(struct run *r, const Rdv__Envelope *e)
{
	uint8_t buf[16384];
	size_t len = rdv__envelope__get_packed_size(e);

	demand(len <= sizeof(buf));
	rdv__envelope__pack(e, buf);
	say_message(r, buf, len);
}

/* ---------------------------------------------------------------- the program */

static char *pick_id(struct run *r, char out[static 40])
{
	static const char *const ids[] = {OWN_ID, NEIGHBOUR, "1", "", "\xff\xfe", "123456789@example"};

	ka_str_copy(out, 40, ids[ka_span_u8(&r->in) % KA_ARRAY_LEN(ids)]);
	return out;
}

static void do_punch(struct run *r)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__PunchHoleRequest q = RDV__PUNCH_HOLE_REQUEST__INIT;
	uint8_t flags = ka_span_u8(&r->in);
	char id[40];
	char key[KA_RD_KEY_TEXT];

	memcpy(key, r->key, sizeof(key));
	if (flags & 1)
		key[flags >> 3] ^= 1;
	else
		for (int i = 0; i < CALLERS; i++)
			r->callers[i].key_shown = true;
	q.id = pick_id(r, id);
	q.licence_key = key;
	q.force_relay = flags & 2;
	q.nat_type = flags & 4 ? 2 : 1;
	e.union_case = RDV__ENVELOPE__UNION_PUNCH_HOLE_REQUEST;
	e.punch_hole_request = &q;
	say_envelope(r, &e);
}

static void do_small(struct run *r, enum op op)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__RequestRelay relay = RDV__REQUEST_RELAY__INIT;
	Rdv__TestNatRequest nat = RDV__TEST_NAT_REQUEST__INIT;
	Rdv__OnlineRequest online = RDV__ONLINE_REQUEST__INIT;
	char *peers[512];
	char id[40];

	pick_id(r, id);
	if (op == OP_RELAY) {
		relay.id = id;
		relay.uuid = id;
		e.union_case = RDV__ENVELOPE__UNION_REQUEST_RELAY;
		e.request_relay = &relay;
	} else if (op == OP_NAT) {
		nat.serial = ka_span_u8(&r->in);
		e.union_case = RDV__ENVELOPE__UNION_TEST_NAT_REQUEST;
		e.test_nat_request = &nat;
	} else {
		online.n_peers = ka_span_u8(&r->in) + 4u;
		for (size_t i = 0; i < online.n_peers; i++)
			peers[i] = id;
		online.peers = peers;
		e.union_case = RDV__ENVELOPE__UNION_ONLINE_REQUEST;
		e.online_request = &online;
	}
	say_envelope(r, &e);
}

static void do_bytes(struct run *r, enum op op)
{
	size_t len = (size_t)ka_span_le(&r->in, op == OP_RAW ? 1 : 2);
	const uint8_t *p;

	len = KA_MIN(len, ka_span_left(&r->in));
	p = ka_span_take(&r->in, len);
	if (p && op == OP_RAW)
		say(r, p, len);
	else if (p)
		say_message(r, p, len);
}

static void do_op(struct run *r, enum op op)
{
	uint8_t header[KA_FRAMING_HEADER_MAX];
	uint8_t v;

	switch (op) {
	case OP_COME:
		come(r, ka_span_u8(&r->in));
		return spin(r);
	case OP_CHOOSE:
		r->at = ka_span_u8(&r->in) % CALLERS;
		return;
	case OP_MESSAGE:
	case OP_RAW:
		return do_bytes(r, op);
	case OP_DECLARE:
		return say(r, header,
			   ka_framing_header(header, (size_t)ka_span_le(&r->in, 4) & KA_FRAMING_PAYLOAD_MAX));
	case OP_PUNCH:
		return do_punch(r);
	case OP_RELAY:
	case OP_NAT:
	case OP_ONLINE:
		return do_small(r, op);
	case OP_STEP:
		fake_clock_step(KA_MS((int64_t)1 << ka_span_u8(&r->in) % 20));
		return spin(r);
	case OP_LEAVE:
		leave(&r->callers[r->at]);
		return spin(r);
	case OP_CROWD:
		v = ka_span_u8(&r->in);
		for (int i = 0; i < KA_SERVE_STREAMS && r->crowds < 2; i++)
			come(r, (uint8_t)(v & 7));
		r->crowds++;
		return spin(r);
	case OPS:
		break;
	}
}

/* ---------------------------------------------------------------- a run */

static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	demand(fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 && !getsockname(fd, (struct sockaddr *)&a, &len));
	close(fd);
	return ntohs(a.sin_port);
}

static void begin(struct run *r)
{
	struct ka_serve_cfg cfg = {.rd = &r->rd, .identity = &r->who, .uv = &r->uv, .incoming = on_incoming, .arg = r};
	struct ka_errbuf eb;
	int ret = -1;

	r->neighbour = (struct ka_rd_peer){.id = NEIGHBOUR, .address = "192.0.2.9:21118"};
	memcpy(r->who.id, OWN_ID, sizeof(OWN_ID));
	ka_rd_serve_key(r->key, &r->who);
	demand(uv_loop_init(&r->uv) == 0);
	/* Somebody else may take it first. */
	for (int i = 0; i < 10 && ret < 0; i++) {
		r->session_port = free_port();
		r->rd = (struct ka_rd_cfg){
			.version = "1.3.8",
			.serve = {.enabled = true,
				  .address = "127.0.0.1",
				  .session_port = r->session_port,
				  .public_address = "",
				  .peers = &r->neighbour,
				  .n_peers = 1},
		};
		ret = ka_serve_new(&r->serve, &cfg, &eb);
	}
	demand(ret == 0 && ka_serve_start(r->serve) == 0);
}

static void end(struct run *r)
{
	ka_serve_free(r->serve);
	for (int i = 0; i < CALLERS; i++)
		leave(&r->callers[i]);
	while (uv_run(&r->uv, UV_RUN_NOWAIT))
		;
	demand(uv_loop_close(&r->uv) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	struct run *r = &run;
	unsigned int fds;

	fuzz_set_up_once();
	memset(r, 0, sizeof(*r));
	for (int i = 0; i < CALLERS; i++)
		r->callers[i].fd = -1;
	fake_random_seed(size);
	fake_clock_hold();
	fds = open_fds();
	r->in = ka_span_make(data, size);
	begin(r);
	for (int i = 0; i < OPS_MAX && ka_span_left(&r->in); i++)
		do_op(r, ka_span_u8(&r->in) % OPS);
	end(r);
	fake_clock_release();
	demand(open_fds() == fds);
	return 0;
}
