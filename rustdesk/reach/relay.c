/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/relay.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "rustdesk/reach/call_rules.h"
#include "rustdesk/reach/dial.h"

struct ka_relay {
	const struct ka_reach_env *env;
	struct ka_rdv_call call;
	bool offer;
	char host[KA_RDV_HOST_MAX + 1]; /* of the relay, with or without port */
	char uuid[KA_RDV_UUID_MAX + 1];
	struct ka_dial *dial; /* to hbbs, then to the relay */
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
	ka_dial_free(r->dial);
	free(r);
}

static void finish(struct ka_relay *r, int status, struct ka_incoming *in)
{
	ka_relay_fn done = r->done;
	void *arg = r->arg;

	ka_relay_free(r);
	done(arg, status, in);
}

/* The session sends it ahead of its own first message, so that both leave in one piece. */
static int put_preamble(const struct ka_relay *r, struct ka_incoming *in)
{
	struct ka_rdv_buf b;
	int ret = ka_rdv_request_relay(&b, r->uuid, r->env->rd->key);

	if (ret == 0)
		ret = ka_rdv_frame(&b);
	if (ret < 0)
		return ret;
	if (b.len > sizeof(in->preamble))
		return -KA_E_TOO_BIG;
	memcpy(in->preamble, b.data, b.len);
	in->preamble_len = b.len;
	return 0;
}

static void on_relay(void *arg, int fd)
{
	struct ka_relay *r = arg;
	struct ka_incoming in = {.fd = fd, .path = KA_PATH_RELAY, .peer = r->call.peer};
	int ret;

	r->dial = NULL;
	if (fd < 0) {
		ka_log(WARN, "relay", "not connected", "relay=%s cause=\"%s\"", r->host, ka_dial_words(fd));
		finish(r, fd, NULL);
		return;
	}
	in.secure = r->offer || r->call.secure;
	ret = put_preamble(r, &in);
	if (ret < 0)
		close(fd);
	finish(r, ret, ret < 0 ? NULL : &in);
}

static int tell_controller(const struct ka_relay *r, int fd)
{
	const struct ka_reach_env *env = r->env;
	struct ka_rdv_buf b;
	int ret;

	if (r->offer)
		ret = ka_rdv_relay_offer(&b, &r->call, r->uuid, r->host, env->identity->id, env->rd->version);
	else
		ret = ka_rdv_relay_accept(&b, &r->call, env->rd->version);
	if (ret == 0)
		ret = ka_rdv_frame(&b);
	/* The first bytes of a connection always fit its send buffer. */
	if (ret == 0 && send(fd, b.data, b.len, MSG_NOSIGNAL) != (ssize_t)b.len)
		ret = -EIO;
	return ret;
}

static void on_hbbs(void *arg, int fd)
{
	struct ka_relay *r = arg;
	int ret = fd;

	r->dial = NULL;
	if (fd >= 0) {
		ret = tell_controller(r, fd);
		close(fd);
	}
	if (ret == 0)
		ret = ka_dial_host(&r->dial, r->env->uv, r->host, KA_HBBR_PORT, r->env->timing.connect_ms, on_relay, r);
	if (ret < 0) {
		ka_log(WARN, "relay", "given up", "relay=%s cause=\"%s\"", r->host, ka_dial_words(ret));
		finish(r, ret, NULL);
	}
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
	*r = (struct ka_relay){.env = env, .call = *call, .offer = offer, .done = done, .arg = arg};
	ret = choose(r);
	if (ret == 0)
		ret = ka_dial_addr(&r->dial, env->uv, &env->server, NULL, env->timing.connect_ms, on_hbbs, r);
	if (ret < 0) {
		ka_relay_free(r);
		return ret;
	}
	*out = r;
	return 0;
}
