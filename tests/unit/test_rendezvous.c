/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registration state machine against a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rustdesk/reach/registration.h"
#include "rustdesk/reach/rendezvous_msg.h"

static const struct ka_registration_timing timing = KA_REGISTRATION_TIMING;

/* What it does next when only time passes; *now moves there. */
static enum ka_registration_action run(struct ka_registration *r, int64_t *now)
{
	enum ka_registration_action a = ka_registration_poll(r, *now);

	for (int i = 0; a == KA_REG_DO_NOTHING && i < 3; i++) {
		int64_t next = ka_registration_next_us(r);

		assert_true(next > *now && next != INT64_MAX);
		/* not a moment too early */
		assert_int_equal(ka_registration_poll(r, next - 1), KA_REG_DO_NOTHING);
		*now = next;
		a = ka_registration_poll(r, *now);
	}
	return a;
}

/* Opened, nothing sent yet. */
static void open_at(struct ka_registration *r, int64_t now, unsigned int alternatives)
{
	ka_registration_init(r, &timing);
	assert_int_equal(ka_registration_poll(r, now), KA_REG_DO_RESOLVE);
	assert_int_equal(ka_registration_poll(r, now), KA_REG_DO_NOTHING);
	assert_int_equal(ka_registration_next_us(r), INT64_MAX);
	ka_registration_opened(r, now, alternatives);
}

/* Registered. */
static void register_at(struct ka_registration *r, int64_t now)
{
	open_at(r, now, 0);
	assert_int_equal(ka_registration_poll(r, now), KA_REG_DO_PK);
	assert_true(ka_registration_on_pk_response(r, now, KA_RDV_OK));
	assert_int_equal(ka_registration_poll(r, now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(r, now, false));
}

static void test_first_registration(void **state)
{
	struct ka_registration r;
	int64_t now = KA_SEC(1000);

	(void)state;
	open_at(&r, now, 0);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_false(ka_registration_confirmed(&r, now));
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	/* OK alone does not make us reachable: RegisterPeer at once */
	assert_false(ka_registration_confirmed(&r, now));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_int_equal(now, KA_SEC(1000));
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_true(ka_registration_confirmed(&r, now));
	assert_int_equal(r.state, KA_REG_OK);
}

static void test_keep_alive_every_interval(void **state)
{
	struct ka_registration r;
	int64_t now = KA_SEC(1000);

	(void)state;
	register_at(&r, now);
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(run(&r, &now), KA_REG_DO_PEER);
		assert_int_equal(now, KA_SEC(1000 + 15 * i));
		assert_true(ka_registration_on_peer_response(&r, now, false));
	}
}

static void test_register_pk_is_repeated_until_answered(void **state)
{
	struct ka_registration r;
	int64_t now = 0;

	(void)state;
	open_at(&r, now, 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(run(&r, &now), KA_REG_DO_PK);
		assert_int_equal(now, KA_SEC(3 * i));
	}
}

static void test_silence_is_told_then_the_name_is_looked_up_again(void **state)
{
	struct ka_registration r;
	int64_t now = KA_SEC(100);
	char words[96];

	(void)state;
	register_at(&r, now);
	/* long enough after the first look-up */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(run(&r, &now), KA_REG_DO_PEER);
		assert_true(ka_registration_on_peer_response(&r, now, false));
	}
	int64_t heard = now;

	for (int i = 0; i < 4; i++) {
		assert_int_equal(run(&r, &now), KA_REG_DO_PEER);
		assert_int_equal(now, heard + KA_SEC(15 + 3 * i));
		assert_true(ka_registration_confirmed(&r, now));
	}
	assert_int_equal(run(&r, &now), KA_REG_DO_RESOLVE);
	assert_int_equal(now, heard + KA_SEC(27));
	assert_int_equal(r.state, KA_REG_SILENT);
	assert_false(ka_registration_confirmed(&r, now));
	ka_registration_words(&r, "hbbs.example", words, sizeof(words));
	assert_string_equal(words, "no answer from server hbbs.example");
	/* a new socket speaks at once, and is replaced again a minute later at the earliest */
	ka_registration_opened(&r, now, 0);
	int64_t rebound = now;
	enum ka_registration_action a;

	while ((a = run(&r, &now)) == KA_REG_DO_PEER)
		;
	assert_int_equal(a, KA_REG_DO_RESOLVE);
	assert_true(now >= rebound + KA_SEC(60) && now < rebound + KA_SEC(64));
	/* the server is back */
	ka_registration_opened(&r, now, 0);
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_true(ka_registration_confirmed(&r, now));
}

static void test_restarted_server_asks_for_the_key(void **state)
{
	struct ka_registration r;
	int64_t now = 0;

	(void)state;
	register_at(&r, now);
	assert_int_equal(run(&r, &now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now, true));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PK);
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_int_equal(now, KA_SEC(15));
}

static void test_server_that_always_asks_for_the_key_is_not_hammered(void **state)
{
	struct ka_registration r;
	int64_t now = 0;
	int sent = 0;

	(void)state;
	open_at(&r, now, 0);
	while (now < KA_SEC(100)) {
		enum ka_registration_action a = run(&r, &now);

		if (a == KA_REG_DO_PK) {
			sent++;
			assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
		} else {
			assert_int_equal(a, KA_REG_DO_PEER);
			assert_true(ka_registration_on_peer_response(&r, now, true));
		}
	}
	assert_in_range(sent, 9, 11);
	assert_false(ka_registration_confirmed(&r, now));
}

static void test_refusals_back_off(void **state)
{
	static const int pauses[] = {10, 20, 40, 60, 60};
	struct ka_registration r;
	int64_t now = KA_SEC(1);
	char words[96];

	(void)state;
	open_at(&r, now, 0);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		int64_t before = now;

		assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_UUID_MISMATCH));
		assert_int_equal(r.state, KA_REG_REFUSED);
		assert_int_equal(run(&r, &now), KA_REG_DO_PK);
		assert_int_equal(now - before, KA_SEC(pauses[i]));
	}
	ka_registration_words(&r, "hbbs.example", words, sizeof(words));
	assert_non_null(strstr(words, "UUID_MISMATCH"));
	/* forgiven and forgotten */
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_int_equal(r.refusals, 0);
}

static void test_every_refusal_has_words_and_a_pause(void **state)
{
	static const int results[] = {KA_RDV_UUID_MISMATCH,
				      KA_RDV_ID_EXISTS,
				      KA_RDV_TOO_FREQUENT,
				      KA_RDV_INVALID_ID_FORMAT,
				      KA_RDV_NOT_SUPPORT,
				      KA_RDV_SERVER_ERROR,
				      KA_RDV_NOT_DEPLOYED,
				      99,
				      -7};

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct ka_registration r;
		int64_t now = 0;
		char words[96];

		open_at(&r, now, 0);
		assert_int_equal(run(&r, &now), KA_REG_DO_PK);
		assert_true(ka_registration_on_pk_response(&r, now, results[i]));
		ka_registration_words(&r, "hbbs.example", words, sizeof(words));
		assert_int_equal(strncmp(words, "refused: ", 9), 0);
		assert_int_equal(run(&r, &now), KA_REG_DO_PK);
		assert_int_equal(now, results[i] == KA_RDV_NOT_DEPLOYED ? KA_SEC(30) : KA_SEC(10));
	}
}

static void test_answers_nobody_asked_for_change_nothing(void **state)
{
	struct ka_registration r;
	int64_t now = 0;

	(void)state;
	open_at(&r, now, 0);
	assert_false(ka_registration_on_pk_response(&r, now, KA_RDV_OK)); /* nothing sent yet */
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_false(ka_registration_on_peer_response(&r, now, false)); /* the other kind */
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	assert_false(ka_registration_on_pk_response(&r, now, KA_RDV_UUID_MISMATCH)); /* a second one */
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_false(ka_registration_on_pk_response(&r, now, KA_RDV_UUID_MISMATCH));
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_false(ka_registration_on_peer_response(&r, now, true));
	assert_int_equal(r.state, KA_REG_OK);
	assert_int_equal(run(&r, &now), KA_REG_DO_PEER);
	assert_int_equal(now, KA_SEC(15));
}

static void test_failed_lookup_is_repeated(void **state)
{
	struct ka_registration r;
	int64_t now = 0;
	char words[96];

	(void)state;
	ka_registration_init(&r, &timing);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(run(&r, &now), KA_REG_DO_RESOLVE);
		assert_int_equal(now, KA_SEC(5 * i));
		ka_registration_lookup_failed(&r, now);
	}
	ka_registration_words(&r, "nowhere.example", words, sizeof(words));
	assert_string_equal(words, "the name of server nowhere.example cannot be resolved");
	assert_int_equal(run(&r, &now), KA_REG_DO_RESOLVE);
	ka_registration_opened(&r, now, 0);
	assert_int_equal(r.state, KA_REG_ASKING);
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PK);
}

static void test_failed_second_lookup_keeps_the_old_socket(void **state)
{
	struct ka_registration r;
	int64_t now = 0;
	enum ka_registration_action a;

	(void)state;
	register_at(&r, now);
	while ((a = run(&r, &now)) == KA_REG_DO_PEER)
		;
	assert_int_equal(a, KA_REG_DO_RESOLVE);
	ka_registration_lookup_failed(&r, now);
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_true(ka_registration_confirmed(&r, now));
}

static void test_refused_address_gives_way_to_the_next(void **state)
{
	struct ka_registration r;
	int64_t now = 0;
	char words[96];

	(void)state;
	open_at(&r, now, 1);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	ka_registration_unreachable(&r, now + 1000, false);
	/* no waiting, no minute between */
	assert_int_equal(ka_registration_poll(&r, now + 1000), KA_REG_DO_RESOLVE);
	ka_registration_opened(&r, now + 1000, 0);
	assert_int_equal(ka_registration_poll(&r, now + 1000), KA_REG_DO_PK);
	/* the last one is asked again and again, at the usual pace */
	ka_registration_unreachable(&r, now + 2000, false);
	ka_registration_words(&r, "hbbs.example:1", words, sizeof(words));
	assert_string_equal(words, "unreachable: no server listens at hbbs.example:1");
	assert_int_equal(ka_registration_poll(&r, now + 2000), KA_REG_DO_NOTHING);
	assert_int_equal(ka_registration_next_us(&r), now + 1000 + KA_SEC(3));
}

static void test_no_route_has_words_of_its_own(void **state)
{
	struct ka_registration r;
	int64_t now = 0;
	char words[96];

	(void)state;
	open_at(&r, now, 0);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	ka_registration_unreachable(&r, now, true);
	ka_registration_words(&r, "h", words, sizeof(words));
	assert_string_equal(words, "no way to server h: the network is down or has no route");
	/* silence later does not hide the reason */
	for (int i = 0; i < 4; i++)
		assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_int_equal(r.state, KA_REG_NO_ROUTE);
	ka_registration_no_route(&r, now);
	assert_int_equal(r.state, KA_REG_NO_ROUTE);
	assert_true(ka_registration_failing(&r));
}

static void test_moved_looks_up_and_registers_at_once(void **state)
{
	struct ka_registration r;
	int64_t now = KA_SEC(5);

	(void)state;
	register_at(&r, now);
	ka_registration_moved(&r, now + 1);
	assert_false(ka_registration_confirmed(&r, now + 1));
	assert_false(ka_registration_failing(&r));
	assert_int_equal(ka_registration_poll(&r, now + 1), KA_REG_DO_RESOLVE);
	/* again while it looks: nothing twice */
	ka_registration_moved(&r, now + 2);
	assert_int_equal(ka_registration_poll(&r, now + 2), KA_REG_DO_NOTHING);
	ka_registration_opened(&r, now + 3, 0);
	assert_int_equal(ka_registration_poll(&r, now + 3), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now + 3, true));
	/* the address is new to the server, which asks for the key */
	now += 3;
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PK);
	/* without a network: when it comes back, and not at the next try only */
	ka_registration_moved(&r, now);
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_RESOLVE);
	ka_registration_no_route(&r, now);
	assert_int_equal(ka_registration_poll(&r, now + 1), KA_REG_DO_NOTHING);
	ka_registration_hurry(&r, now + 1);
	assert_int_equal(ka_registration_poll(&r, now + 1), KA_REG_DO_RESOLVE);
}

static void test_hurry_registers_now_but_only_once(void **state)
{
	struct ka_registration r;
	int64_t now = 0;

	(void)state;
	register_at(&r, now);
	ka_registration_hurry(&r, 7);
	assert_int_equal(ka_registration_poll(&r, 7), KA_REG_DO_PEER);
	ka_registration_hurry(&r, 8);
	assert_int_equal(ka_registration_poll(&r, 8), KA_REG_DO_NOTHING);
	/* a pause after a refusal stays a pause */
	ka_registration_init(&r, &timing);
	open_at(&r, now, 0);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_TOO_FREQUENT));
	ka_registration_hurry(&r, now + 1);
	assert_int_equal(ka_registration_poll(&r, now + 1), KA_REG_DO_NOTHING);
}

static void test_failing_means_that_every_address_had_its_chance(void **state)
{
	struct ka_registration r;
	int64_t now = 0;

	(void)state;
	open_at(&r, now, 1);
	assert_false(ka_registration_failing(&r));
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	ka_registration_unreachable(&r, now, false);
	assert_false(ka_registration_failing(&r));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_RESOLVE);
	ka_registration_opened(&r, now, 0);
	assert_false(ka_registration_failing(&r));
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_true(ka_registration_failing(&r));
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	assert_int_equal(run(&r, &now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_false(ka_registration_failing(&r));
	/* refused, or without a name: at once */
	open_at(&r, now, 0);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_UUID_MISMATCH));
	assert_true(ka_registration_failing(&r));
	ka_registration_init(&r, &timing);
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_RESOLVE);
	assert_false(ka_registration_failing(&r));
	ka_registration_lookup_failed(&r, now);
	assert_true(ka_registration_failing(&r));
}

static void test_rejected_key_is_registered_again_soon(void **state)
{
	struct ka_registration r;
	int64_t now = 0;

	(void)state;
	register_at(&r, now);
	/* just registered: peers that lie cannot make us flood the server */
	ka_registration_pk_rejected(&r, now + KA_SEC(1));
	now = KA_SEC(1);
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_int_equal(now, KA_SEC(10));
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	/* while an answer is outstanding */
	ka_registration_pk_rejected(&r, now);
	assert_true(ka_registration_on_peer_response(&r, now, false));
	assert_int_equal(run(&r, &now), KA_REG_DO_PK);
	assert_int_equal(now, KA_SEC(20));
	/* later: at once */
	assert_true(ka_registration_on_pk_response(&r, now, KA_RDV_OK));
	assert_int_equal(ka_registration_poll(&r, now), KA_REG_DO_PEER);
	assert_true(ka_registration_on_peer_response(&r, now, false));
	ka_registration_pk_rejected(&r, KA_SEC(32));
	assert_int_equal(ka_registration_poll(&r, KA_SEC(32)), KA_REG_DO_PK);
}

static void test_confirmation_grows_stale(void **state)
{
	struct ka_registration r;

	(void)state;
	register_at(&r, KA_SEC(5));
	assert_true(ka_registration_confirmed(&r, KA_SEC(64)));
	assert_false(ka_registration_confirmed(&r, KA_SEC(65)));
}

static void test_long_server_names_are_cut(void **state)
{
	struct ka_registration r;
	char name[256];
	char words[96];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	register_at(&r, 0);
	ka_registration_words(&r, name, words, sizeof(words));
	assert_int_equal(strlen(words), 95);
	assert_int_equal(strncmp(words, "registered with nnn", 19), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_registration),
		cmocka_unit_test(test_keep_alive_every_interval),
		cmocka_unit_test(test_register_pk_is_repeated_until_answered),
		cmocka_unit_test(test_silence_is_told_then_the_name_is_looked_up_again),
		cmocka_unit_test(test_restarted_server_asks_for_the_key),
		cmocka_unit_test(test_server_that_always_asks_for_the_key_is_not_hammered),
		cmocka_unit_test(test_refusals_back_off),
		cmocka_unit_test(test_every_refusal_has_words_and_a_pause),
		cmocka_unit_test(test_answers_nobody_asked_for_change_nothing),
		cmocka_unit_test(test_failed_lookup_is_repeated),
		cmocka_unit_test(test_failed_second_lookup_keeps_the_old_socket),
		cmocka_unit_test(test_refused_address_gives_way_to_the_next),
		cmocka_unit_test(test_no_route_has_words_of_its_own),
		cmocka_unit_test(test_moved_looks_up_and_registers_at_once),
		cmocka_unit_test(test_hurry_registers_now_but_only_once),
		cmocka_unit_test(test_failing_means_that_every_address_had_its_chance),
		cmocka_unit_test(test_rejected_key_is_registered_again_soon),
		cmocka_unit_test(test_confirmation_grows_stale),
		cmocka_unit_test(test_long_server_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
