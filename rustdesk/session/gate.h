/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may enter: passwords and what they open, failure limits and the number of controllers, shared by all sessions.
 * Any thread; the lock is inside and a leaf. Passwords are kept as h1 = SHA-256(password salt) only, but for the
 * one-time password, which is shown.
 */
#ifndef KA_GATE_H
#define KA_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/wake.h"
#include "rustdesk/rustdesk.h"
#include "rustdesk/session/trusted.h"

struct ka_gate;

enum ka_gate_verdict {
	KA_GATE_WELCOME,
	KA_GATE_WRONG_PASSWORD,
	KA_GATE_TRY_LATER,     /* too many failures this minute */
	KA_GATE_LOCKED_OUT,    /* too many failures of the address */
	KA_GATE_LOCKED_OUT_64, /* of its IPv6 network */
	KA_GATE_LOCKED_OUT_56,
	KA_GATE_LOCKED_OUT_48,
	KA_GATE_NO_PASSWORD, /* none is set: nobody can enter */
	KA_GATE_ID_BLOCKED,  /* not on the list of ids */
	KA_GATE_NEEDS_CODE,  /* the password is right; no place is taken yet */
	KA_GATE_WRONG_CODE,
	KA_GATE_FULL, /* all places are taken */
};

struct ka_gate_cfg {
	const char *password;	    /* permanent; "" = none; not kept */
	const uint8_t *password_h1; /* the same as its h1; NULL = none; not kept */
	const char *salt;
	uint32_t permissions;		   /* what the permanent and the one-time password open */
	const struct ka_rd_access *access; /* further passwords; outlive the gate */
	size_t n_access;
	unsigned int otp_length; /* 0 = none */
	bool otp_numeric;	 /* digits only */
	unsigned int max_controllers;
	const uint8_t *totp_key; /* of the second factor; not kept */
	size_t totp_key_len;	 /* 0 = none */
	unsigned int trusted_days;
	const char *trusted;   /* what ka_gate_take_trusted() gave in an earlier life; NULL = none; not kept */
	const char *allow_ids; /* see allow.h; outlives the gate */
};

/* Who asks. */
struct ka_gate_claim {
	struct sockaddr_storage from;
	bool relayed;	 /* the address is what the rendezvous server says, not what the kernel saw */
	uint8_t who[32]; /* hash of id, name and platform */
	bool has_hwid;
	uint8_t hwid[KA_TRUSTED_KEY]; /* hash of who and the hardware id */
	char label[KA_TRUSTED_WHO];   /* for the list of trusted devices, escaped */
	uint64_t session_id;	      /* the same in each reconnect of a client's session; 0 = none */
};

/* How long after a drop a session may be resumed, counted from its last traffic. */
#define KA_GATE_RESUME_S 30

/* What somebody who was let in holds until ka_gate_leave(). */
struct ka_gate_pass {
	const char *profile; /* for logs; lives as long as the gate */
	uint32_t permissions;
	bool otp;	/* by the one-time password */
	bool code;	/* and a second factor, if there is one */
	uint8_t h1[32]; /* of the password: lets a dropped session resume after the one-time password was replaced */
};

int ka_gate_new(struct ka_gate **out, const struct ka_gate_cfg *cfg) KA_MUST_USE;
void ka_gate_free(struct ka_gate *g);
/* Checks a controller's answer to the challenge; WELCOME takes a place, given back by ka_gate_leave(), and fills *pass.
 */
enum ka_gate_verdict ka_gate_enter(struct ka_gate *g, const struct ka_gate_claim *claim, const char *challenge,
				   const uint8_t *answer, size_t answer_len, struct ka_gate_pass *pass);
/* May somebody who calls itself that come? Ids are claims, but guessing one takes failures, counted apart. */
enum ka_gate_verdict ka_gate_check_id(struct ka_gate *g, const struct ka_gate_claim *claim, const char *id);
/* What controllers are told of a limit (TRY_LATER, LOCKED_OUT*). */
const char *ka_gate_limit_words(enum ka_gate_verdict v);
bool ka_gate_has_password(struct ka_gate *g);
/* Somebody at the device lets a controller in: WELCOME or FULL. */
enum ka_gate_verdict ka_gate_admit(struct ka_gate *g, struct ka_gate_pass *pass);
/* The second factor, after NEEDS_CODE: pass as it was filled then, claim with the hardware id to trust, if any. */
enum ka_gate_verdict ka_gate_enter_code(struct ka_gate *g, const struct ka_gate_claim *claim, const char *code,
					struct ka_gate_pass *pass);
/* A controller has gone: its place is free and the one-time password is replaced, whichever password it came by, as
 * stock does. dropped: it did not say good-bye and was not sent away, so it may resume with the password it had,
 * without a second factor; last_us: its last traffic. */
void ka_gate_leave(struct ka_gate *g, const struct ka_gate_claim *claim, const struct ka_gate_pass *pass, bool dropped,
		   int64_t last_us);
/* The list of trusted devices as text, if it has changed since the last call: to be kept for the next life. */
bool ka_gate_take_trusted(struct ka_gate *g, char dst[static KA_TRUSTED_TEXT_MAX]);
/* Fills the parts of a claim that come from a LoginRequest. hwid may be empty. */
void ka_gate_claim_who(struct ka_gate_claim *claim, const char *id, const char *name, const char *platform,
		       uint64_t session_id);
void ka_gate_claim_hwid(struct ka_gate_claim *claim, const uint8_t *hwid, size_t len);
unsigned int ka_gate_controllers(struct ka_gate *g);
/* "" when there is none. Secret. */
void ka_gate_get_otp(struct ka_gate *g, char *dst, size_t dst_size);
/* Called when the one-time password has been replaced; set before sessions exist. */
void ka_gate_on_otp(struct ka_gate *g, struct ka_wake wake);

#endif
