/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The endpoint: ka-net's loop with reach on it, and the table of sessions. The table belongs to ka-net alone; a session
 * that ends wakes it and is joined there.
 */
#include "rustdesk/rustdesk.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/thread.h"
#include "rustdesk/reach/reach.h"
#include "rustdesk/session/allow.h"
#include "rustdesk/session/chat_room.h"
#include "rustdesk/session/session.h"
#include "rustdesk/session/totp.h"
#include "rustdesk/wire/addr.h"
#include "rustdesk/wire/keys.h"

/* Streams at a time, logged in or not: room for every controller, its reconnects and signalling doubles, and a few
 * strangers, but no more threads than a small board bears. Past it, and past what one network may have that is not
 * logged in, a newcomer takes the place of whoever hogs most. The table is larger because those need a moment to go,
 * and newcomers may come sixteen at once. */
#define MAX_STREAMS 24
#define MAX_STRANGERS_PER_NETWORK 12
#define STATUS_MS 500

struct ka_rd {
	struct ka_rd_cfg cfg;
	struct ka_rd_identity identity;
	struct ka_host host;
	struct ka_owner owner;
	struct ka_thread thread;
	struct ka_loop loop;
	uv_timer_t status_timer;
	struct ka_reach *reach;
	struct ka_gate *gate;
	struct ka_chat_room *chat;
	atomic_bool stopping; /* any thread */
	atomic_bool failed;   /* any thread */

	pthread_mutex_t table_lock; /* guards sessions against readers on other threads; outside a session's own */
	struct ka_session *sessions[KA_RD_MAX_STREAMS]; /* written by ka-net alone */
	struct sockaddr_storage peers[KA_RD_MAX_STREAMS];
	uint32_t numbers[KA_RD_MAX_STREAMS];
	bool leaving[KA_RD_MAX_STREAMS]; /* asked to go to make room */
	uint32_t last_number;

	pthread_mutex_t status_lock; /* guards status */
	struct ka_rd_status status;
};

static void publish_status(struct ka_rd *rd)
{
	struct ka_reach_status reach;
	struct ka_rd_status st = {.failed = atomic_load(&rd->failed)};

	ka_reach_get_status(rd->reach, &reach);
	st.direct_port = reach.direct_port;
	st.serve_port = reach.serve_port;
	st.registered = reach.registered;
	st.nat = reach.nat;
	ka_str_copy(st.server_state, sizeof(st.server_state), reach.server_state);
	for (size_t i = 0; i < KA_RD_MAX_STREAMS; i++)
		st.connections += rd->sessions[i] != NULL;
	st.controllers = ka_gate_controllers(rd->gate);
	pthread_mutex_lock(&rd->status_lock);
	rd->status = st;
	pthread_mutex_unlock(&rd->status_lock);
}

/* Returns what was there before. */
static struct ka_session *put(struct ka_rd *rd, size_t place, struct ka_session *s)
{
	struct ka_session *before;

	pthread_mutex_lock(&rd->table_lock);
	before = rd->sessions[place];
	rd->sessions[place] = s;
	pthread_mutex_unlock(&rd->table_lock);
	return before;
}

static void reap(struct ka_rd *rd, bool all)
{
	for (size_t i = 0; i < KA_RD_MAX_STREAMS; i++) {
		if (!rd->sessions[i] || (!all && !ka_session_ended(rd->sessions[i])))
			continue;
		if (ka_session_pk_rejected(rd->sessions[i]) && !all)
			ka_reach_pk_rejected(rd->reach);
		ka_session_free(put(rd, i, NULL));
	}
}

static bool is_stranger(const struct ka_rd *rd, size_t i)
{
	return rd->sessions[i] && !rd->leaving[i] && !ka_session_logged_in(rd->sessions[i]);
}

static unsigned int count_strangers(const struct ka_rd *rd, const struct sockaddr_storage *network)
{
	unsigned int n = 0;

	for (size_t i = 0; i < KA_RD_MAX_STREAMS; i++)
		n += is_stranger(rd, i) && ka_addr_same_network(&rd->peers[i], network);
	return n;
}

/* Who has asked to log in may be somebody at the password dialog; then who came later may stay. */
static bool gives_way(const struct ka_rd *rd, size_t i, size_t to)
{
	bool i_asked = ka_session_asked(rd->sessions[i]);
	bool to_asked = ka_session_asked(rd->sessions[to]);

	return i_asked == to_asked ? rd->numbers[i] < rd->numbers[to] : to_asked;
}

/* Ends a stream that is not logged in, of the network that has most of them: the oldest that has asked for nothing. */
static void evict_stranger(struct ka_rd *rd)
{
	unsigned int most = 0;
	size_t victim = 0;

	for (size_t i = 0; i < KA_RD_MAX_STREAMS; i++) {
		unsigned int n = is_stranger(rd, i) ? count_strangers(rd, &rd->peers[i]) : 0;

		if (n > most || (n && n == most && gives_way(rd, i, victim))) {
			most = n;
			victim = i;
		}
	}
	if (!most)
		return;
	ka_log_every(WARN, KA_SEC(10), "server", "too-many-streams", "limit=%d per_network=%d", MAX_STREAMS,
		     MAX_STRANGERS_PER_NETWORK);
	rd->leaving[victim] = true;
	ka_session_stop(rd->sessions[victim], "Too many connections");
}

static int find_place(struct ka_rd *rd, const struct sockaddr_storage *peer)
{
	unsigned int streams = 0;
	int place = -KA_E_LIMIT;

	for (size_t i = 0; i < KA_RD_MAX_STREAMS; i++) {
		if (!rd->sessions[i])
			place = (int)i;
		else
			streams += !rd->leaving[i];
	}
	if (streams >= MAX_STREAMS || count_strangers(rd, peer) >= MAX_STRANGERS_PER_NETWORK)
		evict_stranger(rd);
	return place;
}

static void wake_net(void *arg)
{
	struct ka_rd *rd = arg;

	ka_loop_wake(&rd->loop);
}

static void on_incoming(void *arg, struct ka_incoming *in)
{
	struct ka_rd *rd = arg;
	char from[KA_ADDR_TEXT];
	struct ka_session *session;
	int place;
	int ret;

	KA_OWNER(rd);
	reap(rd, false);
	place = find_place(rd, &in->peer);
	if (place < 0 || atomic_load(&rd->stopping)) {
		ka_log_every(WARN, KA_SEC(1), "server", "refused", "path=%s from=%s reason=\"all %d places are taken\"",
			     ka_path_name(in->path), ka_addr_text(from, &in->peer), KA_RD_MAX_STREAMS);
		close(in->fd);
		return;
	}
	/* 0 means nobody; numbers tell sessions apart in logs and as sources of input. */
	if (!++rd->last_number)
		rd->last_number = 1;
	struct ka_session_cfg cfg = {
		.number = rd->last_number,
		.rd = &rd->cfg,
		.identity = &rd->identity,
		.host = &rd->host,
		.gate = rd->gate,
		.chat = rd->chat,
		.ended = {.fn = wake_net, .arg = rd},
	};

	rd->peers[place] = in->peer;
	rd->numbers[place] = cfg.number;
	rd->leaving[place] = false;
	ret = ka_session_start(&session, &cfg, in);
	if (!ret)
		put(rd, (size_t)place, session);
	else
		ka_log(ERROR, "server", "session-failed", "cause=\"%s\"", ka_err_str(ret));
}

static void on_wake(void *arg)
{
	struct ka_rd *rd = arg;

	reap(rd, false);
	publish_status(rd);
}

static void on_status_timer(uv_timer_t *t)
{
	publish_status(t->data);
}

static void *net_main(void *arg)
{
	struct ka_rd *rd = arg;
	int ret;

	ka_owner_bind(&rd->owner);
	ret = ka_reach_start(rd->reach);
	if (ret < 0) {
		ka_log(ERROR, "server", "reach-failed", "cause=\"%s\"", ka_err_str(ret));
		atomic_store(&rd->failed, true);
	}
	uv_timer_init(&rd->loop.uv, &rd->status_timer);
	rd->status_timer.data = rd;
	uv_timer_start(&rd->status_timer, on_status_timer, 0, STATUS_MS);
	ka_loop_run(&rd->loop);

	ka_reach_close(rd->reach);
	uv_close((uv_handle_t *)&rd->status_timer, NULL);
	/* All asked first, then all awaited. */
	for (size_t i = 0; i < KA_RD_MAX_STREAMS; i++) {
		if (rd->sessions[i])
			ka_session_stop(rd->sessions[i], "The KVM service is stopping");
	}
	reap(rd, true);
	ka_owner_unbind(&rd->owner);
	return NULL;
}

int ka_rd_new(struct ka_rd **out, const struct ka_rd_cfg *cfg, const struct ka_rd_identity *identity,
	      const struct ka_host *host, struct ka_errbuf *eb)
{
	struct ka_rd *rd = calloc(1, sizeof(*rd));
	int ret = -ENOMEM;

	if (!rd)
		return ret;
	pthread_mutex_init(&rd->status_lock, NULL);
	pthread_mutex_init(&rd->table_lock, NULL);
	rd->cfg = *cfg;
	rd->identity = *identity;
	rd->host = *host;
	if (sodium_init() < 0) {
		ka_errbuf_set(eb, "libsodium cannot start");
		ret = -EIO;
		goto fail;
	}
	ret = ka_loop_init(&rd->loop, on_wake, rd);
	if (ret < 0)
		goto fail;
	uint8_t totp_key[KA_TOTP_KEY_MAX];
	int totp_len = 0;

	if (cfg->totp_secret && cfg->totp_secret[0])
		totp_len = ka_totp_decode_secret(totp_key, cfg->totp_secret);
	if (totp_len < 0) {
		ka_errbuf_set(eb, "the secret of the second factor is not base32 of 10 to 64 bytes");
		ret = -KA_E_CONFIG;
		goto fail;
	}
	struct ka_gate_cfg gate = {
		.password = cfg->password,
		.password_h1 = cfg->password_h1,
		.salt = rd->identity.salt,
		.permissions = cfg->permissions,
		.access = cfg->access,
		.n_access = cfg->n_access,
		.otp_length = cfg->otp_length,
		.otp_numeric = cfg->otp_numeric,
		.max_controllers = cfg->max_sessions,
		.allow_ids = cfg->allow_ids,
		.totp_key = totp_key,
		.totp_key_len = (size_t)totp_len,
		.trusted_days = cfg->trusted_days,
		.trusted = cfg->trusted,
	};

	ret = ka_gate_new(&rd->gate, &gate);
	sodium_memzero(totp_key, sizeof(totp_key));
	rd->cfg.totp_secret = rd->cfg.trusted = NULL;
	if (ret < 0)
		goto fail;
	ret = ka_chat_room_new(&rd->chat);
	if (ret < 0)
		goto fail;
	struct ka_reach_cfg reach = {
		.rd = &rd->cfg,
		.identity = &rd->identity,
		.uv = &rd->loop.uv,
		.incoming = on_incoming,
		.arg = rd,
	};

	ret = ka_reach_new(&rd->reach, &reach, eb);
	if (ret < 0)
		goto fail;
	*out = rd;
	return 0;
fail:
	ka_rd_free(rd);
	return ret;
}

int ka_rd_start(struct ka_rd *rd, struct ka_errbuf *eb)
{
	int ret = ka_reach_listen(rd->reach, eb);

	if (ret < 0)
		return ret;
	publish_status(rd);
	ret = ka_thread_start(&rd->thread, "ka-net", net_main, rd);
	if (ret < 0)
		ka_errbuf_set(eb, "cannot start the network thread: %s", ka_err_str(ret));
	return ret;
}

void ka_rd_stop(struct ka_rd *rd)
{
	atomic_store(&rd->stopping, true);
	ka_loop_stop(&rd->loop);
}

bool ka_rd_alive(struct ka_rd *rd)
{
	return ka_loop_alive(&rd->loop);
}

void ka_rd_join(struct ka_rd *rd)
{
	ka_thread_join(&rd->thread);
}

void ka_rd_free(struct ka_rd *rd)
{
	if (!rd)
		return;
	assert(!rd->thread.running);
	/* Also when the thread never ran; closing twice is fine. */
	ka_reach_close(rd->reach);
	ka_loop_fini(&rd->loop);
	ka_reach_free(rd->reach);
	ka_gate_free(rd->gate);
	ka_chat_room_free(rd->chat);
	pthread_mutex_destroy(&rd->status_lock);
	pthread_mutex_destroy(&rd->table_lock);
	sodium_memzero(rd, sizeof(*rd));
	free(rd);
}

void ka_rd_get_status(struct ka_rd *rd, struct ka_rd_status *out)
{
	pthread_mutex_lock(&rd->status_lock);
	*out = rd->status;
	pthread_mutex_unlock(&rd->status_lock);
}

void ka_rd_get_otp(struct ka_rd *rd, char *dst, size_t dst_size)
{
	ka_gate_get_otp(rd->gate, dst, dst_size);
}

size_t ka_rd_sessions(struct ka_rd *rd, struct ka_rd_session *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&rd->table_lock);
	for (size_t i = 0; i < KA_RD_MAX_STREAMS && n < max; i++)
		n += rd->sessions[i] && ka_session_info(rd->sessions[i], &out[n]);
	pthread_mutex_unlock(&rd->table_lock);
	return n;
}

/* Does something that never blocks to the session of that number. */
static int with_session(struct ka_rd *rd, uint32_t number, void (*act)(struct ka_session *s), bool waiting)
{
	struct ka_rd_session info;
	int ret = -ENOENT;

	pthread_mutex_lock(&rd->table_lock);
	for (size_t i = 0; i < KA_RD_MAX_STREAMS && ret; i++) {
		struct ka_session *s = rd->sessions[i];

		if (!s || !ka_session_info(s, &info) || info.number != number || (waiting && !info.waiting))
			continue;
		act(s);
		ret = 0;
	}
	pthread_mutex_unlock(&rd->table_lock);
	return ret;
}

static void kick(struct ka_session *s)
{
	ka_session_stop(s, "Closed manually by the peer");
}

int ka_rd_kick(struct ka_rd *rd, uint32_t number)
{
	return with_session(rd, number, kick, false);
}

/* With the words "not allowed" clients do not call again by themselves. */
static void refuse(struct ka_session *s)
{
	ka_session_stop(s, "The connection was not allowed by the operator");
}

int ka_rd_refuse(struct ka_rd *rd, uint32_t number)
{
	return with_session(rd, number, refuse, true);
}

int ka_rd_approve(struct ka_rd *rd, uint32_t number)
{
	return with_session(rd, number, ka_session_approve, true);
}

void ka_rd_tell(struct ka_rd *rd, uint32_t number, const char *words)
{
	struct ka_chat_line line;

	ka_chat_text_clean(line.text, KA_MIN(sizeof(line.text), (size_t)KA_RD_WORDS_MAX + 1), words, "");
	ka_chat_room_tell(rd->chat, number, &line);
}

bool ka_rd_take_trusted(struct ka_rd *rd, char dst[static KA_RD_TRUSTED_MAX])
{
	static_assert(KA_RD_TRUSTED_MAX >= KA_TRUSTED_TEXT_MAX, "a whole list fits");
	return ka_gate_take_trusted(rd->gate, dst);
}

void ka_rd_on_otp(struct ka_rd *rd, struct ka_wake wake)
{
	ka_gate_on_otp(rd->gate, wake);
}

int ka_rd_check_addresses(const char *list, char *bad, size_t bad_size)
{
	return ka_allow_check_addresses(list, bad, bad_size);
}

void ka_rd_hash_password(char dst[static 2 * KA_RD_H1_LEN + 1], const char *password, const char *salt)
{
	uint8_t h1[KA_RD_H1_LEN];

	ka_keys_h1(h1, password, salt);
	ka_hex_encode(dst, h1, sizeof(h1));
	sodium_memzero(h1, sizeof(h1));
}

void ka_rd_serve_key(char dst[static KA_RD_KEY_TEXT], const struct ka_rd_identity *identity)
{
	uint8_t pk[32];
	uint8_t sk[64];

	ka_keys_serve_pair(pk, sk, identity->sign_sk);
	sodium_bin2base64(dst, KA_RD_KEY_TEXT, pk, sizeof(pk), sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(sk, sizeof(sk));
}
