/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/bytes.h"
#include "proto/message.pb-c.h"
#include "proto/rendezvous.pb-c.h"
#include "rustdesk/wire/pb.h"

static const ProtobufCMessageDescriptor *const both[] = {&rd__message__descriptor, &rdv__envelope__descriptor};

static const Rd__Message *decode_hex(struct ka_pb *pb, const char *hex)
{
	uint8_t data[512];
	size_t n = hex_bytes(data, sizeof(data), hex);

	return (const Rd__Message *)ka_pb_decode(pb, &rd__message__descriptor, data, n);
}

static void test_malformed_bytes_are_refused_by_both_sets(void **state)
{
	static const char *const bad[] = {
		"ff ff ff ff ff ff ff ff ff ff ff",	  /* a tag without end */
		"80",					  /* a tag cut off */
		"00",					  /* field 0 */
		"07",					  /* wire type 7 */
		"3b",					  /* a group that starts */
		"3c",					  /* a group that ends */
		"3a",					  /* no length */
		"3a 01",				  /* no content */
		"3a 05 0a 03 61 62",			  /* cut off within */
		"3a 80 80 80 80 80 80 80 80 80 01",	  /* a length near 2^64 */
		"3a ff ff ff ff 07",			  /* a length near 2^31 */
		"3a ff ff ff ff 0f",			  /* a length near 2^32 */
		"08 80 80 80 80 80 80 80 80 80 80 80 01", /* a number of 12 bytes */
		"0d 01 02 03",				  /* 32 bits, cut off */
		"09 01 02 03 04 05 06 07",		  /* 64 bits, cut off */
	};
	struct ka_pb pb;

	(void)state;
	ka_pb_init(&pb, 65536);
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		uint8_t data[64];
		size_t n = hex_bytes(data, sizeof(data), bad[i]);

		for (size_t k = 0; k < KA_ARRAY_LEN(both); k++)
			assert_null(ka_pb_decode(&pb, both[k], data, n));
	}
	/* The next one is none the worse. */
	assert_non_null(decode_hex(&pb, "2a 00"));
	ka_pb_fini(&pb);
}

static void test_every_cut_of_a_message_is_survived(void **state)
{
	static const char login[] = "3a 2c 0a 09 31323334 35363738 39 12 04 01020304 22 02 6d65 32 0f 52 02 10 01 58 "
				    "3c 08 04 30 80 64 60 02 "
				    "20 01 5a 05 31 2e 34 2e 39 48 01";
	uint8_t data[128];
	size_t n = hex_bytes(data, sizeof(data), login);
	struct ka_pb pb;

	(void)state;
	ka_pb_init(&pb, 65536);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, data, cut);
		for (size_t k = 0; k < KA_ARRAY_LEN(both); k++)
			(void)ka_pb_decode(&pb, both[k], exact, cut);
		free(exact);
	}
	ka_pb_fini(&pb);
}

static void test_wire_type_that_does_not_fit_the_member_is_refused(void **state)
{
	struct ka_pb pb;

	(void)state;
	ka_pb_init(&pb, 65536);
	assert_null(decode_hex(&pb, "28 01"));		   /* TestDelay as a number */
	assert_null(decode_hex(&pb, "52 04 0a 02 08 09")); /* mask as bytes */
	assert_null(decode_hex(&pb, "3a 02 08 01"));	   /* username as a number */
	ka_pb_fini(&pb);
}

/* n fields of a number we do not know. */
static void add_unknown(struct ka_bytes *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ka_bytes_add(b, "\xf8\x7f\x01", 3), 0);
}

static void test_budget_bounds_what_a_message_may_take(void **state)
{
	struct ka_bytes b;
	struct ka_pb pb;

	(void)state;
	ka_bytes_init(&b, 1 << 20);
	add_unknown(&b, 10000);
	/* Small bytes, large memory: each unknown field takes tens of bytes. */
	ka_pb_init(&pb, 65536);
	assert_null(ka_pb_decode(&pb, &rd__message__descriptor, b.data, b.len));
	assert_true(pb.used <= 65536);
	assert_non_null(decode_hex(&pb, "2a 00"));
	assert_true(pb.used > 0 && pb.used < 1024);
	ka_pb_fini(&pb);
	ka_pb_init(&pb, 4 << 20);
	assert_non_null(ka_pb_decode(&pb, &rd__message__descriptor, b.data, b.len));
	ka_pb_fini(&pb);
	ka_bytes_fini(&b);
}

static void test_a_member_given_again_and_again_stays_within_the_budget(void **state)
{
	struct ka_bytes b;
	struct ka_pb pb;

	(void)state;
	ka_bytes_init(&b, 1 << 20);
	/* Nothing is given back within a message, whichever way members replace or merge one another. */
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(ka_bytes_add(&b,
					      "\x3a\x0b\x0a\x09"
					      "123456789",
					      13),
				 0);
		assert_int_equal(ka_bytes_add(&b, "\x2a\x00", 2), 0);
	}
	ka_pb_init(&pb, 65536);
	assert_null(ka_pb_decode(&pb, &rd__message__descriptor, b.data, b.len));
	assert_true(pb.used <= 65536);
	ka_pb_fini(&pb);
	ka_bytes_fini(&b);
}

static void test_smallest_budgets_refuse_without_harm(void **state)
{
	static const char hex[] = "9a 01 09 3a 07 52 05 10 01 18 01 20";
	bool seen = false;

	(void)state;
	for (size_t budget = 0; budget < 1200; budget += 8) {
		struct ka_pb pb;

		ka_pb_init(&pb, budget);
		(void)decode_hex(&pb, hex);
		seen |= decode_hex(&pb, "9a 01 06 3a 04 52 02 10 01") != NULL;
		assert_true(pb.used <= budget);
		ka_pb_fini(&pb);
	}
	assert_true(seen);
}

static void test_text_and_bytes_larger_than_a_chunk(void **state)
{
	struct ka_bytes b;
	struct ka_pb pb;
	const Rd__Message *m;
	uint8_t *at;

	(void)state;
	ka_bytes_init(&b, 1 << 20);
	/* KeyEvent{seq of 20000}: 6 + 3 bytes before it */
	assert_int_equal(ka_bytes_add(&b, "\x7a\xa4\x9c\x01\x32\xa0\x9c\x01", 8), 0);
	at = ka_bytes_extend(&b, 20000);
	assert_non_null(at);
	memset(at, 'x', 20000);
	ka_pb_init(&pb, 65536);
	for (int i = 0; i < 3; i++) {
		m = (const Rd__Message *)ka_pb_decode(&pb, &rd__message__descriptor, b.data, b.len);
		assert_non_null(m);
		assert_int_equal(m->key_event->union_case, RD__KEY_EVENT__UNION_SEQ);
		assert_int_equal(strlen(m->key_event->seq), 20000);
	}
	/* Nothing of it points into the bytes that came: those are reused. */
	memset(b.data, 0, b.len);
	assert_int_equal(m->key_event->seq[19999], 'x');
	ka_pb_fini(&pb);
	ka_pb_init(&pb, 20000);
	assert_null(ka_pb_decode(&pb, &rd__message__descriptor, b.data, b.len));
	ka_pb_fini(&pb);
	ka_bytes_fini(&b);
}

static void test_memory_of_a_large_message_is_given_back_at_the_next(void **state)
{
	struct ka_bytes b;
	struct ka_pb pb;

	(void)state;
	ka_bytes_init(&b, 1 << 20);
	add_unknown(&b, 10000);
	ka_pb_init(&pb, 4 << 20);
	for (int i = 0; i < 5; i++) {
		assert_non_null(ka_pb_decode(&pb, &rd__message__descriptor, b.data, b.len));
		assert_non_null(decode_hex(&pb, "2a 00"));
		assert_true(pb.used < 1024);
	}
	ka_pb_fini(&pb);
	ka_pb_fini(&pb);
	ka_bytes_fini(&b);
}

static void test_last_member_of_a_union_wins(void **state)
{
	struct ka_pb pb;
	const Rd__Message *m;

	(void)state;
	ka_pb_init(&pb, 65536);
	m = decode_hex(&pb, "3a 00 2a 02 10 01 52 02 08 09");
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MOUSE_EVENT);
	assert_int_equal(m->mouse_event->mask, 9);
	ka_pb_fini(&pb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed_bytes_are_refused_by_both_sets),
		cmocka_unit_test(test_every_cut_of_a_message_is_survived),
		cmocka_unit_test(test_wire_type_that_does_not_fit_the_member_is_refused),
		cmocka_unit_test(test_budget_bounds_what_a_message_may_take),
		cmocka_unit_test(test_a_member_given_again_and_again_stays_within_the_budget),
		cmocka_unit_test(test_smallest_budgets_refuse_without_harm),
		cmocka_unit_test(test_text_and_bytes_larger_than_a_chunk),
		cmocka_unit_test(test_memory_of_a_large_message_is_given_back_at_the_next),
		cmocka_unit_test(test_last_member_of_a_union_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
