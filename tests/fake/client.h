/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small controller for tests of sessions: frames, seals, logs in. Blocking, with a patience of 20 s. It trusts the
 * product's framing and sealing, which have tests of their own. One thread.
 */
#ifndef KA_CLIENT_H
#define KA_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/message.pb-c.h"
#include "rustdesk/wire/framing.h"
#include "rustdesk/wire/seal.h"

struct client {
	int fd;
	struct ka_framer framer;
	struct ka_seal rx, tx;
	bool sealed;
	bool mute;	     /* leaves TestDelay unanswered, as no stock client does */
	bool eof;	     /* the device has closed */
	unsigned int probes; /* TestDelays seen so far */
	int64_t fence;
	Rd__Message *msg; /* the latest */
	char salt[64], challenge[16];
};

void client_init(struct client *c, int fd);
void client_fini(struct client *c);
void client_seal(struct client *c, const uint8_t key[static KA_SEAL_KEY]);

/* False when the stream is gone. */
bool client_send(struct client *c, const Rd__Message *msg);
bool client_send_misc(struct client *c, Rd__Misc *misc);
/* One frame of any bytes: sealed or not, as the stream is. */
bool client_send_payload(struct client *c, const void *data, size_t len);
/* Bytes as they are. */
bool client_send_raw(struct client *c, const void *data, size_t len);

/* The next message but TestDelay of the device, which is echoed; valid until the next call; NULL at the end of the
 * stream. */
const Rd__Message *client_next(struct client *c);
/* Everything sent before has been handled: how many messages came meanwhile, or -1 at the end of the stream. */
int client_fence(struct client *c);
/* Reads away whatever comes until the device closes; false after 20 s. */
bool client_wait_eof(struct client *c);

/* Takes the Hash and what follows it. */
bool client_take_hash(struct client *c);
/* LoginRequest with H.264 ability; edit (may be NULL) changes it before it leaves. */
bool client_send_login(struct client *c, const char *username, const char *password, void (*edit)(Rd__LoginRequest *r));
void client_answer(uint8_t out[static 32], const struct client *c, const char *password);

#endif
