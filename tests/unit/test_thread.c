/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <semaphore.h>
#include <semaphore.h>
#include <signal.h>

#include "base/thread.h"

struct seen {
	char name[16];
	sigset_t blocked;
	bool owner_before, owner_bound, owner_foreign;
	struct ka_owner *owner;
	pthread_barrier_t step;
};

static void *look_around(void *arg)
{
	struct seen *s = arg;

	/* The name is set by the starter: it must be there once start has returned. */
	pthread_barrier_wait(&s->step);
	pthread_getname_np(pthread_self(), s->name, sizeof(s->name));
	pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
	return NULL;
}

static void test_thread_has_its_name_and_no_signals(void **state)
{
	struct seen s = {0};
	struct ka_thread t = {0};
	sigset_t before;
	sigset_t after;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	pthread_barrier_init(&s.step, NULL, 2);
	assert_int_equal(ka_thread_start(&t, "exactly-15-byte", look_around, &s), 0);
	assert_true(t.running);
	pthread_barrier_wait(&s.step);
	ka_thread_join(&t);
	assert_false(t.running);
	assert_string_equal(s.name, "exactly-15-byte");
	assert_int_equal(sigismember(&s.blocked, SIGTERM), 1);
	assert_int_equal(sigismember(&s.blocked, SIGINT), 1);
	assert_int_equal(sigismember(&s.blocked, SIGUSR1), 1);
	/* The starter keeps its own mask. */
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	pthread_barrier_destroy(&s.step);
}

struct apart {
	int signal_blocked;
	sem_t done;
};

static void *run_apart(void *arg)
{
	struct apart *a = arg;
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	a->signal_blocked = sigismember(&blocked, SIGTERM);
	sem_post(&a->done);
	return NULL;
}

static void test_detached_thread_runs_without_signals(void **state)
{
	struct apart a = {0};

	(void)state;
	sem_init(&a.done, 0, 0);
	assert_int_equal(ka_thread_detach("apart", run_apart, &a), 0);
	sem_wait(&a.done);
	assert_int_equal(a.signal_blocked, 1);
	sem_destroy(&a.done);
}

static void test_join_of_a_thread_that_does_not_run_is_nothing(void **state)
{
	struct ka_thread t = {0};

	(void)state;
	ka_thread_join(&t);
	ka_thread_join(&t);
	assert_false(t.running);
}

static void *own(void *arg)
{
	struct seen *s = arg;

	s->owner_before = ka_owner_ok(s->owner);
	ka_owner_bind(s->owner);
	s->owner_bound = ka_owner_ok(s->owner);
	pthread_barrier_wait(&s->step);
	pthread_barrier_wait(&s->step);
	ka_owner_unbind(s->owner);
	return NULL;
}

static void test_owner_is_the_thread_that_bound_itself(void **state)
{
	struct ka_owner owner = {0};
	struct seen s = {.owner = &owner};
	struct ka_thread t = {0};

	(void)state;
	pthread_barrier_init(&s.step, NULL, 2);
	assert_true(ka_owner_ok(&owner));
	assert_int_equal(ka_thread_start(&t, "owner", own, &s), 0);
	pthread_barrier_wait(&s.step);
	assert_false(ka_owner_ok(&owner));
	pthread_barrier_wait(&s.step);
	ka_thread_join(&t);
	assert_true(s.owner_before);
	assert_true(s.owner_bound);
	assert_true(ka_owner_ok(&owner));
	pthread_barrier_destroy(&s.step);
}

struct loose {
	sem_t go, done;
	char name[16];
	sigset_t blocked;
};

static void *run_loose(void *arg)
{
	struct loose *l = arg;

	sem_wait(&l->go);
	pthread_getname_np(pthread_self(), l->name, sizeof(l->name));
	pthread_sigmask(SIG_SETMASK, NULL, &l->blocked);
	sem_post(&l->done);
	return NULL;
}

static void test_detached_thread_needs_no_join(void **state)
{
	struct loose l = {0};

	(void)state;
	sem_init(&l.go, 0, 0);
	sem_init(&l.done, 0, 0);
	assert_int_equal(ka_thread_detach("loose", run_loose, &l), 0);
	sem_post(&l.go);
	sem_wait(&l.done);
	assert_string_equal(l.name, "loose");
	assert_int_equal(sigismember(&l.blocked, SIGTERM), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_has_its_name_and_no_signals),
		cmocka_unit_test(test_detached_thread_runs_without_signals),
		cmocka_unit_test(test_join_of_a_thread_that_does_not_run_is_nothing),
		cmocka_unit_test(test_detached_thread_needs_no_join),
		cmocka_unit_test(test_owner_is_the_thread_that_bound_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
