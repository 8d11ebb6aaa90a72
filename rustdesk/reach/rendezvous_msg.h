/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said to and heard from hbbs, hbbr and neighbours on the LAN. A datagram is one message; on TCP each message
 * is framed. Everything read is copied into bounded members, so nothing points into the input. Pure, any thread.
 */
#ifndef KA_RENDEZVOUS_MSG_H
#define KA_RENDEZVOUS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "rustdesk/wire/addr.h"
#include "rustdesk/wire/pb.h"

#define KA_RDV_MSG_MAX 1024	/* bytes of any message we send */
#define KA_RDV_READ_MAX 2048	/* bytes of any message we read */
#define KA_RDV_BUDGET 8192	/* memory one message may take while it is decoded */
#define KA_RDV_HOST_MAX 255	/* characters of "host:port" */
#define KA_RDV_UUID_MAX 64	/* characters; stock sends 36 */
#define KA_RDV_KEY_MAX 128	/* characters; stock keys have 44 */
#define KA_RDV_DISCOVERY_MAX 64 /* characters of an id in a ping */

/* Values as on the wire. */
enum ka_nat { KA_NAT_UNKNOWN, KA_NAT_ASYMMETRIC, KA_NAT_SYMMETRIC };

enum ka_rdv_result {
	KA_RDV_OK = 0,
	KA_RDV_UUID_MISMATCH = 2,
	KA_RDV_ID_EXISTS = 3,
	KA_RDV_TOO_FREQUENT = 4,
	KA_RDV_INVALID_ID_FORMAT = 5,
	KA_RDV_NOT_SUPPORT = 6,
	KA_RDV_SERVER_ERROR = 7,
	KA_RDV_NOT_DEPLOYED = 8,
};
/* The protocol's word for it, "?" for unknown numbers. */
const char *ka_rdv_result_name(int result);

enum ka_rdv_kind {
	KA_RDV_OTHER, /* well formed, not for a device */
	KA_RDV_REGISTER_PEER_RESPONSE,
	KA_RDV_REGISTER_PK_RESPONSE,
	KA_RDV_PUNCH_HOLE,
	KA_RDV_FETCH_LOCAL_ADDR,
	KA_RDV_REQUEST_RELAY,
	KA_RDV_CONFIGURE_UPDATE,
	KA_RDV_TEST_NAT_RESPONSE,
	KA_RDV_DISCOVERY,
};

/* A controller wants in: PunchHole, FetchLocalAddr or RequestRelay. */
struct ka_rdv_call {
	enum ka_rdv_kind kind;
	uint8_t socket_addr[KA_ADDR_BYTES]; /* as received, to be echoed */
	size_t socket_addr_len;
	struct sockaddr_storage peer; /* decoded from it; port never 0 */
	char relay_server[KA_RDV_HOST_MAX + 1];
	char uuid[KA_RDV_UUID_MAX + 1]; /* RequestRelay only, never empty there */
	int nat;			/* PunchHole: the controller's enum ka_nat, or what hbbs made of it */
	bool force_relay;		/* PunchHole */
	bool secure;			/* RequestRelay */
};

struct ka_rdv_in {
	enum ka_rdv_kind kind;
	union {
		bool request_pk;
		int pk_result; /* enum ka_rdv_result or unknown */
		struct ka_rdv_call call;
		struct {
			int port;	/* TestNatResponse */
			int32_t serial; /* TestNatResponse (0 = none), ConfigureUpdate */
		} test;
		struct {
			bool ping;
			char id[KA_RDV_DISCOVERY_MAX + 1];
		} discovery;
	};
};

/* -KA_E_PEER when it is no message, or one with members that no honest server sends: unusable addresses, host names
 * or uuids with odd characters, texts over the limits. pb: scratch of at least KA_RDV_BUDGET. */
int ka_rdv_read(struct ka_pb *pb, struct ka_rdv_in *out, const uint8_t *data, size_t len) KA_MUST_USE;

struct ka_rdv_buf {
	uint8_t data[KA_RDV_MSG_MAX];
	size_t len;
};

/* Each replaces the content of b by one message. -KA_E_TOO_BIG when texts are too long for it. */
int ka_rdv_register_peer(struct ka_rdv_buf *b, const char *id, int32_t serial) KA_MUST_USE;
int ka_rdv_register_pk(struct ka_rdv_buf *b, const char *id, const uint8_t *uuid, size_t uuid_len,
		       const uint8_t pk[static 32]) KA_MUST_USE;
int ka_rdv_punch_hole_sent(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *id,
			   const char *relay_server, enum ka_nat own, const char *version) KA_MUST_USE;
int ka_rdv_local_addr(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const struct sockaddr_storage *local,
		      uint32_t stamp, const char *id, const char *relay_server, const char *version) KA_MUST_USE;
/* The relay is our idea: uuid, relay_server and id are told. */
int ka_rdv_relay_offer(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *uuid, const char *relay_server,
		       const char *id, const char *version) KA_MUST_USE;
/* The relay is the controller's idea. */
int ka_rdv_relay_accept(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *version) KA_MUST_USE;
/* No, and why: the controller shows the reason. Only in answer to RequestRelay. */
int ka_rdv_relay_refuse(struct ka_rdv_buf *b, const struct ka_rdv_call *call, const char *reason,
			const char *version) KA_MUST_USE;
/* First frame to hbbr. */
int ka_rdv_request_relay(struct ka_rdv_buf *b, const char *uuid, const char *key) KA_MUST_USE;
int ka_rdv_test_nat(struct ka_rdv_buf *b, int32_t serial) KA_MUST_USE;

struct ka_rdv_pong {
	const char *mac; /* "aa:bb:cc:dd:ee:ff" or "" */
	const char *id;
	const char *username;
	const char *hostname;
	const char *platform;
};
int ka_rdv_pong(struct ka_rdv_buf *b, const struct ka_rdv_pong *pong) KA_MUST_USE;

/* Puts the length header in front, for TCP. */
int ka_rdv_frame(struct ka_rdv_buf *b) KA_MUST_USE;

#endif
