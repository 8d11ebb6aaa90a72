/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/input.h"
#include "hid/typist.h"

static struct ka_layout *us;

static int load_us(void **state)
{
	(void)state;
	return ka_layout_new(&us, "us", KA_DEAD_COMMON, NULL);
}

static int free_us(void **state)
{
	(void)state;
	ka_layout_free(us);
	return 0;
}

/* Types everything; the usages as hex pairs, and what the last text left out. */
static void type_all(struct ka_typist *t, char *out, size_t size, struct ka_typist_skipped *skipped)
{
	struct ka_strokes s;
	enum ka_typist_step step;
	size_t len = 0;

	out[0] = '\0';
	while ((step = ka_typist_next(t, us, &s, skipped)) != KA_TYPIST_IDLE) {
		if (step == KA_TYPIST_CHAR)
			len += (size_t)snprintf(out + len, size - len, "%02x%s ", s.items[0].usage,
						s.items[0].mods ? "+" : "");
		assert_true(len < size - 8);
	}
}

static void test_empty_typist_is_idle(void **state)
{
	struct ka_typist t = {0};
	struct ka_typist_skipped skipped;
	struct ka_strokes s;

	(void)state;
	assert_int_equal(ka_typist_next(&t, us, &s, &skipped), KA_TYPIST_IDLE);
	assert_int_equal(ka_typist_cancel(&t, 1), 0);
	ka_typist_wipe(NULL);
}

static void test_limits_are_kept(void **state)
{
	struct ka_typist t = {0};
	char *text = malloc(KA_INPUT_TEXT_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', KA_INPUT_TEXT_MAX + 1);
	text[KA_INPUT_TEXT_MAX + 1] = '\0';
	assert_int_equal(ka_typist_add(&t, 1, text), -KA_E_TOO_BIG);
	text = malloc(KA_INPUT_TEXT_MAX + 1);
	assert_non_null(text);
	memset(text, 'a', KA_INPUT_TEXT_MAX);
	text[KA_INPUT_TEXT_MAX] = '\0';
	assert_int_equal(ka_typist_add(&t, 1, text), 0);
	for (unsigned int i = 1; i < KA_TYPIST_TEXTS; i++)
		assert_int_equal(ka_typist_add(&t, 1, strdup("b")), 0);
	assert_int_equal(ka_typist_add(&t, 1, strdup("c")), -EAGAIN);
	assert_int_equal(ka_typist_cancel_all(&t), KA_TYPIST_TEXTS);
	assert_int_equal(t.count, 0);
}

static void test_line_ends_and_case(void **state)
{
	struct ka_typist t = {0};
	struct ka_typist_skipped skipped;
	char out[256];

	(void)state;
	assert_int_equal(ka_typist_add(&t, 1, strdup("aB\r\nc\n\r\r\n\t!")), 0);
	type_all(&t, out, sizeof(out), &skipped);
	assert_string_equal(out, "04 05+ 28 06 28 28 28 2b 1e+ ");
	assert_int_equal(skipped.count, 0);
}

static void test_what_cannot_be_typed_is_named_once(void **state)
{
	struct ka_typist t = {0};
	struct ka_typist_skipped skipped;
	char out[256];

	(void)state;
	assert_int_equal(ka_typist_add(&t, 1, strdup("x\xe2\x82\xacy\xe2\x82\xac\xff\xc3z\xf0\x9f\x98\x80\x1b")), 0);
	type_all(&t, out, sizeof(out), &skipped);
	assert_string_equal(out, "1b 1c 1d ");
	assert_int_equal(skipped.count, 6);
	assert_int_equal(skipped.named, 4);
	assert_int_equal(skipped.codes[0], 0x20ac);
	assert_int_equal(skipped.codes[1], 0xfffd);
	assert_int_equal(skipped.codes[2], 0x1f600);
	assert_int_equal(skipped.codes[3], 0x1b);
}

static void test_many_unknown_codes_stay_bounded(void **state)
{
	struct ka_typist t = {0};
	struct ka_typist_skipped skipped;
	char out[64];
	char text[3 * 100 + 1] = "";

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		text[3 * i] = (char)0xe4;
		text[3 * i + 1] = (char)(0x80 + i / 64);
		text[3 * i + 2] = (char)(0x80 + i % 64);
	}
	assert_int_equal(ka_typist_add(&t, 1, strdup(text)), 0);
	type_all(&t, out, sizeof(out), &skipped);
	assert_string_equal(out, "");
	assert_int_equal(skipped.count, 100);
	assert_int_equal(skipped.named, KA_TYPIST_NAMED);
}

static void test_accents_apart_from_their_letters_are_joined(void **state)
{
	struct ka_typist t = {0};
	struct ka_typist_skipped skipped;
	char out[64];

	(void)state;
	/* e and acute, o and circumflex and dot below, then a mark that composes with nothing before it. */
	assert_int_equal(ka_typist_add(&t, 7, strdup("ae\xcc\x81o\xcc\x82\xcc\xa3x\xcc\x81")), 0);
	assert_int_equal(ka_typist_left(&t, 7), 8);
	assert_int_equal(ka_typist_left(&t, 1), 0);
	assert_true(ka_typist_has(&t, 7));
	assert_false(ka_typist_has(&t, 1));
	type_all(&t, out, sizeof(out), &skipped);
	assert_string_equal(out, "04 1b ");
	assert_int_equal(skipped.source, 7);
	assert_int_equal(skipped.named, 4);
	assert_int_equal(skipped.codes[0], 0xe9);
	assert_int_equal(skipped.codes[1], 0xf4);
	assert_int_equal(skipped.codes[2], 0x323);
	assert_int_equal(skipped.codes[3], 0x301);
}

static void test_cancel_drops_one_source(void **state)
{
	struct ka_typist t = {0};
	struct ka_typist_skipped skipped;
	struct ka_strokes s;
	char out[64];

	(void)state;
	assert_int_equal(ka_typist_add(&t, 1, strdup("ab")), 0);
	assert_int_equal(ka_typist_add(&t, 2, strdup("c")), 0);
	assert_int_equal(ka_typist_add(&t, 1, strdup("d")), 0);
	assert_int_equal(ka_typist_next(&t, us, &s, &skipped), KA_TYPIST_CHAR);
	assert_int_equal(ka_typist_cancel(&t, 1), 2);
	type_all(&t, out, sizeof(out), &skipped);
	assert_string_equal(out, "06 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_typist_is_idle),
		cmocka_unit_test(test_limits_are_kept),
		cmocka_unit_test(test_line_ends_and_case),
		cmocka_unit_test(test_what_cannot_be_typed_is_named_once),
		cmocka_unit_test(test_many_unknown_codes_stay_bounded),
		cmocka_unit_test(test_accents_apart_from_their_letters_are_joined),
		cmocka_unit_test(test_cancel_drops_one_source),
	};

	return cmocka_run_group_tests(tests, load_us, free_us);
}
