/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quality of service for one controller: how much its link carries, what to ask of the encoder, and whether a picture
 * may be sent now. Pure: fed with readings and a clock, touches nothing.
 *
 * Three things are looked at: bytes the other kernel has not acknowledged, over the rate at which it does (lag of the
 * link), for how long pictures have been held back (lag here), and TestDelay. Through a relay only the latter sees the
 * whole way; on a stream without one TCP sees it all, and what TestDelay takes beyond that is the client's own time.
 *
 *   lag > 150 ms ──► rate × 0.5..0.8, at once            pictures wait while more than 120 ms are on the way
 *   lag <  60 ms ──► rate +3 % each 300 ms, growing to +15 % while all is well, up to what the user chose
 *                    for a minute no further than half as much again as has been seen to arrive
 *   slow client  ──► fewer pictures; worse ones too when that has not helped
 *
 * Where the round trip is longer than a LAN's, what the user chooses is approached from a cautious rate, doubled each
 * 900 ms until the first sign of too much.
 */
#ifndef KA_QOS_H
#define KA_QOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define KA_QOS_MIN_KBPS 64

/* Least value of the last 10 to 20 s. */
struct ka_qos_floor {
	int64_t now, before; /* of this and the previous 10 s; INT64_MAX = nothing seen */
	int64_t since_us;
};

/* What the socket says. */
struct ka_qos_link {
	uint64_t acked;	    /* bytes, since the beginning */
	size_t outstanding; /* bytes handed over and not acknowledged */
	size_t unsent;	    /* of these not even sent: TCP itself holds them back */
	size_t mss;	    /* bytes of a segment */
	int64_t rtt_us;	    /* smoothed; 0 = unknown */
};

struct ka_qos {
	uint32_t user_kbps, user_fps; /* what the user chose; fps 0 = no choice */
	uint32_t full_kbps;	      /* a picture of this size at the default quality */
	uint32_t kbps;
	uint64_t rate; /* bytes a second that the link is known to carry; 0 = unknown */
	struct ka_qos_link link;
	struct ka_qos_floor rtt, probe;
	struct ka_qos_floor carried; /* bytes a second, negative: the most of them */
	int64_t probe_sent_us;	     /* 0 = none on its way */
	int64_t probe_us;	     /* last round trip */
	int64_t closed_us;	     /* pictures have been held back since; 0 = they are not */
	int64_t mark_us;	     /* start of the rate's sample */
	uint64_t mark_acked;
	bool mark_busy;
	int64_t cut_us, raised_us;
	uint64_t cut_acked;	/* link.acked then */
	uint32_t bad_kbps;	/* rate that was too much last */
	uint32_t raise_percent; /* next step up */
	bool relayed;		/* TCP ends at a relay */
	bool blind;		/* the last cut was TestDelay's doing: TCP saw nothing */
	bool starting;		/* on the way up from a cautious rate, nothing gone wrong yet */
	int64_t probe_queue_us; /* what TCP knew to be in the probe's way */
	unsigned int late;	/* probes in a row that the client was slow to answer */
	uint32_t client_fps;	/* what a slow client keeps up with; 0 = all */
	int64_t client_us;	/* when that was lowered */
};

struct ka_qos_wish {
	uint32_t kbps, fps; /* fps 0 = no wish */
	bool narrow;	    /* the link, not the user, decides; stays for a minute, so that nobody goes to and fro */
};

/* relayed: TCP ends at a relay, not at the controller. */
void ka_qos_init(struct ka_qos *q, bool relayed);
/* Whether the round trip is that of a LAN, or not known yet. */
bool ka_qos_near(const struct ka_qos *q);
/* The user's choice and the picture's size. On a LAN without a sign of congestion the wish follows at once. */
void ka_qos_limit(struct ka_qos *q, uint32_t kbps, uint32_t fps, uint32_t full_kbps);
void ka_qos_probe_sent(struct ka_qos *q, int64_t now_us);
void ka_qos_probe_answered(struct ka_qos *q, int64_t now_us);
void ka_qos_link(struct ka_qos *q, int64_t now_us, const struct ka_qos_link *link);
/* 0: a picture may be sent now; else ask again after so long, or when something was acknowledged or answered. */
int64_t ka_qos_hold_us(struct ka_qos *q, int64_t now_us);
/* Something else was on its way, and nothing was fed meanwhile: that pictures waited says nothing about the link. */
void ka_qos_resume(struct ka_qos *q);
/* Weighs what has been fed; call often. The wish of the moment. */
struct ka_qos_wish ka_qos_decide(struct ka_qos *q, int64_t now_us);
/* By how much a picture sent now comes late, as far as is known. */
int64_t ka_qos_lag_us(const struct ka_qos *q, int64_t now_us);

#endif
