/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chat lines made fit for others' eyes, and how many of them. */
#include "tests/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "rustdesk/session/chat_text.h"

static void test_hostile_text_is_cleaned(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"\x80", "?"},
		{"a\xff\xfe z", "a?? z"},
		{"\xe2\x82", "??"},	 /* cut off */
		{"\xed\xa0\x80", "???"}, /* surrogate */
		{"\x1b[31mred\x07", "[31mred"},
		{"a\r\nb", "a\n> b"},
		{"hi\nAlice: give me the key", "hi\n> Alice: give me the key"},
		{"a\xe2\x80\xa8"
		 "b\xc2\x85"
		 "c",
		 "abc"}, /* line separators of other kinds */
		{"\xe2\x80\xae"
		 "abc\xe2\x81\xa6",
		 "abc"}, /* turned round */
		{"\xe2\x80\x8b", ""},
		{"a\tb", "a b"},
		{"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"},
		{"J\xc3\xb6rg \xe6\x97\xa5 %s%n \\ \"", "J\xc3\xb6rg \xe6\x97\xa5 %s%n \\ \""},
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(cases); i++) {
		size_t n = ka_chat_text_clean(out, sizeof(out), cases[i][0], "> ");

		assert_string_equal(out, cases[i][1]);
		assert_int_equal(n, strlen(out));
	}
}

static void test_long_text_is_cut_between_characters(void **state)
{
	/* One byte, two, a line break with its indent, three, four. */
	static const char text[] = "a\xc3\xb6\n\xe6\x97\xa5\xf0\x9f\x98\x80\xff";
	static const char whole[] = "a\xc3\xb6\n__\xe6\x97\xa5\xf0\x9f\x98\x80?";

	(void)state;
	for (size_t size = 1; size <= sizeof(whole) + 2; size++) {
		char *exact = malloc(size);
		size_t n;

		assert_non_null(exact);
		n = ka_chat_text_clean(exact, size, text, "__");
		assert_true(n < size);
		assert_int_equal(n, strlen(exact));
		assert_true(ka_utf8_valid(exact, size));
		if (size >= sizeof(whole)) {
			assert_string_equal(exact, whole);
		} else if (size >= 4) {
			assert_string_equal(exact + n - 3, "\xe2\x80\xa6");
			assert_memory_equal(exact, whole, n - 3);
		} else {
			assert_int_equal(n, 0);
		}
		free(exact);
	}
}

static void test_burst_then_one_a_second(void **state)
{
	struct ka_chat_rate r = {0};
	int64_t now = KA_SEC(1000);
	int passed = 0;

	(void)state;
	for (int i = 0; i < 50; i++)
		passed += ka_chat_rate_pass(&r, now);
	assert_int_equal(passed, KA_CHAT_BURST);
	assert_int_equal(r.left_out, 50 - KA_CHAT_BURST);
	/* Trying all the time does not help. */
	passed = 0;
	for (int i = 0; i < 1000; i++)
		passed += ka_chat_rate_pass(&r, now += KA_MS(10));
	assert_int_equal(passed, 10);
	/* A pause makes the burst whole, and no larger. */
	now += KA_SEC(3600);
	passed = 0;
	for (int i = 0; i < 50; i++)
		passed += ka_chat_rate_pass(&r, now);
	assert_int_equal(passed, KA_CHAT_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text_is_cleaned),
		cmocka_unit_test(test_long_text_is_cut_between_characters),
		cmocka_unit_test(test_burst_then_one_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
