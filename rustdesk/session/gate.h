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
	KA_GATE_FULL,	     /* all places are taken */
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
	const char *allow_ids; /* see allow.h; outlives the gate */
};

/* Who asks. */
struct ka_gate_claim {
	struct sockaddr_storage from;
	bool relayed; /* the address is what the rendezvous server says, not what the kernel saw */
};

/* What somebody who was let in holds until ka_gate_leave(). */
struct ka_gate_pass {
	const char *profile; /* for logs; lives as long as the gate */
	uint32_t permissions;
	bool otp; /* by the one-time password */
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
/* A controller has gone: its place is free and the one-time password is replaced, whichever password it came by, as
 * stock does. */
void ka_gate_leave(struct ka_gate *g);
unsigned int ka_gate_controllers(struct ka_gate *g);
/* "" when there is none. Secret. */
void ka_gate_get_otp(struct ka_gate *g, char *dst, size_t dst_size);
/* Called when the one-time password has been replaced; set before sessions exist. */
void ka_gate_on_otp(struct ka_gate *g, struct ka_wake wake);

#endif
