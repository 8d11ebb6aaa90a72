/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>

#include "base/err.h"
#include "base/str.h"

static void test_copy_cuts_at_the_size_and_says_so(void **state)
{
	char dst[5] = "zzzz";

	(void)state;
	assert_false(ka_str_copy(dst, sizeof(dst), "abcde"));
	assert_string_equal(dst, "abcd");
	assert_true(ka_str_copy(dst, sizeof(dst), "wxyz"));
	assert_string_equal(dst, "wxyz");
	assert_true(ka_str_copy(dst, 1, ""));
	assert_string_equal(dst, "");
	assert_false(ka_str_copy(dst, 1, "a"));
	assert_string_equal(dst, "");
}

static void test_format_reports_a_cut_and_terminates(void **state)
{
	char dst[5];

	(void)state;
	assert_int_equal(ka_str_format(dst, sizeof(dst), "%d", 12345), -KA_E_TOO_BIG);
	assert_string_equal(dst, "1234");
	assert_int_equal(ka_str_format(dst, sizeof(dst), "%d", 1234), 0);
	assert_string_equal(dst, "1234");
}

static void test_parse_refuses_all_but_digits_in_range(void **state)
{
	static const char *const bad[] = {
		"",
		" 1",
		"1 ",
		"+1",
		"-1",
		"0x1",
		"1.0",
		"1e3",
		"a",
		"١",
		"18446744073709551616",
		"18446744073709551620",
		"99999999999999999999999",
	};
	uint64_t v = 77;

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_int_equal(ka_str_parse_u64(bad[i], 0, UINT64_MAX, &v), -EINVAL);
	assert_int_equal(ka_str_parse_u64("9", 10, 20, &v), -EINVAL);
	assert_int_equal(ka_str_parse_u64("21", 10, 20, &v), -EINVAL);
	assert_true(v == 77);
}

static void test_parse_takes_the_edges(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(ka_str_parse_u64("10", 10, 20, &v), 0);
	assert_true(v == 10);
	assert_int_equal(ka_str_parse_u64("00020", 10, 20, &v), 0);
	assert_true(v == 20);
	assert_int_equal(ka_str_parse_u64("18446744073709551615", 0, UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
}

static void test_utf8_refuses_what_is_not_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{"", 0},
		{"\x80", 1},
		{"\xbf", 1},
		{"\xc0\x80", 2},
		{"\xc1\xbf", 2},
		{"\xc2", 1},
		{"\xc2\x41", 2},
		{"\xe0\x80\x80", 3},
		{"\xe0\x9f\xbf", 3},
		{"\xe2\x82", 2},
		{"\xe2\x82\x41", 3},
		{"\xed\xa0\x80", 3},
		{"\xed\xbf\xbf", 3},
		{"\xf0\x80\x80\x80", 4},
		{"\xf0\x8f\xbf\xbf", 4},
		{"\xf0\x9f\x98", 3},
		{"\xf4\x90\x80\x80", 4},
		{"\xf5\x80\x80\x80", 4},
		{"\xf8\x88\x80\x80\x80", 5},
		{"\xfe", 1},
		{"\xff\xff\xff\xff", 4},
	};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		uint32_t cp = 7;
		/* Exactly the size, so that a sanitizer sees a read past it. */
		char *exact = malloc(bad[i].len + 1);

		assert_non_null(exact);
		memcpy(exact, bad[i].bytes, bad[i].len);
		exact = realloc(exact, bad[i].len ? bad[i].len : 1);
		assert_non_null(exact);
		assert_int_equal(ka_utf8_decode(exact, bad[i].len, &cp), 0);
		assert_int_equal(cp, 7);
		free(exact);
	}
}

static void test_utf8_takes_the_edges_of_each_length(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint32_t cp;
	} good[] = {
		{"\x00", 1, 0},
		{"A", 1, 'A'},
		{"\x7f", 1, 0x7f},
		{"\xc2\x80", 2, 0x80},
		{"\xdf\xbf", 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 0x800},
		{"\xed\x9f\xbf", 3, 0xd7ff},
		{"\xee\x80\x80", 3, 0xe000},
		{"\xef\xbf\xbf", 3, 0xffff},
		{"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(good); i++) {
		uint32_t cp = 7;

		assert_int_equal(ka_utf8_decode(good[i].bytes, good[i].len, &cp), good[i].len);
		assert_int_equal(cp, good[i].cp);
	}
}

static void test_hex_round_trip_and_refusals(void **state)
{
	static const char *const bad[] = {"", "0", "000", "0g00", "00 0", "0x00", "00000"};
	uint8_t all[256];
	uint8_t back[256];
	char text[513];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	ka_hex_encode(text, all, sizeof(all));
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102030405060708090a0b", 24);
	assert_int_equal(ka_hex_decode(back, sizeof(back), text), 0);
	assert_memory_equal(back, all, sizeof(all));
	assert_int_equal(ka_hex_decode(back, 2, "aBFf"), 0);
	assert_memory_equal(back, "\xab\xff", 2);
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_int_equal(ka_hex_decode(back, 2, bad[i]), -EINVAL);
	ka_hex_encode(text, all, 0);
	assert_string_equal(text, "");
}

static void test_hidden_characters_are_known(void **state)
{
	static const uint32_t hidden[] = {0,	  '\n',	  0x1b,	  0x7f,	  0x80,	  0x9f,	  0xad,	   0x61c,   0x200b,
					  0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,  0x2060,  0x2066,
					  0x2069, 0x206f, 0x3164, 0xfeff, 0xfffe, 0xffff, 0x1ffff, 0xe0041, 0x10fffe};
	static const uint32_t shown[] = {' ',	 '"',	 '~',	 0xa0,	 0xac,	 0xae,	 0x300,	 0x200a,  0x2010,
					 0x2027, 0x202f, 0x205f, 0x2070, 0x65e5, 0xfe0f, 0xfffd, 0x1f600, 0x10fffd};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(hidden); i++)
		assert_true(ka_utf8_hidden(hidden[i]));
	for (size_t i = 0; i < KA_ARRAY_LEN(shown); i++)
		assert_false(ka_utf8_hidden(shown[i]));
}

static void test_utf8_valid_looks_at_the_whole_text(void **state)
{
	(void)state;
	assert_true(ka_utf8_valid("", 0));
	assert_false(ka_utf8_valid("a", 0));
	assert_true(ka_utf8_valid("\xc3\xa4", 2));
	assert_false(ka_utf8_valid("\xc3\xa4", 1));
	assert_true(ka_utf8_valid("\xc3\xa4", SIZE_MAX));
	assert_false(ka_utf8_valid("ab\xff", SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_cuts_at_the_size_and_says_so),
		cmocka_unit_test(test_format_reports_a_cut_and_terminates),
		cmocka_unit_test(test_parse_refuses_all_but_digits_in_range),
		cmocka_unit_test(test_parse_takes_the_edges),
		cmocka_unit_test(test_utf8_refuses_what_is_not_utf8),
		cmocka_unit_test(test_utf8_takes_the_edges_of_each_length),
		cmocka_unit_test(test_utf8_valid_looks_at_the_whole_text),
		cmocka_unit_test(test_hidden_characters_are_known),
		cmocka_unit_test(test_hex_round_trip_and_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
