/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What controllers are told about their texts. */
#include "tests/check/check.h"

#include <ctype.h>

#include "agent/notices.h"

static void test_characters_have_their_names(void **state)
{
	struct ka_hid_notice n = {
		.kind = KA_HID_LEFT_OUT, .count = 5, .named = 4, .codes = {0x20ac, 0x1f600, 0xfffd, 0x1b}};
	char words[KA_RD_WORDS_MAX];

	(void)state;
	ka_notice_words(words, &n, "us");
	assert_string_equal(words,
			    "Left out, keyboard layout \"us\" cannot type it: U+20AC EURO SIGN, U+1F600 GRINNING FACE, "
			    "bytes that are no text, U+001B (5 characters in all)");
	n = (struct ka_hid_notice){.kind = KA_HID_LEFT_OUT, .count = 1, .named = 1, .codes = {0xe9}};
	ka_notice_words(words, &n, "us");
	assert_string_equal(words,
			    "Left out, keyboard layout \"us\" cannot type it: U+00E9 LATIN SMALL LETTER E WITH ACUTE");
}

static void test_words_are_bounded_and_plain(void **state)
{
	/* The longest name there is, eight times; then counts beyond the array, and codes beyond Unicode. */
	struct ka_hid_notice n = {.kind = KA_HID_LEFT_OUT, .count = UINT32_MAX, .named = 100};
	char words[KA_RD_WORDS_MAX];

	(void)state;
	for (unsigned int i = 0; i < KA_HID_NOTICE_CODES; i++)
		n.codes[i] = i % 2 ? 0xfbf9 : UINT32_MAX - i;
	ka_notice_words(words, &n, "an-incredibly-long-layout(that-does-not-exist-but-is-as-long-as-may-be)");
	assert_true(strlen(words) < KA_RD_WORDS_MAX);
	assert_non_null(strstr(words, "(4294967295 characters in all)"));
	for (const char *c = words; *c; c++)
		assert_true(isprint((unsigned char)*c));
}

static void test_other_news(void **state)
{
	char words[KA_RD_WORDS_MAX];

	(void)state;
	ka_notice_words(words, &(struct ka_hid_notice){.kind = KA_HID_REFUSED}, "us");
	assert_string_equal(words, "Not typed: too many texts wait already");
	ka_notice_words(words, &(struct ka_hid_notice){.kind = KA_HID_STOPPED, .count = 12}, "us");
	assert_string_equal(words, "Typing stopped, 12 characters before the end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters_have_their_names),
		cmocka_unit_test(test_words_are_bounded_and_plain),
		cmocka_unit_test(test_other_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
