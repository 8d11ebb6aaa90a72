/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of the chip, against the examples that its maker gives. */
#include "tests/check/check.h"

#include <string.h>

#include "hid/ch9329.h"

static void assert_command(const struct ka_report *r, const char *hex)
{
	struct ka_ch9329_frame f;

	assert_true(ka_ch9329_from_report(&f, r));
	assert_hex(f.data, f.len, hex);
}

static unsigned int feed(struct ka_ch9329_parser *p, const uint8_t *bytes, size_t len, struct ka_ch9329_answer *last)
{
	unsigned int answers = 0;

	for (size_t i = 0; i < len; i++) {
		ka_ch9329_feed(p, bytes[i]);
		while (ka_ch9329_next(p, last))
			answers++;
	}
	return answers;
}

static void test_question_for_the_state(void **state)
{
	struct ka_ch9329_frame f;

	(void)state;
	ka_ch9329_frame(&f, KA_CH9329_GET_INFO, NULL, 0);
	assert_hex(f.data, f.len, "57 ab 00 01 00 03");
}

static void test_keys(void **state)
{
	const uint8_t a = 4;
	struct ka_report r;

	(void)state;
	ka_report_keyboard(&r, 0, &a, 1);
	assert_command(&r, "57 ab 00 02 08 00 00 04 00 00 00 00 00 10");
	ka_report_keyboard(&r, 2, &a, 1);
	assert_command(&r, "57 ab 00 02 08 02 00 04 00 00 00 00 00 12");
	ka_report_keyboard(&r, 0, NULL, 0);
	assert_command(&r, "57 ab 00 02 08 00 00 00 00 00 00 00 00 0c");
}

static void test_media_and_system_keys(void **state)
{
	struct ka_ch9329_frame f;
	struct ka_report r;

	(void)state;
	ka_report_consumer(&r, 0xe2);
	assert_command(&r, "57 ab 00 03 04 02 04 00 00 0f");
	ka_report_consumer(&r, 0);
	assert_command(&r, "57 ab 00 03 04 02 00 00 00 0b");
	ka_report_consumer(&r, 0x18a);
	assert_command(&r, "57 ab 00 03 04 02 00 01 00 0c");
	ka_report_consumer(&r, 0xb4);
	assert_command(&r, "57 ab 00 03 04 02 00 00 80 8b");
	ka_report_consumer(&r, 0x3ff);
	assert_false(ka_ch9329_from_report(&f, &r));
	ka_report_system(&r, 0x81);
	assert_command(&r, "57 ab 00 03 02 01 01 09");
	ka_report_system(&r, 0x82);
	assert_command(&r, "57 ab 00 03 02 01 02 0a");
	ka_report_system(&r, 0x83);
	assert_command(&r, "57 ab 00 03 02 01 04 0c");
	ka_report_system(&r, 0);
	assert_command(&r, "57 ab 00 03 02 01 00 08");
}

static void test_absolute_mouse(void **state)
{
	struct ka_report_pointer p = {.buttons = 1};
	struct ka_report r;

	(void)state;
	ka_report_abs(&r, &p, true);
	assert_command(&r, "57 ab 00 04 07 02 01 00 00 00 00 00 10");
	p = (struct ka_report_pointer){.x = 32767, .y = 32767, .wheel = -1, .pan = 5};
	ka_report_abs(&r, &p, false);
	assert_command(&r, "57 ab 00 04 07 02 00 ff 0f ff 0f ff 2a");
}

static void test_ends_and_middle_stay_what_they_are(void **state)
{
	(void)state;
	assert_int_equal(ka_ch9329_scale(0), 0);
	assert_int_equal(ka_ch9329_scale(32767), 4095);
	assert_int_equal(ka_ch9329_scale(65535), 4095);
	assert_int_equal(ka_ch9329_scale(16384), 2048);
	for (unsigned int v = 1; v <= 32767; v++) {
		int step = ka_ch9329_scale((uint16_t)v) - ka_ch9329_scale((uint16_t)(v - 1));

		assert_true(step == 0 || step == 1);
	}
}

static void test_relative_mouse(void **state)
{
	struct ka_report_pointer p = {.buttons = 2, .dx = -1, .dy = 127, .wheel = 3, .pan = 9};
	struct ka_report r;

	(void)state;
	ka_report_rel(&r, &p, true);
	assert_command(&r, "57 ab 00 05 05 01 02 ff 7f 03 90");
}

static void test_answers_are_found(void **state)
{
	static const uint8_t info[] = {0x57, 0xab, 0x00, 0x81, 8, 0x30, 1, 3, 0, 0, 0, 0, 0, 0xbf};
	static const uint8_t bad[] = {0x57, 0xab, 0x00, 0xc2, 1, 0xe4, 0xa9};
	struct ka_ch9329_parser p = {0};
	struct ka_ch9329_answer a;

	(void)state;
	assert_int_equal(feed(&p, info, sizeof(info), &a), 1);
	assert_int_equal(a.command, KA_CH9329_GET_INFO);
	assert_false(a.error);
	assert_int_equal(a.len, 8);
	assert_hex(a.data, 3, "30 01 03");
	assert_int_equal(feed(&p, bad, sizeof(bad), &a), 1);
	assert_int_equal(a.command, KA_CH9329_KEYBOARD);
	assert_true(a.error);
	assert_int_equal(a.data[0], KA_CH9329_E_SUM);
}

static void test_damage_costs_no_more_than_what_is_damaged(void **state)
{
	static const uint8_t done[] = {0x57, 0xab, 0x00, 0x82, 1, 0, 0x85};
	struct ka_ch9329_answer a;

	(void)state;
	/* One byte changed to anything, one left out, one put in: the answer after it is always found. */
	for (unsigned int at = 0; at < sizeof(done); at++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t bytes[KA_CH9329_FRAME_MAX + sizeof(done)];
			struct ka_ch9329_parser p = {0};
			unsigned int found;

			memcpy(bytes, done, sizeof(done));
			bytes[at] = (uint8_t)value;
			found = feed(&p, bytes, sizeof(done), &a);
			assert_true(found == (value == done[at]));
			/* A length that got larger waits for more: good answers until it is full. */
			for (unsigned int i = 0; !found && i < KA_CH9329_FRAME_MAX / sizeof(done) + 1; i++)
				found = feed(&p, done, sizeof(done), &a);
			assert_true(found);
			assert_int_equal(a.command, KA_CH9329_KEYBOARD);
			assert_int_equal(a.data[0], KA_CH9329_DONE);
			/* None is lost that was swallowed whole. */
			assert_int_equal(feed(&p, done, sizeof(done), &a), 1);
		}
	}
}

static void test_answers_swallowed_by_a_false_length_come_out(void **state)
{
	/* The head says 12 bytes; they are two whole answers minus two bytes. */
	static const uint8_t bytes[] = {0x57, 0xab, 0x00, 0x82, 12,   0x57, 0xab, 0x00, 0x82, 1,
					0,    0x85, 0x57, 0xab, 0x00, 0x85, 1,	  0,	0x88};
	struct ka_ch9329_parser p = {0};
	struct ka_ch9329_answer a;

	(void)state;
	assert_int_equal(feed(&p, bytes, sizeof(bytes), &a), 2);
	assert_int_equal(a.command, KA_CH9329_REL);
	assert_int_equal(p.len, 0);
}

static void test_noise_yields_nothing(void **state)
{
	static const uint8_t question[] = {0x57, 0xab, 0x00, 0x01, 0x00, 0x03};
	static const uint8_t too_long[] = {0x57, 0xab, 0x00, 0x82, 65};
	uint8_t noise[512];
	struct ka_ch9329_parser p = {0};
	struct ka_ch9329_answer a;

	(void)state;
	memset(noise, 0x57, sizeof(noise));
	assert_int_equal(feed(&p, noise, sizeof(noise), &a), 0);
	assert_int_equal(p.len, 1);
	/* Our own words come back where the line has an echo. */
	assert_int_equal(feed(&p, question, sizeof(question), &a), 0);
	assert_int_equal(feed(&p, too_long, sizeof(too_long), &a), 0);
	assert_int_equal(p.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_for_the_state),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_media_and_system_keys),
		cmocka_unit_test(test_absolute_mouse),
		cmocka_unit_test(test_ends_and_middle_stay_what_they_are),
		cmocka_unit_test(test_relative_mouse),
		cmocka_unit_test(test_answers_are_found),
		cmocka_unit_test(test_damage_costs_no_more_than_what_is_damaged),
		cmocka_unit_test(test_answers_swallowed_by_a_false_length_come_out),
		cmocka_unit_test(test_noise_yields_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
