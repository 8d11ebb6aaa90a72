/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that trust shares between threads, all at once: controllers log in, fail, wait to be let in, answer for a
 * second factor, come back after a drop and hang up, while others kick, let in, list, and read status and passwords.
 * What is looked for is a race (TSan), a dead lock (the test would not end) and a place that is never given back.
 */
#include "tests/check/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rustdesk/rustdesk.h"
#include "tests/fake/client.h"
#include "tests/fake/fake_host.h"

#define PASSWORD "Passw0rd!"
#define CLIENTS 6
#define ROUNDS 15

struct storm {
	struct fake_host host;
	struct ka_rd_identity identity;
	struct ka_rd *rd;
	atomic_bool over;
	sem_t news; /* something has changed; the storm goes on without it too */
	atomic_uint logins, refusals, kicks, approvals, wakes, views;
};

struct one {
	struct storm *storm;
	unsigned int number;
	pthread_t thread;
};

/* For somebody's next step, but not for long. */
static void await_news(struct storm *s)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 2000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)sem_timedwait(&s->news, &until);
}

static void on_otp(void *arg)
{
	struct storm *s = arg;
	char otp[40];

	atomic_fetch_add(&s->wakes, 1);
	sem_post(&s->news);
	ka_rd_get_otp(s->rd, otp, sizeof(otp));
}

static void open_storm(struct storm *s)
{
	struct ka_rd_cfg cfg = {
		.server = "",
		.relay = "",
		.key = "",
		.hostname = "kvm-test",
		.username = "kvm",
		.password = PASSWORD,
		.otp_length = 8,
		.permissions = KA_RD_MAY_ALL,
		.trusted_days = 1,
		.totp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
		.approval = true,
		.direct = true,
		.direct_address = "127.0.0.1",
		.serve = {.address = "", .public_address = ""},
		.encryption = KA_RD_ENCRYPT_REQUIRED,
		.version = "1.3.8",
		.max_sessions = 4,
	};
	struct ka_errbuf eb = {""};

	memset(s, 0, sizeof(*s));
	sem_init(&s->news, 0, 0);
	assert_int_equal(fake_host_init(&s->host), 0);
	memcpy(s->identity.id, "123456789", 10);
	memcpy(s->identity.salt, "abcdefghijkmnpqrstuvwxyz23456789", 33);
	crypto_sign_keypair(s->identity.sign_pk, s->identity.sign_sk);
	assert_int_equal(ka_rd_new(&s->rd, &cfg, &s->identity, &s->host.host, &eb), 0);
	ka_rd_on_otp(s->rd, (struct ka_wake){on_otp, s});
	assert_int_equal(ka_rd_start(s->rd, &eb), 0);
}

/* From an address of its own, so that limits are met at different times. */
static bool join(struct client *c, struct storm *s, uint32_t from)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001 + from)};
	struct ka_rd_status st;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ka_rd_get_status(s->rd, &st);
	to.sin_port = htons(st.direct_port);
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return false;
	}
	client_init(c, fd);
	return client_take_hash(c);
}

static void no_password(Rd__LoginRequest *r)
{
	r->password.len = 0;
}

static uint8_t hardware[] = "this machine";

static void with_hardware(Rd__LoginRequest *r)
{
	r->hwid.data = hardware;
	r->hwid.len = sizeof(hardware);
	r->session_id = 4711;
}

/* Until it is in, refused or sent away. */
static bool await_peer_info(struct client *c, struct storm *s)
{
	const Rd__Message *m;

	while ((m = client_next(c))) {
		if (m->union_case != RD__MESSAGE__UNION_LOGIN_RESPONSE)
			continue;
		if (m->login_response->union_case == RD__LOGIN_RESPONSE__UNION_PEER_INFO) {
			atomic_fetch_add(&s->logins, 1);
			return true;
		}
		atomic_fetch_add(&s->refusals, 1);
		return false;
	}
	return false;
}

static void enter_code(struct client *c)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__Auth2FA auth = RD__AUTH2_FA__INIT;
	char code[] = "000000";

	auth.code = code;
	auth.hwid.data = hardware;
	auth.hwid.len = sizeof(hardware);
	msg.union_case = RD__MESSAGE__UNION_AUTH_2FA;
	msg.auth_2fa = &auth;
	(void)client_send(c, &msg);
}

static void play(struct storm *s, unsigned int number, unsigned int round)
{
	struct client c = {.fd = -1};
	char otp[40];

	if (!join(&c, s, number * ROUNDS + round)) {
		client_fini(&c);
		return;
	}
	switch ((number + round) % 5) {
	case 0: /* waits for somebody to let it in, or to send it away */
	case 1:
		if (client_send_login(&c, "kvm", "", no_password) && await_peer_info(&c, s))
			(void)client_fence(&c);
		break;
	case 2: /* the password is right, the code is not */
		if (client_send_login(&c, "kvm", PASSWORD, with_hardware)) {
			(void)await_peer_info(&c, s);
			enter_code(&c);
			(void)await_peer_info(&c, s);
		}
		break;
	case 3:
		ka_rd_get_otp(s->rd, otp, sizeof(otp));
		if (client_send_login(&c, "kvm", otp, NULL))
			(void)await_peer_info(&c, s);
		break;
	case 4:
		if (client_send_login(&c, "kvm", "guess", NULL))
			(void)await_peer_info(&c, s);
		break;
	}
	client_fini(&c);
}

static void *controller(void *arg)
{
	struct one *one = arg;

	for (unsigned int round = 0; round < ROUNDS; round++)
		play(one->storm, one->number, round);
	return NULL;
}

/* Lets every second one in that waits, and sends every third away. */
static void *porter(void *arg)
{
	struct storm *s = ((struct one *)arg)->storm;
	struct ka_rd_session list[KA_RD_MAX_SESSIONS * 4];

	while (!atomic_load(&s->over)) {
		size_t n = ka_rd_sessions(s->rd, list, KA_ARRAY_LEN(list));

		for (size_t i = 0; i < n; i++) {
			if (list[i].waiting && list[i].number % 3)
				atomic_fetch_add(&s->approvals, !ka_rd_approve(s->rd, list[i].number));
			else
				atomic_fetch_add(&s->kicks, !ka_rd_kick(s->rd, list[i].number));
		}
		await_news(s);
	}
	return NULL;
}

static void *viewer(void *arg)
{
	struct storm *s = ((struct one *)arg)->storm;
	struct ka_rd_session list[4];
	char trusted[KA_RD_TRUSTED_MAX];
	struct ka_rd_status st;
	char otp[40];

	while (!atomic_load(&s->over)) {
		ka_rd_get_status(s->rd, &st);
		ka_rd_get_otp(s->rd, otp, sizeof(otp));
		(void)ka_rd_take_trusted(s->rd, trusted);
		(void)ka_rd_sessions(s->rd, list, KA_ARRAY_LEN(list));
		if (st.controllers <= 4 && otp[0])
			atomic_fetch_add(&s->views, 1);
		await_news(s);
	}
	return NULL;
}

static void test_everybody_at_once(void **state)
{
	struct one all[CLIENTS + 3];
	struct ka_rd_status st;
	struct storm *s = malloc(sizeof(*s));

	(void)state;
	assert_non_null(s);
	open_storm(s);
	for (unsigned int i = 0; i < KA_ARRAY_LEN(all); i++) {
		all[i] = (struct one){.storm = s, .number = i};
		assert_int_equal(pthread_create(&all[i].thread, NULL,
						i < CLIENTS	  ? controller
						: i < CLIENTS + 2 ? porter
								  : viewer,
						&all[i]),
				 0);
	}
	for (unsigned int i = 0; i < CLIENTS; i++)
		pthread_join(all[i].thread, NULL);
	atomic_store(&s->over, true);
	for (unsigned int i = CLIENTS; i < KA_ARRAY_LEN(all); i++)
		pthread_join(all[i].thread, NULL);
	assert_true(atomic_load(&s->logins) > 0);
	assert_true(atomic_load(&s->refusals) > 0);
	assert_true(atomic_load(&s->approvals) >= atomic_load(&s->logins));
	assert_true(atomic_load(&s->kicks) > 0);
	assert_true(atomic_load(&s->views) > 0);
	/* Each login that ended has made a new one-time password, and so have ten failures now and then. */
	do {
		await_news(s);
		ka_rd_get_status(s->rd, &st);
	} while (st.connections || st.controllers);
	assert_true(atomic_load(&s->wakes) >= atomic_load(&s->logins));
	ka_rd_stop(s->rd);
	ka_rd_join(s->rd);
	ka_rd_free(s->rd);
	fake_host_fini(&s->host);
	sem_destroy(&s->news);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody_at_once),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
