/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of servers: its text. Fail-over and return run against real sockets in tests/integration/test_reach.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rustdesk/reach/servers.h"

static void refuse(const char *text, const char *words)
{
	struct ka_servers_list list;
	struct ka_errbuf eb = {0};

	assert_int_equal(ka_servers_parse(&list, text, &eb), -KA_E_CONFIG);
	assert_string_equal(eb.text, words);
}

static void test_what_is_no_list_is_refused_in_words(void **state)
{
	char many[256] = "";

	(void)state;
	refuse("a:port", "server \"a:port\" is not host or host:port");
	refuse("a, b:0", "server \"b:0\" is not host or host:port");
	refuse(",", "server \"\" is not host or host:port");
	refuse("a,,b", "server \"\" is not host or host:port");
	refuse("a b", "server \"a b\" is not host or host:port");
	refuse("[::1", "server \"[::1\" is not host or host:port");
	refuse("a, ", "server \"a, \" ends with a comma");
	for (int i = 0; i <= KA_SERVERS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "%ss%d", i ? "," : "", i);
	refuse(many, "server: more than 8 are named");
}

static void test_too_long_names_are_refused(void **state)
{
	char text[600];
	struct ka_servers_list list;
	struct ka_errbuf eb;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ka_servers_parse(&list, text, &eb), -KA_E_CONFIG);
	text[KA_RESOLVE_HOST_MAX] = '\0';
	assert_int_equal(ka_servers_parse(&list, text, &eb), 0);
	assert_int_equal(list.n, 1);
}

static void test_order_ports_and_blanks(void **state)
{
	struct ka_servers_list list;
	struct ka_errbuf eb;

	(void)state;
	assert_int_equal(ka_servers_parse(&list, "", &eb), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(ka_servers_parse(&list, "  ", &eb), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(ka_servers_parse(&list, " one.example ,[::1]:77,  fd00::2,1.2.3.4:5", &eb), 0);
	assert_int_equal(list.n, 4);
	assert_string_equal(list.all[0].text, "one.example");
	assert_string_equal(list.all[0].host, "one.example");
	assert_int_equal(list.all[0].port, KA_HBBS_PORT);
	assert_string_equal(list.all[1].text, "[::1]:77");
	assert_string_equal(list.all[1].host, "::1");
	assert_int_equal(list.all[1].port, 77);
	assert_string_equal(list.all[2].host, "fd00::2");
	assert_int_equal(list.all[2].port, KA_HBBS_PORT);
	assert_string_equal(list.all[3].host, "1.2.3.4");
	assert_int_equal(list.all[3].port, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_list_is_refused_in_words),
		cmocka_unit_test(test_too_long_names_are_refused),
		cmocka_unit_test(test_order_ports_and_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
