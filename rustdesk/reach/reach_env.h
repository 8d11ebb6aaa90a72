/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of reach/ share: who we are, which server is meant, and how patient we are. Owner: ka-net. */
#ifndef KA_REACH_ENV_H
#define KA_REACH_ENV_H

#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "rustdesk/reach/reach.h"
#include "rustdesk/reach/registration.h"
#include "rustdesk/reach/rendezvous_msg.h"
#include "rustdesk/reach/resolve.h"

#define KA_HBBS_PORT 21116
#define KA_HBBR_PORT 21117
#define KA_REACH_SERVER_LOOKUPS 4 /* at a time: the server in use and one on trial, either given up and asked again */
#define KA_REACH_RELAY_LOOKUPS 8
#define KA_REACH_SERIAL 3 /* of stock's built-in configuration: older ones are not worth sending to us */

struct ka_reach_timing {
	struct ka_registration_timing registration;
	unsigned int connect_ms; /* to hbbs or hbbr */
	unsigned int accept_ms;	 /* for the controller on a punched port */
	unsigned int open_ms;	 /* for the connect that only opens our NAT */
	unsigned int trial_ms;	 /* for another server to take us */
	unsigned int return_ms;	 /* between trials of the servers that are named before the one we use */
	unsigned int settle_ms;	 /* from the last change of our addresses until it counts */
	unsigned int nat_retry_ms;
	unsigned int nat_retry_max_ms;
};

/* One of the configured rendezvous servers. */
struct ka_server {
	char text[KA_RESOLVE_HOST_MAX + 9]; /* as configured */
	char host[KA_RESOLVE_HOST_MAX + 1];
	uint16_t port;
};

struct ka_reach_env {
	uv_loop_t *uv;
	/* Apart, because strangers can make hbbs name us relays that take long to look up. */
	struct ka_resolver *server_names, *relay_names;
	const struct ka_rd_cfg *rd;
	const struct ka_rd_identity *identity;
	struct ka_reach_timing timing;
	/* hbbs, the one in use */
	char host[KA_RESOLVE_HOST_MAX + 1]; /* "" = none */
	uint16_t port;
	struct sockaddr_storage server; /* UDP and TCP; family 0 until resolved */
	enum ka_nat nat;		/* our own */
	int32_t serial;			/* of the server's configuration */
};

#endif
