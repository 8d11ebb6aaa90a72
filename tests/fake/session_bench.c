/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/session_bench.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "tests/fake/fake_clock.h"

#define SALT "abcdefghijkmnpqrstuvwxyz23456789"
#define SPINS 3
#define TEXT_MAX (1u << 20)
#define FRAME_MAX (16u * 1024 * 1024)
/* Longer than any session takes to say good-bye. */
#define FAREWELL_MS 3000

static const uint8_t symmetric[KA_SEAL_KEY] = {0x5a, 1};

static void demand(bool ok)
{
	if (!ok)
		abort();
}

/* Has the controller shown what lets it in? */
static bool may_watch(const struct session_bench *b)
{
	const struct bench_shown *s = &b->shown;

	return s->approved || ((s->full || s->view) && (s->code || !b->totp_key_len));
}

static bool may_type(const struct session_bench *b)
{
	const struct bench_shown *s = &b->shown;

	return b->cfg.permissions & KA_RD_MAY_KEYBOARD && may_watch(b) && (s->approved || s->full);
}

static struct session_bench *bench_of(void *ctx)
{
	return KA_CONTAINER_OF((struct fake_host *)ctx, struct session_bench, machine);
}

static void on_input(void *ctx, struct ka_input *event)
{
	struct session_bench *b = bench_of(ctx);

	demand(event->source == b->number && may_watch(b));
	if (event->kind == KA_INPUT_RELEASE) {
		b->released = true;
		return;
	}
	demand(may_type(b));
	b->typed = true;
	b->released = false;
	if (event->kind == KA_INPUT_TEXT) {
		/* Broken UTF-8 is the typist's to cope with. */
		demand(strlen(event->text.utf8) <= KA_INPUT_TEXT_MAX);
		free(event->text.utf8);
	}
}

static int on_restart(void *ctx)
{
	const struct session_bench *b = bench_of(ctx);

	demand(b->cfg.permissions & KA_RD_MAY_POWER && may_watch(b) && (b->shown.approved || b->shown.full));
	return 0;
}

static void on_console(void *ctx, const struct ka_host_caller *caller, const char *line, char *answer,
		       size_t answer_size)
{
	const struct session_bench *b = bench_of(ctx);

	demand(may_watch(b) && caller->session == b->number);
	demand(ka_utf8_valid(line, TEXT_MAX));
	ka_str_copy(answer, answer_size, line);
}

static void on_ended(void *arg)
{
	struct session_bench *b = arg;

	b->ends++;
}

void session_bench_init(struct session_bench *b)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};

	memset(b, 0, sizeof(*b));
	b->fd = -1;
	demand(fake_host_init(&b->machine) == 0);
	b->machine.host.input = on_input;
	b->machine.host.restart = on_restart;
	b->machine.host.console = on_console;
	b->cfg = (struct ka_rd_cfg){
		.server = "",
		.relay = "",
		.key = "",
		.hostname = "kvm-test",
		.username = "kvm",
		.password = BENCH_PASSWORD,
		.permissions = KA_RD_MAY_ALL,
		.platform = KA_RD_LINUX,
		.version = "1.3.8",
		.max_sessions = 1,
	};
	b->access = (struct ka_rd_access){.name = "view"};
	ka_keys_h1(b->access.h1, BENCH_VIEW_PASSWORD, SALT);
	memcpy(b->identity.id, BENCH_ID, sizeof(BENCH_ID));
	memcpy(b->identity.salt, SALT, sizeof(SALT));
	crypto_sign_seed_keypair(b->identity.sign_pk, b->identity.sign_sk, seed);
}

void session_bench_open(struct session_bench *b)
{
	struct ka_gate_cfg gate = {
		.password = b->cfg.password,
		.salt = SALT,
		.permissions = b->cfg.permissions,
		.access = &b->access,
		.n_access = 1,
		.otp_length = b->cfg.otp_length,
		.max_controllers = b->cfg.max_sessions,
		.totp_key = b->totp_key,
		.totp_key_len = b->totp_key_len,
		.trusted_days = b->cfg.trusted_days,
		.allow_ids = b->cfg.allow_ids,
	};

	b->cfg.access = &b->access;
	b->cfg.n_access = 1;
	demand(ka_gate_new(&b->gate, &gate) == 0 && ka_chat_room_new(&b->chat) == 0);
}

void session_bench_start(struct session_bench *b, enum ka_path path, bool secure, const struct sockaddr_storage *peer)
{
	struct ka_session_cfg cfg = {
		.number = b->number + 1,
		.rd = &b->cfg,
		.identity = &b->identity,
		.host = &b->machine.host,
		.gate = b->gate,
		.chat = b->chat,
		.ended = {.fn = on_ended, .arg = b},
	};
	struct ka_incoming in = {.path = path, .secure = secure, .peer = *peer};
	int fds[2];

	session_bench_end(b);
	b->number = cfg.number;
	demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	in.fd = fds[0];
	b->fd = fds[1];
	ka_framer_init(&b->framer, FRAME_MAX);
	b->sealed = b->deaf = b->has_box_pk = b->typed = b->released = false;
	b->shown = (struct bench_shown){.code = b->shown.code};
	b->secret_path = (secure || path != KA_PATH_DIRECT) && b->cfg.encryption == KA_RD_ENCRYPT_REQUIRED;
	demand(ka_session_new(&b->session, &cfg, &in) == 0);
	if (ka_session_open(b->session) < 0)
		session_bench_end(b);
	else
		session_bench_spin(b);
}

static void check_text(const ProtobufCMessage *msg);

/* A stock client refuses a whole message for one text that is not UTF-8. */
static void check_field(const ProtobufCFieldDescriptor *f, const void *member)
{
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return;
	if (f->type == PROTOBUF_C_TYPE_STRING) {
		const char *text = *(const char *const *)member;

		demand(!text || ka_utf8_valid(text, TEXT_MAX));
	} else if (f->type == PROTOBUF_C_TYPE_MESSAGE && *(const ProtobufCMessage *const *)member) {
		check_text(*(const ProtobufCMessage *const *)member);
	}
}

static void check_text(const ProtobufCMessage *msg)
{
	const char *base = (const char *)msg;

	for (unsigned int i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
		uint32_t which;

		memcpy(&which, base + f->quantifier_offset, sizeof(which));
		if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) || which == f->id)
			check_field(f, base + f->offset);
	}
}

static void take_signed_id(struct session_bench *b, const Rd__SignedId *id)
{
	unsigned long long len = 0;
	uint8_t plain[256];
	Rd__IdPk *pk;

	demand(id->id.len <= sizeof(plain) &&
	       !crypto_sign_open(plain, &len, id->id.data, id->id.len, b->identity.sign_pk));
	pk = rd__id_pk__unpack(NULL, len, plain);
	demand(pk && !strcmp(pk->id, BENCH_ID) && pk->pk.len == sizeof(b->box_pk));
	memcpy(b->box_pk, pk->pk.data, sizeof(b->box_pk));
	b->has_box_pk = true;
	rd__id_pk__free_unpacked(pk, NULL);
}

/* The list is always whole, and nothing is of a display that is not in it. */
static void check_displays(const struct session_bench *b, const Rd__Message *m)
{
	int32_t n = (int32_t)b->machine.n_displays;

	if (m->union_case == RD__MESSAGE__UNION_VIDEO_FRAME)
		demand(m->video_frame->display >= 0 && m->video_frame->display < n);
	if (m->union_case == RD__MESSAGE__UNION_PEER_INFO)
		demand(m->peer_info->n_displays == b->machine.n_displays);
	if (m->union_case == RD__MESSAGE__UNION_MISC && m->misc->union_case == RD__MISC__UNION_SWITCH_DISPLAY)
		demand(m->misc->switch_display->display >= 0 && m->misc->switch_display->display < n);
}

static void take(struct session_bench *b, const Rd__Message *m)
{
	bool welcome = m->union_case == RD__MESSAGE__UNION_LOGIN_RESPONSE &&
		       m->login_response->union_case == RD__LOGIN_RESPONSE__UNION_PEER_INFO;

	check_text(&m->base);
	demand(m->union_case != RD__MESSAGE__UNION__NOT_SET);
	if (welcome || m->union_case == RD__MESSAGE__UNION_VIDEO_FRAME || m->union_case == RD__MESSAGE__UNION_PEER_INFO)
		demand(may_watch(b));
	check_displays(b, m);
	if (m->union_case == RD__MESSAGE__UNION_SIGNED_ID)
		take_signed_id(b, m->signed_id);
	if (m->union_case == RD__MESSAGE__UNION_HASH) {
		demand(b->sealed || !b->secret_path);
		demand(ka_str_copy(b->challenge, sizeof(b->challenge), m->hash->challenge));
	}
}

/* As soon as the device seals, so does a controller; however that came about. */
static void follow_sealing(struct session_bench *b)
{
	if (b->sealed || !b->session->conn || !ka_conn_sealed(b->session->conn))
		return;
	ka_seal_init(&b->rx, symmetric);
	ka_seal_init(&b->tx, symmetric);
	b->sealed = true;
}

static void take_frame(struct session_bench *b, uint8_t *data, size_t len)
{
	Rd__Message *m;

	if (b->sealed)
		demand(ka_seal_open(&b->rx, data, len, &data, &len) == 0);
	m = rd__message__unpack(NULL, len, data);
	demand(m);
	take(b, m);
	rd__message__free_unpacked(m, NULL);
}

static void listen_to(struct session_bench *b)
{
	uint8_t *data;
	size_t len;

	follow_sealing(b);
	while (b->fd >= 0 && !b->deaf) {
		size_t room;
		uint8_t *at = ka_framer_room(&b->framer, &room);
		ssize_t n;

		demand(at);
		n = recv(b->fd, at, room, MSG_DONTWAIT);
		if (n < 0)
			return;
		if (n == 0) {
			session_bench_hang_up(b);
			return;
		}
		ka_framer_filled(&b->framer, (size_t)n);
		while (ka_framer_next(&b->framer, &data, &len) == 1)
			take_frame(b, data, len);
	}
}

static bool running(const struct session_bench *b)
{
	return b->session && !atomic_load(&b->session->loop.stop);
}

void session_bench_spin(struct session_bench *b)
{
	for (int i = 0; i < SPINS && running(b); i++) {
		uv_run(&b->session->loop.uv, UV_RUN_NOWAIT);
		listen_to(b);
	}
}

void session_bench_step(struct session_bench *b, int64_t ms)
{
	fake_clock_step(KA_MS(ms));
	session_bench_spin(b);
}

void session_bench_raw(struct session_bench *b, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len && b->fd >= 0) {
		ssize_t n = send(b->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			session_bench_hang_up(b);
		if (n < 0 && running(b))
			session_bench_spin(b);
		else if (n < 0)
			session_bench_hang_up(b);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	session_bench_spin(b);
}

void session_bench_payload(struct session_bench *b, const void *data, size_t len)
{
	size_t tag = b->sealed && len > 1 ? KA_SEAL_TAG : 0;
	uint8_t *buf = malloc(KA_FRAMING_HEADER_MAX + tag + len);
	size_t n;

	demand(buf);
	n = ka_framing_header(buf, tag + len);
	if (len)
		memcpy(buf + n + tag, data, len);
	if (tag)
		ka_seal_close(&b->tx, buf + n, len);
	session_bench_raw(b, buf, n + tag + len);
	free(buf);
}

void session_bench_send(struct session_bench *b, const Rd__Message *msg)
{
	size_t size = rd__message__get_packed_size(msg);
	uint8_t *data = malloc(size + 1);

	demand(data);
	rd__message__pack(msg, data);
	session_bench_payload(b, data, size);
	free(data);
}

void session_bench_exchange_keys(struct session_bench *b)
{
	static const uint8_t zero_nonce[crypto_box_NONCEBYTES];
	static const uint8_t seed[crypto_box_SEEDBYTES] = {9};
	uint8_t sealed[KA_SEAL_KEY + crypto_box_MACBYTES];
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__PublicKey key = RD__PUBLIC_KEY__INIT;
	uint8_t pk[32], sk[32];

	if (!b->has_box_pk || b->sealed)
		return;
	crypto_box_seed_keypair(pk, sk, seed);
	demand(!crypto_box_easy(sealed, symmetric, sizeof(symmetric), zero_nonce, b->box_pk, sk));
	key.asymmetric_value = (ProtobufCBinaryData){.len = sizeof(pk), .data = pk};
	key.symmetric_value = (ProtobufCBinaryData){.len = sizeof(sealed), .data = sealed};
	msg.union_case = RD__MESSAGE__UNION_PUBLIC_KEY;
	msg.public_key = &key;
	session_bench_send(b, &msg);
}

void session_bench_answer(const struct session_bench *b, const char *password, uint8_t out[static 32])
{
	crypto_hash_sha256_state st;

	ka_keys_h1(out, password, SALT);
	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, out, 32);
	crypto_hash_sha256_update(&st, (const uint8_t *)b->challenge, strlen(b->challenge));
	crypto_hash_sha256_final(&st, out);
}

void session_bench_hang_up(struct session_bench *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

void session_bench_end(struct session_bench *b)
{
	unsigned int ends = b->ends;

	if (!b->session)
		return;
	if (running(b)) {
		ka_session_stop(b->session, "The test is over");
		session_bench_spin(b);
		session_bench_step(b, FAREWELL_MS);
		demand(!running(b));
	}
	ka_session_leave(b->session);
	demand(b->ends == ends + 1 && (!b->typed || b->released));
	demand(ka_gate_controllers(b->gate) == 0 && b->machine.watched == b->machine.unwatched);
	ka_session_free(b->session);
	b->session = NULL;
	session_bench_hang_up(b);
	ka_framer_fini(&b->framer);
}

void session_bench_fini(struct session_bench *b)
{
	session_bench_end(b);
	ka_gate_free(b->gate);
	ka_chat_room_free(b->chat);
	fake_host_fini(&b->machine);
}
