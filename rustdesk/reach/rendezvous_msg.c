/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/rendezvous_msg.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/rendezvous.pb-c.h"
#include "rustdesk/wire/framing.h"

const char *ka_rdv_result_name(int result)
{
	static const char *const names[] = {
		[KA_RDV_OK] = "OK",
		[KA_RDV_UUID_MISMATCH] = "UUID_MISMATCH",
		[KA_RDV_ID_EXISTS] = "ID_EXISTS",
		[KA_RDV_TOO_FREQUENT] = "TOO_FREQUENT",
		[KA_RDV_INVALID_ID_FORMAT] = "INVALID_ID_FORMAT",
		[KA_RDV_NOT_SUPPORT] = "NOT_SUPPORT",
		[KA_RDV_SERVER_ERROR] = "SERVER_ERROR",
		[KA_RDV_NOT_DEPLOYED] = "NOT_DEPLOYED",
	};

	if (result < 0 || result >= (int)KA_ARRAY_LEN(names) || !names[result])
		return "?";
	return names[result];
}

/* These texts go into connects, logs and other messages: letters, digits and the given marks only. */
static int copy_text(char *dst, size_t dst_size, const char *src, const char *marks)
{
	for (const char *p = src; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');

		if (!letter && !strchr(marks, *p))
			return -KA_E_PEER;
	}
	return ka_str_copy(dst, dst_size, src) ? 0 : -KA_E_PEER;
}

/* An address one can connect to: not empty, not any, not multicast or broadcast. */
static bool usable(const struct sockaddr_storage *a)
{
	if (!ka_addr_port(a))
		return false;
	if (a->ss_family == AF_INET6) {
		const struct in6_addr *ip6 = &((const struct sockaddr_in6 *)a)->sin6_addr;

		return !IN6_IS_ADDR_UNSPECIFIED(ip6) && !IN6_IS_ADDR_MULTICAST(ip6);
	}
	uint32_t ip = ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr);

	return ip >> 24 != 0 && ip >> 28 < 0xe;
}

static int read_call(struct ka_rdv_call *call, enum ka_rdv_kind kind, const ProtobufCBinaryData *addr,
		     const char *relay_server)
{
	int ret;

	*call = (struct ka_rdv_call){.kind = kind, .secure = true};
	ret = ka_addr_decode(&call->peer, addr->data, addr->len);
	if (ret < 0 || !usable(&call->peer))
		return -KA_E_PEER;
	call->socket_addr_len = addr->len;
	memcpy(call->socket_addr, addr->data, addr->len);
	return copy_text(call->relay_server, sizeof(call->relay_server), relay_server, ".-_:[]%");
}

static int read_punch_hole(struct ka_rdv_call *call, const Rdv__PunchHole *m)
{
	int ret = read_call(call, KA_RDV_PUNCH_HOLE, &m->socket_addr, m->relay_server);

	call->nat = (int)m->nat_type;
	call->force_relay = m->force_relay;
	return ret;
}

static int read_request_relay(struct ka_rdv_call *call, const Rdv__RequestRelay *m)
{
	int ret = read_call(call, KA_RDV_REQUEST_RELAY, &m->socket_addr, m->relay_server);

	if (ret < 0)
		return ret;
	call->secure = m->secure;
	if (!*m->uuid)
		return -KA_E_PEER;
	return copy_text(call->uuid, sizeof(call->uuid), m->uuid, "-_.");
}

static int read_discovery(struct ka_rdv_in *out, const Rdv__PeerDiscovery *m)
{
	out->discovery.ping = !strcmp(m->cmd, "ping");
	return ka_str_copy(out->discovery.id, sizeof(out->discovery.id), m->id) ? 0 : -KA_E_PEER;
}

static int read_union(struct ka_rdv_in *out, const Rdv__Envelope *e)
{
	switch (e->union_case) {
	case RDV__ENVELOPE__UNION_REGISTER_PEER_RESPONSE:
		out->kind = KA_RDV_REGISTER_PEER_RESPONSE;
		out->request_pk = e->register_peer_response->request_pk;
		return 0;
	case RDV__ENVELOPE__UNION_REGISTER_PK_RESPONSE:
		out->kind = KA_RDV_REGISTER_PK_RESPONSE;
		out->pk_result = (int)e->register_pk_response->result;
		return 0;
	case RDV__ENVELOPE__UNION_PUNCH_HOLE:
		out->kind = KA_RDV_PUNCH_HOLE;
		return read_punch_hole(&out->call, e->punch_hole);
	case RDV__ENVELOPE__UNION_FETCH_LOCAL_ADDR:
		out->kind = KA_RDV_FETCH_LOCAL_ADDR;
		return read_call(&out->call, out->kind, &e->fetch_local_addr->socket_addr,
				 e->fetch_local_addr->relay_server);
	case RDV__ENVELOPE__UNION_REQUEST_RELAY:
		out->kind = KA_RDV_REQUEST_RELAY;
		return read_request_relay(&out->call, e->request_relay);
	case RDV__ENVELOPE__UNION_CONFIGURE_UPDATE:
		out->kind = KA_RDV_CONFIGURE_UPDATE;
		out->test.serial = e->configure_update->serial;
		return 0;
	case RDV__ENVELOPE__UNION_TEST_NAT_RESPONSE:
		out->kind = KA_RDV_TEST_NAT_RESPONSE;
		out->test.port = e->test_nat_response->port;
		out->test.serial = e->test_nat_response->cu ? e->test_nat_response->cu->serial : 0;
		return 0;
	case RDV__ENVELOPE__UNION_PEER_DISCOVERY:
		out->kind = KA_RDV_DISCOVERY;
		return read_discovery(out, e->peer_discovery);
	default:
		out->kind = KA_RDV_OTHER;
		return 0;
	}
}

int ka_rdv_read(struct ka_pb *pb, struct ka_rdv_in *out, const uint8_t *data, size_t len)
{
	ProtobufCMessage *m;

	memset(out, 0, sizeof(*out));
	if (len > KA_RDV_READ_MAX)
		return -KA_E_PEER;
	m = ka_pb_decode(pb, &rdv__envelope__descriptor, data, len);
	if (!m)
		return -KA_E_PEER;
	return read_union(out, (const Rdv__Envelope *)m);
}

/* protobuf-c's members are not const; packing only reads them. */
static char *text(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = {.in = s};

	return u.out;
}

static ProtobufCBinaryData bytes(const uint8_t *data, size_t len)
{
	union {
		const uint8_t *in;
		uint8_t *out;
	} u = {.in = data};

	return (ProtobufCBinaryData){.len = len, .data = u.out};
}

static int pack(struct ka_rdv_buf *b, const Rdv__Envelope *e)
{
	b->len = 0;
	if (rdv__envelope__get_packed_size(e) > KA_RDV_MSG_MAX - KA_FRAMING_HEADER_MAX)
		return -KA_E_TOO_BIG;
	b->len = rdv__envelope__pack(e, b->data);
	return 0;
}

/* An envelope around a cleared message. Not by the generated initialisers: they cast const away in our code. */
#define ENVELOPE(name, CASE, m)                                                                                        \
	Rdv__Envelope name;                                                                                            \
	rdv__envelope__init(&name);                                                                                    \
	rdv__##m##__init(&m);                                                                                          \
	name.union_case = RDV__ENVELOPE__UNION_##CASE;                                                                 \
	name.m = &m

int ka_rdv_register_peer(struct ka_rdv_buf *b, const char *id, int32_t serial)
{
	Rdv__RegisterPeer register_peer;
	ENVELOPE(e, REGISTER_PEER, register_peer);

	register_peer.id = text(id);
	register_peer.serial = serial;
	return pack(b, &e);
}

int ka_rdv_register_pk(struct ka_rdv_buf *b, const char *id, const uint8_t *uuid, size_t uuid_len,
		       const uint8_t pk[static 32])
{
	Rdv__RegisterPk register_pk;
	ENVELOPE(e, REGISTER_PK, register_pk);

	register_pk.id = text(id);
	register_pk.uuid = bytes(uuid, uuid_len);
	register_pk.pk = bytes(pk, 32);
	return pack(b, &e);
}

int ka_rdv_punch_hole_sent(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *id,
			   const char *relay_server, enum ka_nat own, const char *version)
{
	Rdv__PunchHoleSent punch_hole_sent;
	ENVELOPE(e, PUNCH_HOLE_SENT, punch_hole_sent);

	punch_hole_sent.socket_addr = bytes(call->socket_addr, call->socket_addr_len);
	punch_hole_sent.id = text(id);
	punch_hole_sent.relay_server = text(relay_server);
	punch_hole_sent.nat_type = (Rdv__NatType)own;
	punch_hole_sent.version = text(version);
	return pack(b, &e);
}

int ka_rdv_local_addr(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const struct sockaddr_storage *local,
		      uint32_t stamp, const char *id, const char *relay_server, const char *version)
{
	Rdv__LocalAddr local_addr;
	ENVELOPE(e, LOCAL_ADDR, local_addr);
	uint8_t mangled[KA_ADDR_BYTES];

	local_addr.socket_addr = bytes(call->socket_addr, call->socket_addr_len);
	local_addr.local_addr = bytes(mangled, ka_addr_encode(mangled, local, stamp));
	local_addr.relay_server = text(relay_server);
	local_addr.id = text(id);
	local_addr.version = text(version);
	return pack(b, &e);
}

int ka_rdv_relay_offer(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *uuid, const char *relay_server,
		       const char *id, const char *version)
{
	Rdv__RelayResponse relay_response;
	ENVELOPE(e, RELAY_RESPONSE, relay_response);

	relay_response.socket_addr = bytes(call->socket_addr, call->socket_addr_len);
	relay_response.uuid = text(uuid);
	relay_response.relay_server = text(relay_server);
	relay_response.union_case = RDV__RELAY_RESPONSE__UNION_ID;
	relay_response.id = text(id);
	relay_response.version = text(version);
	return pack(b, &e);
}

int ka_rdv_relay_accept(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *version)
{
	return ka_rdv_relay_refuse(b, call, "", version);
}

int ka_rdv_relay_refuse(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *reason, const char *version)
{
	Rdv__RelayResponse relay_response;
	ENVELOPE(e, RELAY_RESPONSE, relay_response);

	relay_response.socket_addr = bytes(call->socket_addr, call->socket_addr_len);
	relay_response.refuse_reason = text(reason);
	relay_response.version = text(version);
	return pack(b, &e);
}

int ka_rdv_request_relay(struct ka_rdv_buf *b, const char *uuid, const char *key)
{
	Rdv__RequestRelay request_relay;
	ENVELOPE(e, REQUEST_RELAY, request_relay);

	request_relay.uuid = text(uuid);
	request_relay.licence_key = text(key);
	return pack(b, &e);
}

int ka_rdv_test_nat(struct ka_rdv_buf *b, int32_t serial)
{
	Rdv__TestNatRequest test_nat_request;
	ENVELOPE(e, TEST_NAT_REQUEST, test_nat_request);

	test_nat_request.serial = serial;
	return pack(b, &e);
}

int ka_rdv_pong(struct ka_rdv_buf *b, const struct ka_rdv_pong *pong)
{
	Rdv__PeerDiscovery peer_discovery;
	ENVELOPE(e, PEER_DISCOVERY, peer_discovery);

	peer_discovery.cmd = text("pong");
	peer_discovery.mac = text(pong->mac);
	peer_discovery.id = text(pong->id);
	peer_discovery.username = text(pong->username);
	peer_discovery.hostname = text(pong->hostname);
	peer_discovery.platform = text(pong->platform);
	return pack(b, &e);
}

int ka_rdv_frame(struct ka_rdv_buf *b)
{
	uint8_t header[KA_FRAMING_HEADER_MAX];
	size_t n = ka_framing_header(header, b->len);

	if (b->len + n > sizeof(b->data))
		return -KA_E_TOO_BIG;
	memmove(b->data + n, b->data, b->len);
	memcpy(b->data, header, n);
	b->len += n;
	return 0;
}
