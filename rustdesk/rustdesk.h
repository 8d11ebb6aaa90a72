/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A RustDesk endpoint (controlled side): registers with a rendezvous server, answers punches, local-address and relay
 * requests, listens for direct access and LAN discovery, and serves each controller on a thread of its own.
 *
 *   hbbs ◄─UDP/TCP─► ka-net ─ connected socket ─► ka-ses-N ◄─► controller
 *
 * Opaque; new and free belong to the holder, the rest says which thread may call it.
 */
#ifndef KA_RUSTDESK_H
#define KA_RUSTDESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "rustdesk/host.h"

#define KA_RD_ID_MAX 16	  /* characters */
#define KA_RD_SALT_LEN 32 /* characters */
#define KA_RD_UUID_LEN 16 /* bytes */
#define KA_RD_MAX_SESSIONS 8

/* Who this device is. Losing any of it costs the user: the id, the server's trust, or all remembered passwords. */
struct ka_rd_identity {
	char id[KA_RD_ID_MAX + 1];
	uint8_t uuid[KA_RD_UUID_LEN];
	uint8_t sign_pk[32]; /* Ed25519 */
	uint8_t sign_sk[64]; /* Ed25519: seed, public; secret */
	char salt[KA_RD_SALT_LEN + 1];
};

#define KA_RD_H1_LEN 32 /* bytes: SHA-256(password salt), all the protocol needs of a password */

/* What a password opens, as far as this device has it at all. */
enum ka_rd_permission {
	KA_RD_MAY_KEYBOARD = 1 << 0, /* and mouse; without it a session is view-only */
	KA_RD_MAY_AUDIO = 1 << 1,
	KA_RD_MAY_FILES = 1 << 2,
	KA_RD_MAY_TERMINAL = 1 << 3,
	KA_RD_MAY_TUNNEL = 1 << 4,
	KA_RD_MAY_POWER = 1 << 5,
	KA_RD_MAY_RECORD = 1 << 6, /* a wish only: the client obeys it or not */
	KA_RD_MAY_ALL = (1 << 7) - 1,
};

/* A further password. */
struct ka_rd_access {
	const char *name; /* for logs */
	uint8_t h1[KA_RD_H1_LEN];
	uint32_t permissions; /* of enum ka_rd_permission */
};
#define KA_RD_MAX_ACCESS 8

enum ka_rd_encryption {
	KA_RD_ENCRYPT_REQUIRED, /* a controller that cannot is told why and refused (direct access excepted) */
	KA_RD_ENCRYPT_OPTIONAL,
};

enum ka_rd_platform { KA_RD_LINUX, KA_RD_WINDOWS, KA_RD_MACOS };
/* As controllers are told: "Linux", "Windows", "Mac OS". */
const char *ka_rd_platform_name(enum ka_rd_platform platform);

/* A neighbour our rendezvous service answers for. */
struct ka_rd_peer {
	const char *id;
	const char *address; /* of its session port, host:port as an IP address */
	uint8_t pk[32];	     /* its Ed25519 key */
};
#define KA_RD_MAX_PEERS 64

/* What the rendezvous server's NAT test told last; worth keeping over restarts. */
struct ka_rd_nat {
	int type;	/* 0 unknown, 1 asymmetric, 2 symmetric: as on the wire */
	int32_t serial; /* of the server's configuration */
};

/* Our own rendezvous service, for clients without any server. */
struct ka_rd_serve_cfg {
	bool enabled;
	const char *address;	    /* to listen on; "" = all */
	uint16_t port;		    /* 0 = any free one; the NAT test port is one less */
	uint16_t session_port;	    /* 0 = any free one */
	const char *public_address; /* host:port of the session port as clients elsewhere reach it; "" = as they came */
	const struct ka_rd_peer *peers;
	size_t n_peers;
};

/* Section `rustdesk` of the configuration. Immutable; strings belong to the caller and outlive the object. */
struct ka_rd_cfg {
	const char *server;   /* hbbs as host[:port], or several by preference, separated by commas; "" = none */
	const char *relay;    /* hbbr to name to controllers; "" = what hbbs says, else hbbs host with its port + 1 */
	const char *key;      /* base64 public key of the server; "" = none */
	const char *hostname; /* shown to controllers */
	const char *username; /* shown to controllers; never empty */
	const char *password; /* permanent password; "" = none; secret; looked at in ka_rd_new() only */
	const uint8_t *password_h1; /* KA_RD_H1_LEN bytes in its place; NULL = none; secret */
	unsigned int otp_length;    /* one-time password; 0 = none, else 6..32 characters */
	bool otp_numeric;	    /* digits only */
	uint32_t permissions;	    /* what those two open */
	const struct ka_rd_access *access;
	size_t n_access;

	const char *allow_addresses; /* who may come: addresses and networks; NULL or "" = all */
	const char *allow_ids;	     /* the same by the id they say they have */
	const char *totp_secret;     /* base32, of the second factor; NULL or "" = none; secret; for ka_rd_new() only */
	unsigned int trusted_days;   /* a controller may be trusted so long to do without; 0 = never */
	const char *trusted; /* what ka_rd_take_trusted() gave in an earlier life; NULL = none; for ka_rd_new() */

	bool approval;	     /* controllers may be let in by ka_rd_approve() */
	unsigned int idle_s; /* without a key, the mouse or the chat a session ends; 0 = never */

	bool direct;		    /* listen for direct access (never encrypted by the stock protocol) */
	const char *direct_address; /* to listen on, or several separated by commas; "" = all */
	uint16_t direct_port;	    /* 0 = any free port */
	struct ka_rd_serve_cfg serve;
	bool lan_discovery; /* answer pings on UDP 21119 */
	enum ka_rd_encryption encryption;
	enum ka_rd_platform platform; /* what controllers are told; decides which key codes they send */
	const char *version;	      /* RustDesk version reported */
	unsigned int max_sessions;    /* 1..KA_RD_MAX_SESSIONS controllers logged in at a time */
	uint16_t lan_port;	      /* 21119; tests use another one */
	struct ka_rd_nat nat;	      /* as ka_rd_status told it in an earlier life; used until it is measured again */
};

struct ka_rd_status {
	bool failed;		  /* nobody can reach this device: start anew */
	uint16_t direct_port;	  /* listening; 0 = not */
	uint16_t serve_port;	  /* of our own rendezvous service; 0 = none */
	bool registered;	  /* the server has confirmed within the last minute */
	char server_state[96];	  /* in words */
	struct ka_rd_nat nat;	  /* for the next ka_rd_cfg */
	unsigned int connections; /* streams, logged in or not */
	unsigned int controllers; /* logged in */
};

/* A controller that is in, or waits to be let in. Texts of the controller are escaped. */
struct ka_rd_session {
	uint32_t number;
	char id[64], name[64];
	char address[64];
	const char *path; /* static text */
	char profile[33]; /* "" while waiting */
	int64_t since_s;  /* of the epoch */
	bool encrypted;
	bool waiting; /* for ka_rd_approve() */
};

#define KA_RD_MAX_STREAMS 64 /* logged in or not, those included that are about to end */

struct ka_rd;

int ka_rd_new(struct ka_rd **out, const struct ka_rd_cfg *cfg, const struct ka_rd_identity *identity,
	      const struct ka_host *host, struct ka_errbuf *eb) KA_MUST_USE;
/* Binds the direct listener at once, so that a taken port is an error here, with text in eb. */
int ka_rd_start(struct ka_rd *rd, struct ka_errbuf *eb) KA_MUST_USE;
void ka_rd_stop(struct ka_rd *rd); /* any thread; never blocks */
/* One thread alone, a few seconds apart, while it runs. False: ka-net has not come round since the time before. */
bool ka_rd_alive(struct ka_rd *rd);
void ka_rd_join(struct ka_rd *rd); /* all sessions have ended and released their keys */
void ka_rd_free(struct ka_rd *rd);

enum ka_rd_endpoint {
	KA_RD_HOST_PORT, /* name or address, with a port or without */
	KA_RD_IP_PORT,	 /* address, with a port or without */
	KA_RD_IP,	 /* address */
};
/* Is it written as such? IPv6 with a port stands in brackets. Nothing is looked up. Pure. */
bool ka_rd_check_endpoint(const char *text, enum ka_rd_endpoint kind);

/* Is this a list for allow_addresses? 0, or -EINVAL with the entry that is not an address in bad. Pure. */
int ka_rd_check_addresses(const char *list, char *bad, size_t bad_size) KA_MUST_USE;

/* h1 of a password as 64 hex digits, terminated, for a device with this salt. Pure. */
void ka_rd_hash_password(char dst[static 2 * KA_RD_H1_LEN + 1], const char *password, const char *salt);

#define KA_RD_KEY_TEXT 45
/* Public key of our own rendezvous service as clients want it: base64, terminated. It is derived from the identity and
 * stays as long as that does. Pure. */
void ka_rd_serve_key(char dst[static KA_RD_KEY_TEXT], const struct ka_rd_identity *identity);

/* Any thread. */
void ka_rd_get_status(struct ka_rd *rd, struct ka_rd_status *out);
/* Any thread. The one-time password of the moment; "" when there is none. Secret: never log it. */
void ka_rd_get_otp(struct ka_rd *rd, char *dst, size_t dst_size);
/* Any thread. Returns how many it filled; KA_RD_MAX_STREAMS at most. */
size_t ka_rd_sessions(struct ka_rd *rd, struct ka_rd_session *out, size_t max);
/* Any thread. The controller is told that it was closed by hand, and does not come back by itself. -ENOENT. */
int ka_rd_kick(struct ka_rd *rd, uint32_t number) KA_MUST_USE;
/* Any thread. Lets a waiting controller in, without password or second factor, with the permissions of the permanent
 * password. -ENOENT when none of that number waits. */
int ka_rd_approve(struct ka_rd *rd, uint32_t number) KA_MUST_USE;
/* Any thread. Sends a waiting controller away; it is told so, and does not come back by itself. -ENOENT likewise. */
int ka_rd_refuse(struct ka_rd *rd, uint32_t number) KA_MUST_USE;
#define KA_RD_WORDS_MAX 1000
/* Any thread. Shows words (UTF-8, at most KA_RD_WORDS_MAX bytes, the rest is cut) to one controller as a chat line; to
 * nobody when it is gone. A few lines wait for one that does not read, the oldest give way. */
void ka_rd_tell(struct ka_rd *rd, uint32_t number, const char *words);
#define KA_RD_TRUSTED_MAX 10240
/* Any thread. The controllers that are trusted to do without the second factor, as text to keep for ka_rd_new(), when
 * they have changed since the last call. */
bool ka_rd_take_trusted(struct ka_rd *rd, char dst[static KA_RD_TRUSTED_MAX]);
/* wake: called on any thread when the one-time password has been replaced. Before start. */
void ka_rd_on_otp(struct ka_rd *rd, struct ka_wake wake);

#endif
