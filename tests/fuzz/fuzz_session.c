/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any controller against the real session: the first bytes choose how the device is configured and how the controller
 * came, the rest is a program of what it does. Key exchange and passwords are done properly where the program wants it,
 * so everything behind them is reached; what must never happen is checked by tests/fake/session_bench.c.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/span.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_random.h"
#include "tests/fake/fuzz_set_up.h"
#include "tests/fake/open_fds.h"
#include "tests/fake/session_bench.h"

#define OPS_MAX 200
#define OTP_LENGTH 8
#define STEPS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum op {
	OP_PAYLOAD,  /* length (2), bytes: a message */
	OP_RAW,	     /* length (1), bytes as they are */
	OP_DECLARE,  /* length (4): the header of a message that does not come */
	OP_EXCHANGE, /* kind: the key exchange, or a spoilt one */
	OP_LOGIN,    /* password, texts, flags */
	OP_CODE,     /* which, hwid */
	OP_STEP,     /* 2^n ms pass */
	OP_PUBLISH,  /* flags, size: pictures */
	OP_DEAF,     /* reads no more, or again */
	OP_LEAVE,    /* hangs up and comes back: path, address */
	OP_APPROVE,
	OP_KICK,
	OP_REPEAT, /* times: the last message again */
	OPS,
};

struct run {
	struct session_bench b;
	struct ka_span in;
	char otp[40];	     /* the last one seen: it may have been replaced since */
	const uint8_t *last; /* payload, in the input */
	size_t last_len;
	int64_t pts_ms;
	size_t display; /* that shows something */
};

static void configure(struct run *r)
{
	static const char *const ids[] = {NULL, "", "987654321, 5", "1"};
	static const char *const nets[] = {NULL, "", "10.0.0.0/8, 2001:db8::/32", "192.0.2.7"};
	uint8_t flags = ka_span_u8(&r->in);
	uint8_t lists = ka_span_u8(&r->in);
	struct ka_rd_cfg *cfg = &r->b.cfg;

	cfg->encryption = flags & 1 ? KA_RD_ENCRYPT_OPTIONAL : KA_RD_ENCRYPT_REQUIRED;
	cfg->platform = flags & 2 ? KA_RD_WINDOWS : KA_RD_LINUX;
	cfg->approval = flags & 4;
	cfg->otp_length = flags & 8 ? OTP_LENGTH : 0;
	cfg->password = flags & 16 ? "" : BENCH_PASSWORD;
	cfg->idle_s = flags & 32 ? 60 : 0;
	cfg->trusted_days = flags & 64 ? 30 : 0;
	r->b.totp_key_len = flags & 128 ? KA_TOTP_KEY_MIN : 0;
	cfg->allow_ids = ids[lists & 3];
	cfg->allow_addresses = nets[lists >> 2 & 3];
	cfg->permissions = lists & 16 ? 0 : KA_RD_MAY_ALL;
	r->b.access.permissions = lists & 32 ? KA_RD_MAY_FILES | KA_RD_MAY_TERMINAL : 0;
	cfg->max_sessions = lists & 64 ? 0 : 1;
	fake_host_give_displays(&r->b.machine, lists & 128 ? KA_HOST_DISPLAYS_MAX : 1);
}

static void come(struct run *r)
{
	uint8_t how = ka_span_u8(&r->in);
	uint8_t where = ka_span_u8(&r->in);
	enum ka_path path = how % (KA_PATH_SERVED + 1);
	struct sockaddr_storage peer = {0};

	if (where & 128) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)&peer;

		a->sin6_family = AF_INET6;
		memcpy(&a->sin6_addr, (uint8_t[]){0x20, 1, 0xd, 0xb8, 0, where & 3, 0, where >> 2 & 3}, 8);
		a->sin6_addr.s6_addr[15] = where;
	} else {
		struct sockaddr_in *a = (struct sockaddr_in *)&peer;

		a->sin_family = AF_INET;
		a->sin_addr.s_addr = htonl(0x0a000001 + where % 4u * 0x100u);
	}
	/* As reach/ does it: direct streams are plain, those of our own service secure. */
	session_bench_start(&r->b, path, path == KA_PATH_SERVED || (path != KA_PATH_DIRECT && !(how & 128)), &peer);
}

static void send_last(struct run *r)
{
	if (r->last)
		session_bench_payload(&r->b, r->last, r->last_len);
}

static void do_payload(struct run *r)
{
	size_t len = (size_t)ka_span_le(&r->in, 2);

	r->last_len = KA_MIN(len, ka_span_left(&r->in));
	r->last = ka_span_take(&r->in, r->last_len);
	send_last(r);
}

static void do_raw(struct run *r)
{
	size_t len = ka_span_u8(&r->in);
	const uint8_t *p;

	len = KA_MIN(len, ka_span_left(&r->in));
	p = ka_span_take(&r->in, len);
	if (p)
		session_bench_raw(&r->b, p, len);
}

static void do_declare(struct run *r)
{
	uint8_t header[KA_FRAMING_HEADER_MAX];
	size_t n = ka_framing_header(header, (size_t)ka_span_le(&r->in, 4) & KA_FRAMING_PAYLOAD_MAX);

	session_bench_raw(&r->b, header, n);
}

static void do_exchange(struct run *r)
{
	static const uint8_t junk[48] = {1, 2, 3};
	uint8_t kind = ka_span_u8(&r->in);
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__PublicKey key = RD__PUBLIC_KEY__INIT;
	union {
		const uint8_t *in;
		uint8_t *out;
	} u = {.in = junk};

	if (kind & 1) {
		key.asymmetric_value = (ProtobufCBinaryData){.len = kind & 2 ? 32 : kind & 15, .data = u.out};
		key.symmetric_value = (ProtobufCBinaryData){.len = kind & 4 ? 48 : kind >> 4, .data = u.out};
		msg.union_case = RD__MESSAGE__UNION_PUBLIC_KEY;
		msg.public_key = &key;
		session_bench_send(&r->b, &msg);
	} else {
		session_bench_exchange_keys(&r->b);
	}
}

/* What the chosen word of the program stands for; whoever sends it has shown it. */
static size_t answer(struct run *r, uint8_t which, uint8_t out[static 32])
{
	struct session_bench *b = &r->b;

	switch (which % 7) {
	case 0:
		return 0;
	case 1:
		session_bench_answer(b, BENCH_PASSWORD, out);
		b->shown.full |= b->cfg.password[0] != '\0';
		return 32;
	case 2:
		session_bench_answer(b, BENCH_VIEW_PASSWORD, out);
		b->shown.view = true;
		return 32;
	case 3:
		ka_gate_get_otp(b->gate, r->otp, sizeof(r->otp));
		break;
	case 4: /* the one before, maybe */
		break;
	case 5:
		session_bench_answer(b, "wrong", out);
		return 32;
	default:
		session_bench_answer(b, BENCH_PASSWORD, out);
		return 31;
	}
	session_bench_answer(b, r->otp, out);
	b->shown.full |= r->otp[0] != '\0';
	return 32;
}

static void do_login(struct run *r)
{
	uint8_t which = ka_span_u8(&r->in);
	uint8_t texts = ka_span_u8(&r->in);
	uint8_t flags = ka_span_u8(&r->in);
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__LoginRequest q = RD__LOGIN_REQUEST__INIT;
	Rd__OptionMessage option = RD__OPTION_MESSAGE__INIT;
	Rd__SupportedDecoding decoding = RD__SUPPORTED_DECODING__INIT;
	Rd__FileTransfer files = RD__FILE_TRANSFER__INIT;
	uint8_t proof[32];
	char version[] = "1.4.9";
	char names[4][24] = {BENCH_ID, "987654321", "5@example.org", "\xff\"\n\x1b[31m"};

	decoding.ability_h264 = !(flags & 1);
	option.supported_decoding = &decoding;
	option.disable_keyboard = flags & 2 ? RD__BOOL_OPTION__BOOL_YES : RD__BOOL_OPTION__BOOL_NOT_SET;
	q.username = names[texts & 3];
	q.my_id = names[(texts >> 2 & 3) ^ 1];
	q.my_name = names[texts >> 4 & 3];
	q.option = flags & 4 ? NULL : &option;
	q.video_ack_required = flags & 8;
	q.session_id = flags >> 4 & 3;
	q.version = texts & 64 ? version : q.version;
	if (flags & 64) {
		q.union_case = RD__LOGIN_REQUEST__UNION_FILE_TRANSFER;
		q.file_transfer = &files;
	}
	if (flags & 128)
		q.hwid = (ProtobufCBinaryData){.len = 4, .data = (uint8_t *)names[0]};
	q.password.len = answer(r, which, proof);
	q.password.data = proof;
	msg.union_case = RD__MESSAGE__UNION_LOGIN_REQUEST;
	msg.login_request = &q;
	session_bench_send(&r->b, &msg);
}

static void do_code(struct run *r)
{
	uint8_t which = ka_span_u8(&r->in);
	uint64_t step = (uint64_t)(ka_clock_wall_us() / KA_SEC(30)) + (which >> 4 & 3) - 1;
	uint32_t code = ka_totp_code(r->b.totp_key, r->b.totp_key_len, step);
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__Auth2FA a = RD__AUTH2_FA__INIT;
	char text[16];
	char hwid[] = BENCH_ID;

	snprintf(text, sizeof(text), "%s%06u", which & 1 ? "" : "x", which & 4 ? code : 123456u);
	r->b.shown.code |= (which & 5) == 5;
	a.code = text;
	if (which & 8)
		a.hwid = (ProtobufCBinaryData){.len = 4, .data = (uint8_t *)hwid};
	msg.union_case = RD__MESSAGE__UNION_AUTH_2FA;
	msg.auth_2fa = &a;
	session_bench_send(&r->b, &msg);
}

/* In steps, so that what happens every second does. */
static void do_step(struct run *r)
{
	int64_t ms = (int64_t)1 << ka_span_u8(&r->in) % 20;

	for (int i = 0; i < STEPS; i++)
		session_bench_step(&r->b, ms / STEPS + 1);
}

static void do_publish(struct run *r)
{
	static const uint32_t widths[] = {1280, 640, 1920, 2};
	uint8_t flags = ka_span_u8(&r->in);
	size_t size = (size_t)ka_span_le(&r->in, 2) >> (flags & 64 ? 0 : 6) << (flags & 128 ? 3 : 0);
	uint32_t width = widths[flags >> 1 & 3];
	struct ka_host_display *all = r->b.machine.displays;

	if (flags & 32)
		r->display = (r->display + 1) % r->b.machine.n_displays;
	/* Sizes change at key pictures only, and move the displays behind. */
	if (flags & 1)
		all[r->display].width = width;
	width = all[r->display].width;
	for (size_t i = 1; i < r->b.machine.n_displays; i++)
		all[i].x = all[i - 1].x + (int32_t)all[i - 1].width;
	for (int i = 0; i <= (flags >> 3 & 3); i++)
		fake_host_publish_on(&r->b.machine, r->display, r->pts_ms += 33, i == 0 && flags & 1, width, 720, size);
	session_bench_spin(&r->b);
}

static void do_repeat(struct run *r)
{
	unsigned int n = ka_span_u8(&r->in) * 5u;

	for (unsigned int i = 0; i < n && r->b.fd >= 0; i++)
		send_last(r);
}

static void do_op(struct run *r, enum op op)
{
	switch (op) {
	case OP_PAYLOAD:
		return do_payload(r);
	case OP_RAW:
		return do_raw(r);
	case OP_DECLARE:
		return do_declare(r);
	case OP_EXCHANGE:
		return do_exchange(r);
	case OP_LOGIN:
		return do_login(r);
	case OP_CODE:
		return do_code(r);
	case OP_STEP:
		return do_step(r);
	case OP_PUBLISH:
		return do_publish(r);
	case OP_DEAF:
		r->b.deaf = !r->b.deaf;
		return session_bench_spin(&r->b);
	case OP_LEAVE:
		session_bench_hang_up(&r->b);
		session_bench_spin(&r->b);
		return come(r);
	case OP_APPROVE:
		ka_session_approve(r->b.session);
		r->b.shown.approved = r->b.cfg.approval;
		return;
	case OP_KICK:
		ka_session_stop(r->b.session, "Closed manually by the peer");
		return session_bench_spin(&r->b);
	case OP_REPEAT:
		return do_repeat(r);
	case OPS:
		break;
	}
}

static uint64_t digest(const uint8_t *data, size_t size)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 0x100000001b3;
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run; /* large, and new pages are slow */
	struct run *r = &run;
	unsigned int fds;

	fuzz_set_up_once();
	fds = open_fds();
	memset(r, 0, sizeof(*r));
	/* The input decides on keys and challenges too, so none can be learned by heart. */
	fake_random_seed(digest(data, size));
	fake_clock_hold();
	r->in = ka_span_make(data, size);
	session_bench_init(&r->b);
	configure(r);
	session_bench_open(&r->b);
	come(r);
	for (int i = 0; i < OPS_MAX && ka_span_left(&r->in) && r->b.session; i++)
		do_op(r, ka_span_u8(&r->in) % OPS);
	session_bench_fini(&r->b);
	fake_clock_release();
	if (open_fds() != fds)
		abort();
	return 0;
}
