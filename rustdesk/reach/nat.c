/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/nat.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/fdwait.h"
#include "rustdesk/wire/framing.h"

#define ANSWER_MAX 1024u

struct ka_nat_test {
	const struct ka_reach_env *env;
	uv_timer_t *timer; /* closes and frees itself */
	struct sockaddr_storage local;
	unsigned int failures;
	int ports[2]; /* as the server saw them */
	unsigned int stage;
	int32_t serial;
	int fd;
	struct ka_dial *dial;
	struct ka_fdwait *wait;
	struct ka_framer framer;
	struct ka_pb pb;
	ka_nat_fn done;
	void *arg;
};

unsigned int ka_nat_pause_ms(const struct ka_reach_timing *timing, unsigned int failures)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < failures && n * timing->nat_retry_ms < timing->nat_retry_max_ms; i++)
		n = 2 * n + 1;
	return KA_MIN(n * timing->nat_retry_ms, timing->nat_retry_max_ms);
}

static void drop_connection(struct ka_nat_test *t)
{
	ka_dial_free(t->dial);
	ka_fdwait_free(t->wait);
	t->dial = NULL;
	t->wait = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	ka_framer_fini(&t->framer);
	ka_framer_init(&t->framer, ANSWER_MAX);
}

static void on_timer(uv_timer_t *timer);

static void fail(struct ka_nat_test *t, int cause)
{
	unsigned int pause_ms;

	drop_connection(t);
	t->failures++;
	pause_ms = ka_nat_pause_ms(&t->env->timing, t->failures);
	ka_log(DEBUG, "nat", "test failed", "port=%u cause=\"%s\" again_in_ms=%u", t->env->port - t->stage,
	       ka_dial_words(cause), pause_ms);
	ka_timer_once(t->timer, on_timer, pause_ms);
}

static void on_dialled(void *arg, int fd);

static void dial_stage(struct ka_nat_test *t)
{
	struct sockaddr_storage to = t->env->server;
	int ret;

	ka_addr_set_port(&to, (uint16_t)(t->env->port - t->stage));
	ret = ka_dial_addr(&t->dial, t->env->uv, &to, t->stage ? &t->local : NULL, t->env->timing.connect_ms,
			   on_dialled, t);
	if (ret < 0)
		fail(t, ret);
}

static void on_timer(uv_timer_t *timer)
{
	struct ka_nat_test *t = timer->data;

	t->stage = 0;
	t->serial = 0;
	dial_stage(t);
}

static void take_answer(struct ka_nat_test *t, const uint8_t *payload, size_t len)
{
	struct ka_rdv_in in;

	if (ka_rdv_read(&t->pb, &in, payload, len) < 0 || in.kind != KA_RDV_TEST_NAT_RESPONSE || in.test.port < 1 ||
	    in.test.port > UINT16_MAX) {
		fail(t, -KA_E_PEER);
		return;
	}
	t->ports[t->stage] = in.test.port;
	if (in.test.serial)
		t->serial = in.test.serial;
	drop_connection(t);
	if (t->stage++ == 0) {
		dial_stage(t);
		return;
	}
	t->failures = 0;
	t->done(t->arg, t->ports[0] == t->ports[1] ? KA_NAT_ASYMMETRIC : KA_NAT_SYMMETRIC, t->serial);
}

static void on_readable(void *arg, int status);

static int await_answer(struct ka_nat_test *t)
{
	return ka_fdwait_new(&t->wait, t->env->uv, t->fd, UV_READABLE, t->env->timing.connect_ms, on_readable, t);
}

static void on_readable(void *arg, int status)
{
	struct ka_nat_test *t = arg;
	uint8_t *payload;
	size_t room;
	size_t len;
	uint8_t *at = ka_framer_room(&t->framer, &room);
	ssize_t n;

	t->wait = NULL;
	if (status == 0) {
		n = at ? read(t->fd, at, room) : 0;
		status = n > 0 ? 0 : n < 0 ? -errno : -ECONNRESET;
	}
	if (status == -EAGAIN) {
		status = await_answer(t);
	} else if (status == 0) {
		ka_framer_filled(&t->framer, (size_t)n);
		status = ka_framer_next(&t->framer, &payload, &len);
		if (status == 1) {
			take_answer(t, payload, len);
			return;
		}
		if (status == 0)
			status = await_answer(t);
	}
	if (status < 0)
		fail(t, status);
}

static void on_dialled(void *arg, int fd)
{
	struct ka_nat_test *t = arg;
	socklen_t len = sizeof(t->local);
	struct ka_rdv_buf b = {.len = 0};
	int ret = fd;

	t->dial = NULL;
	t->fd = fd < 0 ? -1 : fd;
	if (fd >= 0 && t->stage == 0)
		ret = getsockname(fd, (struct sockaddr *)&t->local, &len) < 0 ? -errno : 0;
	if (ret >= 0)
		ret = ka_rdv_test_nat(&b, t->env->serial);
	if (ret == 0)
		ret = ka_rdv_frame(&b);
	if (ret == 0 && send(fd, b.data, b.len, MSG_NOSIGNAL) != (ssize_t)b.len)
		ret = -EIO;
	if (ret == 0)
		ret = await_answer(t);
	if (ret < 0)
		fail(t, ret);
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h);
}

int ka_nat_new(struct ka_nat_test **out, const struct ka_reach_env *env, ka_nat_fn done, void *arg)
{
	struct ka_nat_test *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->timer = calloc(1, sizeof(*t->timer));
	if (!t->timer) {
		free(t);
		return -ENOMEM;
	}
	uv_timer_init(env->uv, t->timer);
	t->timer->data = t;
	t->env = env;
	t->fd = -1;
	t->done = done;
	t->arg = arg;
	ka_framer_init(&t->framer, ANSWER_MAX);
	ka_pb_init(&t->pb, KA_RDV_BUDGET);
	*out = t;
	return 0;
}

void ka_nat_restart(struct ka_nat_test *t)
{
	drop_connection(t);
	t->failures = 0;
	ka_timer_once(t->timer, on_timer, 0);
}

void ka_nat_free(struct ka_nat_test *t)
{
	if (!t)
		return;
	drop_connection(t);
	ka_framer_fini(&t->framer);
	ka_pb_fini(&t->pb);
	uv_close((uv_handle_t *)t->timer, on_timer_closed);
	free(t);
}
