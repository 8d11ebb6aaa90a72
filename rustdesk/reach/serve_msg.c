/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/serve_msg.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/rendezvous.pb-c.h"

static int read_online(struct ka_serve_request *out, const Rdv__OnlineRequest *m,
		       bool (*known)(void *arg, const char *id), void *arg)
{
	if (m->n_peers > KA_SERVE_QUERY_MAX)
		return -KA_E_PEER;
	out->n_online = m->n_peers;
	for (size_t i = 0; i < m->n_peers; i++) {
		if (known(arg, m->peers[i]))
			out->online[i / 8] |= (uint8_t)(0x80u >> i % 8);
	}
	return 0;
}

static int read_texts(struct ka_serve_request *out, const char *id, const char *key)
{
	bool fits = ka_str_copy(out->id, sizeof(out->id), id) && ka_str_copy(out->key, sizeof(out->key), key);

	return fits ? 0 : -KA_E_PEER;
}

int ka_serve_read(struct ka_pb *pb, struct ka_serve_request *out, const uint8_t *data, size_t len,
		  bool (*known)(void *arg, const char *id), void *arg)
{
	const Rdv__Envelope *e = (const Rdv__Envelope *)ka_pb_decode(pb, &rdv__envelope__descriptor, data, len);

	*out = (struct ka_serve_request){.kind = KA_SERVE_OTHER};
	if (!e)
		return -KA_E_PEER;
	switch (e->union_case) {
	case RDV__ENVELOPE__UNION_PUNCH_HOLE_REQUEST:
		out->kind = KA_SERVE_PUNCH;
		out->force_relay = e->punch_hole_request->force_relay;
		return read_texts(out, e->punch_hole_request->id, e->punch_hole_request->licence_key);
	case RDV__ENVELOPE__UNION_REQUEST_RELAY:
		out->kind = KA_SERVE_RELAY;
		return read_texts(out, e->request_relay->id, "");
	case RDV__ENVELOPE__UNION_TEST_NAT_REQUEST:
		out->kind = KA_SERVE_NAT_TEST;
		return 0;
	case RDV__ENVELOPE__UNION_ONLINE_REQUEST:
		out->kind = KA_SERVE_ONLINE;
		return read_online(out, e->online_request, known, arg);
	default:
		return 0;
	}
}

static int pack(struct ka_rdv_buf *b, const Rdv__Envelope *e)
{
	if (rdv__envelope__get_packed_size(e) > sizeof(b->data))
		return -KA_E_TOO_BIG;
	b->len = rdv__envelope__pack(e, b->data);
	return ka_rdv_frame(b);
}

/* protobuf-c's members are not const; nothing writes to them. */
static ProtobufCBinaryData as_bytes(const uint8_t *data, size_t len)
{
	union {
		const uint8_t *in;
		uint8_t *out;
	} u = {.in = data};

	return (ProtobufCBinaryData){.data = u.out, .len = len};
}

int ka_serve_punch_answer(struct ka_rdv_buf *b, const struct ka_serve_answer *a)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__PunchHoleResponse m = RDV__PUNCH_HOLE_RESPONSE__INIT;
	char relay[KA_RDV_HOST_MAX + 1];
	uint8_t addr[KA_ADDR_BYTES];

	if (!ka_str_copy(relay, sizeof(relay), a->relay_server))
		return -KA_E_TOO_BIG;
	m.socket_addr = as_bytes(addr, ka_addr_encode(addr, &a->addr, a->stamp));
	m.pk = as_bytes(a->signed_pk, a->signed_pk_len);
	m.relay_server = relay;
	/* It tries addr for a second and then goes to relay_server: quick when addr is behind a NAT. */
	m.union_case = RDV__PUNCH_HOLE_RESPONSE__UNION_IS_LOCAL;
	m.is_local = true;
	e.union_case = RDV__ENVELOPE__UNION_PUNCH_HOLE_RESPONSE;
	e.punch_hole_response = &m;
	return pack(b, &e);
}

int ka_serve_punch_failure(struct ka_rdv_buf *b, enum ka_serve_failure failure)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__PunchHoleResponse m = RDV__PUNCH_HOLE_RESPONSE__INIT;

	m.failure = (Rdv__PunchHoleResponse__Failure)failure;
	e.union_case = RDV__ENVELOPE__UNION_PUNCH_HOLE_RESPONSE;
	e.punch_hole_response = &m;
	return pack(b, &e);
}

int ka_serve_relay_offer(struct ka_rdv_buf *b, const struct ka_serve_answer *a, const char *uuid, const char *version)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__RelayResponse m = RDV__RELAY_RESPONSE__INIT;
	char relay[KA_RDV_HOST_MAX + 1];
	char name[KA_RDV_UUID_MAX + 1];
	char text[32];

	if (!ka_str_copy(relay, sizeof(relay), a->relay_server) || !ka_str_copy(name, sizeof(name), uuid))
		return -KA_E_TOO_BIG;
	ka_str_copy(text, sizeof(text), version);
	m.uuid = name;
	m.relay_server = relay;
	m.version = text;
	m.union_case = RDV__RELAY_RESPONSE__UNION_PK;
	m.pk = as_bytes(a->signed_pk, a->signed_pk_len);
	e.union_case = RDV__ENVELOPE__UNION_RELAY_RESPONSE;
	e.relay_response = &m;
	return pack(b, &e);
}

int ka_serve_relay_accept(struct ka_rdv_buf *b, const char *version)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__RelayResponse m = RDV__RELAY_RESPONSE__INIT;
	char text[32];

	ka_str_copy(text, sizeof(text), version);
	m.version = text;
	e.union_case = RDV__ENVELOPE__UNION_RELAY_RESPONSE;
	e.relay_response = &m;
	return pack(b, &e);
}

int ka_serve_relay_refusal(struct ka_rdv_buf *b, const char *reason)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__RelayResponse m = RDV__RELAY_RESPONSE__INIT;
	char text[128];

	ka_str_copy(text, sizeof(text), reason);
	m.refuse_reason = text;
	e.union_case = RDV__ENVELOPE__UNION_RELAY_RESPONSE;
	e.relay_response = &m;
	return pack(b, &e);
}

int ka_serve_nat_answer(struct ka_rdv_buf *b, uint16_t port)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__TestNatResponse m = RDV__TEST_NAT_RESPONSE__INIT;

	m.port = port;
	e.union_case = RDV__ENVELOPE__UNION_TEST_NAT_RESPONSE;
	e.test_nat_response = &m;
	return pack(b, &e);
}

int ka_serve_online_answer(struct ka_rdv_buf *b, const struct ka_serve_request *r)
{
	Rdv__Envelope e = RDV__ENVELOPE__INIT;
	Rdv__OnlineResponse m = RDV__ONLINE_RESPONSE__INIT;

	m.states = as_bytes(r->online, (r->n_online + 7) / 8);
	e.union_case = RDV__ENVELOPE__UNION_ONLINE_RESPONSE;
	e.online_response = &m;
	return pack(b, &e);
}
