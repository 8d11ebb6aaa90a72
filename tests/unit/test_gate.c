/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>

#include "rustdesk/session/gate.h"

#define SALT "abcdefghijkmnpqrstuvwxyz23456789"
#define CHALLENGE "k3m9zx"
#define THREADS 4

/* The sum a controller makes, written down a second time. */
static void answer_for(uint8_t out[32], const char *password, const char *challenge)
{
	uint8_t buf[256];
	size_t n = strlen(password);

	memcpy(buf, password, n);
	memcpy(buf + n, SALT, strlen(SALT));
	crypto_hash_sha256(out, buf, n + strlen(SALT));
	memcpy(buf, out, 32);
	n = strlen(challenge);
	memcpy(buf + 32, challenge, n);
	crypto_hash_sha256(out, buf, 32 + n);
}

static struct ka_gate_claim host(uint32_t n)
{
	struct ka_gate_claim c = {.from = {.ss_family = AF_INET}};

	((struct sockaddr_in *)&c.from)->sin_addr.s_addr = htonl(0xcb007100 + n);
	return c;
}

static enum ka_gate_verdict enter(struct ka_gate *g, const struct ka_gate_claim *claim, const char *challenge,
				  const uint8_t *answer, size_t len)
{
	struct ka_gate_pass pass;

	return ka_gate_enter(g, claim, challenge, answer, len, &pass);
}

static enum ka_gate_verdict enter_from(struct ka_gate *g, uint32_t from, const char *password)
{
	struct ka_gate_claim a = host(from);
	uint8_t answer[32];

	answer_for(answer, password, CHALLENGE);
	return enter(g, &a, CHALLENGE, answer, sizeof(answer));
}

static void leave(struct ka_gate *g)
{
	const struct ka_gate_claim claim = host(0);
	const struct ka_gate_pass pass = {.profile = "x"};

	ka_gate_leave(g, &claim, &pass, false, 0);
}

static struct ka_gate *open_gate(const char *password, unsigned int otp_length, unsigned int max)
{
	struct ka_gate_cfg cfg = {.password = password, .salt = SALT, .otp_length = otp_length, .max_controllers = max};
	struct ka_gate *g;

	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	return g;
}

static void count_wake(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void test_without_any_password_nobody_enters(void **state)
{
	struct ka_gate *g = open_gate("", 0, 8);
	struct ka_gate_claim a = host(1);
	static const uint8_t zero[32];
	char otp[33] = "x";

	(void)state;
	assert_int_equal(enter_from(g, 1, ""), KA_GATE_NO_PASSWORD);
	assert_int_equal(enter_from(g, 1, "guess"), KA_GATE_NO_PASSWORD);
	assert_int_equal(enter(g, &a, CHALLENGE, zero, 32), KA_GATE_NO_PASSWORD);
	assert_int_equal(enter(g, &a, CHALLENGE, NULL, 0), KA_GATE_NO_PASSWORD);
	ka_gate_get_otp(g, otp, sizeof(otp));
	assert_string_equal(otp, "");
	assert_int_equal(ka_gate_controllers(g), 0);
	ka_gate_free(g);
	ka_gate_free(NULL);
}

/* The one that is not set has h1 = 0: an answer made from it must not match. */
static void test_password_that_is_not_set_never_matches(void **state)
{
	struct ka_gate *permanent = open_gate("Passw0rd!", 0, 8);
	struct ka_gate *otp = open_gate("", 6, 8);
	struct ka_gate_claim a = host(1);
	uint8_t zero_h1[32 + 6] = {0};
	uint8_t answer[32];

	(void)state;
	memcpy(zero_h1 + 32, CHALLENGE, 6);
	crypto_hash_sha256(answer, zero_h1, sizeof(zero_h1));
	assert_int_equal(enter(permanent, &a, CHALLENGE, answer, 32), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(enter(otp, &a, CHALLENGE, answer, 32), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(enter_from(permanent, 1, ""), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(enter_from(otp, 1, ""), KA_GATE_WRONG_PASSWORD);
	ka_gate_free(permanent);
	ka_gate_free(otp);
}

static void test_answers_of_odd_lengths_or_another_challenge(void **state)
{
	struct ka_gate *g = open_gate("Passw0rd!", 0, 8);
	uint8_t answer[33] = {0};

	(void)state;
	answer_for(answer, "Passw0rd!", CHALLENGE);
	for (size_t n = 0; n <= sizeof(answer); n++) {
		struct ka_gate_claim a = host((uint32_t)n);

		assert_int_equal(enter(g, &a, CHALLENGE, answer, n),
				 n == 32 ? KA_GATE_WELCOME : KA_GATE_WRONG_PASSWORD);
	}
	struct ka_gate_claim a = host(100);

	assert_int_equal(enter(g, &a, "k3m9zy", answer, 32), KA_GATE_WRONG_PASSWORD);
	ka_gate_free(g);
}

static void test_limits_of_failures(void **state)
{
	struct ka_gate *g = open_gate("Passw0rd!", 0, 8);
	enum ka_gate_verdict v = KA_GATE_WRONG_PASSWORD;
	int wrong = 0;

	(void)state;
	/* The minute may change on the way: then there are more than seven. */
	while (v == KA_GATE_WRONG_PASSWORD && wrong < 40) {
		v = enter_from(g, 1, "guess");
		wrong += v == KA_GATE_WRONG_PASSWORD;
	}
	assert_int_equal(v, KA_GATE_TRY_LATER);
	assert_true(wrong >= 7 && wrong <= 14);
	/* Not even with the right one, and others are none the worse. */
	assert_int_equal(enter_from(g, 1, "Passw0rd!"), KA_GATE_TRY_LATER);
	assert_int_equal(enter_from(g, 2, "Passw0rd!"), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void test_places_are_counted_and_given_back(void **state)
{
	struct ka_gate *g = open_gate("Passw0rd!", 0, 2);

	(void)state;
	assert_int_equal(enter_from(g, 1, "Passw0rd!"), KA_GATE_WELCOME);
	assert_int_equal(enter_from(g, 1, "Passw0rd!"), KA_GATE_WELCOME);
	assert_int_equal(ka_gate_controllers(g), 2);
	assert_int_equal(enter_from(g, 1, "Passw0rd!"), KA_GATE_FULL);
	/* Who does not know the password does not hear that it is full. */
	assert_int_equal(enter_from(g, 1, "guess"), KA_GATE_WRONG_PASSWORD);
	leave(g);
	assert_int_equal(ka_gate_controllers(g), 1);
	assert_int_equal(enter_from(g, 1, "Passw0rd!"), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void test_one_time_password_changes_when_a_controller_leaves(void **state)
{
	struct ka_gate *g = open_gate("Passw0rd!", 6, 8);
	atomic_int wakes = 0;
	char first[33];
	char second[33];

	(void)state;
	ka_gate_on_otp(g, (struct ka_wake){count_wake, &wakes});
	ka_gate_get_otp(g, first, sizeof(first));
	assert_int_equal(strlen(first), 6);
	assert_int_equal(enter_from(g, 1, first), KA_GATE_WELCOME);
	/* Good for others until then. */
	assert_int_equal(enter_from(g, 2, first), KA_GATE_WELCOME);
	assert_int_equal(wakes, 0);
	leave(g);
	assert_int_equal(wakes, 1);
	ka_gate_get_otp(g, second, sizeof(second));
	assert_string_not_equal(first, second);
	assert_int_equal(enter_from(g, 1, first), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(enter_from(g, 1, second), KA_GATE_WELCOME);
	/* The permanent one goes on beside it. */
	assert_int_equal(enter_from(g, 3, "Passw0rd!"), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void test_one_time_password_changes_after_ten_failures_from_anywhere(void **state)
{
	struct ka_gate *g = open_gate("", 8, 8);
	atomic_int wakes = 0;
	char first[33];
	char second[33];

	(void)state;
	ka_gate_on_otp(g, (struct ka_wake){count_wake, &wakes});
	ka_gate_get_otp(g, first, sizeof(first));
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(enter_from(g, i, "guess"), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(wakes, 0);
	assert_int_equal(enter_from(g, 9, "guess"), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(wakes, 1);
	ka_gate_get_otp(g, second, sizeof(second));
	assert_string_not_equal(first, second);
	assert_int_equal(enter_from(g, 20, first), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(enter_from(g, 20, second), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void test_long_one_time_passwords_are_bounded(void **state)
{
	struct ka_gate *g = open_gate("", 1000, 8);
	char otp[64];
	char small[4];

	(void)state;
	ka_gate_get_otp(g, otp, sizeof(otp));
	assert_int_equal(strlen(otp), 32);
	ka_gate_get_otp(g, small, sizeof(small));
	assert_int_equal(strlen(small), 3);
	assert_int_equal(enter_from(g, 1, otp), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void test_numeric_one_time_password_has_digits_only(void **state)
{
	struct ka_gate_cfg cfg = {
		.password = "", .salt = SALT, .otp_length = 32, .otp_numeric = true, .max_controllers = 8};
	struct ka_gate *g;
	char otp[33];

	(void)state;
	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	ka_gate_get_otp(g, otp, sizeof(otp));
	assert_int_equal(strlen(otp), 32);
	assert_int_equal(strspn(otp, "0123456789"), 32);
	/* Not all the same either. */
	assert_true(strspn(otp, (char[]){otp[0], '\0'}) < 32);
	assert_int_equal(enter_from(g, 1, otp), KA_GATE_WELCOME);
	ka_gate_free(g);
}

/* Nine wrong ones, the right one, nine wrong ones: not ten in a row. */
static void test_failures_against_the_one_time_password_count_in_a_row(void **state)
{
	struct ka_gate *g = open_gate("", 8, 8);
	char first[33];
	char now[33];

	(void)state;
	ka_gate_get_otp(g, first, sizeof(first));
	for (uint32_t i = 0; i < 18; i++) {
		if (i == 9)
			assert_int_equal(enter_from(g, 100, first), KA_GATE_WELCOME);
		assert_int_equal(enter_from(g, i, "guess"), KA_GATE_WRONG_PASSWORD);
	}
	ka_gate_get_otp(g, now, sizeof(now));
	assert_string_equal(first, now);
	assert_int_equal(enter_from(g, 30, "guess"), KA_GATE_WRONG_PASSWORD);
	ka_gate_get_otp(g, now, sizeof(now));
	assert_string_not_equal(first, now);
	ka_gate_free(g);
}

static void hash_for(uint8_t h1[32], const char *password)
{
	char text[160];

	snprintf(text, sizeof(text), "%s%s", password, SALT);
	crypto_hash_sha256(h1, (const uint8_t *)text, strlen(text));
}

static void test_each_password_opens_what_it_is_for(void **state)
{
	struct ka_rd_access access[KA_RD_MAX_ACCESS + 1] = {{.name = "guest", .permissions = 0},
							    {.name = "lab", .permissions = KA_RD_MAY_KEYBOARD}};
	uint8_t main_h1[32];
	struct ka_gate_cfg cfg = {.password = "",
				  .password_h1 = main_h1,
				  .salt = SALT,
				  .permissions = KA_RD_MAY_ALL,
				  .access = access,
				  .n_access = 2,
				  .otp_length = 6,
				  .max_controllers = 8};
	static const struct {
		const char *password, *profile;
		uint32_t permissions;
	} want[] = {{"one", "guest", 0}, {"two", "lab", KA_RD_MAY_KEYBOARD}, {"main", "permanent", KA_RD_MAY_ALL}};
	struct ka_gate_claim from = host(1);
	struct ka_gate_pass pass;
	struct ka_gate *g;
	uint8_t answer[32];
	char otp[33];

	(void)state;
	hash_for(main_h1, "main");
	hash_for(access[0].h1, "one");
	hash_for(access[1].h1, "two");
	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(want); i++) {
		answer_for(answer, want[i].password, CHALLENGE);
		assert_int_equal(ka_gate_enter(g, &from, CHALLENGE, answer, 32, &pass), KA_GATE_WELCOME);
		assert_string_equal(pass.profile, want[i].profile);
		assert_int_equal(pass.permissions, want[i].permissions);
		assert_false(pass.otp);
	}
	ka_gate_get_otp(g, otp, sizeof(otp));
	answer_for(answer, otp, CHALLENGE);
	assert_int_equal(ka_gate_enter(g, &from, CHALLENGE, answer, 32, &pass), KA_GATE_WELCOME);
	assert_string_equal(pass.profile, "one-time");
	assert_true(pass.otp);
	assert_int_equal(enter_from(g, 1, "three"), KA_GATE_WRONG_PASSWORD);
	ka_gate_free(g);
	/* More than fit are not looked at. */
	cfg.n_access = KA_RD_MAX_ACCESS + 1;
	for (size_t i = 0; i < KA_RD_MAX_ACCESS; i++)
		hash_for(access[i].h1, "same");
	hash_for(access[KA_RD_MAX_ACCESS].h1, "ninth");
	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	assert_int_equal(enter_from(g, 1, "ninth"), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(enter_from(g, 1, "same"), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void test_guessing_ids_is_limited_apart_from_passwords(void **state)
{
	struct ka_gate_cfg cfg = {
		.password = "Passw0rd!", .salt = SALT, .max_controllers = 8, .allow_ids = "123456789"};
	struct ka_gate_claim a = host(1);
	struct ka_gate_claim b = host(2);
	struct ka_gate *g;
	enum ka_gate_verdict v = KA_GATE_ID_BLOCKED;
	int n = 0;

	(void)state;
	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	for (; v == KA_GATE_ID_BLOCKED && n < 40; n++)
		v = ka_gate_check_id(g, &a, "987654321");
	assert_int_equal(v, KA_GATE_TRY_LATER);
	assert_string_equal(ka_gate_limit_words(v), "Please try 1 minute later");
	assert_int_equal(ka_gate_check_id(g, &a, "123456789"), KA_GATE_TRY_LATER);
	assert_int_equal(ka_gate_check_id(g, &b, "123456789"), KA_GATE_WELCOME);
	assert_int_equal(enter_from(g, 1, "Passw0rd!"), KA_GATE_WELCOME);
	ka_gate_free(g);
}

static void *come_and_go(void *arg)
{
	struct ka_gate *g = arg;

	for (uint32_t i = 0; i < 200; i++) {
		char otp[33];

		if (enter_from(g, 1000 + i, i % 3 ? "Passw0rd!" : "guess") == KA_GATE_WELCOME)
			leave(g);
		ka_gate_get_otp(g, otp, sizeof(otp));
	}
	return NULL;
}

static void test_many_threads_at_the_gate(void **state)
{
	struct ka_gate *g = open_gate("Passw0rd!", 6, 3);
	pthread_t threads[THREADS];
	atomic_int wakes = 0;

	(void)state;
	ka_gate_on_otp(g, (struct ka_wake){count_wake, &wakes});
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, g), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(ka_gate_controllers(g), 0);
	assert_true(wakes > 0);
	ka_gate_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_any_password_nobody_enters),
		cmocka_unit_test(test_password_that_is_not_set_never_matches),
		cmocka_unit_test(test_answers_of_odd_lengths_or_another_challenge),
		cmocka_unit_test(test_limits_of_failures),
		cmocka_unit_test(test_places_are_counted_and_given_back),
		cmocka_unit_test(test_one_time_password_changes_when_a_controller_leaves),
		cmocka_unit_test(test_one_time_password_changes_after_ten_failures_from_anywhere),
		cmocka_unit_test(test_long_one_time_passwords_are_bounded),
		cmocka_unit_test(test_numeric_one_time_password_has_digits_only),
		cmocka_unit_test(test_failures_against_the_one_time_password_count_in_a_row),
		cmocka_unit_test(test_each_password_opens_what_it_is_for),
		cmocka_unit_test(test_guessing_ids_is_limited_apart_from_passwords),
		cmocka_unit_test(test_many_threads_at_the_gate),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
