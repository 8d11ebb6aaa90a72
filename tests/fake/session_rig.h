/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session on a fake host with a client at the other end of its stream. One thread. */
#ifndef KA_SESSION_RIG_H
#define KA_SESSION_RIG_H

#include <semaphore.h>

#include "rustdesk/session/gate.h"
#include "rustdesk/session/session.h"
#include "tests/fake/client.h"
#include "tests/fake/fake_host.h"

#define RIG_ID "123456789"
#define RIG_SALT "abcdefghijkmnpqrstuvwxyz23456789"
#define RIG_PASSWORD "Passw0rd!"
#define RIG_NUMBER 77

struct session_rig {
	struct fake_host host;
	struct ka_rd_cfg cfg;
	struct ka_rd_identity identity;
	struct ka_gate *gate;
	struct ka_chat_room *chat;
	struct ka_session *session;
	struct client client;
	sem_t ended;
};

/* Everything but the session. */
int session_rig_init(struct session_rig *r);
/* Stops the session if it runs. */
void session_rig_fini(struct session_rig *r);
/* Starts a session and connects the client. */
int session_rig_start(struct session_rig *r, enum ka_path path, bool secure);
/* The same with kernel buffers of that size. */
int session_rig_start_small(struct session_rig *r, enum ka_path path, bool secure, int buffer_bytes);
/* Key exchange as a controller that knows the server's key does it; seals the client. */
bool session_rig_exchange_keys(struct session_rig *r);
/* Direct stream, hash taken, logged in, PeerInfo read (in client.msg). */
bool session_rig_login(struct session_rig *r, void (*edit)(Rd__LoginRequest *r));
/* Waits for the end of the session's thread and frees it; false after 20 s. */
bool session_rig_wait_end(struct session_rig *r);

#endif
