/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/punch.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rustdesk/reach/call_rules.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/fdwait.h"

/* Further connects towards a controller whose machine refuses until it connects itself. */
#define REOPENS 10
#define REOPEN_MS 200

struct ka_punch {
	const struct ka_reach_env *env;
	struct ka_rdv_call call;
	struct sockaddr_storage local; /* L */
	int hbbs_fd;
	int listen_fd;
	bool told;
	unsigned int reopens; /* left */
	int64_t deadline_us;  /* for the controller */
	struct ka_dial *dial; /* to hbbs, then towards the controller */
	struct ka_fdwait *wait;
	ka_punch_fn done;
	void *arg;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ka_punch_free(struct ka_punch *p)
{
	if (!p)
		return;
	ka_dial_free(p->dial);
	ka_fdwait_free(p->wait);
	close_fd(&p->hbbs_fd);
	close_fd(&p->listen_fd);
	free(p);
}

bool ka_punch_listening(const struct ka_punch *p)
{
	return p->told;
}

static void finish(struct ka_punch *p, int status, struct ka_incoming *in)
{
	ka_punch_fn done = p->done;
	void *arg = p->arg;
	bool told = p->told;

	ka_punch_free(p);
	done(arg, status, told, in);
}

static struct ka_incoming arrival(const struct ka_punch *p)
{
	return (struct ka_incoming){
		.path = p->call.kind == KA_RDV_PUNCH_HOLE ? KA_PATH_PUNCHED : KA_PATH_LAN,
		.secure = true,
		.peer = p->call.peer,
	};
}

static int accept_one(struct ka_punch *p, struct ka_incoming *in)
{
	const int on = 1;
	socklen_t len = sizeof(in->peer);

	*in = arrival(p);
	in->fd = accept4(p->listen_fd, (struct sockaddr *)&in->peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (in->fd < 0)
		return -errno;
	setsockopt(in->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return 0;
}

static void on_caller(void *arg, int status);

static bool wants_reopening(const struct ka_punch *p)
{
	return !p->dial && p->reopens;
}

static int await_caller(struct ka_punch *p)
{
	int64_t left_us = p->deadline_us - ka_clock_us();

	if (wants_reopening(p))
		left_us = KA_MIN(left_us, KA_MS(REOPEN_MS));
	return ka_fdwait_new(&p->wait, p->env->uv, p->listen_fd, UV_READABLE,
			     left_us > 0 ? (uint64_t)left_us / 1000 : 0, on_caller, p);
}

static void on_opened(void *arg, int fd);

static void open_nat(struct ka_punch *p)
{
	if (ka_dial_addr(&p->dial, p->env->uv, &p->call.peer, &p->local, p->env->timing.accept_ms, on_opened, p) < 0)
		p->reopens = 0;
}

static void on_caller(void *arg, int status)
{
	struct ka_punch *p = arg;
	struct ka_incoming in;

	p->wait = NULL;
	if (status == 0)
		status = accept_one(p, &in);
	if (status == -ETIMEDOUT && wants_reopening(p) && ka_clock_us() < p->deadline_us) {
		p->reopens--;
		open_nat(p);
		status = -EAGAIN;
	}
	/* A connection that was reset before we took it does not count. */
	if (status == -EAGAIN || status == -ECONNABORTED || status == -EINTR) {
		status = await_caller(p);
		if (status == 0)
			return;
	}
	finish(p, status, status == 0 ? &in : NULL);
}

static int build_answer(struct ka_punch *p, struct ka_rdv_buf *b)
{
	const struct ka_reach_env *env = p->env;
	char relay[KA_RDV_HOST_MAX + 1];
	int ret = ka_call_rules_relay(relay, sizeof(relay), env->rd->relay, p->call.relay_server, env->host, env->port);

	if (ret < 0)
		return ret;
	if (p->call.kind == KA_RDV_PUNCH_HOLE)
		ret = ka_rdv_punch_hole_sent(b, &p->call, env->identity->id, relay, env->nat, env->rd->version);
	else
		ret = ka_rdv_local_addr(b, &p->call, &p->local, (uint32_t)ka_clock_wall_us(), env->identity->id, relay,
					env->rd->version);
	return ret < 0 ? ret : ka_rdv_frame(b);
}

static void answer_and_wait(struct ka_punch *p)
{
	struct ka_rdv_buf b;
	int ret = build_answer(p, &b);

	/* The first bytes of a connection always fit its send buffer. */
	if (ret == 0 && send(p->hbbs_fd, b.data, b.len, MSG_NOSIGNAL) != (ssize_t)b.len)
		ret = -EIO;
	close_fd(&p->hbbs_fd);
	if (ret == 0) {
		p->told = true;
		p->deadline_us = ka_clock_us() + KA_MS(p->env->timing.accept_ms);
		ret = await_caller(p);
	}
	if (ret < 0)
		finish(p, ret, NULL);
}

/* Our connect and the controller's met half-way, or ours came too early: then it goes out again, because a router
 * closes the way that was refused. */
static void on_opened(void *arg, int fd)
{
	struct ka_punch *p = arg;
	struct ka_incoming in = arrival(p);
	int ret;

	p->dial = NULL;
	if (fd >= 0 && p->told) {
		in.fd = fd;
		finish(p, 0, &in);
		return;
	}
	/* Whoever takes it before the controller has been told is not the controller. */
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		p->reopens = 0;
	if (!p->told || !p->reopens)
		return;
	ka_fdwait_free(p->wait);
	p->wait = NULL;
	ret = await_caller(p);
	if (ret < 0)
		finish(p, ret, NULL);
}

/* The SYN had time to pass our NAT. */
static void on_open_time(void *arg, int status)
{
	struct ka_punch *p = arg;

	(void)status;
	p->wait = NULL;
	answer_and_wait(p);
}

static int listen_on_local(struct ka_punch *p)
{
	socklen_t len = sizeof(p->local);

	if (getsockname(p->hbbs_fd, (struct sockaddr *)&p->local, &len) < 0)
		return -errno;
	p->listen_fd = ka_dial_socket(p->local.ss_family, &p->local);
	if (p->listen_fd < 0)
		return p->listen_fd;
	return listen(p->listen_fd, 1) < 0 ? -errno : 0;
}

static void on_hbbs(void *arg, int fd)
{
	struct ka_punch *p = arg;
	int ret = fd < 0 ? fd : 0;

	p->dial = NULL;
	p->hbbs_fd = fd < 0 ? -1 : fd;
	if (ret == 0)
		ret = listen_on_local(p);
	if (ret < 0) {
		ka_log(WARN, "punch", "no port for the controller", "cause=\"%s\"", ka_dial_words(ret));
		finish(p, ret, NULL);
		return;
	}
	if (p->call.kind == KA_RDV_PUNCH_HOLE) {
		p->reopens = REOPENS;
		open_nat(p);
	}
	if (!p->dial ||
	    ka_fdwait_new(&p->wait, p->env->uv, p->listen_fd, UV_READABLE, p->env->timing.open_ms, on_open_time, p) < 0)
		answer_and_wait(p);
}

int ka_punch_new(struct ka_punch **out, const struct ka_reach_env *env, const struct ka_rdv_call *call,
		 ka_punch_fn done, void *arg)
{
	struct ka_punch *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return -ENOMEM;
	*p = (struct ka_punch){.env = env, .call = *call, .hbbs_fd = -1, .listen_fd = -1, .done = done, .arg = arg};
	ret = ka_dial_addr(&p->dial, env->uv, &env->server, NULL, env->timing.connect_ms, on_hbbs, p);
	if (ret < 0) {
		ka_punch_free(p);
		return ret;
	}
	*out = p;
	return 0;
}
