/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The endpoint's list of sessions as other threads see it: listed, kicked, let in by hand, ended when idle. */
#include "tests/check/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "rustdesk/rustdesk.h"
#include "tests/fake/client.h"
#include "tests/fake/fake_host.h"

#define PASSWORD "Passw0rd!"

struct bench {
	struct fake_host host;
	struct ka_rd_identity identity;
	struct ka_rd *rd;
};

static void open_bench(struct bench *b, const char *password, bool approval, unsigned int idle_s)
{
	struct ka_rd_cfg cfg = {
		.server = "",
		.relay = "",
		.key = "",
		.hostname = "kvm-test",
		.username = "kvm",
		.password = password,
		.permissions = KA_RD_MAY_ALL,
		.approval = approval,
		.idle_s = idle_s,
		.direct = true,
		.direct_address = "127.0.0.1",
		.serve = {.address = "", .public_address = ""},
		.encryption = KA_RD_ENCRYPT_REQUIRED,
		.version = "1.3.8",
		.max_sessions = 8,
	};
	struct ka_errbuf eb = {""};

	memset(b, 0, sizeof(*b));
	assert_int_equal(fake_host_init(&b->host), 0);
	memcpy(b->identity.id, "123456789", 10);
	memcpy(b->identity.salt, "abcdefghijkmnpqrstuvwxyz23456789", 33);
	crypto_sign_keypair(b->identity.sign_pk, b->identity.sign_sk);
	assert_int_equal(ka_rd_new(&b->rd, &cfg, &b->identity, &b->host.host, &eb), 0);
	assert_int_equal(ka_rd_start(b->rd, &eb), 0);
}

static void close_bench(struct bench *b)
{
	ka_rd_stop(b->rd);
	ka_rd_join(b->rd);
	ka_rd_free(b->rd);
	fake_host_fini(&b->host);
}

static void join(struct client *c, struct bench *b)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct ka_rd_status st;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ka_rd_get_status(b->rd, &st);
	to.sin_port = htons(st.direct_port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	client_init(c, fd);
	assert_true(client_take_hash(c));
}

static const Rd__LoginResponse *response(struct client *c)
{
	const Rd__Message *m = client_next(c);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_LOGIN_RESPONSE);
	return m->login_response;
}

static void assert_in(struct client *c)
{
	assert_int_equal(response(c)->union_case, RD__LOGIN_RESPONSE__UNION_PEER_INFO);
}

static void assert_closed(struct client *c, const char *reason)
{
	const Rd__Message *m = client_next(c);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CLOSE_REASON);
	assert_string_equal(m->misc->close_reason, reason);
	assert_true(client_wait_eof(c));
}

static char rude[] = "Eve\n\"x";

static void rude_name(Rd__LoginRequest *r)
{
	r->my_name = rude;
}

static void no_password(Rd__LoginRequest *r)
{
	r->password.len = 0;
}

static void test_sessions_are_listed_and_kicked(void **state)
{
	struct ka_rd_session list[4];
	struct bench b;
	struct client one;
	struct client two;
	uint32_t first;

	(void)state;
	open_bench(&b, PASSWORD, false, 0);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 0);
	join(&one, &b);
	/* Before login there is nobody to show. */
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 0);
	assert_true(client_send_login(&one, "kvm", PASSWORD, rude_name));
	assert_in(&one);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 1);
	first = list[0].number;
	assert_string_equal(list[0].id, "987654321");
	assert_null(strchr(list[0].name, '\n'));
	assert_int_equal(strncmp(list[0].name, "Eve", 3), 0);
	assert_int_equal(strncmp(list[0].address, "127.0.0.1:", 10), 0);
	assert_string_equal(list[0].path, "direct");
	assert_string_equal(list[0].profile, "permanent");
	assert_false(list[0].encrypted || list[0].waiting);
	assert_in_range(time(NULL) - list[0].since_s, 0, 20);
	join(&two, &b);
	assert_true(client_send_login(&two, "kvm", PASSWORD, NULL));
	assert_in(&two);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 2);
	assert_int_equal(ka_rd_sessions(b.rd, list, 1), 1);
	assert_int_equal(ka_rd_sessions(b.rd, list, 0), 0);

	assert_int_equal(ka_rd_kick(b.rd, 0), -ENOENT);
	assert_int_equal(ka_rd_kick(b.rd, 9999), -ENOENT);
	/* Who is in does not wait. */
	assert_int_equal(ka_rd_approve(b.rd, first), -ENOENT);
	assert_int_equal(ka_rd_kick(b.rd, first), 0);
	assert_closed(&one, "Closed manually by the peer");
	assert_int_equal(client_fence(&two), 0);
	client_fini(&one);
	client_fini(&two);
	close_bench(&b);
}

static void test_kicking_again_and_again_does_not_put_off_the_end(void **state)
{
	int64_t until_us = ka_clock_us() + KA_SEC(15);
	struct ka_rd_session list[4];
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, PASSWORD, false, 0);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", PASSWORD, NULL));
	assert_in(&c);
	/* The client may hear of it before the list does. */
	while (!ka_rd_sessions(b.rd, list, 4) && ka_clock_us() < until_us)
		poll(NULL, 0, 1);
	while (ka_rd_sessions(b.rd, list, 4) && ka_clock_us() < until_us) {
		(void)!ka_rd_kick(b.rd, list[0].number);
		poll(NULL, 0, 1);
	}
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 0);
	assert_true(client_wait_eof(&c));
	client_fini(&c);
	close_bench(&b);
}

static void test_controller_is_let_in_by_hand(void **state)
{
	struct ka_rd_session list[4];
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, "", true, 0);
	join(&c, &b);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 0);
	assert_true(client_send_login(&c, "kvm", "", no_password));
	assert_string_equal(response(&c)->error, "No Password Access");
	/* No password is as good as any. */
	assert_true(client_send_login(&c, "kvm", "guess", NULL));
	assert_string_equal(response(&c)->error, "No Password Access");
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 1);
	assert_true(list[0].waiting);
	assert_string_equal(list[0].profile, "");
	assert_int_equal(ka_rd_approve(b.rd, list[0].number + 1), -ENOENT);
	assert_int_equal(ka_rd_approve(b.rd, list[0].number), 0);
	assert_in(&c);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 1);
	assert_false(list[0].waiting);
	assert_string_equal(list[0].profile, "approved");
	client_fini(&c);
	close_bench(&b);
}

static char old_version[] = "1.1.9";

static void old_client(Rd__LoginRequest *r)
{
	no_password(r);
	r->version = old_version;
}

static void test_old_client_waits_without_words_it_does_not_know(void **state)
{
	struct ka_rd_session list[4];
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, "", true, 0);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", "", old_client));
	assert_int_equal(client_fence(&c), 0);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 1);
	assert_int_equal(ka_rd_approve(b.rd, list[0].number), 0);
	assert_in(&c);
	client_fini(&c);
	close_bench(&b);
}

/* Until the session that was the only one has gone and another is listed alone, in list[0]. */
static void wait_for_number(struct bench *b, struct ka_rd_session *list, uint32_t old)
{
	for (int i = 0; i < 5000; i++) {
		if (ka_rd_sessions(b->rd, list, 4) == 1 && list[0].number != old)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	fail_msg("session %u never made room for another", old);
}

static void test_waiting_controller_may_be_sent_away_or_type_the_password(void **state)
{
	struct ka_rd_session list[4];
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, PASSWORD, true, 0);
	join(&c, &b);
	/* There is a password: the client goes on showing its dialog. */
	assert_true(client_send_login(&c, "kvm", "", no_password));
	assert_int_equal(client_fence(&c), 0);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 1);
	assert_true(list[0].waiting);
	assert_int_equal(ka_rd_kick(b.rd, list[0].number), 0);
	assert_closed(&c, "Closed manually by the peer");
	client_fini(&c);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", "", no_password));
	assert_int_equal(client_fence(&c), 0);
	wait_for_number(&b, list, list[0].number);
	assert_int_equal(ka_rd_refuse(b.rd, list[0].number + 1), -ENOENT);
	assert_int_equal(ka_rd_refuse(b.rd, list[0].number), 0);
	assert_closed(&c, "The connection was not allowed by the operator");
	client_fini(&c);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", "", no_password));
	assert_true(client_send_login(&c, "kvm", PASSWORD, NULL));
	assert_in(&c);
	/* Who is in is no more asked about. */
	wait_for_number(&b, list, list[0].number);
	assert_int_equal(ka_rd_refuse(b.rd, list[0].number), -ENOENT);
	client_fini(&c);
	close_bench(&b);
}

static void test_without_the_mode_nobody_can_be_let_in(void **state)
{
	struct ka_rd_session list[4];
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, PASSWORD, false, 0);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", "", no_password));
	assert_int_equal(client_fence(&c), 0);
	assert_int_equal(ka_rd_sessions(b.rd, list, 4), 0);
	assert_int_equal(ka_rd_approve(b.rd, 1), -ENOENT);
	client_fini(&c);
	close_bench(&b);
}

static void test_idle_session_ends_in_stock_words(void **state)
{
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, PASSWORD, false, 1);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", PASSWORD, NULL));
	assert_in(&c);
	assert_closed(&c, "Connection failed due to inactivity");
	client_fini(&c);
	close_bench(&b);
}

static void test_who_chats_is_not_idle(void **state)
{
	int64_t until;
	struct client c;
	struct bench b;

	(void)state;
	open_bench(&b, PASSWORD, false, 3);
	join(&c, &b);
	assert_true(client_send_login(&c, "kvm", PASSWORD, NULL));
	assert_in(&c);
	for (until = ka_clock_us() + KA_MS(4500); ka_clock_us() < until; poll(NULL, 0, 100)) {
		assert_true(client_send_payload(&c, "\x9a\x01\x05\x22\x03\x0a\x01h", 8));
		assert_true(client_fence(&c) >= 0);
	}
	client_fini(&c);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions_are_listed_and_kicked),
		cmocka_unit_test(test_kicking_again_and_again_does_not_put_off_the_end),
		cmocka_unit_test(test_controller_is_let_in_by_hand),
		cmocka_unit_test(test_old_client_waits_without_words_it_does_not_know),
		cmocka_unit_test(test_waiting_controller_may_be_sent_away_or_type_the_password),
		cmocka_unit_test(test_without_the_mode_nobody_can_be_let_in),
		cmocka_unit_test(test_idle_session_ends_in_stock_words),
		cmocka_unit_test(test_who_chats_is_not_idle),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
