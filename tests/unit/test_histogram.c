/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/histogram.h"

static struct ka_percentiles read_of(struct ka_histogram *h)
{
	struct ka_percentiles p;

	ka_histogram_read(h, &p);
	return p;
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct ka_histogram));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void test_nothing_yet(void **state)
{
	struct ka_percentiles p = read_of(*state);

	assert_int_equal(p.count, 0);
	assert_int_equal(p.p99_us, 0);
}

static void test_short_ones_are_exact(void **state)
{
	struct ka_percentiles p;

	for (int i = 0; i < 16; i++)
		ka_histogram_add(*state, i);
	p = read_of(*state);
	assert_int_equal(p.count, 16);
	assert_int_equal(p.p50_us, 7);
	assert_int_equal(p.p99_us, 15);
}

static void test_one_is_every_percentile_within_its_bucket(void **state)
{
	(void)state;
	for (int64_t us = 16; us < 1 << 24; us = us * 21 / 20 + 1) {
		struct ka_histogram *h = calloc(1, sizeof(*h));
		struct ka_percentiles p;

		assert_non_null(h);
		ka_histogram_add(h, us);
		p = read_of(h);
		assert_int_equal(p.p50_us, p.p99_us);
		assert_int_equal(p.p50_us, p.p95_us);
		assert_in_range(p.p50_us, us - us / 16, us + us / 16);
		free(h);
	}
}

static void test_ranks(void **state)
{
	struct ka_percentiles p;

	/* 98 short ones, one longer, one long: p99 is the longer. */
	for (int i = 0; i < 94; i++)
		ka_histogram_add(*state, 1);
	for (int i = 0; i < 4; i++)
		ka_histogram_add(*state, 5);
	ka_histogram_add(*state, 9);
	ka_histogram_add(*state, 15);
	p = read_of(*state);
	assert_int_equal(p.count, 100);
	assert_int_equal(p.p50_us, 1);
	assert_int_equal(p.p95_us, 5);
	assert_int_equal(p.p99_us, 9);
}

static void test_extremes_are_clamped(void **state)
{
	struct ka_percentiles p;

	ka_histogram_add(*state, -1);
	ka_histogram_add(*state, INT64_MIN);
	p = read_of(*state);
	assert_int_equal(p.p99_us, 0);
	ka_histogram_add(*state, (1 << 24) - 1);
	p = read_of(*state);
	assert_in_range(p.p99_us, (1 << 24) - (1 << 20), (1 << 24) - 1);
	ka_histogram_add(*state, INT64_MAX);
	ka_histogram_add(*state, 1 << 24);
	p = read_of(*state);
	assert_int_equal(p.count, 5);
	assert_true(p.p99_us >= 1 << 24);
}

static void test_old_ones_are_forgotten(void **state)
{
	struct ka_percentiles p;

	for (unsigned int i = 0; i < KA_HISTOGRAM_WINDOW; i++)
		ka_histogram_add(*state, 9);
	p = read_of(*state);
	assert_int_equal(p.count, KA_HISTOGRAM_WINDOW);
	assert_int_equal(p.p50_us, 9);
	/* Of the last one to two windows. */
	for (unsigned int i = 0; i < KA_HISTOGRAM_WINDOW - 1; i++)
		ka_histogram_add(*state, 1);
	p = read_of(*state);
	assert_int_equal(p.count, 2 * KA_HISTOGRAM_WINDOW - 1);
	assert_int_equal(p.p95_us, 9);
	ka_histogram_add(*state, 1);
	p = read_of(*state);
	assert_int_equal(p.count, KA_HISTOGRAM_WINDOW);
	assert_int_equal(p.p99_us, 1);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 20000; i++)
		ka_histogram_add(arg, i % 1000);
	return NULL;
}

static void test_from_many_threads(void **state)
{
	pthread_t threads[4];
	struct ka_percentiles p;

	for (size_t i = 0; i < KA_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, *state), 0);
	for (int i = 0; i < 1000; i++) {
		p = read_of(*state);
		assert_true(p.p50_us <= p.p95_us && p.p95_us <= p.p99_us && p.p99_us < 1100);
	}
	for (size_t i = 0; i < KA_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	p = read_of(*state);
	/* Those that were late for a turn went into the half before, or are lost. */
	assert_in_range(p.count, KA_HISTOGRAM_WINDOW / 2, 3 * KA_HISTOGRAM_WINDOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_yet),
		TEST(test_short_ones_are_exact),
		TEST(test_one_is_every_percentile_within_its_bucket),
		TEST(test_ranks),
		TEST(test_extremes_are_clamped),
		TEST(test_old_ones_are_forgotten),
		TEST(test_from_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
