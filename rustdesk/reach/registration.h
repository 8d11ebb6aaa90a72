/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When to say what to hbbs so that it keeps knowing this device. Pure: takes a clock, touches no socket.
 *
 *   RESOLVE ─► opened ─► RegisterPk ─ OK ─► RegisterPeer ─ every interval ─► ...
 *      ▲                     │ refused: again after a back-off    │ request_pk: RegisterPk
 *      └──── silence ◄───────┴────────────────────────────────────┘
 *
 * hbbs takes a device for offline when its last RegisterPeer is 30 s old; RegisterPk alone does not make it reachable
 * when nothing changed, so a RegisterPeer follows each OK at once.
 */
#ifndef KA_REGISTRATION_H
#define KA_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"

struct ka_registration_timing {
	int64_t interval_us;	/* between RegisterPeers that were answered */
	int64_t timeout_us;	/* until one counts as lost */
	unsigned int max_fails; /* lost in a row until the name is looked up again */
	int64_t rebind_us;	/* between look-ups for that reason */
	int64_t lookup_us;	/* until a failed look-up is repeated */
	int64_t pk_gap_us;	/* between RegisterPks nobody refused: against servers that ask for ever */
	int64_t refused_us;	/* first pause after a refused RegisterPk; doubles up to refused_max_us */
	int64_t refused_max_us;
	int64_t undeployed_us; /* pause after NOT_DEPLOYED */
	int64_t stale_us;      /* age of a confirmation that no longer counts */
};

/* Of the stock endpoint, where it has one. */
#define KA_REGISTRATION_TIMING                                                                                         \
	{                                                                                                              \
		.interval_us = KA_SEC(15), .timeout_us = KA_SEC(3), .max_fails = 4, .rebind_us = KA_SEC(60),           \
		.lookup_us = KA_SEC(5), .pk_gap_us = KA_SEC(10), .refused_us = KA_SEC(10),                             \
		.refused_max_us = KA_SEC(60), .undeployed_us = KA_SEC(30), .stale_us = KA_SEC(60),                     \
	}

enum ka_registration_state {
	KA_REG_LOOKUP,	/* the server's name is being looked up for the first time */
	KA_REG_NO_NAME, /* the name does not resolve */
	KA_REG_ASKING,	/* nothing heard yet */
	KA_REG_OK,
	KA_REG_SILENT,	 /* no answers */
	KA_REG_CLOSED,	 /* the host answers that nobody listens there */
	KA_REG_NO_ROUTE, /* the network does not get us there */
	KA_REG_REFUSED,	 /* see `result` */
};

enum ka_registration_action {
	KA_REG_DO_NOTHING,
	KA_REG_DO_RESOLVE, /* look up and open a new socket; answer with _opened or _lookup_failed */
	KA_REG_DO_PEER,	   /* send RegisterPeer */
	KA_REG_DO_PK,	   /* send RegisterPk */
};

struct ka_registration {
	struct ka_registration_timing timing;
	enum ka_registration_state state;
	int result; /* last refusal, enum ka_rdv_result */
	bool open;  /* there is a socket */
	bool looking;
	bool pending; /* something sent and not answered */
	bool sent_pk; /* what it was */
	bool need_pk;
	unsigned int fails;
	unsigned int refusals;	   /* in a row */
	unsigned int alternatives; /* addresses of the same look-up not tried yet */
	int64_t looked_up_us;
	int64_t lookup_due_us;
	int64_t sent_us;
	int64_t due_us;
	int64_t pk_sent_us;
	int64_t confirmed_us; /* 0 = never */
};

void ka_registration_init(struct ka_registration *r, const struct ka_registration_timing *timing);
/* What to do now. Call again until it says nothing; then at ka_registration_next_us(). */
enum ka_registration_action ka_registration_poll(struct ka_registration *r, int64_t now_us);
int64_t ka_registration_next_us(const struct ka_registration *r);

/* A (new) socket stands. alternatives: further addresses this name has. */
void ka_registration_opened(struct ka_registration *r, int64_t now_us, unsigned int alternatives);
/* An older socket, if any, stays in use. */
void ka_registration_lookup_failed(struct ka_registration *r, int64_t now_us);
/* The network says that the port, or (no_route) the way to it, is not there. */
void ka_registration_unreachable(struct ka_registration *r, int64_t now_us, bool no_route);
/* No address of the name has a way to it; like a failed look-up. */
void ka_registration_no_route(struct ka_registration *r, int64_t now_us);
/* Our own addresses changed: everything again from the look-up, now. The old socket stays until there is a new one. */
void ka_registration_moved(struct ka_registration *r, int64_t now_us);
/* The way to the server may have changed: register now and not when the interval is over. */
void ka_registration_hurry(struct ka_registration *r, int64_t now_us);
/* False when nothing of the kind was asked: the answer is late, doubled or forged. */
bool ka_registration_on_peer_response(struct ka_registration *r, int64_t now_us, bool request_pk);
bool ka_registration_on_pk_response(struct ka_registration *r, int64_t now_us, int result);
/* A controller holds another key for our id. */
void ka_registration_pk_rejected(struct ka_registration *r, int64_t now_us);

bool ka_registration_confirmed(const struct ka_registration *r, int64_t now_us);
/* It is told why, and every address had its chance: time to try another server. */
bool ka_registration_failing(const struct ka_registration *r);
/* For an operator; server: its name as configured. */
void ka_registration_words(const struct ka_registration *r, const char *server, char *dst, size_t dst_size);

#endif
