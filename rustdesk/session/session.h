/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One controller on one thread with one loop: handshake, login, then video out and input in.
 *
 *   HANDSHAKE (secure streams: SignedId out, PublicKey in) ─► LOGIN (Hash out, LoginRequest in) ─► ACTIVE ─► ENDING
 *
 * Every state has a deadline; on every way out all keys and buttons of this session are released.
 */
#ifndef KA_SESSION_H
#define KA_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/wake.h"
#include "rustdesk/host.h"
#include "rustdesk/reach/reach.h"
#include "rustdesk/rustdesk.h"
#include "rustdesk/session/chat_room.h"
#include "rustdesk/session/gate.h"

struct ka_session;

struct ka_session_cfg {
	uint32_t number; /* never 0; the source of its input events */
	const struct ka_rd_cfg *rd;
	const struct ka_rd_identity *identity;
	const struct ka_host *host;
	struct ka_gate *gate;
	struct ka_chat_room *chat;
	struct ka_wake ended; /* session thread, as its last act: it can be freed now */
};

/* Starts the thread. in->fd is taken over in any case. */
int ka_session_start(struct ka_session **out, const struct ka_session_cfg *cfg,
		     const struct ka_incoming *in) KA_MUST_USE;
/* Any thread; never blocks. reason: shown to the controller; static text. Who has not logged in leaves at once, words
 * or not. */
void ka_session_stop(struct ka_session *s, const char *reason);
/* Any thread. True once the controller has asked to log in, with or without a password. */
bool ka_session_asked(struct ka_session *s);
/* Any thread. True once the controller has logged in. */
bool ka_session_logged_in(struct ka_session *s);
/* Any thread. True once the thread is about to end. */
bool ka_session_ended(struct ka_session *s);
/* Any thread. True when the controller could not verify our key (it was registered anew elsewhere). */
bool ka_session_pk_rejected(struct ka_session *s);
/* Any thread. False when there is nothing to show: it has neither logged in nor asked to be let in, or it has ended. */
bool ka_session_info(struct ka_session *s, struct ka_rd_session *out);
/* Any thread. Lets it in without a password, if it asked to be. */
void ka_session_approve(struct ka_session *s);
/* Joins and frees. NULL is fine. */
void ka_session_free(struct ka_session *s);

#endif
