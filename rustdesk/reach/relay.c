/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/relay.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "rustdesk/reach/call_rules.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/fdwait.h"

#define PAIRING_MS 10

struct ka_relay {
	const struct ka_reach_env *env;
	struct ka_rdv_call call;
	bool offer;
	char host[KA_RDV_HOST_MAX + 1]; /* of the relay, with or without port */
	char uuid[KA_RDV_UUID_MAX + 1];
	struct ka_dial *hbbs_dial;
	struct ka_dial *relay_dial;
	struct ka_fdwait *pause;
	int hbbs_fd;
	int relay_fd;
	int relay_error; /* cause why there is no relay_fd */
	ka_relay_fn done;
	void *arg;
};

void ka_relay_uuid(char dst[static KA_RELAY_UUID_TEXT])
{
	static const uint8_t groups[] = {4, 2, 2, 2, 6};
	uint8_t b[16];
	size_t at = 0;

	randombytes_buf(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t g = 0; g < sizeof(groups); g++) {
		ka_hex_encode(dst, b + at, groups[g]);
		dst += 2 * groups[g];
		at += groups[g];
		*dst++ = g + 1 < sizeof(groups) ? '-' : '\0';
	}
}

void ka_relay_free(struct ka_relay *r)
{
	if (!r)
		return;
	ka_dial_free(r->hbbs_dial);
	ka_dial_free(r->relay_dial);
	ka_fdwait_free(r->pause);
	if (r->hbbs_fd >= 0)
		close(r->hbbs_fd);
	if (r->relay_fd >= 0)
		close(r->relay_fd);
	free(r);
}

static void finish(struct ka_relay *r, int status, struct ka_incoming *in)
{
	ka_relay_fn done = r->done;
	void *arg = r->arg;

	ka_relay_free(r);
	done(arg, status, in);
}

/* The first bytes of a connection always fit its send buffer. */
static int send_framed(int fd, struct ka_rdv_buf *b)
{
	int ret = ka_rdv_frame(b);

	if (ret < 0)
		return ret;
	return send(fd, b->data, b->len, MSG_NOSIGNAL) == (ssize_t)b->len ? 0 : -EIO;
}

static int tell_controller(const struct ka_relay *r)
{
	const struct ka_reach_env *env = r->env;
	char reason[96];
	struct ka_rdv_buf b;
	int ret;

	if (r->offer)
		/* Without a relay, too: the controller then fails at once, by its own attempt. */
		ret = ka_rdv_relay_offer(&b, &r->call, r->uuid, r->host, env->identity->id, env->rd->version);
	else if (r->relay_fd >= 0)
		ret = ka_rdv_relay_accept(&b, &r->call, env->rd->version);
	else {
		snprintf(reason, sizeof(reason), "The device failed to connect to the relay: %s",
			 ka_dial_words(r->relay_error));
		ret = ka_rdv_relay_refuse(&b, &r->call, reason, env->rd->version);
	}
	return ret < 0 ? ret : send_framed(r->hbbs_fd, &b);
}

static void conclude(struct ka_relay *r)
{
	struct ka_incoming in = {.fd = r->relay_fd, .path = KA_PATH_RELAY, .peer = r->call.peer};
	int ret = tell_controller(r);

	if (r->relay_fd < 0)
		ret = r->relay_error;
	if (ret < 0) {
		finish(r, ret, NULL);
		return;
	}
	in.secure = r->offer || r->call.secure;
	r->relay_fd = -1;
	finish(r, 0, &in);
}

static void on_pause_over(void *arg, int status)
{
	struct ka_relay *r = arg;

	(void)status;
	r->pause = NULL;
	conclude(r);
}

/* Goes on when both connections have succeeded or failed. */
static void advance(struct ka_relay *r)
{
	if (r->hbbs_dial || r->relay_dial)
		return;
	/* hbbr looks for the other leg and parks this one under two locks: legs that arrive together can miss each
	 * other. So the controller hears of it a moment later. */
	if (r->relay_fd < 0 ||
	    ka_fdwait_new(&r->pause, r->env->uv, r->relay_fd, UV_READABLE, PAIRING_MS, on_pause_over, r) < 0)
		conclude(r);
}

static int greet_relay(const struct ka_relay *r)
{
	struct ka_rdv_buf b;
	int ret = ka_rdv_request_relay(&b, r->uuid, r->env->rd->key);

	return ret < 0 ? ret : send_framed(r->relay_fd, &b);
}

/* A stranger who knows our id can name any relay: services of this machine are none of his business. */
static bool may_relay_by(const struct ka_relay *r)
{
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);

	if (r->offer || getpeername(r->relay_fd, (struct sockaddr *)&to, &len) < 0)
		return r->offer;
	return !ka_addr_is_own(&to) || ka_addr_same_host(&to, &r->env->server);
}

static void on_relay(void *arg, int fd)
{
	struct ka_relay *r = arg;
	int ret = fd;

	r->relay_dial = NULL;
	if (fd >= 0) {
		r->relay_fd = fd;
		ret = may_relay_by(r) ? greet_relay(r) : -EACCES;
	}
	if (ret < 0) {
		ka_log(WARN, "relay", "not connected", "relay=%s cause=\"%s\"", r->host, ka_dial_words(ret));
		r->relay_error = ret;
		if (r->relay_fd >= 0)
			close(r->relay_fd);
		r->relay_fd = -1;
	}
	advance(r);
}

static void on_hbbs(void *arg, int fd)
{
	struct ka_relay *r = arg;

	r->hbbs_dial = NULL;
	if (fd < 0) {
		ka_log(WARN, "relay", "given up", "cause=\"hbbs by TCP: %s\"", ka_dial_words(fd));
		finish(r, fd, NULL);
		return;
	}
	r->hbbs_fd = fd;
	advance(r);
}

/* A relay the controller has chosen is taken as it is; ours is a matter of configuration. */
static int choose(struct ka_relay *r)
{
	const struct ka_reach_env *env = r->env;

	if (!r->offer) {
		memcpy(r->uuid, r->call.uuid, sizeof(r->uuid));
		if (*r->call.relay_server) {
			memcpy(r->host, r->call.relay_server, sizeof(r->host));
			return 0;
		}
	} else {
		ka_relay_uuid(r->uuid);
	}
	return ka_call_rules_relay(r->host, sizeof(r->host), env->rd->relay, r->call.relay_server, env->host,
				   env->port);
}

int ka_relay_new(struct ka_relay **out, const struct ka_reach_env *env, const struct ka_rdv_call *call, bool offer,
		 ka_relay_fn done, void *arg)
{
	struct ka_relay *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return -ENOMEM;
	*r = (struct ka_relay){
		.env = env, .call = *call, .offer = offer, .hbbs_fd = -1, .relay_fd = -1, .done = done, .arg = arg};
	ret = choose(r);
	if (ret == 0)
		ret = ka_dial_addr(&r->hbbs_dial, env->uv, &env->server, NULL, env->timing.connect_ms, on_hbbs, r);
	if (ret == 0) {
		r->relay_error = ka_dial_host(&r->relay_dial, env->relay_names, r->host, KA_HBBR_PORT,
					      env->timing.connect_ms, on_relay, r);
		if (r->relay_error < 0)
			ka_log(WARN, "relay", "not connected", "relay=%s cause=\"%s\"", r->host,
			       ka_dial_words(r->relay_error));
	}
	if (ret < 0) {
		ka_relay_free(r);
		return ret;
	}
	*out = r;
	return 0;
}
