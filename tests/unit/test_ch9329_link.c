/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The talk with the chip, by a clock that the test moves. */
#include "tests/check/check.h"

#include <string.h>

#include "hid/ch9329_link.h"

#define PATIENCE_US 1000000 /* longer than any answer may take */

struct bench {
	struct ka_ch9329_link l;
	int64_t now_us;
	struct ka_ch9329_frame said;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->now_us = 5000000;
	ka_ch9329_link_init(&b->l, 9600);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static bool says(struct bench *b)
{
	return ka_ch9329_link_take(&b->l, b->now_us, &b->said);
}

static uint8_t said_command(const struct bench *b)
{
	return b->said.data[3];
}

static void answer_bytes(struct bench *b, uint8_t command, const uint8_t *data, uint8_t len)
{
	uint8_t bytes[KA_CH9329_FRAME_MAX] = {0x57, 0xab, 0x00, command, len};
	uint8_t sum = 0;

	if (len)
		memcpy(bytes + 5, data, len);
	for (unsigned int i = 0; i < 5u + len; i++)
		sum = (uint8_t)(sum + bytes[i]);
	bytes[5 + len] = sum;
	ka_ch9329_link_receive(&b->l, bytes, 6u + len);
}

static void answer_status(struct bench *b, uint8_t status)
{
	answer_bytes(b, (uint8_t)(said_command(b) | (status ? 0xc0 : 0x80)), &status, 1);
}

static void answer_info(struct bench *b, bool host, uint8_t leds)
{
	const uint8_t info[8] = {0x31, host, leds};

	assert_int_equal(said_command(b), KA_CH9329_GET_INFO);
	answer_bytes(b, 0x81, info, sizeof(info));
}

/* Until the chip has been told how things are. */
static void connect(struct bench *b)
{
	assert_true(says(b));
	answer_info(b, true, 0);
	while (says(b))
		answer_status(b, 0);
	assert_false(ka_ch9329_link_busy(&b->l, 15));
}

static void push_key(struct bench *b, uint8_t usage)
{
	struct ka_report r;

	ka_report_keyboard(&r, 0, &usage, usage ? 1 : 0);
	ka_ch9329_link_push(&b->l, &r);
}

static void push_rel(struct bench *b, uint8_t buttons, int8_t dx, bool edge)
{
	struct ka_report_pointer p = {.buttons = buttons, .dx = dx};
	struct ka_report r;

	ka_report_rel(&r, &p, edge);
	ka_ch9329_link_push(&b->l, &r);
}

static void push_abs(struct bench *b, uint8_t buttons, uint16_t x, int8_t wheel, bool edge)
{
	struct ka_report_pointer p = {.buttons = buttons, .x = x, .wheel = wheel};
	struct ka_report r;

	ka_report_abs(&r, &p, edge);
	ka_ch9329_link_push(&b->l, &r);
}

static void assert_said(struct bench *b, const char *hex)
{
	assert_true(says(b));
	assert_hex(b->said.data, b->said.len, hex);
}

static void test_chip_is_asked_then_told_that_nothing_is_held(void **state)
{
	struct bench *b = *state;

	assert_said(b, "57 ab 00 01 00 03");
	assert_false(says(b));
	answer_info(b, true, 5);
	assert_int_equal(b->l.state, KA_CH9329_HOST);
	assert_int_equal(b->l.leds, 5);
	assert_int_equal(b->l.version, 0x31);
	assert_said(b, "57 ab 00 02 08 00 00 00 00 00 00 00 00 0c");
	assert_false(says(b));
	answer_status(b, 0);
	assert_said(b, "57 ab 00 05 05 01 00 00 00 00 0d");
	answer_status(b, 0);
	assert_said(b, "57 ab 00 03 04 02 00 00 00 0b");
	answer_status(b, 0);
	assert_said(b, "57 ab 00 03 02 01 00 08");
	answer_status(b, 0);
	assert_false(says(b));
	assert_int_equal(b->l.sent, 4);
}

static void test_without_a_host_nothing_is_sent(void **state)
{
	struct bench *b = *state;

	push_key(b, 4);
	assert_true(says(b));
	answer_info(b, false, 0);
	assert_int_equal(b->l.state, KA_CH9329_NO_HOST);
	push_key(b, 0);
	push_key(b, 5);
	assert_false(says(b));
	assert_int_equal(b->l.dropped, 3);
	assert_int_equal(ka_ch9329_link_due_us(&b->l), b->now_us + KA_CH9329_ASK_US);
	/* When it comes, it hears what is held now. */
	b->now_us += KA_CH9329_ASK_US;
	assert_true(says(b));
	answer_info(b, true, 0);
	assert_said(b, "57 ab 00 02 08 00 00 05 00 00 00 00 00 11");
}

static void test_one_at_a_time_in_order(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_key(b, 4);
	push_abs(b, 1, 0, 0, true);
	push_key(b, 0);
	assert_true(ka_ch9329_link_busy(&b->l, 1u << KA_REPORT_ABS));
	assert_false(ka_ch9329_link_busy(&b->l, 1u << KA_REPORT_REL));
	assert_true(says(b));
	assert_int_equal(said_command(b), KA_CH9329_KEYBOARD);
	assert_false(says(b));
	answer_status(b, 0);
	assert_true(says(b));
	assert_int_equal(said_command(b), KA_CH9329_ABS);
	assert_true(ka_ch9329_link_busy(&b->l, 1u << KA_REPORT_ABS));
	answer_status(b, 0);
	assert_false(ka_ch9329_link_busy(&b->l, 1u << KA_REPORT_ABS));
	assert_said(b, "57 ab 00 02 08 00 00 00 00 00 00 00 00 0c");
}

static void test_answer_to_something_else_counts_for_nothing(void **state)
{
	struct bench *b = *state;
	const uint8_t done = 0;

	connect(b);
	push_key(b, 4);
	assert_true(says(b));
	answer_bytes(b, 0x84, &done, 1);
	answer_bytes(b, 0x81, (const uint8_t[8]){0x31, 0}, 8);
	assert_true(ka_ch9329_link_busy(&b->l, 1));
	assert_int_equal(b->l.state, KA_CH9329_HOST);
	answer_bytes(b, 0x82, NULL, 0);
	assert_int_equal(b->l.state, KA_CH9329_HOST);
}

static void test_moves_fold_and_the_last_before_a_click_counts(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_abs(b, 0, 1, 0, false);
	assert_true(says(b));
	for (uint16_t x = 2; x < 500; x++)
		push_abs(b, 0, (uint16_t)(x * 64), 0, false);
	push_abs(b, 1, 499 * 64, 0, true);
	assert_int_equal(b->l.count, 2);
	answer_status(b, 0);
	assert_said(b, "57 ab 00 04 07 02 00 97 0f 00 00 00 b5");
	answer_status(b, 0);
	assert_said(b, "57 ab 00 04 07 02 01 97 0f 00 00 00 b6");
}

static void test_unanswered_is_said_five_times(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_key(b, 4);
	for (unsigned int i = 0; i < KA_CH9329_TRIES; i++) {
		assert_said(b, "57 ab 00 02 08 00 00 04 00 00 00 00 00 10");
		assert_false(says(b));
		assert_true(ka_ch9329_link_due_us(&b->l) > b->now_us + KA_CH9329_ANSWER_US);
		b->now_us = ka_ch9329_link_due_us(&b->l);
		assert_int_equal(b->l.state, KA_CH9329_HOST);
	}
	push_key(b, 0);
	/* Asked at once, as long ago as the last question is. */
	(void)says(b);
	assert_int_equal(b->l.state, KA_CH9329_SILENT);
	assert_int_equal(b->l.dropped, 2);
	assert_int_equal(b->l.repeated, KA_CH9329_TRIES - 1);
	assert_false(ka_ch9329_link_busy(&b->l, 15));
}

static void test_silent_chip_is_asked_once_a_second_and_told_anew(void **state)
{
	struct bench *b = *state;
	unsigned int asked = 0;

	connect(b);
	push_key(b, 4);
	for (; b->l.state != KA_CH9329_SILENT; b->now_us += PATIENCE_US)
		(void)says(b);
	for (int64_t end_us = b->now_us + 10000000; b->now_us < end_us; b->now_us += 10000)
		asked += says(b);
	assert_in_range(asked, 9, 11);
	push_key(b, 0);
	push_key(b, 7);
	b->now_us += PATIENCE_US;
	while (!says(b))
		b->now_us += PATIENCE_US;
	answer_info(b, true, 0);
	assert_said(b, "57 ab 00 02 08 00 00 07 00 00 00 00 00 13");
}

static void test_damaged_command_is_repeated_at_once(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_key(b, 4);
	assert_true(says(b));
	answer_status(b, KA_CH9329_E_SUM);
	assert_said(b, "57 ab 00 02 08 00 00 04 00 00 00 00 00 10");
	answer_status(b, 0);
	assert_false(says(b));
	assert_int_equal(b->l.repeated, 1);
	assert_int_equal(b->l.dropped, 0);
}

static void test_damaged_length_costs_one_answer(void **state)
{
	static const uint8_t damaged[] = {0x57, 0xab, 0x00, 0x82, 0x21, 0, 0x85};
	struct bench *b = *state;

	connect(b);
	push_key(b, 4);
	assert_true(says(b));
	ka_ch9329_link_receive(&b->l, damaged, sizeof(damaged));
	b->now_us = ka_ch9329_link_due_us(&b->l);
	assert_true(says(b));
	assert_int_equal(said_command(b), KA_CH9329_KEYBOARD);
	answer_status(b, 0);
	assert_false(ka_ch9329_link_busy(&b->l, 15));
}

static void test_steps_are_made_once_at_most(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_rel(b, 1, 9, true);
	assert_said(b, "57 ab 00 05 05 01 01 09 00 00 17");
	b->now_us += PATIENCE_US;
	assert_said(b, "57 ab 00 05 05 01 01 00 00 00 0e");
	answer_status(b, 0);
	push_abs(b, 0, 32767, 1, false);
	while (says(b) && said_command(b) == KA_CH9329_GET_INFO)
		answer_info(b, true, 0);
	assert_hex(b->said.data, b->said.len, "57 ab 00 04 07 02 00 ff 0f 00 00 01 1e");
	b->now_us += PATIENCE_US;
	assert_said(b, "57 ab 00 04 07 02 00 ff 0f 00 00 00 1d");
}

static void test_what_the_chip_could_not_do_it_is_told_again(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_key(b, 0);
	assert_true(says(b));
	answer_status(b, KA_CH9329_E_EXECUTE);
	assert_false(says(b));
	assert_int_equal(b->l.state, KA_CH9329_HOST);
	b->now_us += KA_CH9329_ASK_US;
	assert_true(says(b));
	answer_info(b, true, 0);
	assert_said(b, "57 ab 00 02 08 00 00 00 00 00 00 00 00 0c");
}

static void test_what_the_chip_does_not_know_is_not_repeated(void **state)
{
	struct bench *b = *state;
	struct ka_report r;

	connect(b);
	ka_report_consumer(&r, 0x3ff);
	ka_ch9329_link_push(&b->l, &r);
	push_key(b, 4);
	assert_true(says(b));
	assert_int_equal(said_command(b), KA_CH9329_KEYBOARD);
	answer_status(b, KA_CH9329_E_PARAMETER);
	assert_false(says(b));
	b->now_us += KA_CH9329_ASK_US;
	assert_true(says(b));
	answer_info(b, true, 0);
	assert_false(says(b));
	assert_int_equal(b->l.dropped, 2);
}

static void test_flood_grows_nothing_and_ends_with_how_things_are(void **state)
{
	struct bench *b = *state;
	uint8_t last[8] = {0};

	connect(b);
	for (unsigned int i = 0; i < 10000; i++) {
		push_key(b, (uint8_t)(4 + i % 100));
		push_rel(b, i & 1, 1, true);
	}
	push_key(b, 0);
	assert_true(b->l.count <= KA_CH9329_QUEUE);
	for (unsigned int i = 0; i < 2 * KA_CH9329_QUEUE && says(b); i++) {
		if (said_command(b) == KA_CH9329_KEYBOARD)
			memcpy(last, b->said.data + 5, sizeof(last));
		if (said_command(b) == KA_CH9329_GET_INFO)
			answer_info(b, true, 0);
		else
			answer_status(b, 0);
	}
	assert_int_equal(b->l.count, 0);
	assert_hex(last, sizeof(last), "00 00 00 00 00 00 00 00");
}

static void test_state_is_asked_for_also_while_busy(void **state)
{
	struct bench *b = *state;
	unsigned int asked = 0;

	connect(b);
	for (int64_t end_us = b->now_us + 10000000; b->now_us < end_us; b->now_us += 20000) {
		push_rel(b, 0, 1, false);
		push_key(b, 4);
		if (!says(b))
			continue;
		if (said_command(b) == KA_CH9329_GET_INFO) {
			asked++;
			answer_info(b, true, (uint8_t)asked);
		} else {
			answer_status(b, 0);
		}
	}
	assert_in_range(asked, 8, 11);
	assert_int_equal(b->l.leds, asked & 7);
}

static void test_line_opened_anew_begins_with_the_question(void **state)
{
	struct bench *b = *state;

	connect(b);
	push_key(b, 4);
	assert_true(says(b));
	ka_ch9329_link_receive(&b->l, (const uint8_t *)"\x57\xab", 2);
	ka_ch9329_link_restart(&b->l);
	assert_int_equal(b->l.state, KA_CH9329_SILENT);
	assert_false(ka_ch9329_link_busy(&b->l, 15));
	assert_said(b, "57 ab 00 01 00 03");
	answer_info(b, true, 0);
	assert_said(b, "57 ab 00 02 08 00 00 04 00 00 00 00 00 10");
}

static void test_a_slow_line_has_longer(void **state)
{
	struct bench *b = *state;
	int64_t slow_us;

	assert_true(says(b));
	slow_us = ka_ch9329_link_due_us(&b->l) - b->now_us;
	ka_ch9329_link_init(&b->l, 115200);
	assert_true(says(b));
	assert_true(slow_us > ka_ch9329_link_due_us(&b->l) - b->now_us + 15000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chip_is_asked_then_told_that_nothing_is_held),
		TEST(test_without_a_host_nothing_is_sent),
		TEST(test_one_at_a_time_in_order),
		TEST(test_answer_to_something_else_counts_for_nothing),
		TEST(test_moves_fold_and_the_last_before_a_click_counts),
		TEST(test_unanswered_is_said_five_times),
		TEST(test_silent_chip_is_asked_once_a_second_and_told_anew),
		TEST(test_damaged_command_is_repeated_at_once),
		TEST(test_damaged_length_costs_one_answer),
		TEST(test_steps_are_made_once_at_most),
		TEST(test_what_the_chip_could_not_do_it_is_told_again),
		TEST(test_what_the_chip_does_not_know_is_not_repeated),
		TEST(test_flood_grows_nothing_and_ends_with_how_things_are),
		TEST(test_state_is_asked_for_also_while_busy),
		TEST(test_line_opened_anew_begins_with_the_question),
		TEST(test_a_slow_line_has_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
