/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/gate.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "rustdesk/session/allow.h"
#include "rustdesk/session/lockout.h"
#include "rustdesk/session/totp.h"
#include "rustdesk/wire/keys.h"

/* After so many failures against the same value it is replaced, as stock does. */
#define OTP_FAILURES 10
#define OTP_MAX 32
#define RECENT_MAX 16
/* Whoever fails here has the password already, and there are but a million codes. */
#define CODES_PER_MINUTE 10

/* One password. */
struct door {
	bool open; /* there is such a password */
	const char *profile;
	uint32_t permissions;
	uint8_t h1[KA_KEYS_HASH];
};

/* A dropped session that may resume. */
struct recent {
	uint8_t who[32];
	uint64_t session_id; /* 0 = free */
	struct ka_gate_pass pass;
	int64_t at_us;
};

enum { DOOR_OTP, DOOR_PERMANENT, DOOR_ACCESS, DOORS = DOOR_ACCESS + KA_RD_MAX_ACCESS };

struct ka_gate {
	pthread_mutex_t lock; /* guards all below but the immutable settings */
	unsigned int otp_length;
	bool otp_numeric;
	unsigned int max_controllers;
	char salt[64];
	struct ka_wake otp_wake;

	struct door doors[DOORS]; /* but for the one-time password's h1 immutable */
	char otp[OTP_MAX + 1];
	unsigned int otp_failures;
	unsigned int controllers;
	const char *allow_ids;
	struct ka_lockout passwords, ids, codes;
	uint8_t totp_key[KA_TOTP_KEY_MAX];
	size_t totp_key_len;
	int64_t totp_step; /* of the last code taken */
	unsigned int trusted_days;
	struct ka_trusted trusted;
	bool trusted_changed;
	struct recent recent[RECENT_MAX];
};

static void new_otp(struct ka_gate *g)
{
	if (!g->otp_length)
		return;
	ka_keys_random_text(g->otp, g->otp_length);
	for (size_t i = 0; g->otp_numeric && i < g->otp_length; i++)
		g->otp[i] = (char)('0' + randombytes_uniform(10));
	ka_keys_h1(g->doors[DOOR_OTP].h1, g->otp, g->salt);
	g->otp_failures = 0;
}

static void build_doors(struct ka_gate *g, const struct ka_gate_cfg *cfg)
{
	struct door *permanent = &g->doors[DOOR_PERMANENT];

	g->doors[DOOR_OTP] = (struct door){g->otp_length > 0, "one-time", cfg->permissions, {0}};
	*permanent = (struct door){cfg->password_h1 || cfg->password[0], "permanent", cfg->permissions, {0}};
	if (cfg->password_h1)
		memcpy(permanent->h1, cfg->password_h1, KA_KEYS_HASH);
	else if (permanent->open)
		ka_keys_h1(permanent->h1, cfg->password, g->salt);
	for (size_t i = 0; i < KA_MIN(cfg->n_access, (size_t)KA_RD_MAX_ACCESS); i++) {
		const struct ka_rd_access *a = &cfg->access[i];
		struct door *d = &g->doors[DOOR_ACCESS + i];

		*d = (struct door){true, a->name, a->permissions, {0}};
		memcpy(d->h1, a->h1, KA_KEYS_HASH);
	}
}

int ka_gate_new(struct ka_gate **out, const struct ka_gate_cfg *cfg)
{
	struct ka_gate *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	pthread_mutex_init(&g->lock, NULL);
	g->otp_length = KA_MIN(cfg->otp_length, (unsigned int)OTP_MAX);
	g->otp_numeric = cfg->otp_numeric;
	g->max_controllers = cfg->max_controllers;
	g->allow_ids = cfg->allow_ids;
	g->totp_key_len = KA_MIN(cfg->totp_key_len, sizeof(g->totp_key));
	if (g->totp_key_len)
		memcpy(g->totp_key, cfg->totp_key, g->totp_key_len);
	g->trusted_days = cfg->trusted_days;
	ka_trusted_parse(&g->trusted, cfg->trusted ? cfg->trusted : "");
	g->codes.overall_limit = CODES_PER_MINUTE;
	ka_str_copy(g->salt, sizeof(g->salt), cfg->salt);
	build_doors(g, cfg);
	new_otp(g);
	*out = g;
	return 0;
}

void ka_gate_free(struct ka_gate *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	sodium_memzero(g, sizeof(*g));
	free(g);
}

/* All are always computed, so that the time taken tells nothing. */
static const struct door *find_door(const struct ka_gate *g, const char *challenge, const uint8_t *answer, size_t len)
{
	const struct door *found = NULL;

	for (size_t i = DOORS; i-- > 0;) {
		if (ka_keys_check(g->doors[i].h1, challenge, answer, len) && g->doors[i].open)
			found = &g->doors[i];
	}
	return found;
}

static bool any_door(const struct ka_gate *g)
{
	bool any = false;

	for (size_t i = 0; i < DOORS; i++)
		any |= g->doors[i].open;
	return any;
}

static enum ka_gate_verdict limited(enum ka_lockout_verdict v)
{
	return (enum ka_gate_verdict)(KA_GATE_TRY_LATER + (v - KA_LOCKOUT_MINUTE));
}

const char *ka_gate_limit_words(enum ka_gate_verdict v)
{
	return ka_lockout_words((enum ka_lockout_verdict)(KA_LOCKOUT_MINUTE + (v - KA_GATE_TRY_LATER)));
}

enum ka_gate_verdict ka_gate_check_id(struct ka_gate *g, const struct ka_gate_claim *claim, const char *id)
{
	enum ka_gate_verdict v = KA_GATE_WELCOME;
	int64_t now = ka_clock_us();
	enum ka_lockout_verdict limit;

	pthread_mutex_lock(&g->lock);
	limit = ka_lockout_check(&g->ids, &claim->from, claim->relayed, now);
	if (limit) {
		v = limited(limit);
	} else if (!ka_allow_id(g->allow_ids, id)) {
		ka_lockout_fail(&g->ids, &claim->from, claim->relayed, now);
		v = KA_GATE_ID_BLOCKED;
	}
	pthread_mutex_unlock(&g->lock);
	return v;
}

static enum ka_gate_verdict take_place(struct ka_gate *g)
{
	if (g->controllers >= g->max_controllers)
		return KA_GATE_FULL;
	g->controllers++;
	return KA_GATE_WELCOME;
}

/* A dropped session of this client, if what it answers is the password it had then. */
static const struct recent *find_recent(const struct ka_gate *g, const struct ka_gate_claim *claim,
					const char *challenge, const uint8_t *answer, size_t len, int64_t now)
{
	for (size_t i = 0; i < RECENT_MAX; i++) {
		const struct recent *r = &g->recent[i];

		if (r->session_id && r->session_id == claim->session_id && !memcmp(r->who, claim->who, 32) &&
		    now - r->at_us < KA_SEC(KA_GATE_RESUME_S) && ka_keys_check(r->pass.h1, challenge, answer, len))
			return r;
	}
	return NULL;
}

static bool find_pass(const struct ka_gate *g, const struct ka_gate_claim *claim, const char *challenge,
		      const uint8_t *answer, size_t len, int64_t now, struct ka_gate_pass *pass)
{
	const struct recent *recent = find_recent(g, claim, challenge, answer, len, now);
	const struct door *door = find_door(g, challenge, answer, len);

	if (recent) {
		*pass = recent->pass;
		return true;
	}
	if (!door)
		return false;
	*pass = (struct ka_gate_pass){door->profile, door->permissions, door == &g->doors[DOOR_OTP], false, {0}};
	memcpy(pass->h1, door->h1, sizeof(pass->h1));
	return true;
}

static enum ka_gate_verdict judge(struct ka_gate *g, const struct ka_gate_claim *claim, const char *challenge,
				  const uint8_t *answer, size_t answer_len, struct ka_gate_pass *pass)
{
	int64_t now = ka_clock_us();
	enum ka_lockout_verdict limit;
	enum ka_gate_verdict v;

	if (!any_door(g))
		return KA_GATE_NO_PASSWORD;
	limit = ka_lockout_check(&g->passwords, &claim->from, claim->relayed, now);
	if (limit)
		return limited(limit);
	if (!find_pass(g, claim, challenge, answer, answer_len, now, pass)) {
		ka_lockout_fail(&g->passwords, &claim->from, claim->relayed, now);
		g->otp_failures++;
		return KA_GATE_WRONG_PASSWORD;
	}
	if (pass->otp)
		g->otp_failures = 0;
	pass->code = pass->code || (claim->has_hwid && ka_trusted_has(&g->trusted, claim->hwid,
								      ka_clock_wall_us() / KA_SEC(1), g->trusted_days));
	v = g->totp_key_len && !pass->code ? KA_GATE_NEEDS_CODE : take_place(g);
	if (v != KA_GATE_FULL)
		ka_lockout_success(&g->passwords, &claim->from, claim->relayed, now);
	return v;
}

static enum ka_gate_verdict judge_code(struct ka_gate *g, const struct ka_gate_claim *claim, const char *code,
				       struct ka_gate_pass *pass)
{
	int64_t wall_s = ka_clock_wall_us() / KA_SEC(1);
	int64_t now = ka_clock_us();
	enum ka_lockout_verdict limit = ka_lockout_check(&g->codes, &claim->from, claim->relayed, now);

	if (limit)
		return limited(limit);
	if (!g->totp_key_len || !ka_totp_check(g->totp_key, g->totp_key_len, code, wall_s, &g->totp_step)) {
		ka_lockout_fail(&g->codes, &claim->from, claim->relayed, now);
		return KA_GATE_WRONG_CODE;
	}
	ka_lockout_success(&g->codes, &claim->from, claim->relayed, now);
	pass->code = true;
	if (claim->has_hwid && g->trusted_days) {
		ka_trusted_add(&g->trusted, claim->hwid, claim->label, wall_s);
		g->trusted_changed = true;
	}
	return take_place(g);
}

enum ka_gate_verdict ka_gate_enter_code(struct ka_gate *g, const struct ka_gate_claim *claim, const char *code,
					struct ka_gate_pass *pass)
{
	enum ka_gate_verdict v;

	pthread_mutex_lock(&g->lock);
	v = judge_code(g, claim, code, pass);
	pthread_mutex_unlock(&g->lock);
	return v;
}

bool ka_gate_has_password(struct ka_gate *g)
{
	return any_door(g);
}

enum ka_gate_verdict ka_gate_admit(struct ka_gate *g, struct ka_gate_pass *pass)
{
	enum ka_gate_verdict v;

	*pass = (struct ka_gate_pass){.profile = "approved", .permissions = g->doors[DOOR_PERMANENT].permissions};
	pthread_mutex_lock(&g->lock);
	v = take_place(g);
	pthread_mutex_unlock(&g->lock);
	return v;
}

bool ka_gate_take_trusted(struct ka_gate *g, char dst[static KA_TRUSTED_TEXT_MAX])
{
	bool changed;

	pthread_mutex_lock(&g->lock);
	changed = g->trusted_changed;
	g->trusted_changed = false;
	if (changed)
		ka_trusted_format(&g->trusted, dst);
	pthread_mutex_unlock(&g->lock);
	return changed;
}

enum ka_gate_verdict ka_gate_enter(struct ka_gate *g, const struct ka_gate_claim *claim, const char *challenge,
				   const uint8_t *answer, size_t answer_len, struct ka_gate_pass *pass)
{
	enum ka_gate_verdict v;
	bool renewed;

	pthread_mutex_lock(&g->lock);
	v = judge(g, claim, challenge, answer, answer_len, pass);
	renewed = g->otp_length && g->otp_failures >= OTP_FAILURES;
	if (renewed)
		new_otp(g);
	pthread_mutex_unlock(&g->lock);
	if (renewed)
		ka_wake_call(&g->otp_wake);
	return v;
}

static void forget(struct ka_gate *g, const struct ka_gate_claim *claim)
{
	for (size_t i = 0; i < RECENT_MAX; i++) {
		struct recent *r = &g->recent[i];

		if (r->session_id == claim->session_id && !memcmp(r->who, claim->who, sizeof(r->who)))
			*r = (struct recent){0};
	}
}

static void remember(struct ka_gate *g, const struct ka_gate_claim *claim, const struct ka_gate_pass *pass,
		     int64_t last_us)
{
	struct recent *r = &g->recent[0];

	/* Who was let in by hand has no password to come back with. */
	if (!claim->session_id || sodium_is_zero(pass->h1, sizeof(pass->h1)))
		return;
	for (size_t i = 1; i < RECENT_MAX; i++) {
		if (g->recent[i].at_us < r->at_us)
			r = &g->recent[i];
	}
	memcpy(r->who, claim->who, sizeof(r->who));
	r->session_id = claim->session_id;
	r->pass = *pass;
	r->at_us = last_us;
}

static void hash_text(crypto_hash_sha256_state *st, const void *data, size_t len)
{
	uint64_t n = len;

	/* Lengths in front, so that no two lists of texts are alike. */
	crypto_hash_sha256_update(st, (const uint8_t *)&n, sizeof(n));
	crypto_hash_sha256_update(st, data, len);
}

void ka_gate_claim_who(struct ka_gate_claim *claim, const char *id, const char *name, const char *platform,
		       uint64_t session_id)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	hash_text(&st, id, strlen(id));
	hash_text(&st, name, strlen(name));
	hash_text(&st, platform, strlen(platform));
	crypto_hash_sha256_final(&st, claim->who);
	ka_log_escape(claim->label, sizeof(claim->label), id, strlen(id));
	claim->session_id = session_id;
}

void ka_gate_claim_hwid(struct ka_gate_claim *claim, const uint8_t *hwid, size_t len)
{
	crypto_hash_sha256_state st;

	claim->has_hwid = len > 0;
	if (!len)
		return;
	crypto_hash_sha256_init(&st);
	hash_text(&st, claim->who, sizeof(claim->who));
	hash_text(&st, hwid, len);
	crypto_hash_sha256_final(&st, claim->hwid);
}

void ka_gate_leave(struct ka_gate *g, const struct ka_gate_claim *claim, const struct ka_gate_pass *pass, bool dropped,
		   int64_t last_us)
{
	pthread_mutex_lock(&g->lock);
	g->controllers--;
	forget(g, claim);
	if (dropped)
		remember(g, claim, pass, last_us);
	new_otp(g);
	pthread_mutex_unlock(&g->lock);
	if (g->otp_length)
		ka_wake_call(&g->otp_wake);
}

unsigned int ka_gate_controllers(struct ka_gate *g)
{
	unsigned int n;

	pthread_mutex_lock(&g->lock);
	n = g->controllers;
	pthread_mutex_unlock(&g->lock);
	return n;
}

void ka_gate_get_otp(struct ka_gate *g, char *dst, size_t dst_size)
{
	pthread_mutex_lock(&g->lock);
	ka_str_copy(dst, dst_size, g->otp);
	pthread_mutex_unlock(&g->lock);
}

void ka_gate_on_otp(struct ka_gate *g, struct ka_wake wake)
{
	g->otp_wake = wake;
}
