/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/mailbox.h"

#define PRODUCERS 4
#define ROUNDS 3000

/* An item that owns something: `live` counts what is owned and not yet disposed of. */
struct item {
	atomic_int *live;
	int from;
	int value;
};

static struct item make(atomic_int *live, int from, int value)
{
	atomic_fetch_add(live, 1);
	return (struct item){.live = live, .from = from, .value = value};
}

static void drop(void *item)
{
	struct item *it = item;

	atomic_fetch_sub(it->live, 1);
	it->live = NULL;
}

static bool merge_same_source(void *last, const void *item)
{
	struct item *to = last;
	const struct item *from = item;

	if (to->from != from->from)
		return false;
	to->value += from->value;
	return true;
}

static void count_wake(void *arg)
{
	++*(int *)arg;
}

static struct ka_mailbox *open_box(unsigned int capacity, enum ka_mailbox_policy policy, int *wakes)
{
	struct ka_mailbox_cfg cfg = {
		.item_size = sizeof(struct item),
		.capacity = capacity,
		.policy = policy,
		.drop = drop,
		.wake = {.fn = wakes ? count_wake : NULL, .arg = wakes},
	};
	struct ka_mailbox *mb;

	assert_int_equal(ka_mailbox_new(&mb, &cfg), 0);
	return mb;
}

static int put(struct ka_mailbox *mb, atomic_int *live, int from, int value)
{
	struct item it = make(live, from, value);

	return ka_mailbox_put(mb, &it);
}

static int take(struct ka_mailbox *mb)
{
	struct item it;
	int value;

	if (!ka_mailbox_take(mb, &it))
		return -1;
	value = it.value;
	drop(&it);
	return value;
}

static void test_full_box_refuses_and_disposes_of_the_new_item(void **state)
{
	atomic_int live = 0;
	int wakes = 0;
	struct ka_mailbox *mb = open_box(2, KA_MAILBOX_REFUSE, &wakes);

	(void)state;
	assert_int_equal(put(mb, &live, 0, 1), 0);
	assert_int_equal(put(mb, &live, 0, 2), 0);
	assert_int_equal(put(mb, &live, 0, 3), -EAGAIN);
	assert_int_equal(live, 2);
	assert_int_equal(wakes, 2);
	assert_int_equal(take(mb), 1);
	assert_int_equal(put(mb, &live, 0, 4), 0);
	assert_int_equal(take(mb), 2);
	assert_int_equal(take(mb), 4);
	assert_int_equal(take(mb), -1);
	assert_int_equal(live, 0);
	ka_mailbox_free(mb);
}

static void test_full_box_drops_its_oldest(void **state)
{
	atomic_int live = 0;
	int wakes = 0;
	struct ka_mailbox *mb = open_box(3, KA_MAILBOX_DROP_OLDEST, &wakes);

	(void)state;
	for (int i = 1; i <= 3; i++)
		assert_int_equal(put(mb, &live, 0, i), 0);
	for (int i = 4; i <= 8; i++)
		assert_int_equal(put(mb, &live, 0, i), 1);
	assert_int_equal(live, 3);
	assert_int_equal(wakes, 8);
	for (int i = 6; i <= 8; i++)
		assert_int_equal(take(mb), i);
	assert_int_equal(take(mb), -1);
	assert_int_equal(live, 0);
	ka_mailbox_free(mb);
}

static void test_merge_folds_into_the_newest_only_and_disposes(void **state)
{
	atomic_int live = 0;
	int wakes = 0;
	struct ka_mailbox_cfg cfg = {
		.item_size = sizeof(struct item),
		.capacity = 2,
		.policy = KA_MAILBOX_REFUSE,
		.drop = drop,
		.merge = merge_same_source,
		.wake = {.fn = count_wake, .arg = &wakes},
	};
	struct ka_mailbox *mb;

	(void)state;
	assert_int_equal(ka_mailbox_new(&mb, &cfg), 0);
	assert_int_equal(put(mb, &live, 1, 10), 0);
	assert_int_equal(put(mb, &live, 2, 20), 0);
	assert_int_equal(wakes, 2);
	/* The box is full, but a merge needs no place; the older item of source 1 is not the newest. */
	assert_int_equal(put(mb, &live, 2, 5), 0);
	assert_int_equal(wakes, 3);
	assert_int_equal(put(mb, &live, 1, 5), -EAGAIN);
	assert_int_equal(live, 2);
	assert_int_equal(take(mb), 10);
	assert_int_equal(take(mb), 25);
	/* Nothing to merge with. */
	assert_int_equal(put(mb, &live, 2, 1), 0);
	assert_int_equal(take(mb), 1);
	assert_int_equal(live, 0);
	ka_mailbox_free(mb);
}

static void test_closed_box_refuses_but_gives_out_what_it_has(void **state)
{
	atomic_int live = 0;
	int wakes = 0;
	struct ka_mailbox *mb = open_box(4, KA_MAILBOX_DROP_OLDEST, &wakes);

	(void)state;
	assert_int_equal(put(mb, &live, 0, 1), 0);
	ka_mailbox_close(mb);
	ka_mailbox_close(mb);
	assert_int_equal(put(mb, &live, 0, 2), -EPIPE);
	assert_int_equal(live, 1);
	assert_int_equal(wakes, 1);
	assert_int_equal(take(mb), 1);
	assert_int_equal(take(mb), -1);
	ka_mailbox_free(mb);
}

static void test_clear_and_free_dispose_of_everything(void **state)
{
	atomic_int live = 0;
	struct ka_mailbox *mb = open_box(3, KA_MAILBOX_REFUSE, NULL);

	(void)state;
	/* Wrapped round the end, too. */
	assert_int_equal(put(mb, &live, 0, 1), 0);
	assert_int_equal(put(mb, &live, 0, 2), 0);
	assert_int_equal(take(mb), 1);
	assert_int_equal(put(mb, &live, 0, 3), 0);
	assert_int_equal(put(mb, &live, 0, 4), 0);
	ka_mailbox_clear(mb);
	assert_int_equal(live, 0);
	assert_int_equal(take(mb), -1);
	assert_int_equal(put(mb, &live, 0, 5), 0);
	ka_mailbox_free(mb);
	assert_int_equal(live, 0);
	ka_mailbox_free(NULL);
}

struct crowd {
	struct ka_mailbox *mb;
	atomic_int live;
	sem_t ready;
	atomic_int running;
	struct {
		struct crowd *crowd;
		int number;
		int refused;
		pthread_t id;
	} producers[PRODUCERS];
};

static void post_ready(void *arg)
{
	sem_post(arg);
}

static void *produce(void *arg)
{
	struct crowd *c = *(struct crowd **)arg;
	int me = 0;

	while (&c->producers[me].crowd != (struct crowd **)arg)
		me++;
	for (int i = 1; i <= ROUNDS; i++)
		c->producers[me].refused += put(c->mb, &c->live, me, i) < 0;
	atomic_fetch_sub(&c->running, 1);
	sem_post(&c->ready);
	return NULL;
}

/* Everybody puts at once while the owner takes: order is kept for each producer, nothing is lost unnoticed. */
static void run_crowd(enum ka_mailbox_policy policy, bool interfere)
{
	struct crowd c = {.running = PRODUCERS};
	struct ka_mailbox_cfg cfg = {
		.item_size = sizeof(struct item),
		.capacity = 8,
		.policy = policy,
		.drop = drop,
		.wake = {.fn = post_ready, .arg = &c.ready},
	};
	int newest[PRODUCERS] = {0};
	int taken = 0;
	int refused = 0;
	bool last = false;
	struct item it;

	assert_int_equal(sem_init(&c.ready, 0, 0), 0);
	assert_int_equal(ka_mailbox_new(&c.mb, &cfg), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		c.producers[i].crowd = &c;
		assert_int_equal(pthread_create(&c.producers[i].id, NULL, produce, &c.producers[i].crowd), 0);
	}
	while (!last) {
		sem_wait(&c.ready);
		last = atomic_load(&c.running) == 0;
		while (ka_mailbox_take(c.mb, &it)) {
			assert_true(it.value > newest[it.from]);
			newest[it.from] = it.value;
			taken++;
			drop(&it);
		}
		if (interfere && taken % 7 == 0)
			ka_mailbox_clear(c.mb);
	}
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(c.producers[i].id, NULL);
		refused += c.producers[i].refused;
	}
	assert_int_equal(c.live, 0);
	if (!interfere && policy == KA_MAILBOX_REFUSE)
		assert_int_equal(taken + refused, PRODUCERS * ROUNDS);
	ka_mailbox_free(c.mb);
	sem_destroy(&c.ready);
}

static void test_many_producers_refused_when_full(void **state)
{
	(void)state;
	run_crowd(KA_MAILBOX_REFUSE, false);
	run_crowd(KA_MAILBOX_REFUSE, true);
}

static void test_many_producers_dropping_the_oldest(void **state)
{
	(void)state;
	run_crowd(KA_MAILBOX_DROP_OLDEST, false);
	run_crowd(KA_MAILBOX_DROP_OLDEST, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_box_refuses_and_disposes_of_the_new_item),
		cmocka_unit_test(test_full_box_drops_its_oldest),
		cmocka_unit_test(test_merge_folds_into_the_newest_only_and_disposes),
		cmocka_unit_test(test_closed_box_refuses_but_gives_out_what_it_has),
		cmocka_unit_test(test_clear_and_free_dispose_of_everything),
		cmocka_unit_test(test_many_producers_refused_when_full),
		cmocka_unit_test(test_many_producers_dropping_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
