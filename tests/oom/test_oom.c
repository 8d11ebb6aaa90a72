/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every constructor with memory running out at its first, second, ... allocation, until it gets through. */
#include "tests/check/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/ctl_request.h"
#include "base/fs.h"
#include "base/hub.h"
#include "base/latest.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "proto/message.pb-c.h"
#include "rustdesk/session/chat_room.h"
#include "rustdesk/session/gate.h"
#include "rustdesk/wire/conn.h"
#include "rustdesk/wire/pb.h"
#include "tests/fake/fake_console.h"
#include "tests/fake/session_rig.h"
#include "tests/fake/tcp_pair.h"
#include "tests/oom/alloc_fail.h"
#include "tests/oom/oom_capture.h"

#define MOST_ALLOCATIONS 500

static unsigned int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Runs `scenario` with the n-th allocation failing, n = 0, 1, 2 ..., until none fails. Each run gives everything back
 * itself; a failed one must say so, unless it survives by design. */
static void run_until_success(int (*scenario)(void), bool survives)
{
	for (long n = 0; n < MOST_ALLOCATIONS; n++) {
		long live = alloc_fail_live();
		unsigned int files = open_files();
		int ret;

		alloc_fail_after(n);
		ret = scenario();
		alloc_fail_after(-1);
		if (alloc_fail_live() != live)
			fail_msg("allocation %ld fails: %ld blocks lost", n, alloc_fail_live() - live);
		assert_int_equal(open_files(), files);
		if (!alloc_fail_happened()) {
			assert_int_equal(ret, 0);
			assert_true(n > 0); /* there was something to fail */
			return;
		}
		if (!survives)
			assert_true(ret < 0);
	}
	fail_msg("no end after %d allocations", MOST_ALLOCATIONS);
}

static int make_buffers(void)
{
	uint8_t memory[4];
	struct ka_buf *own = NULL;
	struct ka_buf *wrapped = NULL;
	int ret = ka_buf_new(&own, 100);

	if (!ret)
		ret = ka_buf_wrap(&wrapped, memory, sizeof(memory), NULL, NULL);
	ka_buf_unref(&own);
	ka_buf_unref(&wrapped);
	return ret;
}

static int make_frame(void)
{
	struct ka_frame *f = NULL;
	int ret = ka_frame_alloc(&f, KA_PIX_I420, 64, 64);

	ka_frame_unref(&f);
	return ret;
}

static int make_packet(void)
{
	struct ka_packet *p = NULL;
	int ret = ka_packet_new(&p, 10);

	ka_packet_unref(&p);
	return ret;
}

static int make_mailbox(void)
{
	struct ka_mailbox_cfg cfg = {.item_size = 4, .capacity = 3};
	struct ka_mailbox *mb = NULL;
	int item = 1;
	int ret = ka_mailbox_new(&mb, &cfg);

	if (!ret)
		ret = ka_mailbox_put(mb, &item);
	ka_mailbox_free(mb);
	return ret;
}

static int make_latest(void)
{
	struct ka_latest *l = NULL;
	int ret = ka_latest_new(&l);

	ka_latest_free(l);
	return ret;
}

static int make_hub(void)
{
	struct ka_hub *h = NULL;
	struct ka_hub_sub *s = NULL;
	int ret = ka_hub_new(&h);

	if (!ret)
		ret = ka_hub_subscribe(h, 5, (struct ka_wake){0}, &s);
	ka_hub_unsubscribe(s);
	ka_hub_free(h);
	return ret;
}

static int fill_bytes(void)
{
	struct ka_bytes b;
	char chunk[100] = {0};

	ka_bytes_init(&b, 10000);
	for (int i = 0; i < 100; i++)
		(void)ka_bytes_add(&b, chunk, sizeof(chunk));
	int ret = b.error;

	/* What had arrived before is still there. */
	if (ret)
		assert_true(b.len < 10000 && b.len % 100 == 0);
	ka_bytes_fini(&b);
	return ret;
}

static int read_file(void)
{
	struct ka_bytes b;
	int ret;

	ka_bytes_init(&b, 1 << 20);
	ret = ka_fs_read("/proc/self/status", &b);
	ka_bytes_fini(&b);
	return ret;
}

static int make_gate(void)
{
	struct ka_gate_cfg cfg = {.password = "x", .salt = "y", .otp_length = 6, .max_controllers = 1};
	struct ka_gate *g = NULL;
	int ret = ka_gate_new(&g, &cfg);

	ka_gate_free(g);
	return ret;
}

static int make_chat_room(void)
{
	struct ka_chat_room *room = NULL;
	struct ka_chat_seat *seat = NULL;
	struct ka_chat_line line = {"x"};
	int ret = ka_chat_room_new(&room);

	if (!ret)
		ret = ka_chat_room_join(room, 1, (struct ka_wake){0}, &seat);
	if (!ret)
		ka_chat_room_say(seat, &line);
	ka_chat_room_leave(seat);
	ka_chat_room_free(room);
	return ret;
}

static int decode_message(void)
{
	/* Misc{option{supported_decoding{h264}}} and a text larger than a chunk of the arena. */
	static const char small[] = "9a 01 06 3a 04 52 02 10 01";
	uint8_t data[6000] = {0x7a, 0xed, 0x2e, 0x32, 0xea, 0x2e};
	uint8_t other[16];
	size_t n = hex_bytes(other, sizeof(other), small);
	struct ka_pb pb;
	int ret = 0;

	memset(data + 6, 'x', sizeof(data) - 6);
	ka_pb_init(&pb, 65536);
	if (!ka_pb_decode(&pb, &rd__message__descriptor, other, n) ||
	    !ka_pb_decode(&pb, &rd__message__descriptor, data, sizeof(data)))
		ret = -ENOMEM;
	ka_pb_fini(&pb);
	return ret;
}

struct conn_test {
	int messages;
	int end_err;
};

static int on_message(void *arg, uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	((struct conn_test *)arg)->messages++;
	return 0;
}

static void on_drained(void *arg)
{
	(void)arg;
}

static void on_end(void *arg, int err)
{
	((struct conn_test *)arg)->end_err = err ? err : -EPIPE;
}

static int talk(uv_loop_t *uv, struct ka_conn *c, int peer, struct conn_test *t)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	int ret = ka_conn_send(c, &msg.base);

	if (ret < 0)
		return ret;
	ret = ka_conn_send_framed(c, (const uint8_t *)"\x00", 1);
	if (ret < 0)
		return ret;
	if (write(peer, "\x08\x2a\x00", 3) != 3)
		return -EIO;
	while (!t->messages && !t->end_err)
		uv_run(uv, UV_RUN_ONCE);
	return t->end_err;
}

static int make_conn(void)
{
	struct conn_test t = {0};
	uv_loop_t uv;
	struct ka_conn_cfg cfg = {
		.uv = &uv,
		.in_limit = 100,
		.out_limit = 1000,
		.on_message = on_message,
		.on_drained = on_drained,
		.on_end = on_end,
		.arg = &t,
	};
	struct ka_conn *c = NULL;
	int fds[2];
	int ret = uv_loop_init(&uv);

	if (ret < 0)
		return ret;
	assert_int_equal(tcp_pair(fds, 0), 0);
	ret = ka_conn_new(&c, &cfg, fds[0]);
	if (!ret)
		ret = talk(&uv, c, fds[1], &t);
	ka_conn_close(c);
	while (uv_run(&uv, UV_RUN_DEFAULT) != 0)
		;
	ka_conn_free(c);
	assert_int_equal(uv_loop_close(&uv), 0);
	close(fds[1]);
	return ret;
}

/* A request of the control socket, to its reply. */
static int command(const char *line)
{
	const struct ka_console_caller caller = {.where = KA_CONSOLE_SOCKET};
	struct ka_ctl_request request;
	struct ka_console_answer answer;
	struct fake_console f;
	char *reply;
	int ret = ka_ctl_request_parse(&request, line, strlen(line));

	if (ret < 0)
		return ret;
	fake_console_init(&f);
	fake_console_add(&f, 4, "in", false);
	fake_console_add(&f, 5, "waits", true);
	fake_console_add(&f, 6, "waits", true);
	ret = ka_console_run(&f.console, &caller, request.n, request.words, &answer);
	ka_ctl_request_fini(&request);
	if (ret < 0)
		return ret;
	reply = ka_ctl_request_reply(&answer);
	ka_console_answer_fini(&answer);
	ret = reply ? 0 : -ENOMEM;
	free(reply);
	return ret;
}

static int command_help(void)
{
	return command("[\"help\"]");
}

static int command_status(void)
{
	return command("[\"status\"]");
}

static int command_id(void)
{
	return command("[\"id\"]");
}

static int command_approve(void)
{
	return command("[\"approve\"]");
}

static int command_kick(void)
{
	return command("[\"kick\", \"4\"]");
}

/* Memory may also run out on the session's own thread: then it ends, and lets go of everything. */
static int run_session(void)
{
	struct session_rig r;
	int ret = session_rig_init(&r);

	if (!ret)
		ret = session_rig_start(&r, KA_PATH_DIRECT, false);
	if (!ret && client_take_hash(&r.client) && client_send_login(&r.client, "kvm", RIG_PASSWORD, NULL)) {
		fake_host_publish(&r.host, 1, true, 1280, 720, 100);
		client_send_payload(&r.client,
				    "\x7a\x03\x32\x01"
				    "a",
				    5);
		/* ScreenshotRequest, and the file. */
		client_send_payload(&r.client, "\xea\x01\x03\x12\x01s", 6);
		if (client_fence(&r.client) >= 0 && fake_host_count(&r.host, &r.host.shots)) {
			fake_host_finish_shot(&r.host, 0, 5000);
			client_fence(&r.client);
		}
	}
	session_rig_fini(&r);
	return ret;
}

static void test_base(void **state)
{
	(void)state;
	run_until_success(make_buffers, false);
	run_until_success(make_frame, false);
	run_until_success(make_packet, false);
	run_until_success(make_mailbox, false);
	run_until_success(make_latest, false);
	run_until_success(make_hub, false);
	run_until_success(fill_bytes, false);
	run_until_success(read_file, false);
}

static void test_capture(void **state)
{
	(void)state;
	run_until_success(oom_make_png, false);
	run_until_success(oom_prepare_pictures, false);
	run_until_success(oom_take_snapshot, false);
	run_until_success(oom_encode_vp9, false);
	run_until_success(oom_encode_vp9_444, false);
	run_until_success(oom_encode_vp8, false);
	run_until_success(oom_make_streams, false);
}

static void test_wire(void **state)
{
	(void)state;
	run_until_success(decode_message, false);
	run_until_success(make_conn, false);
}

static void test_gate(void **state)
{
	(void)state;
	run_until_success(make_gate, false);
	run_until_success(make_chat_room, false);
}

static void test_console(void **state)
{
	(void)state;
	/* So that its memory runs out as ours does. */
	json_set_alloc_funcs(malloc, free);
	run_until_success(command_help, false);
	run_until_success(command_status, false);
	run_until_success(command_id, false);
	run_until_success(command_approve, false);
	run_until_success(command_kick, false);
}

static void test_session(void **state)
{
	(void)state;
	run_until_success(run_session, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base), cmocka_unit_test(test_capture), cmocka_unit_test(test_wire),
		cmocka_unit_test(test_gate), cmocka_unit_test(test_console), cmocka_unit_test(test_session),
	};

	/* What libraries open once and keep is no leak of a scenario. */
	if (make_conn() < 0)
		return 1;
	ka_log_init(STDERR_FILENO, KA_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
