/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <pthread.h>

#include "base/buf.h"
#include "base/packet.h"

#define THREADS 4
#define ROUNDS 2000

struct hook {
	atomic_int calls;
	pthread_t by; /* written by the hook only, read after the threads are joined */
};

static void on_release(void *cookie)
{
	struct hook *h = cookie;

	h->by = pthread_self();
	atomic_fetch_add(&h->calls, 1);
}

static void test_hook_runs_once_on_the_last_drop(void **state)
{
	uint8_t memory[16];
	struct hook hook = {0};
	struct ka_buf *a;
	struct ka_buf *b;

	(void)state;
	assert_int_equal(ka_buf_wrap(&a, memory, sizeof(memory), on_release, &hook), 0);
	assert_ptr_equal(a->data, memory);
	assert_int_equal(a->size, sizeof(memory));
	b = ka_buf_ref(a);
	assert_ptr_equal(a, b);
	ka_buf_unref(&a);
	assert_null(a);
	assert_int_equal(hook.calls, 0);
	ka_buf_unref(&b);
	assert_int_equal(hook.calls, 1);
	ka_buf_unref(&b);
	assert_int_equal(hook.calls, 1);
}

static void *drop(void *arg)
{
	struct ka_buf *b = arg;

	ka_buf_unref(&b);
	return NULL;
}

static void test_hook_runs_on_the_thread_that_drops_last(void **state)
{
	uint8_t memory[16];
	struct hook hook = {0};
	struct ka_buf *b;
	pthread_t t;

	(void)state;
	assert_int_equal(ka_buf_wrap(&b, memory, sizeof(memory), on_release, &hook), 0);
	assert_int_equal(pthread_create(&t, NULL, drop, b), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(hook.calls, 1);
	assert_false(pthread_equal(hook.by, pthread_self()));
}

static void *take_and_drop(void *arg)
{
	struct ka_buf *mine = arg;
	unsigned int sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct ka_buf *more = ka_buf_ref(mine);

		sum += more->data[i % 16];
		ka_buf_unref(&more);
	}
	ka_buf_unref(&mine);
	return (void *)(uintptr_t)sum;
}

static void test_references_from_many_threads_release_once(void **state)
{
	uint8_t memory[16] = {1, 2, 3};
	struct hook hook = {0};
	struct ka_buf *b;
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(ka_buf_wrap(&b, memory, sizeof(memory), on_release, &hook), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, ka_buf_ref(b)), 0);
	ka_buf_unref(&b);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(hook.calls, 1);
	/* The hook may give the memory away: nobody touches it any more. */
	memset(memory, 0, sizeof(memory));
}

static void test_own_memory_is_aligned_and_as_large_as_asked(void **state)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 100000};

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(sizes); i++) {
		struct ka_buf *b;

		assert_int_equal(ka_buf_new(&b, sizes[i]), 0);
		assert_int_equal(b->size, sizes[i]);
		assert_int_equal((uintptr_t)b->data % 64, 0);
		memset(b->data, 0xaa, b->size);
		ka_buf_unref(&b);
	}
}

static void test_a_hook_is_optional(void **state)
{
	uint8_t memory[4];
	struct ka_buf *b;

	(void)state;
	assert_int_equal(ka_buf_wrap(&b, memory, sizeof(memory), NULL, NULL), 0);
	ka_buf_unref(&b);
}

static void *drop_packet(void *arg)
{
	struct ka_packet *p = arg;
	volatile uint8_t last = p->data[p->size - 1];

	(void)last;
	ka_packet_unref(&p);
	return NULL;
}

static void test_packet_is_cleared_and_shared(void **state)
{
	struct ka_packet *p;
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(ka_packet_new(&p, 1000), 0);
	assert_int_equal(p->size, 1000);
	assert_false(p->key);
	assert_int_equal(p->width, 0);
	assert_int_equal(p->pts_ms, 0);
	memset(p->data, 7, p->size);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, drop_packet, ka_packet_ref(p)), 0);
	ka_packet_unref(&p);
	assert_null(p);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	ka_packet_unref(&p);
}

static void test_packet_of_nothing(void **state)
{
	struct ka_packet *p;

	(void)state;
	assert_int_equal(ka_packet_new(&p, 0), 0);
	assert_int_equal(p->size, 0);
	ka_packet_unref(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook_runs_once_on_the_last_drop),
		cmocka_unit_test(test_hook_runs_on_the_thread_that_drops_last),
		cmocka_unit_test(test_references_from_many_threads_release_once),
		cmocka_unit_test(test_own_memory_is_aligned_and_as_large_as_asked),
		cmocka_unit_test(test_a_hook_is_optional),
		cmocka_unit_test(test_packet_is_cleared_and_shared),
		cmocka_unit_test(test_packet_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
