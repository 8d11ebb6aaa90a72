/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/client.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/str.h"

#define FRAME_MAX (16u * 1024 * 1024)
#define PATIENCE_S 20

void client_init(struct client *c, int fd)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};

	memset(c, 0, sizeof(*c));
	c->fd = fd;
	ka_framer_init(&c->framer, FRAME_MAX);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

void client_fini(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	ka_framer_fini(&c->framer);
	if (c->msg)
		rd__message__free_unpacked(c->msg, NULL);
	c->msg = NULL;
}

void client_seal(struct client *c, const uint8_t key[static KA_SEAL_KEY])
{
	ka_seal_init(&c->rx, key);
	ka_seal_init(&c->tx, key);
	c->sealed = true;
}

bool client_send_raw(struct client *c, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool client_send_payload(struct client *c, const void *data, size_t len)
{
	size_t tag = c->sealed && len > 1 ? KA_SEAL_TAG : 0;
	uint8_t *buf = malloc(KA_FRAMING_HEADER_MAX + tag + len);
	bool ok = false;

	if (buf) {
		size_t n = ka_framing_header(buf, tag + len);

		if (len)
			memcpy(buf + n + tag, data, len);
		if (tag)
			ka_seal_close(&c->tx, buf + n, len);
		ok = client_send_raw(c, buf, n + tag + len);
	}
	free(buf);
	return ok;
}

bool client_send(struct client *c, const Rd__Message *msg)
{
	size_t size = rd__message__get_packed_size(msg);
	uint8_t *data = malloc(size + 1);
	bool ok = false;

	if (data) {
		rd__message__pack(msg, data);
		ok = client_send_payload(c, data, size);
	}
	free(data);
	return ok;
}

bool client_send_misc(struct client *c, Rd__Misc *misc)
{
	Rd__Message msg = RD__MESSAGE__INIT;

	msg.union_case = RD__MESSAGE__UNION_MISC;
	msg.misc = misc;
	return client_send(c, &msg);
}

/* Any message, probes too. */
static const Rd__Message *next_any(struct client *c)
{
	uint8_t *data;
	size_t len;

	while (ka_framer_next(&c->framer, &data, &len) != 1) {
		size_t room;
		uint8_t *at = ka_framer_room(&c->framer, &room);
		ssize_t n = at ? recv(c->fd, at, room, 0) : -1;

		if (n <= 0) {
			c->eof = n == 0;
			return NULL;
		}
		ka_framer_filled(&c->framer, (size_t)n);
	}
	if (c->sealed && ka_seal_open(&c->rx, data, len, &data, &len) < 0)
		return NULL;
	if (c->msg)
		rd__message__free_unpacked(c->msg, NULL);
	c->msg = rd__message__unpack(NULL, len, data);
	return c->msg;
}

static bool is_probe(const Rd__Message *m)
{
	return m->union_case == RD__MESSAGE__UNION_TEST_DELAY && !m->test_delay->from_client;
}

const Rd__Message *client_next(struct client *c)
{
	const Rd__Message *m = next_any(c);

	for (; m && is_probe(m); m = next_any(c)) {
		c->probes++;
		/* A stream that is gone shows at the next reading. */
		if (!c->mute)
			(void)client_send(c, m);
	}
	return m;
}

int client_fence(struct client *c)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__TestDelay delay = RD__TEST_DELAY__INIT;
	int between = 0;

	delay.from_client = true;
	delay.time = ++c->fence;
	msg.union_case = RD__MESSAGE__UNION_TEST_DELAY;
	msg.test_delay = &delay;
	if (!client_send(c, &msg))
		return -1;
	for (;;) {
		const Rd__Message *m = client_next(c);

		if (!m)
			return -1;
		if (m->union_case == RD__MESSAGE__UNION_TEST_DELAY && m->test_delay->time == c->fence)
			return between;
		between++;
	}
}

bool client_wait_eof(struct client *c)
{
	uint8_t sink[4096];
	ssize_t n;

	while ((n = recv(c->fd, sink, sizeof(sink), 0)) > 0)
		;
	/* A reset is an end as well: something we sent was not read any more. */
	c->eof = true;
	return n == 0 || errno == ECONNRESET;
}

bool client_take_hash(struct client *c)
{
	const Rd__Message *m = client_next(c);

	if (!m || m->union_case != RD__MESSAGE__UNION_HASH)
		return false;
	if (!ka_str_copy(c->salt, sizeof(c->salt), m->hash->salt) ||
	    !ka_str_copy(c->challenge, sizeof(c->challenge), m->hash->challenge))
		return false;
	return client_fence(c) >= 5; /* the permissions a KVM does not give; a restart is one that some do */
}

void client_answer(uint8_t out[static 32], const struct client *c, const char *password)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)password, strlen(password));
	crypto_hash_sha256_update(&st, (const uint8_t *)c->salt, strlen(c->salt));
	crypto_hash_sha256_final(&st, out);
	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, out, 32);
	crypto_hash_sha256_update(&st, (const uint8_t *)c->challenge, strlen(c->challenge));
	crypto_hash_sha256_final(&st, out);
}

bool client_send_login(struct client *c, const char *username, const char *password, void (*edit)(Rd__LoginRequest *r))
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginRequest r = RD__LOGIN_REQUEST__INIT;
	Rd__OptionMessage option = RD__OPTION_MESSAGE__INIT;
	Rd__SupportedDecoding decoding = RD__SUPPORTED_DECODING__INIT;
	char name[64];
	char id[] = "987654321";
	char who[] = "Tester";
	char version[] = "1.4.9";
	uint8_t answer[32];

	ka_str_copy(name, sizeof(name), username);
	client_answer(answer, c, password);
	decoding.ability_h264 = 1;
	option.supported_decoding = &decoding;
	r.username = name;
	r.my_id = id;
	r.my_name = who;
	r.version = version;
	r.option = &option;
	r.password = (ProtobufCBinaryData){.len = sizeof(answer), .data = answer};
	if (edit)
		edit(&r);
	msg.union_case = RD__MESSAGE__UNION_LOGIN_REQUEST;
	msg.login_request = &r;
	return client_send(c, &msg);
}
