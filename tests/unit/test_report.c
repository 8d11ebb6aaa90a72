/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "hid/report.h"
#include "hid/report_desc.h"

/* Bits of input and output reports by report id, as a host counts them (HID 1.11 §6.2.2). */
struct bits {
	unsigned int in[4], out[4];
	int depth;
	unsigned int max_usage;
};

static void count_bits(const struct ka_report_desc *d, struct bits *b)
{
	unsigned int size = 0;
	unsigned int count = 0;
	unsigned int id = 0;

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < d->desc_len;) {
		uint8_t prefix = d->desc[i];
		unsigned int len = (prefix & 3) == 3 ? 4 : prefix & 3;
		unsigned int value = 0;

		assert_true(i + 1 + len <= d->desc_len);
		for (unsigned int k = 0; k < len; k++)
			value |= (unsigned int)d->desc[i + 1 + k] << (8 * k);
		i += 1 + len;
		switch (prefix & 0xfc) {
		case 0x74:
			size = value;
			break;
		case 0x94:
			count = value;
			break;
		case 0x84:
			id = value;
			assert_true(id < 4);
			break;
		case 0x28:
			b->max_usage = value;
			break;
		case 0x80:
			b->in[id] += size * count;
			break;
		case 0x90:
			b->out[id] += size * count;
			break;
		case 0xa0:
			b->depth++;
			break;
		case 0xc0:
			b->depth--;
			assert_true(b->depth >= 0);
			break;
		default:
			break;
		}
	}
}

static void test_descriptors_match_the_reports(void **state)
{
	struct ka_report_pointer p = {0};
	struct ka_report r;
	struct bits b;

	(void)state;
	count_bits(ka_report_desc_of(KA_REPORT_KEYBOARD), &b);
	ka_report_keyboard(&r, 0, NULL, 0);
	assert_int_equal(b.in[0], 8 * r.len);
	assert_int_equal(b.out[0], 8);
	assert_int_equal(b.depth, 0);
	assert_int_equal(r.len, ka_report_desc_of(KA_REPORT_KEYBOARD)->report_length);

	count_bits(ka_report_desc_of(KA_REPORT_ABS), &b);
	ka_report_abs(&r, &p, false);
	assert_int_equal(b.in[0], 8 * r.len);
	assert_int_equal(b.out[0], 0);
	assert_int_equal(b.depth, 0);
	assert_int_equal(r.len, ka_report_desc_of(KA_REPORT_ABS)->report_length);

	count_bits(ka_report_desc_of(KA_REPORT_REL), &b);
	ka_report_rel(&r, &p, false);
	assert_int_equal(b.in[0], 8 * r.len);
	assert_int_equal(b.depth, 0);
	assert_int_equal(r.len, ka_report_desc_of(KA_REPORT_REL)->report_length);

	count_bits(ka_report_desc_of(KA_REPORT_CONTROL), &b);
	ka_report_consumer(&r, 1);
	assert_int_equal(b.in[1], 8 * (r.len - 1));
	assert_int_equal(r.len, ka_report_desc_of(KA_REPORT_CONTROL)->report_length);
	ka_report_system(&r, 0x81);
	assert_int_equal(b.in[2], 8 * (r.len - 1));
	assert_int_equal(b.in[0], 0);
	assert_int_equal(b.depth, 0);
}

static void test_keyboard_report_bytes(void **state)
{
	const uint8_t keys[7] = {4, 5, 6, 7, 8, 9, 10};
	struct ka_report r;

	(void)state;
	ka_report_keyboard(&r, 0x22, keys, 0);
	assert_hex(r.data, r.len, "22 00 00 00 00 00 00 00");
	ka_report_keyboard(&r, 0x80, keys, 1);
	assert_hex(r.data, r.len, "80 00 04 00 00 00 00 00");
	ka_report_keyboard(&r, 0, keys, 6);
	assert_hex(r.data, r.len, "00 00 04 05 06 07 08 09");
	ka_report_keyboard(&r, 0x01, keys, 7);
	assert_hex(r.data, r.len, "01 00 01 01 01 01 01 01");
	assert_true(r.edge);
}

static void test_pointer_report_bytes(void **state)
{
	struct ka_report_pointer p = {
		.buttons = 0x1f, .x = 0x7fff, .y = 0x0102, .dx = -127, .dy = 3, .wheel = -1, .pan = 2};
	struct ka_report r;

	(void)state;
	ka_report_abs(&r, &p, true);
	assert_hex(r.data, r.len, "1f ff7f 0201 ff 02");
	assert_true(r.edge);
	ka_report_rel(&r, &p, false);
	assert_hex(r.data, r.len, "1f 81 03 ff 02");
	assert_false(r.edge);
}

static void test_control_report_bytes(void **state)
{
	struct ka_report r;

	(void)state;
	ka_report_consumer(&r, 0x192);
	assert_hex(r.data, r.len, "01 92 01");
	ka_report_system(&r, 0x81);
	assert_hex(r.data, r.len, "02 01");
	ka_report_system(&r, 0x83);
	assert_hex(r.data, r.len, "02 03");
	ka_report_system(&r, 0x84);
	assert_hex(r.data, r.len, "02 00");
	ka_report_system(&r, 0);
	assert_hex(r.data, r.len, "02 00");
}

static struct ka_report make_abs(uint8_t buttons, uint16_t x, int8_t wheel, bool edge)
{
	struct ka_report_pointer p = {.buttons = buttons, .x = x, .wheel = wheel};
	struct ka_report r;

	ka_report_abs(&r, &p, edge);
	return r;
}

static struct ka_report make_rel(int8_t dx, int8_t wheel, bool edge)
{
	struct ka_report_pointer p = {.dx = dx, .wheel = wheel};
	struct ka_report r;

	ka_report_rel(&r, &p, edge);
	return r;
}

static void test_merge_never_touches_edges(void **state)
{
	struct ka_report press = make_abs(1, 5, 0, true);
	struct ka_report move = make_abs(1, 6, 0, false);
	struct ka_report k1, k2;

	(void)state;
	assert_false(ka_report_merge(&press, &move));
	assert_hex(press.data, press.len, "01 0500 0000 00 00");
	assert_false(ka_report_merge(&move, &press));
	ka_report_keyboard(&k1, 1, NULL, 0);
	ka_report_keyboard(&k2, 1, NULL, 0);
	assert_false(ka_report_merge(&k1, &k2));
	/* Different buttons without the mark, different functions. */
	press = make_abs(2, 5, 0, false);
	assert_false(ka_report_merge(&press, &move));
	k1 = make_rel(1, 0, false);
	assert_false(ka_report_merge(&k1, &move));
}

static void test_merge_of_moves_keeps_the_last_place(void **state)
{
	struct ka_report last = make_abs(1, 5, 0, false);
	struct ka_report next = make_abs(1, 900, 2, false);

	(void)state;
	assert_true(ka_report_merge(&last, &next));
	assert_hex(last.data, last.len, "01 8403 0000 02 00");
	/* The wheel turned there: a later place must not take it along. */
	next = make_abs(1, 901, 0, false);
	assert_false(ka_report_merge(&last, &next));
	next = make_abs(1, 900, 125, false);
	assert_true(ka_report_merge(&last, &next));
	assert_int_equal(last.data[5], 127);
	next = make_abs(1, 900, 1, false);
	assert_false(ka_report_merge(&last, &next));
	assert_int_equal(last.data[5], 127);
}

static void test_merge_of_deltas_adds_up_to_the_limit(void **state)
{
	struct ka_report last = make_rel(100, 0, false);
	struct ka_report next = make_rel(27, 0, false);

	(void)state;
	assert_true(ka_report_merge(&last, &next));
	assert_hex(last.data, last.len, "00 7f 00 00 00");
	next = make_rel(1, 0, false);
	assert_false(ka_report_merge(&last, &next));
	next = make_rel(-128 + 1, -3, false);
	assert_true(ka_report_merge(&last, &next));
	assert_hex(last.data, last.len, "00 00 00 fd 00");
	next = make_rel(1, 0, false);
	assert_false(ka_report_merge(&last, &next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_match_the_reports),
		cmocka_unit_test(test_keyboard_report_bytes),
		cmocka_unit_test(test_pointer_report_bytes),
		cmocka_unit_test(test_control_report_bytes),
		cmocka_unit_test(test_merge_never_touches_edges),
		cmocka_unit_test(test_merge_of_moves_keeps_the_last_place),
		cmocka_unit_test(test_merge_of_deltas_adds_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
