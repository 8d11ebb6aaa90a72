/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "base/err.h"

static void test_every_domain_cause_has_words_of_its_own(void **state)
{
	const char *unknown = ka_err_str(-KA_E_BASE);

	(void)state;
	for (int a = KA_E_NO_DEVICE; a <= KA_E_LIMIT; a++) {
		assert_string_not_equal(ka_err_str(-a), unknown);
		for (int b = KA_E_NO_DEVICE; b < a; b++)
			assert_string_not_equal(ka_err_str(-a), ka_err_str(-b));
	}
}

static void test_errno_gets_the_words_of_the_system(void **state)
{
	(void)state;
	assert_string_equal(ka_err_str(-ENOENT), "No such file or directory");
	assert_string_equal(ka_err_str(-ENOMEM), "Cannot allocate memory");
}

static void test_numbers_that_are_no_errors_get_words_too(void **state)
{
	static const int odd[] = {1, -100000, INT32_MAX, -INT32_MAX, -KA_E_LIMIT - 1};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(odd); i++)
		assert_non_null(ka_err_str(odd[i]));
}

static void *ask_for_many(void *arg)
{
	for (int e = -5000; e < 5000; e++)
		assert_non_null(ka_err_str(e));
	return arg;
}

/* Reasons are kept and shown long after, by other threads. */
static void test_words_stay_as_they_are(void **state)
{
	static const int causes[] = {-ENOENT, -ECONNRESET, -KA_E_PEER, -4000, -100000};
	const char *words[KA_ARRAY_LEN(causes)];
	char copies[KA_ARRAY_LEN(causes)][128];
	pthread_t other;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(causes); i++) {
		words[i] = ka_err_str(causes[i]);
		snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
	}
	assert_int_equal(pthread_create(&other, NULL, ask_for_many, NULL), 0);
	assert_int_equal(pthread_join(other, NULL), 0);
	ask_for_many(NULL);
	for (size_t i = 0; i < KA_ARRAY_LEN(causes); i++) {
		assert_string_equal(words[i], copies[i]);
		assert_ptr_equal(ka_err_str(causes[i]), words[i]);
	}
}

static void test_errbuf_cuts_and_terminates(void **state)
{
	struct ka_errbuf eb;
	char text[2 * sizeof(eb.text)];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memset(&eb, 'y', sizeof(eb));
	ka_errbuf_set(&eb, "%s", text);
	assert_int_equal(strlen(eb.text), sizeof(eb.text) - 1);
	ka_errbuf_set(&eb, "line %d: %s", 3, "bad");
	assert_string_equal(eb.text, "line 3: bad");
}

static void test_errbuf_null_is_ignored(void **state)
{
	(void)state;
	ka_errbuf_set(NULL, "%d", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_domain_cause_has_words_of_its_own),
		cmocka_unit_test(test_errno_gets_the_words_of_the_system),
		cmocka_unit_test(test_numbers_that_are_no_errors_get_words_too),
		cmocka_unit_test(test_words_stay_as_they_are),
		cmocka_unit_test(test_errbuf_cuts_and_terminates),
		cmocka_unit_test(test_errbuf_null_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
