/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate's second factor, trusted devices and resumed sessions. */
#include "tests/check/check.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>

#include "base/clock.h"
#include "rustdesk/session/gate.h"
#include "rustdesk/session/totp.h"

#define SALT "abcdefghijkmnpqrstuvwxyz23456789"
#define CHALLENGE "k3m9zx"

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

static struct ka_gate *open_gate(const char *password, unsigned int otp_length, unsigned int max)
{
	struct ka_gate_cfg cfg = {.password = password, .salt = SALT, .otp_length = otp_length, .max_controllers = max};
	struct ka_gate *g;

	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	return g;
}

static const uint8_t totp_key[] = "12345678901234567890";

static void code_now(char code[7])
{
	uint64_t step = (uint64_t)(ka_clock_wall_us() / KA_SEC(30));

	snprintf(code, 7, "%06u", ka_totp_code(totp_key, 20, step) % 1000000);
}

static struct ka_gate *open_gate_with_code(unsigned int trusted_days, const char *trusted)
{
	struct ka_gate_cfg cfg = {.password = "Passw0rd!",
				  .salt = SALT,
				  .max_controllers = 2,
				  .totp_key = totp_key,
				  .totp_key_len = 20,
				  .trusted_days = trusted_days,
				  .trusted = trusted};
	struct ka_gate *g;

	assert_int_equal(ka_gate_new(&g, &cfg), 0);
	return g;
}

static enum ka_gate_verdict password_of(struct ka_gate *g, const struct ka_gate_claim *claim, struct ka_gate_pass *pass)
{
	uint8_t answer[32];

	answer_for(answer, "Passw0rd!", CHALLENGE);
	return ka_gate_enter(g, claim, CHALLENGE, answer, 32, pass);
}

static void test_code_is_needed_good_once_and_limited_apart(void **state)
{
	struct ka_gate *g = open_gate_with_code(0, NULL);
	struct ka_gate_claim a = host(1);
	struct ka_gate_claim b = host(2);
	enum ka_gate_verdict v = KA_GATE_WRONG_CODE;
	struct ka_gate_pass pass;
	char code[7];

	(void)state;
	assert_int_equal(password_of(g, &a, &pass), KA_GATE_NEEDS_CODE);
	assert_int_equal(ka_gate_controllers(g), 0);
	assert_int_equal(ka_gate_enter_code(g, &a, "", &pass), KA_GATE_WRONG_CODE);
	assert_int_equal(ka_gate_enter_code(g, &a, "12345", &pass), KA_GATE_WRONG_CODE);
	code_now(code);
	assert_int_equal(ka_gate_enter_code(g, &a, code, &pass), KA_GATE_WELCOME);
	assert_true(pass.code);
	assert_int_equal(ka_gate_controllers(g), 1);
	/* Somebody who looked over the shoulder. */
	assert_int_equal(password_of(g, &b, &pass), KA_GATE_NEEDS_CODE);
	assert_int_equal(ka_gate_enter_code(g, &b, code, &pass), KA_GATE_WRONG_CODE);
	for (int i = 0; v == KA_GATE_WRONG_CODE && i < 30; i++)
		v = ka_gate_enter_code(g, &b, "abcdef", &pass);
	assert_int_equal(v, KA_GATE_TRY_LATER);
	/* Passwords are counted apart. */
	assert_int_equal(password_of(g, &b, &pass), KA_GATE_NEEDS_CODE);
	ka_gate_free(g);
}

static void test_trusted_device_needs_no_code_until_it_expires(void **state)
{
	struct ka_gate *g = open_gate_with_code(30, NULL);
	struct ka_gate_claim a = host(1);
	struct ka_gate_claim other;
	char text[KA_TRUSTED_TEXT_MAX] = "";
	struct ka_gate_pass pass;
	char code[7];

	(void)state;
	ka_gate_claim_who(&a, "123456789", "Ann", "Linux", 7);
	ka_gate_claim_hwid(&a, (const uint8_t *)"hw", 2);
	assert_int_equal(password_of(g, &a, &pass), KA_GATE_NEEDS_CODE);
	assert_false(ka_gate_take_trusted(g, text));
	code_now(code);
	assert_int_equal(ka_gate_enter_code(g, &a, code, &pass), KA_GATE_WELCOME);
	assert_int_equal(password_of(g, &a, &pass), KA_GATE_WELCOME);
	assert_true(ka_gate_take_trusted(g, text));
	assert_false(ka_gate_take_trusted(g, text));
	assert_non_null(strstr(text, " 123456789\n"));
	ka_gate_free(g);
	/* In the next life too, but nobody who differs in anything. */
	g = open_gate_with_code(30, text);
	assert_int_equal(password_of(g, &a, &pass), KA_GATE_WELCOME);
	for (int i = 0; i < 5; i++) {
		other = host(1);
		ka_gate_claim_who(&other, i == 0 ? "12345678" : "123456789", i == 1 ? "Ann " : "Ann",
				  i == 2 ? "Windows" : "Linux", 7);
		ka_gate_claim_hwid(&other, (const uint8_t *)(i == 3 ? "hx" : "hw"), i == 4 ? 0 : 2);
		assert_int_equal(password_of(g, &other, &pass), KA_GATE_NEEDS_CODE);
	}
	ka_gate_free(g);
	g = open_gate_with_code(0, text);
	assert_int_equal(password_of(g, &a, &pass), KA_GATE_NEEDS_CODE);
	ka_gate_free(g);
}

static void test_dropped_session_resumes_with_the_one_time_password_it_had(void **state)
{
	struct ka_gate *g = open_gate("", 8, 8);
	struct ka_gate_claim a = host(1);
	struct ka_gate_claim other;
	struct ka_gate_pass pass;
	uint8_t answer[32];
	char otp[33];
	int64_t now = ka_clock_us();

	(void)state;
	ka_gate_get_otp(g, otp, sizeof(otp));
	answer_for(answer, otp, CHALLENGE);
	ka_gate_claim_who(&a, "123456789", "Ann", "Linux", 7);
	assert_int_equal(ka_gate_enter(g, &a, CHALLENGE, answer, 32, &pass), KA_GATE_WELCOME);
	/* Good-bye: over. */
	ka_gate_leave(g, &a, &pass, false, now);
	assert_int_equal(enter(g, &a, CHALLENGE, answer, 32), KA_GATE_WRONG_PASSWORD);
	ka_gate_get_otp(g, otp, sizeof(otp));
	answer_for(answer, otp, CHALLENGE);
	assert_int_equal(ka_gate_enter(g, &a, CHALLENGE, answer, 32, &pass), KA_GATE_WELCOME);
	ka_gate_leave(g, &a, &pass, true, now);
	/* Another session, another controller: no. */
	other = a;
	other.session_id = 8;
	assert_int_equal(enter(g, &other, CHALLENGE, answer, 32), KA_GATE_WRONG_PASSWORD);
	other = host(1);
	ka_gate_claim_who(&other, "123456789", "Bob", "Linux", 7);
	assert_int_equal(enter(g, &other, CHALLENGE, answer, 32), KA_GATE_WRONG_PASSWORD);
	assert_int_equal(ka_gate_enter(g, &a, CHALLENGE, answer, 32, &pass), KA_GATE_WELCOME);
	assert_string_equal(pass.profile, "one-time");
	ka_gate_free(g);
}

static void test_late_resumption_is_refused(void **state)
{
	struct ka_gate *g = open_gate("", 8, 8);
	struct ka_gate_claim a = host(1);
	struct ka_gate_pass pass;
	uint8_t answer[32];
	char otp[33];

	(void)state;
	ka_gate_get_otp(g, otp, sizeof(otp));
	answer_for(answer, otp, CHALLENGE);
	ka_gate_claim_who(&a, "123456789", "Ann", "Linux", 7);
	assert_int_equal(ka_gate_enter(g, &a, CHALLENGE, answer, 32, &pass), KA_GATE_WELCOME);
	ka_gate_leave(g, &a, &pass, true, ka_clock_us() - KA_SEC(KA_GATE_RESUME_S));
	assert_int_equal(enter(g, &a, CHALLENGE, answer, 32), KA_GATE_WRONG_PASSWORD);
	ka_gate_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_is_needed_good_once_and_limited_apart),
		cmocka_unit_test(test_trusted_device_needs_no_code_until_it_expires),
		cmocka_unit_test(test_dropped_session_resumes_with_the_one_time_password_it_had),
		cmocka_unit_test(test_late_resumption_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
