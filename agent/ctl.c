/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ctl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl_proto.h"
#include "agent/ctl_request.h"
#include "agent/ctl_socket.h"
#include "base/clock.h"
#include "base/log.h"

/* At a time; a newcomer takes the place of the one who has been there longest, if that had time to say its line. */
#define MAX_CLIENTS 16
#define GRACE_MS 100
#define BACKLOG 64
/* To say the line, and again to take the answer. */
#define CLIENT_MS 5000

/* One connection. Its handles close a moment after it ends; until then the place is taken. */
struct client {
	struct ka_ctl *owner;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_write_t write;
	unsigned int open_handles; /* 0 = the place is free */
	bool closing;
	uint64_t number; /* who came first */
	uint64_t since_ms;
	bool allowed;
	uid_t uid;
	size_t len;
	char line[KA_CTL_REQUEST_MAX];
	char *reply;
};

struct ka_ctl {
	const struct ka_console *console;
	uv_loop_t *uv;
	struct ka_ctl_socket socket;
	uv_pipe_t listener;
	uv_timer_t room; /* somebody waits: when a place may be taken from somebody */
	bool listening;	 /* the handles are open */
	bool closed;
	bool someone_waits; /* to be accepted once a place is free */
	uint64_t last_number;
	struct client clients[MAX_CLIENTS];
};

static void accept_one(struct ka_ctl *c);

static void on_closed(uv_handle_t *h)
{
	struct client *k = h->data;
	struct ka_ctl *c = k->owner;

	if (--k->open_handles)
		return;
	/* It may have been the one-time password. */
	if (k->reply)
		explicit_bzero(k->reply, strlen(k->reply));
	free(k->reply);
	k->reply = NULL;
	if (c->someone_waits && !c->closed)
		accept_one(c);
}

static void drop(struct client *k)
{
	if (k->closing)
		return;
	k->closing = true;
	uv_close((uv_handle_t *)&k->pipe, on_closed);
	uv_close((uv_handle_t *)&k->timer, on_closed);
}

static void on_late(uv_timer_t *t)
{
	drop(t->data);
}

static void on_written(uv_write_t *w, int status)
{
	(void)status;
	drop(w->data);
}

static void send_reply(struct client *k)
{
	static const char newline[] = "\n";
	uv_buf_t bufs[2];

	if (!k->reply) {
		drop(k);
		return;
	}
	bufs[0] = uv_buf_init(k->reply, (unsigned int)strlen(k->reply));
	bufs[1] = (uv_buf_t){.base = (char *)(uintptr_t)newline, .len = 1};
	k->write.data = k;
	uv_timer_start(&k->timer, on_late, CLIENT_MS, 0);
	if (uv_write(&k->write, (uv_stream_t *)&k->pipe, bufs, 2, on_written) < 0)
		drop(k);
}

/* NULL: no memory. */
static char *carry_out(const struct client *k)
{
	const struct ka_console_caller caller = {.where = KA_CONSOLE_SOCKET, .uid = k->uid};
	struct ka_ctl_request request;
	struct ka_console_answer answer;
	char *reply = NULL;
	int ret;

	if (!k->allowed)
		return ka_ctl_request_refusal(
			KA_CONSOLE_REFUSED, "you may not command this device: only root and members of its group may");
	ret = ka_ctl_request_parse(&request, k->line, k->len);
	if (ret == -KA_E_PEER)
		return ka_ctl_request_refusal(KA_CONSOLE_USAGE, "the request is no array of words");
	if (ret < 0)
		return NULL;
	ret = ka_console_run(k->owner->console, &caller, request.n, request.words, &answer);
	ka_ctl_request_fini(&request);
	if (ret < 0)
		return NULL;
	reply = ka_ctl_request_reply(&answer);
	ka_console_answer_fini(&answer);
	return reply;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *k = h->data;

	(void)suggested;
	*buf = uv_buf_init(k->line + k->len, (unsigned int)(sizeof(k->line) - k->len));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct client *k = s->data;
	char *end;

	if (n < 0) {
		drop(k);
		return;
	}
	end = memchr(buf->base, '\n', (size_t)n);
	k->len += (size_t)n;
	if (!end && k->len < sizeof(k->line))
		return;
	uv_read_stop(s);
	if (end) {
		k->len = (size_t)(end - k->line);
		k->reply = carry_out(k);
	} else {
		k->reply = ka_ctl_request_refusal(KA_CONSOLE_USAGE, "the request is too long");
	}
	send_reply(k);
}

static struct client *find_place(struct ka_ctl *c)
{
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		if (!c->clients[i].open_handles)
			return &c->clients[i];
	}
	return NULL;
}

static void on_room(uv_timer_t *t)
{
	struct ka_ctl *c = t->data;

	if (c->someone_waits)
		accept_one(c);
}

static void make_room(struct ka_ctl *c)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		struct client *k = &c->clients[i];

		if (k->closing)
			return; /* a place is about to be free */
		if (!oldest || k->number < oldest->number)
			oldest = k;
	}
	if (uv_now(c->uv) - oldest->since_ms >= GRACE_MS)
		drop(oldest);
	else
		uv_timer_start(&c->room, on_room, GRACE_MS - (uv_now(c->uv) - oldest->since_ms), 0);
}

static void judge(struct client *k)
{
	uv_os_fd_t fd;
	int ret = uv_fileno((uv_handle_t *)&k->pipe, &fd);

	if (!ret)
		ret = ka_ctl_socket_peer(&k->owner->socket, fd, &k->uid);
	k->allowed = !ret;
	if (ret < 0)
		ka_log_every(WARN, KA_SEC(1), "ctl", "refused", "uid=%u cause=\"%s\"", (unsigned int)k->uid,
			     ka_err_str(ret));
}

static void accept_one(struct ka_ctl *c)
{
	struct client *k = find_place(c);

	c->someone_waits = !k;
	if (!k) {
		make_room(c);
		return;
	}
	*k = (struct client){.owner = c, .open_handles = 2, .number = ++c->last_number, .since_ms = uv_now(c->uv)};
	uv_pipe_init(c->uv, &k->pipe, 0);
	uv_timer_init(c->uv, &k->timer);
	k->pipe.data = k->timer.data = k;
	if (uv_accept((uv_stream_t *)&c->listener, (uv_stream_t *)&k->pipe) < 0) {
		drop(k);
		return;
	}
	judge(k);
	uv_timer_start(&k->timer, on_late, CLIENT_MS, 0);
	if (uv_read_start((uv_stream_t *)&k->pipe, on_alloc, on_read) < 0)
		drop(k);
}

static void on_connection(uv_stream_t *s, int status)
{
	if (status < 0)
		ka_log_every(WARN, KA_SEC(1), "ctl", "accept-failed", "cause=\"%s\"", ka_err_str(status));
	else
		accept_one(s->data);
}

int ka_ctl_new(struct ka_ctl **out, const struct ka_ctl_cfg *cfg, struct ka_errbuf *eb)
{
	struct ka_ctl *c = calloc(1, sizeof(*c));
	int ret;

	if (!c) {
		ka_errbuf_set(eb, "%s", ka_err_str(-ENOMEM));
		return -ENOMEM;
	}
	c->console = cfg->console;
	c->uv = cfg->uv;
	ret = ka_ctl_socket_open(&c->socket, cfg->dir, cfg->group, eb);
	if (ret < 0) {
		free(c);
		return ret;
	}
	*out = c;
	return 0;
}

int ka_ctl_start(struct ka_ctl *c)
{
	int ret;

	uv_pipe_init(c->uv, &c->listener, 0);
	uv_timer_init(c->uv, &c->room);
	c->listening = true;
	c->listener.data = c->room.data = c;
	ret = uv_pipe_open(&c->listener, c->socket.fd);
	if (ret < 0)
		return ret;
	c->socket.fd = -1; /* the handle's now */
	ret = uv_listen((uv_stream_t *)&c->listener, BACKLOG, on_connection);
	if (!ret)
		ka_log(INFO, "ctl", "listening", "file=%s", c->socket.path);
	return ret;
}

void ka_ctl_close(struct ka_ctl *c)
{
	if (!c || c->closed)
		return;
	c->closed = true;
	/* First: whoever finds the file must find somebody who listens. */
	ka_ctl_socket_close(&c->socket);
	if (c->listening) {
		uv_close((uv_handle_t *)&c->listener, NULL);
		uv_close((uv_handle_t *)&c->room, NULL);
	}
	for (size_t i = 0; i < MAX_CLIENTS; i++) {
		if (c->clients[i].open_handles)
			drop(&c->clients[i]);
	}
}

void ka_ctl_free(struct ka_ctl *c)
{
	if (!c)
		return;
	assert(c->closed);
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		assert(!c->clients[i].open_handles);
	free(c);
}
