/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/wire/conn.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/err.h"
#include "rustdesk/wire/framing.h"

/* Unsent bytes the kernel may hold: enough to keep a fast link busy between two wake-ups, little enough that input and
 * TestDelay are not stuck behind old video. */
#define NOTSENT_LOWAT_BYTES 131072

struct ka_conn {
	struct ka_conn_cfg cfg;
	uv_tcp_t tcp;
	struct ka_framer framer;
	struct ka_seal rx, tx;
	uv_shutdown_t shutdown;
	bool finished; /* shutdown is in use */
	bool sealed;
	bool closed;
	bool gone;	     /* libuv has closed the handle */
	bool disposed;	     /* nobody holds it any more */
	size_t held;	     /* memory of what is on its way out */
	uint64_t submitted;  /* bytes handed to uv so far */
	uint64_t last_taken; /* by the kernel, when ka_conn_stalled_us looked */
	int64_t last_moved_us;
};

/* One message on its way out. */
struct blob {
	uv_write_t req;
	size_t len;
	uint8_t data[];
};

static void end(struct ka_conn *c, int err)
{
	if (c->closed)
		return;
	ka_conn_close(c);
	c->cfg.on_end(c->cfg.arg, err);
}

static int deliver(struct ka_conn *c, uint8_t *data, size_t len)
{
	uint8_t *plain = data;
	size_t plain_len = len;
	int ret = 0;

	if (c->sealed)
		ret = ka_seal_open(&c->rx, data, len, &plain, &plain_len);
	if (ret < 0)
		return ret;
	return c->cfg.on_message(c->cfg.arg, plain, plain_len);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct ka_conn *c = h->data;
	size_t room;
	uint8_t *at = ka_framer_room(&c->framer, &room);

	(void)suggested;
	*buf = uv_buf_init((char *)at, (unsigned int)room);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct ka_conn *c = s->data;
	uint8_t *data;
	size_t len;
	int ret = 1;

	(void)buf;
	if (n <= 0) {
		if (n < 0)
			end(c, n == UV_EOF ? 0 : (int)n);
		return;
	}
	ka_framer_filled(&c->framer, (size_t)n);
	while (ret == 1 && !c->closed) {
		ret = ka_framer_next(&c->framer, &data, &len);
		if (ret == 1) {
			int handled = deliver(c, data, len);

			ret = handled < 0 ? handled : 1;
		}
	}
	if (ret < 0)
		end(c, ret);
}

static void on_written(uv_write_t *req, int status)
{
	struct ka_conn *c = req->handle->data;

	struct blob *b = KA_CONTAINER_OF(req, struct blob, req);

	c->held -= sizeof(*b) + b->len;
	free(b);
	if (c->closed)
		return;
	if (status < 0)
		end(c, status);
	else if (!ka_conn_pending(c))
		c->cfg.on_drained(c->cfg.arg);
}

static void on_stillborn(uv_handle_t *h)
{
	struct ka_conn *c = h->data;

	c->closed = true;
	ka_conn_free(c);
}

int ka_conn_new(struct ka_conn **out, const struct ka_conn_cfg *cfg, int fd)
{
	struct ka_conn *c = calloc(1, sizeof(*c));
	int lowat = NOTSENT_LOWAT_BYTES;
	int ret;

	ret = c ? uv_tcp_init(cfg->uv, &c->tcp) : -ENOMEM;
	if (ret < 0) {
		close(fd);
		free(c);
		return ret;
	}
	c->cfg = *cfg;
	c->last_taken = UINT64_MAX; /* the clock of stalls starts at the first look */
	ka_framer_init(&c->framer, cfg->in_limit);
	c->tcp.data = c;
	ret = uv_tcp_open(&c->tcp, fd);
	if (ret < 0) {
		close(fd);
	} else {
		uv_tcp_nodelay(&c->tcp, 1);
		/* Latency only; a socket without it still works. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
		ret = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	}
	if (ret < 0) {
		/* The handle is the loop's until its close has run. */
		uv_close((uv_handle_t *)&c->tcp, on_stillborn);
		return ret;
	}
	*out = c;
	return 0;
}

static struct blob *new_blob(size_t len)
{
	struct blob *b = malloc(sizeof(*b) + len);

	if (b)
		b->len = len;
	return b;
}

/* Consumes the blob. */
static int submit(struct ka_conn *c, struct blob *b)
{
	uv_buf_t buf = uv_buf_init((char *)b->data, (unsigned int)b->len);
	int ret;

	/* Small messages cost more memory than their bytes. */
	if (c->held + sizeof(*b) + b->len > c->cfg.out_limit + sizeof(*b)) {
		free(b);
		return -KA_E_TOO_BIG;
	}
	c->submitted += b->len;
	c->held += sizeof(*b) + b->len;
	ret = uv_write(&b->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
	if (ret < 0) {
		c->submitted -= buf.len;
		c->held -= sizeof(*b) + buf.len;
		free(b);
	}
	return ret;
}

int ka_conn_send_framed(struct ka_conn *c, const uint8_t *data, size_t len)
{
	struct blob *b;

	assert(!c->sealed);
	if (c->closed)
		return -EPIPE;
	b = new_blob(len);
	if (!b)
		return -ENOMEM;
	memcpy(b->data, data, len);
	return submit(c, b);
}

int ka_conn_send(struct ka_conn *c, const ProtobufCMessage *msg)
{
	size_t size = protobuf_c_message_get_packed_size(msg);
	size_t payload = size + (c->sealed ? KA_SEAL_TAG : 0);
	uint8_t header[KA_FRAMING_HEADER_MAX];
	struct blob *b;
	size_t n;

	if (c->closed)
		return -EPIPE;
	if (payload > c->cfg.out_limit)
		return -KA_E_TOO_BIG;
	n = ka_framing_header(header, payload);
	b = new_blob(n + payload);
	if (!b)
		return -ENOMEM;
	memcpy(b->data, header, n);
	protobuf_c_message_pack(msg, b->data + n + payload - size);
	if (c->sealed)
		ka_seal_close(&c->tx, b->data + n, size);
	return submit(c, b);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	/* Whoever hung up before learns nothing more anyway. */
	(void)req;
	(void)status;
}

void ka_conn_finish(struct ka_conn *c)
{
	if (c->closed || c->finished)
		return;
	c->finished = uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) == 0;
}

void ka_conn_set_out_limit(struct ka_conn *c, size_t limit)
{
	c->cfg.out_limit = limit;
}

void ka_conn_seal(struct ka_conn *c, const uint8_t key[static KA_SEAL_KEY])
{
	assert(!c->sealed);
	ka_seal_init(&c->rx, key);
	ka_seal_init(&c->tx, key);
	c->sealed = true;
}

bool ka_conn_sealed(const struct ka_conn *c)
{
	return c->sealed;
}

void ka_conn_set_in_limit(struct ka_conn *c, size_t limit)
{
	ka_framer_set_limit(&c->framer, limit);
}

size_t ka_conn_pending(const struct ka_conn *c)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
}

size_t ka_conn_room(const struct ka_conn *c)
{
	size_t overhead = c->held + sizeof(struct blob) + KA_FRAMING_HEADER_MAX + KA_SEAL_TAG;

	return c->cfg.out_limit - KA_MIN(overhead, c->cfg.out_limit);
}

void ka_conn_get_link(const struct ka_conn *c, struct ka_conn_link *out)
{
	size_t pending = ka_conn_pending(c);
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int queued = 0;
	int unsent = 0;
	uv_os_fd_t fd;

	*out = (struct ka_conn_link){.outstanding = pending, .unsent = pending};
	/* tcp(7): SIOCOUTQ counts what is not acknowledged, SIOCOUTQNSD what is not sent. */
	if (!c->closed && uv_fileno((const uv_handle_t *)&c->tcp, &fd) == 0) {
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
			out->rtt_us = info.tcpi_rtt;
			out->mss = info.tcpi_snd_mss;
		}
		if (ioctl(fd, SIOCOUTQ, &queued) == 0 && queued > 0)
			out->outstanding += (size_t)queued;
		if (ioctl(fd, SIOCOUTQNSD, &unsent) == 0 && unsent > 0)
			out->unsent += (size_t)unsent;
	}
	/* After a FIN the kernel counts one more. */
	out->acked = c->submitted - KA_MIN((uint64_t)out->outstanding, c->submitted);
}

int64_t ka_conn_stalled_us(struct ka_conn *c, int64_t now_us)
{
	size_t pending = ka_conn_pending(c);
	uint64_t taken = c->submitted - pending;

	/* Bytes added meanwhile are no movement: a peer that only makes us answer must not look alive. */
	if (!pending || taken != c->last_taken)
		c->last_moved_us = now_us;
	c->last_taken = taken;
	return now_us - c->last_moved_us;
}

static void on_gone(uv_handle_t *h)
{
	struct ka_conn *c = h->data;

	c->gone = true;
	if (c->disposed)
		ka_conn_free(c);
}

void ka_conn_close(struct ka_conn *c)
{
	if (!c || c->closed)
		return;
	c->closed = true;
	uv_close((uv_handle_t *)&c->tcp, on_gone);
}

void ka_conn_dispose(struct ka_conn *c)
{
	if (!c)
		return;
	c->disposed = true;
	if (c->gone)
		ka_conn_free(c);
	else
		ka_conn_close(c);
}

void ka_conn_free(struct ka_conn *c)
{
	if (!c)
		return;
	assert(c->closed);
	ka_framer_fini(&c->framer);
	ka_seal_fini(&c->rx);
	ka_seal_fini(&c->tx);
	free(c);
}
