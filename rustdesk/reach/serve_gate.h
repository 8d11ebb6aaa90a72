/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom our own rendezvous service answers, and how often. Only PunchHoleRequest carries the service's key; relay
 * requests and online queries of stock clients carry nothing, so what they may learn depends on whether their network
 * has shown the key before. Networks are IPv4 addresses and IPv6 /64s. Bounded; pure, takes a clock.
 */
#ifndef KA_SERVE_GATE_H
#define KA_SERVE_GATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"

#define KA_SERVE_GATE_NETWORKS 256
#define KA_SERVE_QUESTIONS 120	    /* of a network, a minute: a client's list asks three times a minute */
#define KA_SERVE_QUESTIONS_ALL 1200 /* of all networks together that have not shown the key, a minute */
#define KA_SERVE_KEY_GOOD_S 86400   /* so long a network counts as one that has shown the key */

struct ka_serve_network {
	struct sockaddr_storage from; /* family 0 = free */
	int64_t minute;
	unsigned int questions; /* of that minute */
	int64_t last_us;
	int64_t key_us; /* when it last showed the key */
	bool has_key;
};

struct ka_serve_gate {
	struct ka_serve_network networks[KA_SERVE_GATE_NETWORKS];
	int64_t minute;
	unsigned int questions; /* of that minute, of networks without the key */
};

/* Counts a question. False: too many, no answer. */
bool ka_serve_gate_pass(struct ka_serve_gate *g, const struct sockaddr_storage *from, int64_t now_us) KA_MUST_USE;
/* The question just passed had the right key. */
void ka_serve_gate_key_shown(struct ka_serve_gate *g, const struct sockaddr_storage *from, int64_t now_us);
bool ka_serve_gate_knows(const struct ka_serve_gate *g, const struct sockaddr_storage *from, int64_t now_us);

#endif
