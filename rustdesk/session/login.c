/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/session_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rustdesk/session/allow.h"
#include "rustdesk/session/permissions.h"
#include "rustdesk/session/scope.h"

/* A user at the password dialog keeps the stream alive by echoes; a stranger must not keep it for ever. */
#define CODE_REQUIRED "2FA Required"
#define LOGIN_MS (5 * 60 * 1000)

static int send_disabled(struct ka_session *s, Rd__PermissionInfo__Permission permission)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__PermissionInfo info = RD__PERMISSION_INFO__INIT;

	info.permission = permission;
	misc.union_case = RD__MISC__UNION_PERMISSION_INFO;
	misc.permission_info = &info;
	return ka_session_send_misc(s, &misc);
}

static int send_all_disabled(struct ka_session *s, uint32_t believed, uint32_t given)
{
	Rd__PermissionInfo__Permission denied[KA_PERMISSIONS_MAX];
	size_t n = ka_permissions_denied(denied, believed, given);
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = send_disabled(s, denied[i]);
	return ret;
}

static int send_error(struct ka_session *s, const char *error)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginResponse response = RD__LOGIN_RESPONSE__INIT;
	char text[160];

	snprintf(text, sizeof(text), "%s", error);
	response.union_case = RD__LOGIN_RESPONSE__UNION_ERROR;
	response.error = text;
	response.enable_trusted_devices = !strcmp(error, CODE_REQUIRED) && s->cfg.rd->trusted_days > 0;
	msg.union_case = RD__MESSAGE__UNION_LOGIN_RESPONSE;
	msg.login_response = &response;
	return ka_session_send(s, &msg);
}

static int refuse(struct ka_session *s, const char *error)
{
	int ret = send_error(s, error);

	ka_session_log_refusal(s, error, false);
	s->refused = true;
	ka_session_end(s, error);
	return ret;
}

int ka_login_start(struct ka_session *s)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__Hash hash = RD__HASH__INIT;
	char salt[KA_RD_SALT_LEN + 1];
	int ret;

	if (!ka_allow_address(s->cfg.rd->allow_addresses, &s->in.peer, s->in.path == KA_PATH_RELAY)) {
		ka_session_enter(s, KA_SES_LOGIN, LOGIN_MS);
		return refuse(s, "Your ip is blocked by the peer");
	}
	memcpy(salt, s->cfg.identity->salt, sizeof(salt));
	ka_keys_random_text(s->challenge, KA_SES_CHALLENGE_LEN);
	hash.salt = salt;
	hash.challenge = s->challenge;
	msg.union_case = RD__MESSAGE__UNION_HASH;
	msg.hash = &hash;
	ka_session_enter(s, KA_SES_LOGIN, LOGIN_MS);
	ret = ka_session_send(s, &msg);
	/* What nobody may here; controllers grey it out. */
	if (!ret)
		ret = send_all_disabled(s, KA_PERMISSIONS_STOCK, ka_permissions_offered(s->cfg.rd, s->cfg.host));
	return ret;
}

/* A direct stream was dialled by address, whatever text that was; any other must have meant this id. */
static bool addressed_to_us(const struct ka_session *s, const char *username)
{
	size_t n = strlen(s->cfg.identity->id);

	if (s->in.path == KA_PATH_DIRECT)
		return true;
	return !strncmp(username, s->cfg.identity->id, n) && (username[n] == '\0' || username[n] == '@');
}

static bool can_decode(struct ka_session *s, const Rd__OptionMessage *o)
{
	ka_codec_read(&s->video.ability, o ? o->supported_decoding : NULL);
	return ka_video_choose_codec(s) == 0;
}

static void make_claim(struct ka_session *s, const Rd__LoginRequest *r)
{
	s->login.claim = (struct ka_gate_claim){.from = s->in.peer, .relayed = s->in.path == KA_PATH_RELAY};
	ka_gate_claim_who(&s->login.claim, r->my_id, r->my_name, r->my_platform, r->session_id);
	ka_gate_claim_hwid(&s->login.claim, r->hwid.data, r->hwid.len);
}

/* The stream stays, as stock's does; clients close it. Nobody fills the log by asking again. */
static int send_limit(struct ka_session *s, const char *error)
{
	if (!s->limit_logged)
		ka_session_log_refusal(s, error, false);
	s->limit_logged = true;
	return send_error(s, error);
}

static int judge_id(struct ka_session *s, const char *id)
{

	enum ka_gate_verdict v = ka_gate_check_id(s->cfg.gate, &s->login.claim, id);

	if (v == KA_GATE_WELCOME)
		return 0;
	return refuse(s, v == KA_GATE_ID_BLOCKED ? "Your ID is blocked by the peer" : ka_gate_limit_words(v));
}

/* Kept for when a code makes the login complete. */
static int keep_request(struct ka_session *s, const Rd__LoginRequest *r)
{
	size_t size = rd__login_request__get_packed_size(r);
	uint8_t *copy = malloc(size + 1);

	if (!copy)
		return -ENOMEM;
	rd__login_request__pack(r, copy);
	free(s->login.request);
	s->login.request = copy;
	s->login.request_len = size;
	return 0;
}

/* *in: whether the session may go on; else the controller has been told why not. */
static int judge(struct ka_session *s, enum ka_gate_verdict v, bool *in)
{
	s->login.wants_code = v == KA_GATE_NEEDS_CODE || (s->login.wants_code && v != KA_GATE_WELCOME);
	switch (v) {
	case KA_GATE_WELCOME:
		*in = s->entered = true;
		return 0;
	case KA_GATE_WRONG_PASSWORD:
		ka_session_log_refusal(s, "Wrong Password", true);
		return send_error(s, "Wrong Password");
	case KA_GATE_NEEDS_CODE:
		return send_error(s, CODE_REQUIRED);
	case KA_GATE_WRONG_CODE:
		ka_session_log_refusal(s, "Wrong 2FA Code", true);
		return send_error(s, "Wrong 2FA Code");
	case KA_GATE_TRY_LATER:
	case KA_GATE_LOCKED_OUT:
	case KA_GATE_LOCKED_OUT_64:
	case KA_GATE_LOCKED_OUT_56:
	case KA_GATE_LOCKED_OUT_48:
		return send_limit(s, ka_gate_limit_words(v));
	case KA_GATE_NO_PASSWORD:
		return refuse(s, "No password is set on this device");
	case KA_GATE_ID_BLOCKED:
	case KA_GATE_FULL:
		break;
	}
	return refuse(s, "All places on this device are taken");
}

/* Somebody at the device may let it in at any time; without any password that is the only way. */
static int await_approval(struct ka_session *s, const Rd__LoginRequest *r)
{
	bool first = !s->login.request;
	int ret = keep_request(s, r);

	if (ret < 0)
		return ret;
	ka_listing_show(s, true);
	if (first)
		ka_log_burst(INFO, KA_SES_STRANGERS_LINES, KA_SES_STRANGERS_PERIOD_US, "session", "waiting",
			     "n=%u path=%s from=%s id=\"%s\" name=\"%s\"", s->cfg.number, ka_path_name(s->in.path),
			     s->peer_text, s->peer_id, s->peer_name);
	/* Older clients do not know these words and would take them for a failure. */
	if (ka_gate_has_password(s->cfg.gate) || ka_scope_version(r->version) < KA_SCOPE_VERSION(1, 2, 0))
		return 0;
	return send_error(s, "No Password Access");
}

/* The controller is in. */
static int welcome(struct ka_session *s, const Rd__LoginRequest *r)
{
	const char *error =
		ka_permissions_refuse(r->union_case, s->pass.permissions & ka_permissions_device(s->cfg.host));
	uint32_t offered = ka_permissions_offered(s->cfg.rd, s->cfg.host);
	int ret;

	if (error)
		return refuse(s, error);
	s->login_us = ka_clock_us();
	atomic_store(&s->logged_in, true);
	ka_log(INFO, "session", "login", "n=%u path=%s from=%s id=\"%s\" name=\"%s\" encrypted=%d profile=\"%s\"",
	       s->cfg.number, ka_path_name(s->in.path), s->peer_text, s->peer_id, s->peer_name, ka_conn_sealed(s->conn),
	       s->pass.profile);
	s->video.ack_required = r->video_ack_required;
	s->video.one_at_a_time = ka_scope_version(r->version) < KA_SCOPE_VERSION(1, 2, 4);
	ka_conn_set_in_limit(s->conn, KA_SES_IN_LIMIT_ACTIVE);
	ka_conn_set_out_limit(s->conn, KA_SES_OUT_LIMIT_ACTIVE);
	s->pb.budget = KA_SES_PB_BUDGET_ACTIVE;
	s->last_input_us = s->login_us;
	s->kind = r->union_case;
	ka_session_enter(s, KA_SES_ACTIVE, 0);
	ka_listing_show(s, false);
	ret = ka_peer_info_send_login(s);
	if (!ret)
		ret = send_all_disabled(s, offered, s->pass.permissions);
	if (!ret)
		ret = ka_options_apply(s, r->option, false);
	if (!ret)
		ret = ka_chat_join(s);
	if (!ret && s->state == KA_SES_ACTIVE)
		ret = ka_video_start(s, s->video.current);
	return ret;
}

/* The first request says who asks for what; while passwords are tried nothing of that may change. */
static bool keeps_scope(struct ka_session *s, const Rd__LoginRequest *r)
{
	uint8_t scope[KA_SCOPE_LEN];

	ka_scope_digest(scope, r);
	if (s->login.scoped)
		return !memcmp(s->login.scope, scope, sizeof(scope));
	memcpy(s->login.scope, scope, sizeof(scope));
	s->login.scoped = true;
	return true;
}

int ka_login_request(struct ka_session *s, const Rd__Message *msg)
{
	const Rd__LoginRequest *r = msg->login_request;
	const char *error = ka_permissions_refuse(r->union_case, ka_permissions_offered(s->cfg.rd, s->cfg.host));
	bool in = false;
	int ret;

	if (!keeps_scope(s, r))
		return refuse(s, "Connection not allowed");
	ka_log_escape(s->peer_id, sizeof(s->peer_id), r->my_id, strlen(r->my_id));
	ka_log_escape(s->peer_name, sizeof(s->peer_name), r->my_name, strlen(r->my_name));
	make_claim(s, r);
	atomic_store(&s->asked, true);
	ret = judge_id(s, r->my_id);
	if (ret < 0 || s->state != KA_SES_LOGIN)
		return ret;
	if (error)
		return refuse(s, error);
	if (!addressed_to_us(s, r->username))
		return refuse(s, "Offline");
	if ((s->cfg.rd->approval || r->password.len) && !can_decode(s, r->option))
		return refuse(s, "This device sends nothing that this client can decode");
	if (s->cfg.rd->approval) {
		ret = await_approval(s, r);
		if (ret < 0 || !ka_gate_has_password(s->cfg.gate))
			return ret;
	}
	/* The user has not typed one yet: the client shows its dialog and asks again. */
	if (!r->password.len)
		return 0;
	s->login.wants_code = false;
	ret = judge(
		s,
		ka_gate_enter(s->cfg.gate, &s->login.claim, s->challenge, r->password.data, r->password.len, &s->pass),
		&in);
	if (!ret && s->login.wants_code)
		ret = keep_request(s, r);
	return in ? welcome(s, r) : ret;
}

/* The login that waited goes on. */
static int resume_login(struct ka_session *s)
{
	const Rd__LoginRequest *r = (const Rd__LoginRequest *)ka_pb_decode(&s->pb, &rd__login_request__descriptor,
									   s->login.request, s->login.request_len);

	return r ? welcome(s, r) : -ENOMEM;
}

int ka_login_code(struct ka_session *s, const Rd__Message *msg)
{
	const Rd__Auth2FA *a = msg->auth_2fa;
	bool in = false;
	int ret;

	if (!s->login.wants_code)
		return 0;
	ka_gate_claim_hwid(&s->login.claim, a->hwid.data, a->hwid.len);
	ret = judge(s, ka_gate_enter_code(s->cfg.gate, &s->login.claim, a->code, &s->pass), &in);
	return in ? resume_login(s) : ret;
}

static int let_in(struct ka_session *s)
{
	bool in = false;
	int ret = judge(s, ka_gate_admit(s->cfg.gate, &s->pass), &in);

	return in ? resume_login(s) : ret;
}

void ka_login_wake(struct ka_session *s)
{
	int ret;

	if (s->state != KA_SES_LOGIN || !s->login.request || !s->cfg.rd->approval || !atomic_load(&s->approved))
		return;
	ret = let_in(s);
	if (ret < 0)
		ka_session_end(s, ka_err_str(ret));
}

bool ka_login_tick(struct ka_session *s, int64_t now_us)
{
	int64_t idle_us = KA_SEC((int64_t)s->cfg.rd->idle_s);

	if (s->state == KA_SES_ACTIVE && idle_us && now_us - s->last_input_us > idle_us)
		ka_session_close(s, "Connection failed due to inactivity");
	return s->state != KA_SES_ENDING;
}

void ka_login_leave(struct ka_session *s)
{
	/* Who said good-bye or was sent away went through KA_SES_ENDING. */
	if (s->entered)
		ka_gate_leave(s->cfg.gate, &s->login.claim, &s->pass, s->state == KA_SES_ACTIVE, s->last_rx_us);
	free(s->login.request);
	s->login.request = NULL;
	explicit_bzero(&s->pass, sizeof(s->pass));
}
