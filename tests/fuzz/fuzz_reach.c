/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any server, relay and neighbour against the whole of reach/, on one loop and a held clock: datagrams of hbbs in any
 * order, whatever the other ends of our own connections say, and pings from the LAN. The first bytes choose the
 * configuration, the rest is a program of what happens. Nothing leaves this process: tests/fake/fake_world.h.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/span.h"
#include "base/str.h"
#include "proto/rendezvous.pb-c.h"
#include "rustdesk/reach/calls.h"
#include "rustdesk/reach/reach_priv.h"
#include "rustdesk/wire/framing.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_random.h"
#include "tests/fake/fuzz_set_up.h"
#include "tests/fake/fake_world.h"
#include "tests/fake/open_fds.h"

#define OPS_MAX 100
#define STEPS 6
#define SPINS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
enum op {
	OP_DATAGRAM, /* length, bytes: from hbbs */
	OP_PEER,     /* RegisterPeerResponse: request_pk */
	OP_PK,	     /* RegisterPkResponse: result */
	OP_PUNCH,    /* caller, relay, nat and flags */
	OP_LOCAL,    /* caller, relay */
	OP_RELAY,    /* caller, relay, uuid and flags */
	OP_SERIAL,   /* ConfigureUpdate */
	OP_STEP,     /* 2^n ms pass */
	OP_VERDICT,  /* how connecting and looking up end from now on */
	OP_SAY,	     /* leg, length, bytes: on a connection of the device */
	OP_NAT,	     /* leg, port: TestNatResponse */
	OP_CLOSE,    /* leg */
	OP_CALLER,   /* leg: a controller comes to its local address */
	OP_LAN,	     /* length, bytes: datagram of a neighbour */
	OP_REJECTED, /* a controller does not like our key */
	OP_REPEAT,   /* times: the last datagram again */
	OP_MOVED,    /* own addresses changed */
	OPS,
};

struct run {
	struct fake_world world;
	uv_loop_t uv;
	struct ka_rd_cfg rd;
	struct ka_rd_identity who;
	struct ka_reach *reach;
	struct ka_span in;
	struct sockaddr_in device; /* where its datagrams come from */
	int lan;		   /* a neighbour */
	uint8_t last[512];	   /* datagram */
	size_t last_len;
};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void on_incoming(void *arg, struct ka_incoming *in)
{
	(void)arg;
	demand(in->fd >= 0 && in->path != KA_PATH_DIRECT && in->path != KA_PATH_SERVED);
	close(in->fd);
}

/* ---------------------------------------------------------------- what the device does */

static void read_udp(struct run *r)
{
	socklen_t len = sizeof(r->device);
	uint8_t buf[2048];
	ssize_t n;

	while ((n = recvfrom(r->world.udp, buf, sizeof(buf), 0, (struct sockaddr *)&r->device, &len)) > 0) {
		Rdv__Envelope *e = rdv__envelope__unpack(NULL, (size_t)n, buf);

		demand(e && (e->union_case == RDV__ENVELOPE__UNION_REGISTER_PEER ||
			     e->union_case == RDV__ENVELOPE__UNION_REGISTER_PK));
		rdv__envelope__free_unpacked(e, NULL);
	}
	while ((n = recv(r->lan, buf, sizeof(buf), 0)) > 0)
		;
}

static void spin(struct run *r)
{
	for (int i = 0; i < SPINS; i++) {
		uv_run(&r->uv, UV_RUN_NOWAIT);
		read_udp(r);
		fake_world_read(&r->world);
	}
	demand(ka_reach_count_calls(r->reach) <= 2 * KA_CALLS_MAX);
}

/* ---------------------------------------------------------------- the program */

static void send_datagram(struct run *r)
{
	if (r->device.sin_port)
		sendto(r->world.udp, r->last, r->last_len, 0, (struct sockaddr *)&r->device, sizeof(r->device));
	spin(r);
}

static void send_envelope(struct run *r, const Rdv__Envelope *e)
{
	r->last_len = rdv__envelope__get_packed_size(e);
	demand(r->last_len <= sizeof(r->last));
	rdv__envelope__pack(e, r->last);
	send_datagram(r);
}

static size_t take_bytes(struct run *r, uint8_t *out, size_t max)
{
	size_t len = ka_span_u8(&r->in);
	const uint8_t *p;

	len = KA_MIN(KA_MIN(len, max), ka_span_left(&r->in));
	p = ka_span_take(&r->in, len);
	if (p && len)
		memcpy(out, p, len);
	return p ? len : 0;
}

/* A caller's address as hbbs writes it. */
static ProtobufCBinaryData caller(struct run *r, uint8_t out[static KA_ADDR_BYTES])
{
	uint8_t which = ka_span_u8(&r->in);
	struct sockaddr_storage a = {0};

	if (which & 64) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

		in6->sin6_family = AF_INET6;
		in6->sin6_addr.s6_addr[0] = which & 1 ? 0x20 : 0xfe;
		in6->sin6_addr.s6_addr[15] = which;
	} else {
		struct sockaddr_in *in4 = (struct sockaddr_in *)&a;

		in4->sin_family = AF_INET;
		in4->sin_addr.s_addr = htonl((which & 32 ? 0x7f000001 : 0xcb007100) + (which & 31));
	}
	ka_addr_set_port(&a, which & 128 ? 0 : (uint16_t)(40000 + which));
	return (ProtobufCBinaryData){.len = ka_addr_encode(out, &a, 0x12345678), .data = out};
}

static char *relay_text(struct run *r, char out[static 64])
{
	static const char *const texts[] = {"",	       "127.0.0.1", "127.0.0.1:7", "relay.example:21117",
					    "[::1]:9", ":",	    "a:b:c",	   "\xff"};

	ka_str_copy(out, 64, texts[ka_span_u8(&r->in) % KA_ARRAY_LEN(texts)]);
	return out;
}

static void do_call(struct run *r, enum op op)
{
	uint8_t addr[KA_ADDR_BYTES];
	char relay[64];
	char uuid[] = "0b1c2d3e-0000-4000-8000-00000000000x";
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__PunchHole punch = RDV__PUNCH_HOLE__INIT;
	Rdv__FetchLocalAddr local = RDV__FETCH_LOCAL_ADDR__INIT;
	Rdv__RequestRelay request = RDV__REQUEST_RELAY__INIT;
	uint8_t flags = ka_span_u8(&r->in);

	local.socket_addr = punch.socket_addr = request.socket_addr = caller(r, addr);
	local.relay_server = punch.relay_server = request.relay_server = relay_text(r, relay);
	punch.nat_type = flags & 3;
	punch.udp_port = flags >> 2 & 3;
	punch.force_relay = flags & 16;
	request.secure = flags & 1;
	uuid[sizeof(uuid) - 2] = (char)('0' + (flags >> 1 & 7));
	request.uuid = flags & 128 ? relay : uuid;
	if (op == OP_PUNCH) {
		e.union_case = RDV__ENVELOPE__UNION_PUNCH_HOLE;
		e.punch_hole = &punch;
	} else if (op == OP_LOCAL) {
		e.union_case = RDV__ENVELOPE__UNION_FETCH_LOCAL_ADDR;
		e.fetch_local_addr = &local;
	} else {
		e.union_case = RDV__ENVELOPE__UNION_REQUEST_RELAY;
		e.request_relay = &request;
	}
	send_envelope(r, &e);
}

static void do_answer(struct run *r, enum op op)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__RegisterPeerResponse peer = RDV__REGISTER_PEER_RESPONSE__INIT;
	Rdv__RegisterPkResponse pk = RDV__REGISTER_PK_RESPONSE__INIT;
	Rdv__ConfigureUpdate update = RDV__CONFIGURE_UPDATE__INIT;
	uint8_t v = ka_span_u8(&r->in);

	if (op == OP_PEER) {
		peer.request_pk = v & 1;
		e.union_case = RDV__ENVELOPE__UNION_REGISTER_PEER_RESPONSE;
		e.register_peer_response = &peer;
	} else if (op == OP_PK) {
		pk.result = v & 15;
		pk.keep_alive = v >> 4;
		e.union_case = RDV__ENVELOPE__UNION_REGISTER_PK_RESPONSE;
		e.register_pk_response = &pk;
	} else {
		update.serial = v - 1;
		e.union_case = RDV__ENVELOPE__UNION_CONFIGURE_UPDATE;
		e.configure_update = &update;
	}
	send_envelope(r, &e);
}

static int *take_leg(struct run *r)
{
	/* Counted from the latest, which is what a program is about. */
	unsigned int back = ka_span_u8(&r->in) % FAKE_WORLD_LEGS;

	return &r->world.legs[(r->world.next_leg + FAKE_WORLD_LEGS - 1 - back) % FAKE_WORLD_LEGS];
}

static void do_say(struct run *r)
{
	int *leg = take_leg(r);
	uint8_t buf[256];
	size_t n = take_bytes(r, buf, sizeof(buf));

	if (*leg >= 0)
		send(*leg, buf, n, MSG_NOSIGNAL);
	spin(r);
}

static void do_nat(struct run *r)
{
	int *leg = take_leg(r);
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__TestNatResponse nat = RDV__TEST_NAT_RESPONSE__INIT;
	Rdv__ConfigureUpdate update = RDV__CONFIGURE_UPDATE__INIT;
	uint8_t v = ka_span_u8(&r->in);
	uint8_t buf[64];
	size_t n;

	nat.port = v & 128 ? -1 : 4000 + (v & 7);
	update.serial = v >> 3;
	nat.cu = v & 64 ? &update : NULL;
	e.union_case = RDV__ENVELOPE__UNION_TEST_NAT_RESPONSE;
	e.test_nat_response = &nat;
	n = ka_framing_header(buf, rdv__envelope__get_packed_size(&e));
	n += rdv__envelope__pack(&e, buf + n);
	if (*leg >= 0)
		send(*leg, buf, n, MSG_NOSIGNAL);
	spin(r);
}

static void do_caller(struct run *r)
{
	int *leg = take_leg(r);
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd = -1;

	if (*leg >= 0 && getpeername(*leg, (struct sockaddr *)&to, &len) == 0)
		fd = fake_world_dial(&to);
	spin(r);
	fake_world_reset(&fd);
}

static void do_lan(struct run *r)
{
	struct sockaddr_in to = r->world.udp_addr;
	uint8_t buf[256];
	size_t n = take_bytes(r, buf, sizeof(buf));

	to.sin_port = htons(r->rd.lan_port);
	sendto(r->lan, buf, n, 0, (struct sockaddr *)&to, sizeof(to));
	spin(r);
}

static void do_step(struct run *r)
{
	int64_t ms = (int64_t)1 << ka_span_u8(&r->in) % 18;

	for (int i = 0; i < STEPS; i++) {
		fake_clock_step(KA_MS(ms / STEPS + 1));
		spin(r);
	}
}

static void do_repeat(struct run *r)
{
	for (unsigned int n = ka_span_u8(&r->in) % 64; n; n--)
		send_datagram(r);
}

static void do_op(struct run *r, enum op op)
{
	uint8_t v;

	switch (op) {
	case OP_DATAGRAM:
		r->last_len = take_bytes(r, r->last, sizeof(r->last));
		return send_datagram(r);
	case OP_PEER:
	case OP_PK:
	case OP_SERIAL:
		return do_answer(r, op);
	case OP_PUNCH:
	case OP_LOCAL:
	case OP_RELAY:
		return do_call(r, op);
	case OP_STEP:
		return do_step(r);
	case OP_VERDICT:
		v = ka_span_u8(&r->in);
		r->world.verdict = v % FAKE_VERDICTS;
		r->world.names_known = v & 128;
		return;
	case OP_SAY:
		return do_say(r);
	case OP_NAT:
		return do_nat(r);
	case OP_CLOSE:
		fake_world_reset(take_leg(r));
		return spin(r);
	case OP_CALLER:
		return do_caller(r);
	case OP_LAN:
		return do_lan(r);
	case OP_REJECTED:
		ka_reach_pk_rejected(r->reach);
		return spin(r);
	case OP_REPEAT:
		return do_repeat(r);
	case OP_MOVED:
		r->world.moved(r->world.moved_arg);
		return spin(r);
	case OPS:
		break;
	}
}

/* ---------------------------------------------------------------- a run */

static void configure(struct run *r, char servers[static 96])
{
	uint8_t flags = ka_span_u8(&r->in);
	unsigned int port = ntohs(r->world.udp_addr.sin_port);
	struct sockaddr_in free_port;
	int fd = fake_world_socket(SOCK_DGRAM, &free_port);

	close(fd);
	r->world.names_known = flags & 1;
	if (flags & 2)
		snprintf(servers, 96, "hbbs.example:%u", port);
	else if (flags & 4)
		snprintf(servers, 96, "127.0.0.1:1, 127.0.0.1:%u,hbbs.example", port);
	else
		snprintf(servers, 96, "127.0.0.1:%u", port);
	r->rd = (struct ka_rd_cfg){
		.server = servers,
		.relay = flags & 8 ? "relay.example" : "",
		.key = flags & 16 ? "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U=" : "",
		.hostname = "kvm-test",
		.username = "kvm",
		.version = "1.3.8",
		.lan_discovery = flags & 32,
		.lan_port = ntohs(free_port.sin_port),
		.nat = {.type = flags >> 6 & 3},
	};
	memcpy(r->who.id, "123456789", 10);
}

static void begin(struct run *r)
{
	const struct ka_reach_cfg cfg = {
		.rd = &r->rd, .identity = &r->who, .uv = &r->uv, .incoming = on_incoming, .arg = r};
	struct ka_errbuf eb;

	demand(uv_loop_init(&r->uv) == 0);
	demand(ka_reach_new(&r->reach, &cfg, &eb) == 0 && ka_reach_listen(r->reach, &eb) == 0 &&
	       ka_reach_start(r->reach) == 0);
	spin(r);
}

static void end(struct run *r)
{
	struct ka_reach_status st;

	ka_reach_get_status(r->reach, &st);
	demand(ka_utf8_valid(st.server_state, sizeof(st.server_state)));
	ka_reach_close(r->reach);
	while (uv_run(&r->uv, UV_RUN_NOWAIT))
		;
	demand(uv_loop_close(&r->uv) == 0);
	ka_reach_free(r->reach);
	fake_world_fini(&r->world);
	close(r->lan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run; /* large, and new pages are slow */
	struct run *r = &run;
	struct sockaddr_in any;
	char servers[96];
	unsigned int fds;

	fuzz_set_up_once();
	memset(r, 0, sizeof(*r));
	fake_random_seed(size);
	fake_clock_hold();
	fds = open_fds();
	r->in = ka_span_make(data, size);
	fake_world_init(&r->world);
	r->lan = fake_world_socket(SOCK_DGRAM, &any);
	configure(r, servers);
	begin(r);
	for (int i = 0; i < OPS_MAX && ka_span_left(&r->in); i++)
		do_op(r, ka_span_u8(&r->in) % OPS);
	end(r);
	fake_clock_release();
	demand(open_fds() == fds);
	return 0;
}
