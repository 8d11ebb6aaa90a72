/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key exchange of secure streams. We speak first; exactly one frame decides:
 *
 *   device                                    controller
 *     SignedId{sign(IdPk{id, box pk})} ──────►  verifies with the key hbbs signed
 *     ◄────── PublicKey{box pk, box(key)}       sealed from here on
 *     ◄────── PublicKey{} or anything else      cannot or will not: plain, if we allow it
 */
#include "rustdesk/session/session_priv.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "proto/rendezvous.pb-c.h"

#define HANDSHAKE_MS 18000

int ka_handshake_start(struct ka_session *s)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__SignedId signed_id = RD__SIGNED_ID__INIT;
	uint8_t id[KA_KEYS_SIGNED_MAX];

	ka_box_pair_new(&s->box);
	signed_id.id.data = id;
	signed_id.id.len = ka_keys_sign_id(id, s->cfg.identity->id, s->box.pk, s->cfg.identity->sign_sk);
	msg.union_case = RD__MESSAGE__UNION_SIGNED_ID;
	msg.signed_id = &signed_id;
	ka_session_enter(s, KA_SES_HANDSHAKE, HANDSHAKE_MS);
	return ka_session_send(s, &msg);
}

/* Plain login messages are all a controller without encryption understands, so the refusal is one. */
int ka_handshake_refuse_plain(struct ka_session *s, const char *why)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginResponse response = RD__LOGIN_RESPONSE__INIT;
	char text[] = "This device accepts encrypted sessions only: set the server's Key in your client "
		      "(Settings, Network, ID/Relay server)";
	int ret;

	response.union_case = RD__LOGIN_RESPONSE__UNION_ERROR;
	response.error = text;
	msg.union_case = RD__MESSAGE__UNION_LOGIN_RESPONSE;
	msg.login_response = &response;
	ret = ka_session_send(s, &msg);
	ka_session_log_refusal(s, why, false);
	s->refused = true;
	ka_session_end(s, why);
	return ret;
}

/* The controller goes on without encryption. */
static int continue_plain(struct ka_session *s, const char *why)
{
	if (s->cfg.rd->encryption != KA_RD_ENCRYPT_OPTIONAL)
		return ka_handshake_refuse_plain(s, why);
	ka_log_burst(WARN, KA_SES_STRANGERS_LINES, KA_SES_STRANGERS_PERIOD_US, "session", "plain",
		     "n=%u from=%s why=\"%s\"", s->cfg.number, s->peer_text, why);
	return ka_login_start(s);
}

/* A controller that is forced to relay takes our session port for a relay's and introduces itself first. */
static bool is_relay_hello(struct ka_session *s, const uint8_t *data, size_t len)
{
	const Rdv__Envelope *e = (const Rdv__Envelope *)ka_pb_decode(&s->pb, &rdv__envelope__descriptor, data, len);

	return e && e->union_case == RDV__ENVELOPE__UNION_REQUEST_RELAY;
}

int ka_handshake_message(struct ka_session *s, uint8_t *data, size_t len)
{
	uint8_t key[KA_SEAL_KEY];
	const Rd__Message *msg;
	const Rd__PublicKey *pk;
	int ret;

	if (s->in.path == KA_PATH_SERVED && !s->relay_hello && is_relay_hello(s, data, len)) {
		s->relay_hello = true;
		return 0;
	}
	msg = (const Rd__Message *)ka_pb_decode(&s->pb, &rd__message__descriptor, data, len);
	if (!msg)
		return -KA_E_PEER;
	/* An empty message comes from a controller without the server's key, maybe before it saw our SignedId. */
	if (msg->union_case != RD__MESSAGE__UNION_PUBLIC_KEY)
		return continue_plain(s, "the controller has no key to verify this device");
	pk = msg->public_key;
	if (!pk->asymmetric_value.len) {
		/* It has a key for us, but not ours: hbbs must learn the present one. */
		atomic_store(&s->pk_rejected, true);
		return continue_plain(s, "the controller knows another key of this device");
	}
	ret = ka_keys_open(key, &s->box, pk->asymmetric_value.data, pk->asymmetric_value.len, pk->symmetric_value.data,
			   pk->symmetric_value.len);
	ka_box_pair_wipe(&s->box);
	if (ret < 0)
		return ret;
	ka_conn_seal(s->conn, key);
	explicit_bzero(key, sizeof(key));
	return ka_login_start(s);
}
