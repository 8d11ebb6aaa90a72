/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_hbbs.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/resolve.h"
#include "rustdesk/wire/framing.h"

static struct sockaddr_storage here(const struct fake_bench *b, uint16_t port)
{
	struct ka_resolve_list list;

	assert_true(ka_resolve_literal(b->family == AF_INET6 ? "::1" : "127.0.0.1", port, &list));
	return list.addrs[0];
}

static bool bind_all(struct fake_bench *b)
{
	struct sockaddr_storage a = here(b, b->port);
	bool ok;

	b->udp = socket(b->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(b->udp >= 0);
	ok = bind(b->udp, (struct sockaddr *)&a, ka_addr_len(&a)) == 0;
	for (int i = 0; i < 3; i++) {
		a = here(b, (uint16_t)(b->port - 1 + i));
		b->tcp[i] = ka_dial_socket(b->family, &a);
		ok = ok && b->tcp[i] >= 0 && listen(b->tcp[i], 32) == 0;
	}
	return ok;
}

void fake_close_server(struct fake_bench *b)
{
	close(b->udp);
	b->udp = -1;
	for (int i = 0; i < 3; i++) {
		if (b->tcp[i] >= 0)
			close(b->tcp[i]);
		b->tcp[i] = -1;
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(b->conns); i++) {
		if (b->conns[i] >= 0)
			close(b->conns[i]);
		b->conns[i] = -1;
	}
}

void fake_open_server(struct fake_bench *b)
{
	assert_true(bind_all(b));
}

static void keep_incoming(void *arg, struct ka_incoming *in)
{
	struct fake_bench *b = arg;

	assert_true(b->n_in < KA_ARRAY_LEN(b->in));
	b->in[b->n_in++] = *in;
}

void fake_bench_init(struct fake_bench *b, const char *host)
{
	fake_bench_init_after(b, host, "");
}

void fake_bench_init_after(struct fake_bench *b, const char *host, const char *before)
{
	struct ka_reach_cfg cfg;
	struct ka_errbuf eb;

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < KA_ARRAY_LEN(b->conns); i++)
		b->conns[i] = -1;
	b->family = strchr(host, ':') ? AF_INET6 : AF_INET;
	for (b->port = (uint16_t)(20001 + getpid() % 3000 * 3); !bind_all(b); b->port += 3)
		fake_close_server(b);
	snprintf(b->server, sizeof(b->server), b->family == AF_INET6 ? "%s[%s]:%u" : "%s%s:%u", before, host, b->port);
	uv_loop_init(&b->uv);
	b->rd = (struct ka_rd_cfg){.server = b->server,
				   .relay = "",
				   .key = "k",
				   .hostname = "kvm",
				   .username = "root",
				   .password = "",
				   .direct_address = "",
				   .version = "1.4.5",
				   .platform = KA_RD_LINUX};
	b->who = (struct ka_rd_identity){.id = "123456789", .uuid = "0123456789abcde", .sign_pk = {7, 8, 9}};
	cfg = (struct ka_reach_cfg){
		.rd = &b->rd, .identity = &b->who, .uv = &b->uv, .incoming = keep_incoming, .arg = b};
	assert_int_equal(ka_reach_new(&b->reach, &cfg, &eb), 0);
	struct ka_reach_timing t = ka_reach_get_env(b->reach)->timing;

	t.registration.interval_us = KA_MS(200);
	t.registration.timeout_us = KA_MS(150);
	t.registration.rebind_us = KA_MS(300);
	t.registration.pk_gap_us = KA_MS(20);
	t.registration.refused_us = KA_MS(100);
	t.connect_ms = 2000;
	t.accept_ms = 1000;
	t.nat_retry_ms = 50;
	t.trial_ms = 1000;
	t.return_ms = 200;
	ka_reach_set_timing(b->reach, &t);
}

void fake_bench_start(struct fake_bench *b)
{
	struct ka_errbuf eb;

	assert_int_equal(ka_reach_listen(b->reach, &eb), 0);
	assert_int_equal(ka_reach_start(b->reach), 0);
}

void fake_bench_fini(struct fake_bench *b)
{
	ka_reach_close(b->reach);
	uv_run(&b->uv, UV_RUN_DEFAULT);
	ka_reach_free(b->reach);
	assert_int_equal(uv_loop_close(&b->uv), 0);
	fake_close_server(b);
	for (unsigned int i = 0; i < b->n_heard; i++)
		rdv__envelope__free_unpacked(b->heard[i].msg, NULL);
	for (unsigned int i = 0; i < b->n_in; i++)
		close(b->in[i].fd);
}

static void answer_udp(struct fake_bench *b, const Rdv__Envelope *e, const struct sockaddr_storage *to)
{
	uint8_t out[512];
	size_t len = rdv__envelope__pack(e, out);

	assert_int_equal(sendto(b->udp, out, len, 0, (const struct sockaddr *)to, ka_addr_len(to)), len);
}

static Rdv__Envelope *keep(struct fake_bench *b, const uint8_t *data, size_t len, const struct sockaddr_storage *from,
			   bool tcp)
{
	Rdv__Envelope *e = rdv__envelope__unpack(NULL, len, data);

	assert_non_null(e);
	assert_true(b->n_heard < FAKE_KEPT);
	b->heard[b->n_heard++] = (struct fake_heard){.msg = e, .from = *from, .tcp = tcp};
	return e;
}

static void serve_udp(struct fake_bench *b)
{
	Rdv__RegisterPeerResponse peer;
	Rdv__RegisterPkResponse pk;
	Rdv__Envelope a;
	struct sockaddr_storage from = {0};
	socklen_t from_len = sizeof(from);
	uint8_t in[1024];
	ssize_t n = recvfrom(b->udp, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
	Rdv__Envelope *e;

	rdv__register_peer_response__init(&peer);
	rdv__register_pk_response__init(&pk);
	rdv__envelope__init(&a);
	if (n < 0)
		return;
	e = keep(b, in, (size_t)n, &from, false);
	if (b->silent)
		return;
	if (e->union_case == RDV__ENVELOPE__UNION_REGISTER_PEER) {
		peer.request_pk = b->request_pk;
		b->request_pk = false;
		a.union_case = RDV__ENVELOPE__UNION_REGISTER_PEER_RESPONSE;
		a.register_peer_response = &peer;
	} else {
		pk.result = (Rdv__RegisterPkResponse__Result)b->pk_result;
		b->pk_result = 0;
		a.union_case = RDV__ENVELOPE__UNION_REGISTER_PK_RESPONSE;
		a.register_pk_response = &pk;
	}
	answer_udp(b, &a, &from);
}

static void accept_conn(struct fake_bench *b, int which)
{
	int fd = accept4(b->tcp[which], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < KA_ARRAY_LEN(b->conns); i++) {
		if (b->conns[i] < 0) {
			b->conns[i] = fd;
			b->conn_port[i] = which;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void answer_nat_test(struct fake_bench *b, int fd, int which, const struct sockaddr_storage *from)
{
	Rdv__TestNatResponse nat;
	Rdv__Envelope a;
	uint8_t out[64];
	size_t len;

	rdv__test_nat_response__init(&nat);
	rdv__envelope__init(&a);
	if (b->nat_silent)
		return;
	nat.port = ka_addr_port(from) + (which == 0 ? b->nat_shift : 0);
	a.union_case = RDV__ENVELOPE__UNION_TEST_NAT_RESPONSE;
	a.test_nat_response = &nat;
	len = rdv__envelope__pack(&a, out + 1);
	out[0] = (uint8_t)(len << 2);
	/* in two pieces: the reader has to put them together */
	assert_int_equal(send(fd, out, 3, MSG_NOSIGNAL), 3);
	send(fd, out + 3, len - 2, MSG_NOSIGNAL);
}

/* One whole message at a time, as the device sends them. */
static void serve_conn(struct fake_bench *b, size_t i)
{
	struct sockaddr_storage from = {0};
	socklen_t from_len = sizeof(from);
	uint8_t in[1024];
	ssize_t n = recv(b->conns[i], in, sizeof(in), 0);
	struct ka_framer f;
	uint8_t *payload;
	size_t room;
	size_t len;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			close(b->conns[i]);
			b->conns[i] = -1;
		}
		return;
	}
	getpeername(b->conns[i], (struct sockaddr *)&from, &from_len);
	if (b->conn_port[i] == 2) {
		assert_true((size_t)n <= sizeof(b->relay_bytes));
		memcpy(b->relay_bytes, in, (size_t)n);
		b->relay_len = (size_t)n;
	}
	ka_framer_init(&f, 1024);
	memcpy(ka_framer_room(&f, &room), in, (size_t)n);
	ka_framer_filled(&f, (size_t)n);
	assert_int_equal(ka_framer_next(&f, &payload, &len), 1);
	if (keep(b, payload, len, &from, true)->union_case == RDV__ENVELOPE__UNION_TEST_NAT_REQUEST)
		answer_nat_test(b, b->conns[i], b->conn_port[i], &from);
	ka_framer_fini(&f);
}

static void serve(struct fake_bench *b)
{
	if (b->udp < 0)
		return;
	serve_udp(b);
	for (int i = 0; i < 3; i++)
		accept_conn(b, i);
	for (size_t i = 0; i < KA_ARRAY_LEN(b->conns); i++) {
		if (b->conns[i] >= 0)
			serve_conn(b, i);
	}
}

static void wait_any(struct fake_bench *b, int ms)
{
	struct pollfd p[1 + 1 + 3 + KA_ARRAY_LEN(b->conns)];
	nfds_t n = 0;
	int loop_ms = uv_backend_timeout(&b->uv);

	p[n++] = (struct pollfd){.fd = uv_backend_fd(&b->uv), .events = POLLIN};
	p[n++] = (struct pollfd){.fd = b->udp, .events = POLLIN};
	for (int i = 0; i < 3; i++)
		p[n++] = (struct pollfd){.fd = b->tcp[i], .events = POLLIN};
	for (size_t i = 0; i < KA_ARRAY_LEN(b->conns); i++)
		p[n++] = (struct pollfd){.fd = b->conns[i], .events = POLLIN};
	poll(p, n, loop_ms >= 0 && loop_ms < ms ? loop_ms : ms);
}

bool fake_run_until(struct fake_bench *b, bool (*done)(struct fake_bench *b), int ms)
{
	int64_t deadline = ka_clock_us() + KA_MS(ms);

	for (;;) {
		int64_t left = deadline - ka_clock_us();

		uv_run(&b->uv, UV_RUN_NOWAIT);
		serve(b);
		if (done && done(b))
			return true;
		if (left <= 0)
			return false;
		wait_any(b, (int)(left / 1000) + 1);
	}
}

void fake_run(struct fake_bench *b, int ms)
{
	fake_run_until(b, NULL, ms);
}

const struct fake_heard *fake_find(const struct fake_bench *b, Rdv__Envelope__UnionCase kind, unsigned int n)
{
	for (unsigned int i = 0; i < b->n_heard; i++) {
		if (b->heard[i].msg->union_case == kind && n-- == 0)
			return &b->heard[i];
	}
	return NULL;
}

unsigned int fake_count(const struct fake_bench *b, Rdv__Envelope__UnionCase kind)
{
	unsigned int n = 0;

	while (fake_find(b, kind, n))
		n++;
	return n;
}

void fake_push(struct fake_bench *b, const Rdv__Envelope *e, bool forged)
{
	struct sockaddr_storage to = {0};
	int real = b->udp;

	/* hbbs pushes to where the last RegisterPeer came from. */
	for (unsigned int n = fake_count(b, RDV__ENVELOPE__UNION_REGISTER_PEER); n > 0 && !to.ss_family; n--)
		to = fake_find(b, RDV__ENVELOPE__UNION_REGISTER_PEER, n - 1)->from;
	assert_int_not_equal(to.ss_family, 0);
	if (forged)
		b->udp = socket(b->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	answer_udp(b, e, &to);
	if (forged)
		close(b->udp);
	b->udp = real;
}

void fake_mangle(ProtobufCBinaryData *m, const char *ip, uint16_t port)
{
	struct ka_resolve_list list;

	assert_true(ka_resolve_literal(ip, port, &list));
	m->len = ka_addr_encode(m->data, &list.addrs[0], 0x12345678);
}

static bool has_words(struct fake_bench *b)
{
	struct ka_reach_status st;

	ka_reach_get_status(b->reach, &st);
	return strstr(st.server_state, b->words);
}

bool fake_wait_words(struct fake_bench *b, const char *words)
{
	b->words = words;
	return fake_run_until(b, has_words, 3000);
}

static bool has_count(struct fake_bench *b)
{
	return fake_count(b, b->kind) >= b->count;
}

bool fake_wait_count(struct fake_bench *b, Rdv__Envelope__UnionCase kind, unsigned int n)
{
	b->kind = kind;
	b->count = n;
	return fake_run_until(b, has_count, 3000);
}

bool fake_registered(struct fake_bench *b)
{
	struct ka_reach_status st;

	ka_reach_get_status(b->reach, &st);
	return st.registered;
}

bool fake_nat_known(struct fake_bench *b)
{
	return ka_reach_get_env(b->reach)->nat != KA_NAT_UNKNOWN;
}

void fake_start_registered(struct fake_bench *b, const char *host)
{
	fake_bench_init(b, host);
	fake_bench_start(b);
	assert_true(fake_run_until(b, fake_registered, 3000));
	assert_true(fake_run_until(b, fake_nat_known, 3000));
}

void fake_push_punch(struct fake_bench *b, const char *ip, uint16_t port, enum ka_nat nat, bool forged)
{
	Rdv__PunchHole m;
	Rdv__Envelope e;
	uint8_t addr[KA_ADDR_BYTES];

	rdv__punch_hole__init(&m);
	rdv__envelope__init(&e);
	m.socket_addr.data = addr;
	fake_mangle(&m.socket_addr, ip, port);
	m.nat_type = (Rdv__NatType)nat;
	e.union_case = RDV__ENVELOPE__UNION_PUNCH_HOLE;
	e.punch_hole = &m;
	fake_push(b, &e, forged);
}

void fake_push_local(struct fake_bench *b, uint16_t port)
{
	Rdv__FetchLocalAddr m;
	Rdv__Envelope e;
	uint8_t addr[KA_ADDR_BYTES];

	rdv__fetch_local_addr__init(&m);
	rdv__envelope__init(&e);
	m.socket_addr.data = addr;
	fake_mangle(&m.socket_addr, "203.0.113.77", port);
	e.union_case = RDV__ENVELOPE__UNION_FETCH_LOCAL_ADDR;
	e.fetch_local_addr = &m;
	fake_push(b, &e, false);
}

void fake_push_relay(struct fake_bench *b, uint16_t port, char *relay, bool secure)
{
	char uuid[] = "0f0e0d0c-0b0a-4908-8706-050403020100";
	Rdv__RequestRelay m;
	Rdv__Envelope e;
	uint8_t addr[KA_ADDR_BYTES];

	rdv__request_relay__init(&m);
	rdv__envelope__init(&e);
	m.socket_addr.data = addr;
	fake_mangle(&m.socket_addr, "203.0.113.77", port);
	m.uuid = uuid;
	m.relay_server = relay;
	m.secure = secure;
	e.union_case = RDV__ENVELOPE__UNION_REQUEST_RELAY;
	e.request_relay = &m;
	fake_push(b, &e, false);
}

int fake_come(const struct sockaddr_storage *to)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)to, ka_addr_len(to)) == 0)
		return fd;
	close(fd);
	return -ECONNREFUSED;
}
