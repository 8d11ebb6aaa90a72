/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/err.h"
#include "rustdesk/wire/framing.h"

/* Payload length and its shortest header, as stock endpoints write it. */
static const struct {
	size_t len;
	const char *header;
} vectors[] = {
	{0, "00"},
	{1, "04"},
	{63, "fc"},
	{64, "01 01"},
	{300, "b1 04"},
	{16383, "fd ff"},
	{16384, "02 00 01"},
	{100000, "82 1a 06"},
	{4194303, "fe ff ff"},
	{4194304, "03 00 00 01"},
	{0x3fffffff, "ff ff ff ff"},
};

static void feed(struct ka_framer *f, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		size_t room;
		uint8_t *at = ka_framer_room(f, &room);
		size_t n;

		assert_non_null(at);
		assert_true(room >= 1);
		n = KA_MIN(room, len);
		memcpy(at, p, n);
		ka_framer_filled(f, n);
		p += n;
		len -= n;
	}
}

static void feed_hex(struct ka_framer *f, const char *hex)
{
	uint8_t data[256];

	feed(f, data, hex_bytes(data, sizeof(data), hex));
}

static void test_length_over_the_limit_is_refused_from_the_header_alone(void **state)
{
	static const char *const headers[] = {"91 01", "92 01 00", "93 01 00 00", "ff ff ff ff", "fd ff"};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(headers); i++) {
		struct ka_framer f;
		uint8_t *payload;
		size_t len;

		ka_framer_init(&f, 99);
		feed_hex(&f, headers[i]);
		assert_int_equal(ka_framer_next(&f, &payload, &len), -KA_E_TOO_BIG);
		/* It stays so: the stream has lost its step. */
		assert_int_equal(ka_framer_next(&f, &payload, &len), -KA_E_TOO_BIG);
		ka_framer_fini(&f);
	}
}

static void test_headers_cut_off_anywhere_wait_for_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(vectors); i++) {
		uint8_t header[4];
		size_t n = hex_bytes(header, sizeof(header), vectors[i].header);
		struct ka_framer f;
		uint8_t *payload = NULL;
		size_t len = 77;

		ka_framer_init(&f, KA_FRAMING_PAYLOAD_MAX);
		assert_int_equal(ka_framer_next(&f, &payload, &len), 0);
		for (size_t k = 0; k + 1 < n; k++) {
			feed(&f, &header[k], 1);
			assert_int_equal(ka_framer_next(&f, &payload, &len), 0);
		}
		feed(&f, &header[n - 1], 1);
		assert_int_equal(ka_framer_next(&f, &payload, &len), vectors[i].len ? 0 : 1);
		assert_int_equal(len, vectors[i].len ? 77 : 0);
		ka_framer_fini(&f);
	}
}

static void test_memory_follows_what_arrived_not_what_was_announced(void **state)
{
	struct ka_framer f;
	uint8_t *payload;
	size_t len;

	(void)state;
	ka_framer_init(&f, KA_FRAMING_PAYLOAD_MAX);
	feed_hex(&f, "ff ff ff ff"); /* a gigabyte is to come */
	assert_int_equal(ka_framer_next(&f, &payload, &len), 0);
	assert_true(f.in.cap <= 65536);
	for (int i = 0; i < 100; i++) {
		uint8_t chunk[1000] = {0};

		feed(&f, chunk, sizeof(chunk));
		assert_int_equal(ka_framer_next(&f, &payload, &len), 0);
		assert_true(f.in.cap <= 2 * f.in.len + 65536);
	}
	ka_framer_fini(&f);
}

static void test_room_never_ends_within_the_limit(void **state)
{
	static const size_t limits[] = {0, 1, 63, 64, 16383, 16384, 70000};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(limits); i++) {
		struct ka_framer f;
		uint8_t header[KA_FRAMING_HEADER_MAX];
		uint8_t *data = calloc(1, limits[i] + 1);
		uint8_t *payload;
		size_t len;

		assert_non_null(data);
		ka_framer_init(&f, limits[i]);
		/* Twice the largest message, the second one behind a message already handed out. */
		for (int round = 0; round < 2; round++) {
			feed(&f, header, ka_framing_header(header, limits[i]));
			for (size_t k = 0; k < limits[i]; k += 7)
				feed(&f, data, KA_MIN((size_t)7, limits[i] - k));
			assert_int_equal(ka_framer_next(&f, &payload, &len), 1);
			assert_int_equal(len, limits[i]);
		}
		ka_framer_fini(&f);
		free(data);
	}
}

static void test_shortest_header_of_each_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(vectors); i++) {
		uint8_t header[KA_FRAMING_HEADER_MAX];
		size_t n = ka_framing_header(header, vectors[i].len);

		assert_hex(header, n, vectors[i].header);
	}
}

static void test_overlong_headers_are_understood(void **state)
{
	static const char *const forms[] = {"0c", "0d 00", "0e 00 00", "0f 00 00 00"};
	static const char *const empty[] = {"00", "01 00", "02 00 00", "03 00 00 00"};
	struct ka_framer f;
	uint8_t *payload;
	size_t len;

	(void)state;
	ka_framer_init(&f, 100);
	for (size_t i = 0; i < KA_ARRAY_LEN(forms); i++) {
		feed_hex(&f, forms[i]);
		feed(&f, "abc", 3);
		feed_hex(&f, empty[i]);
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(forms); i++) {
		assert_int_equal(ka_framer_next(&f, &payload, &len), 1);
		assert_int_equal(len, 3);
		assert_memory_equal(payload, "abc", 3);
		/* Nothing at all is a message of its own. */
		assert_int_equal(ka_framer_next(&f, &payload, &len), 1);
		assert_int_equal(len, 0);
	}
	assert_int_equal(ka_framer_next(&f, &payload, &len), 0);
	ka_framer_fini(&f);
}

/* A long stream of messages of all lengths up to `limit`, cut into pieces of `step` bytes. */
static void run_stream(size_t limit, size_t step)
{
	struct ka_bytes stream;
	struct ka_framer f;
	size_t expected = 0;
	uint8_t *payload;
	size_t len;

	ka_bytes_init(&stream, 1 << 20);
	for (size_t n = 0; n <= limit; n++) {
		uint8_t *at = ka_bytes_extend(&stream, KA_FRAMING_HEADER_MAX);

		assert_non_null(at);
		stream.len -= KA_FRAMING_HEADER_MAX - ka_framing_header(at, n);
		at = n ? ka_bytes_extend(&stream, n) : NULL;
		if (at)
			memset(at, (int)n, n);
	}
	assert_int_equal(stream.error, 0);
	ka_framer_init(&f, limit);
	for (size_t at = 0, n; at < stream.len; at += n) {
		/* As a socket would: what there is, as far as there is room. */
		assert_non_null(ka_framer_room(&f, &n));
		n = KA_MIN(KA_MIN(step, n), stream.len - at);
		feed(&f, stream.data + at, n);
		while (ka_framer_next(&f, &payload, &len) == 1) {
			assert_int_equal(len, expected);
			for (size_t i = 0; i < len; i++)
				assert_true(payload[i] == (uint8_t)expected);
			/* The message is ours to write on. */
			if (len)
				memset(payload, 0xee, len);
			expected++;
		}
	}
	assert_int_equal(expected, limit + 1);
	ka_framer_fini(&f);
	ka_bytes_fini(&stream);
}

static void test_stream_in_pieces_of_any_size(void **state)
{
	static const size_t steps[] = {1, 2, 3, 5, 64, 65, 300, 4096, 1 << 20};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(steps); i++)
		run_stream(300, steps[i]);
}

static void test_limit_changes_with_the_next_message(void **state)
{
	struct ka_framer f;
	uint8_t data[256] = {0};
	uint8_t *payload;
	size_t len;

	(void)state;
	ka_framer_init(&f, 10);
	/* Login, and behind it in the same segment something larger that is legal from then on. */
	feed_hex(&f, "28");
	feed(&f, data, 10);
	feed_hex(&f, "21 03");
	feed(&f, data, 100);
	assert_int_equal(ka_framer_next(&f, &payload, &len), 1);
	ka_framer_set_limit(&f, 200);
	assert_int_equal(ka_framer_next(&f, &payload, &len), 0);
	feed(&f, data, 100);
	assert_int_equal(ka_framer_next(&f, &payload, &len), 1);
	assert_int_equal(len, 200);
	ka_framer_set_limit(&f, 10);
	feed_hex(&f, "2c");
	assert_int_equal(ka_framer_next(&f, &payload, &len), -KA_E_TOO_BIG);
	ka_framer_fini(&f);
}

static void test_lowered_limit_below_what_is_queued(void **state)
{
	struct ka_framer f;
	uint8_t data[30000] = {0};
	uint8_t *payload;
	size_t room;
	size_t len;

	(void)state;
	ka_framer_init(&f, 50000);
	feed_hex(&f, "02 71 02"); /* 40000 bytes */
	feed(&f, data, sizeof(data));
	ka_framer_set_limit(&f, 10);
	assert_int_equal(ka_framer_next(&f, &payload, &len), -KA_E_TOO_BIG);
	/* Nothing more is taken in, and nothing wraps. */
	assert_null(ka_framer_room(&f, &room));
	assert_int_equal(room, 0);
	ka_framer_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length_over_the_limit_is_refused_from_the_header_alone),
		cmocka_unit_test(test_headers_cut_off_anywhere_wait_for_more),
		cmocka_unit_test(test_memory_follows_what_arrived_not_what_was_announced),
		cmocka_unit_test(test_room_never_ends_within_the_limit),
		cmocka_unit_test(test_shortest_header_of_each_length),
		cmocka_unit_test(test_overlong_headers_are_understood),
		cmocka_unit_test(test_stream_in_pieces_of_any_size),
		cmocka_unit_test(test_limit_changes_with_the_next_message),
		cmocka_unit_test(test_lowered_limit_below_what_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
