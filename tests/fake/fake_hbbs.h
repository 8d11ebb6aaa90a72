/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests of reach/: a tiny hbbs and hbbr on loopback and the loop they share with the part under test. Answers what
 * it is told to answer and keeps what it heard. Everything on one thread.
 */
#ifndef KA_FAKE_HBBS_H
#define KA_FAKE_HBBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "proto/rendezvous.pb-c.h"
#include "rustdesk/reach/reach_priv.h"

#define FAKE_KEPT 64

/* A message heard. */
struct fake_heard {
	Rdv__Envelope *msg;
	struct sockaddr_storage from;
	bool tcp;
};

struct fake_bench {
	uv_loop_t uv;
	struct ka_rd_cfg rd;
	struct ka_rd_identity who;
	struct ka_reach *reach;
	char server[128]; /* what the device is given */

	/* the server: ports p - 1 (NAT test), p, p + 1 (relay) */
	int family;
	uint16_t port;
	int udp;
	int tcp[3];
	int conns[32];
	int conn_port[32];	  /* index into tcp */
	uint8_t relay_bytes[512]; /* what the last relay connection sent */
	size_t relay_len;

	/* behaviour */
	bool silent;	 /* no answers on UDP */
	bool request_pk; /* ask for the key once */
	int pk_result;	 /* of the next RegisterPk only */
	int nat_shift;	 /* added to the second port of the NAT test */
	bool nat_silent;

	/* what fake_wait_* is after */
	const char *words;
	Rdv__Envelope__UnionCase kind;
	unsigned int count;

	struct fake_heard heard[FAKE_KEPT];
	unsigned int n_heard;
	struct ka_incoming in[16];
	unsigned int n_in;
};

/* host: "127.0.0.1" or "::1". Fast timing; reach is made but not started. */
void fake_bench_init(struct fake_bench *b, const char *host);
/* The same, with these servers before its own in the device's list: "host:port, ". */
void fake_bench_init_after(struct fake_bench *b, const char *host, const char *before);
void fake_bench_start(struct fake_bench *b);
/* Closes everything; nothing may be left in the loop. */
void fake_bench_fini(struct fake_bench *b);

/* Runs loop and server until done(b) or for ms; true when done. */
bool fake_run_until(struct fake_bench *b, bool (*done)(struct fake_bench *b), int ms);
void fake_run(struct fake_bench *b, int ms);
/* Until the status holds words, or n messages of a kind were heard; false after three seconds. */
bool fake_wait_words(struct fake_bench *b, const char *words);
bool fake_wait_count(struct fake_bench *b, Rdv__Envelope__UnionCase kind, unsigned int n);

/* Pushes a message to the device's registered address, from the server or (forged) from another socket. */
void fake_push(struct fake_bench *b, const Rdv__Envelope *e, bool forged);
unsigned int fake_count(const struct fake_bench *b, Rdv__Envelope__UnionCase kind);
/* The n-th of its kind, from 0; NULL. */
const struct fake_heard *fake_find(const struct fake_bench *b, Rdv__Envelope__UnionCase kind, unsigned int n);
/* A mangled address in m->data (18 bytes at least). */
void fake_mangle(ProtobufCBinaryData *m, const char *ip, uint16_t port);
bool fake_registered(struct fake_bench *b);
bool fake_nat_known(struct fake_bench *b);
/* Init and start, registered and with a known NAT type. */
void fake_start_registered(struct fake_bench *b, const char *host);
/* Calls from ip:port, or from 203.0.113.77:port. */
void fake_push_punch(struct fake_bench *b, const char *ip, uint16_t port, enum ka_nat nat, bool forged);
void fake_push_local(struct fake_bench *b, uint16_t port);
void fake_push_relay(struct fake_bench *b, uint16_t port, char *relay, bool secure);
/* Connects as a controller; the descriptor or -ECONNREFUSED. */
int fake_come(const struct sockaddr_storage *to);
/* The server goes away and comes back on the same ports. */
void fake_close_server(struct fake_bench *b);
void fake_open_server(struct fake_bench *b);

#endif
