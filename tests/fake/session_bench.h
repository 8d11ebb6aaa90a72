/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions that run on the caller's thread against a held clock, one at a time, on a machine that watches them: whoever
 * gets a picture, or types, without having shown the right password ends the program, and so does a device that says
 * anything no stock client could read. For fuzz targets. One thread.
 */
#ifndef KA_SESSION_BENCH_H
#define KA_SESSION_BENCH_H

#include "rustdesk/session/session_priv.h"
#include "rustdesk/session/totp.h"
#include "rustdesk/wire/framing.h"
#include "tests/fake/fake_host.h"

#define BENCH_ID "123456789"
#define BENCH_PASSWORD "Passw0rd!"
#define BENCH_VIEW_PASSWORD "OnlyLook1"

/* What the controller at the other end has been given reason to get. */
struct bench_shown {
	bool full, view; /* the right answer to the password, in this session */
	bool code;	 /* the right code, in any session: it may be trusted since */
	bool approved;
};

struct session_bench {
	struct fake_host machine;
	struct ka_rd_cfg cfg;
	struct ka_rd_identity identity;
	struct ka_rd_access access;
	uint8_t totp_key[KA_TOTP_KEY_MAX];
	size_t totp_key_len;
	struct ka_gate *gate;
	struct ka_chat_room *chat;
	bool secret_path; /* it must be sealed before anything is said */

	struct ka_session *session; /* NULL = none */
	unsigned int ends;	    /* of sessions */
	uint32_t number;
	bool typed, released;

	/* the controller */
	int fd; /* -1 = gone */
	struct ka_framer framer;
	struct ka_seal rx, tx;
	bool sealed, deaf;
	uint8_t box_pk[32]; /* of the device's SignedId */
	bool has_box_pk;
	char challenge[16];
	struct bench_shown shown;
};

/* The configuration is the caller's to change between init and open. */
void session_bench_init(struct session_bench *b);
void session_bench_open(struct session_bench *b);
/* Ends the session, if there is one, and checks what it left behind. */
void session_bench_end(struct session_bench *b);
void session_bench_fini(struct session_bench *b);

/* Takes over the session's end; a session that cannot start is none. */
void session_bench_start(struct session_bench *b, enum ka_path path, bool secure, const struct sockaddr_storage *peer);
/* Lets the session do what is due and reads what it says, unless deaf. */
void session_bench_spin(struct session_bench *b);
void session_bench_step(struct session_bench *b, int64_t ms);

/* A controller that cannot send because nobody reads goes away. */
void session_bench_raw(struct session_bench *b, const void *data, size_t len);
void session_bench_payload(struct session_bench *b, const void *data, size_t len);
void session_bench_send(struct session_bench *b, const Rd__Message *msg);
/* A proper key exchange; needs the device's SignedId. */
void session_bench_exchange_keys(struct session_bench *b);
/* The right answer to the latest challenge. */
void session_bench_answer(const struct session_bench *b, const char *password, uint8_t out[static 32]);
void session_bench_hang_up(struct session_bench *b);

#endif
