/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/gate.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "rustdesk/session/lockout.h"
#include "rustdesk/wire/keys.h"

/* After so many failures against the same value it is replaced, as stock does. */
#define OTP_FAILURES 10
#define OTP_MAX 32

struct ka_gate {
	pthread_mutex_t lock; /* guards all below but the immutable settings */
	unsigned int otp_length;
	unsigned int max_controllers;
	char salt[64];
	bool has_permanent;
	uint8_t permanent_h1[KA_KEYS_HASH];
	struct ka_wake otp_wake;

	char otp[OTP_MAX + 1];
	uint8_t otp_h1[KA_KEYS_HASH];
	unsigned int otp_failures;
	unsigned int controllers;
	struct ka_lockout lockout;
};

static void new_otp(struct ka_gate *g)
{
	if (!g->otp_length)
		return;
	ka_keys_random_text(g->otp, g->otp_length);
	ka_keys_h1(g->otp_h1, g->otp, g->salt);
	g->otp_failures = 0;
}

int ka_gate_new(struct ka_gate **out, const struct ka_gate_cfg *cfg)
{
	struct ka_gate *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	pthread_mutex_init(&g->lock, NULL);
	g->otp_length = KA_MIN(cfg->otp_length, (unsigned int)OTP_MAX);
	g->max_controllers = cfg->max_controllers;
	ka_str_copy(g->salt, sizeof(g->salt), cfg->salt);
	g->has_permanent = cfg->password[0] != '\0';
	if (g->has_permanent)
		ka_keys_h1(g->permanent_h1, cfg->password, g->salt);
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

/* Both are always computed, so that the time taken tells nothing. */
static bool matches(const struct ka_gate *g, const char *challenge, const uint8_t *answer, size_t len)
{
	bool otp = ka_keys_check(g->otp_h1, challenge, answer, len);
	bool permanent = ka_keys_check(g->permanent_h1, challenge, answer, len);

	return (otp && g->otp_length) || (permanent && g->has_permanent);
}

static enum ka_gate_verdict judge(struct ka_gate *g, const struct sockaddr_storage *from, const char *challenge,
				  const uint8_t *answer, size_t answer_len)
{
	int64_t now = ka_clock_us();

	if (!g->has_permanent && !g->otp_length)
		return KA_GATE_NO_PASSWORD;
	switch (ka_lockout_check(&g->lockout, from, now)) {
	case KA_LOCKOUT_MINUTE:
		return KA_GATE_TRY_LATER;
	case KA_LOCKOUT_CLOSED:
		return KA_GATE_LOCKED_OUT;
	case KA_LOCKOUT_OPEN:
		break;
	}
	if (!matches(g, challenge, answer, answer_len)) {
		ka_lockout_fail(&g->lockout, from, now);
		g->otp_failures++;
		return KA_GATE_WRONG_PASSWORD;
	}
	if (g->controllers >= g->max_controllers)
		return KA_GATE_FULL;
	ka_lockout_success(&g->lockout, from);
	g->controllers++;
	return KA_GATE_WELCOME;
}

enum ka_gate_verdict ka_gate_enter(struct ka_gate *g, const struct sockaddr_storage *from, const char *challenge,
				   const uint8_t *answer, size_t answer_len)
{
	enum ka_gate_verdict v;
	bool renewed;

	pthread_mutex_lock(&g->lock);
	v = judge(g, from, challenge, answer, answer_len);
	renewed = g->otp_length && g->otp_failures >= OTP_FAILURES;
	if (renewed)
		new_otp(g);
	pthread_mutex_unlock(&g->lock);
	if (renewed)
		ka_wake_call(&g->otp_wake);
	return v;
}

void ka_gate_leave(struct ka_gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->controllers--;
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
