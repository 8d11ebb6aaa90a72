/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The version that controllers are told: they compute with it. */
#include "tests/check/check.h"

#include <stdio.h>

#include "agent/config.h"

static void expect_error(const char *version, const char *part)
{
	struct ka_errbuf eb = {""};
	struct ka_config *c = NULL;
	char text[80];

	snprintf(text, sizeof(text), "rustdesk = {\nversion = \"%s\"; };", version);
	assert_int_equal(ka_config_parse(&c, "test.cfg", text, &eb), -KA_E_CONFIG);
	assert_null(c);
	if (strncmp(eb.text, "test.cfg:2:", 11) || !strstr(eb.text, part))
		fail_msg("%s: got '%s'", version, eb.text);
}

static void test_unreadable(void **state)
{
	static const char *const unreadable[] = {"1.3.x",  "1..33",    ".1.3.8",  "1.3.8.", "1.3.8.1", "1.3.8-",
						 "1.38-x", "1.4.9-10", "1.4-9.0", "1.4.9 ", "+1.4.9",  "1.4444.9"};

	(void)state;
	expect_error("1.3", "5 to 16");
	for (size_t i = 0; i < KA_ARRAY_LEN(unreadable); i++)
		expect_error(unreadable[i], "three numbers");
}

static void test_too_old(void **state)
{
	static const char *const old[] = {"1.2.3", "1.2.3-9", "1.1.10", "0.9.999"};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(old); i++)
		expect_error(old[i], "1.2.4\" or later: to older devices clients speak");
}

static void test_good(void **state)
{
	static const char *const good[] = {"1.2.4", "1.2.4-1", "1.4.9-2", "1.10.0", "2.0.0"};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(good); i++) {
		struct ka_errbuf eb = {""};
		struct ka_config *c;
		char text[80];

		snprintf(text, sizeof(text), "rustdesk = { version = \"%s\"; };", good[i]);
		if (ka_config_parse(&c, "test.cfg", text, &eb) < 0)
			fail_msg("%s", eb.text);
		assert_string_equal(c->rustdesk.version, good[i]);
		ka_config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
