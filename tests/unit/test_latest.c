/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/latest.h"

#define PICTURES 5000

static struct ka_frame *picture(uint64_t sequence)
{
	struct ka_frame *f;

	assert_int_equal(ka_frame_alloc(&f, KA_PIX_RGB24, 64, 64), 0);
	f->sequence = sequence;
	return f;
}

static void test_newest_wins_and_the_older_one_is_dropped(void **state)
{
	struct ka_latest *l;
	struct ka_frame *first = picture(1);
	struct ka_frame *witness = ka_frame_ref(first);
	struct ka_frame *f;

	(void)state;
	assert_int_equal(ka_latest_new(&l), 0);
	assert_false(ka_latest_put(l, first));
	assert_true(ka_latest_put(l, picture(2)));
	assert_true(ka_frame_writable(witness)); /* nobody else has it */
	ka_frame_unref(&witness);
	assert_true(ka_latest_put(l, picture(3)));
	f = ka_latest_wait(l, INT64_MAX);
	assert_non_null(f);
	assert_true(f->sequence == 3);
	ka_frame_unref(&f);
	assert_null(ka_latest_wait(l, 0));
	assert_false(ka_latest_put(l, picture(4)));
	/* What nobody took goes with the slot. */
	ka_latest_free(l);
	ka_latest_free(NULL);
}

static void test_what_was_taken_can_be_had_again(void **state)
{
	struct ka_latest *l;
	struct ka_frame *f = picture(1);
	struct ka_frame *again;

	(void)state;
	assert_int_equal(ka_latest_new(&l), 0);
	assert_null(ka_latest_again(l));
	assert_false(ka_latest_put(l, ka_frame_ref(f)));
	assert_null(ka_latest_again(l)); /* it has not been taken yet */
	again = ka_latest_wait(l, 0);
	assert_ptr_equal(again, f);
	ka_frame_unref(&again);
	assert_null(ka_latest_wait(l, 0));
	again = ka_latest_again(l);
	assert_ptr_equal(again, f);
	ka_frame_unref(&again);
	/* It was taken, so nothing is lost. Nothing can be had again any more, and nobody holds it. */
	assert_false(ka_latest_put(l, NULL));
	assert_null(ka_latest_again(l));
	assert_true(ka_frame_writable(f));
	ka_frame_unref(&f);
	assert_false(ka_latest_put(l, picture(2)));
	assert_true(ka_latest_put(l, NULL));
	assert_null(ka_latest_wait(l, 0));
	ka_latest_free(l);
}

static void test_deadline_ends_the_wait(void **state)
{
	static const int64_t past[] = {0, 1, -1, -KA_SEC(3), INT64_MIN};
	struct ka_latest *l;
	int64_t before = ka_clock_us();

	(void)state;
	assert_int_equal(ka_latest_new(&l), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(past); i++)
		assert_null(ka_latest_wait(l, past[i]));
	assert_null(ka_latest_wait(l, before + KA_MS(30)));
	assert_true(ka_clock_us() >= before + KA_MS(30));
	assert_true(ka_clock_us() < before + KA_SEC(20));
	ka_latest_free(l);
}

static void test_kick_ends_one_wait(void **state)
{
	struct ka_latest *l;
	struct ka_frame *f;

	(void)state;
	assert_int_equal(ka_latest_new(&l), 0);
	ka_latest_kick(l);
	ka_latest_kick(l);
	assert_null(ka_latest_wait(l, INT64_MAX));
	/* Used up: this one waits for its deadline. */
	int64_t deadline = ka_clock_us() + KA_MS(20);

	assert_null(ka_latest_wait(l, deadline));
	assert_true(ka_clock_us() >= deadline);
	/* A frame that is there is not lost by a kick. */
	ka_latest_kick(l);
	assert_false(ka_latest_put(l, picture(1)));
	f = ka_latest_wait(l, INT64_MAX);
	assert_non_null(f);
	ka_frame_unref(&f);
	ka_latest_free(l);
}

static void *kick(void *arg)
{
	ka_latest_kick(arg);
	return NULL;
}

static void test_kick_from_another_thread(void **state)
{
	struct ka_latest *l;
	pthread_t t;

	(void)state;
	assert_int_equal(ka_latest_new(&l), 0);
	assert_int_equal(pthread_create(&t, NULL, kick, l), 0);
	assert_null(ka_latest_wait(l, INT64_MAX));
	pthread_join(t, NULL);
	ka_latest_free(l);
}

struct produce {
	struct ka_latest *l;
	int replaced;
};

static void *produce(void *arg)
{
	struct produce *p = arg;

	for (uint64_t i = 1; i <= PICTURES; i++)
		p->replaced += ka_latest_put(p->l, picture(i));
	return NULL;
}

static void test_consumer_sees_rising_pictures_and_the_last_one(void **state)
{
	struct produce p = {0};
	uint64_t newest = 0;
	int taken = 0;
	pthread_t t;

	(void)state;
	assert_int_equal(ka_latest_new(&p.l), 0);
	assert_int_equal(pthread_create(&t, NULL, produce, &p), 0);
	while (newest < PICTURES) {
		struct ka_frame *f = ka_latest_wait(p.l, INT64_MAX);

		assert_non_null(f);
		assert_true(f->sequence > newest);
		newest = f->sequence;
		taken++;
		ka_frame_unref(&f);
	}
	pthread_join(t, NULL);
	assert_int_equal(taken + p.replaced, PICTURES);
	ka_latest_free(p.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_wins_and_the_older_one_is_dropped),
		cmocka_unit_test(test_what_was_taken_can_be_had_again),
		cmocka_unit_test(test_deadline_ends_the_wait),
		cmocka_unit_test(test_kick_ends_one_wait),
		cmocka_unit_test(test_kick_from_another_thread),
		cmocka_unit_test(test_consumer_sees_rising_pictures_and_the_last_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
