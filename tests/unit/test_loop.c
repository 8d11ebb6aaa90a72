/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/loop.h"
#include "base/thread.h"

#define WAKERS 3
#define WAKES 2000

struct worker {
	struct ka_loop loop;
	struct ka_thread thread;
	uv_timer_t timer;
	atomic_int work; /* handed over by any thread */
	atomic_int done;
	int timer_runs;
};

static void on_wake(void *arg)
{
	struct worker *w = arg;

	atomic_fetch_add(&w->done, atomic_exchange(&w->work, 0));
	if (atomic_load(&w->done) == WAKERS * WAKES)
		ka_loop_stop(&w->loop);
}

static void *run(void *arg)
{
	struct worker *w = arg;

	ka_loop_run(&w->loop);
	return NULL;
}

static void *wake_often(void *arg)
{
	struct worker *w = arg;
	struct ka_wake wake = ka_loop_waker(&w->loop);

	for (int i = 0; i < WAKES; i++) {
		atomic_fetch_add(&w->work, 1);
		if (i % 2)
			ka_wake_call(&wake);
		else
			ka_loop_wake(&w->loop);
	}
	return NULL;
}

static void test_no_work_is_left_after_the_last_wake(void **state)
{
	struct worker w = {0};
	struct ka_thread wakers[WAKERS] = {0};

	(void)state;
	assert_int_equal(ka_loop_init(&w.loop, on_wake, &w), 0);
	assert_int_equal(ka_thread_start(&w.thread, "loop", run, &w), 0);
	for (int i = 0; i < WAKERS; i++)
		assert_int_equal(ka_thread_start(&wakers[i], "waker", wake_often, &w), 0);
	for (int i = 0; i < WAKERS; i++)
		ka_thread_join(&wakers[i]);
	/* It stops by itself when all the work is done; a lost wake would hang here. */
	ka_thread_join(&w.thread);
	assert_int_equal(w.done, WAKERS * WAKES);
	ka_loop_fini(&w.loop);
}

static void test_stop_before_run_and_from_outside(void **state)
{
	struct worker w = {0};

	(void)state;
	assert_int_equal(ka_loop_init(&w.loop, NULL, NULL), 0);
	ka_loop_stop(&w.loop);
	ka_loop_run(&w.loop);
	ka_loop_fini(&w.loop);
	for (int i = 0; i < 50; i++) {
		struct worker other = {0};

		assert_int_equal(ka_loop_init(&other.loop, NULL, NULL), 0);
		assert_int_equal(ka_thread_start(&other.thread, "loop", run, &other), 0);
		ka_loop_wake(&other.loop);
		ka_loop_stop(&other.loop);
		ka_thread_join(&other.thread);
		ka_loop_wake(&other.loop);
		ka_loop_fini(&other.loop);
	}
}

static void test_fini_without_init_or_twice_is_nothing(void **state)
{
	struct ka_loop l;

	(void)state;
	memset(&l, 0, sizeof(l));
	ka_loop_fini(&l);
	assert_int_equal(ka_loop_init(&l, NULL, NULL), 0);
	ka_loop_fini(&l);
	ka_loop_fini(&l);
}

static void on_closed(uv_handle_t *h)
{
	struct worker *w = h->data;

	atomic_fetch_add(&w->done, 1);
}

static void on_timer(uv_timer_t *t)
{
	struct worker *w = t->data;

	if (++w->timer_runs == 1)
		ka_timer_once(t, on_timer, 1);
	else
		ka_loop_stop(&w->loop);
}

static void test_fini_runs_the_close_callbacks_of_own_handles(void **state)
{
	struct worker w = {0};

	(void)state;
	assert_int_equal(ka_loop_init(&w.loop, NULL, NULL), 0);
	uv_timer_init(&w.loop.uv, &w.timer);
	w.timer.data = &w;
	ka_timer_once(&w.timer, on_timer, 1);
	ka_loop_run(&w.loop);
	assert_int_equal(w.timer_runs, 2);
	uv_close((uv_handle_t *)&w.timer, on_closed);
	assert_int_equal(w.done, 0);
	ka_loop_fini(&w.loop);
	assert_int_equal(w.done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_work_is_left_after_the_last_wake),
		cmocka_unit_test(test_stop_before_run_and_from_outside),
		cmocka_unit_test(test_fini_without_init_or_twice_is_nothing),
		cmocka_unit_test(test_fini_runs_the_close_callbacks_of_own_handles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
