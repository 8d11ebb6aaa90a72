/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <pthread.h>
#include <sched.h>

#include "base/hub.h"

#define DEPTH 3
#define VIEWERS 3
#define VISITS 60
#define GROUP 8 /* pictures from key to key */

static struct ka_packet *packet(int64_t pts, bool key)
{
	struct ka_packet *p;

	assert_int_equal(ka_packet_new(&p, 8), 0);
	p->pts_ms = pts;
	p->key = key;
	return p;
}

static int64_t take(struct ka_hub_sub *s)
{
	struct ka_packet *p = ka_hub_take(s);
	int64_t pts = p ? p->pts_ms : -1;

	ka_packet_unref(&p);
	return pts;
}

static void count_wake(void *arg)
{
	++*(int *)arg;
}

static void test_new_viewer_starts_at_a_key_packet(void **state)
{
	struct ka_hub *h;
	struct ka_hub_sub *s;
	int wakes = 0;

	(void)state;
	assert_int_equal(ka_hub_new(&h), 0);
	assert_int_equal(ka_hub_publish(h, packet(1, true)), 0); /* nobody: disposed of */
	assert_int_equal(ka_hub_subscribe(h, DEPTH, (struct ka_wake){count_wake, &wakes}, &s), 0);
	assert_int_equal(ka_hub_count(h), 1);
	assert_true(ka_hub_starved(s));
	assert_int_equal(ka_hub_publish(h, packet(2, false)), 1);
	assert_int_equal(take(s), -1);
	assert_int_equal(wakes, 0);
	assert_int_equal(ka_hub_publish(h, packet(3, true)), 0);
	assert_int_equal(ka_hub_publish(h, packet(4, false)), 0);
	assert_int_equal(wakes, 2);
	assert_false(ka_hub_starved(s));
	assert_int_equal(take(s), 3);
	assert_int_equal(take(s), 4);
	assert_int_equal(take(s), -1);
	ka_hub_unsubscribe(s);
	assert_int_equal(ka_hub_count(h), 0);
	ka_hub_unsubscribe(NULL);
	ka_hub_free(h);
	ka_hub_free(NULL);
}

static void test_overflow_costs_that_viewer_alone_up_to_the_next_key(void **state)
{
	struct ka_hub *h;
	struct ka_hub_sub *slow;
	struct ka_hub_sub *fast;

	(void)state;
	assert_int_equal(ka_hub_new(&h), 0);
	assert_int_equal(ka_hub_subscribe(h, DEPTH, (struct ka_wake){0}, &slow), 0);
	assert_int_equal(ka_hub_subscribe(h, DEPTH, (struct ka_wake){0}, &fast), 0);
	for (int i = 1; i <= DEPTH; i++) {
		assert_int_equal(ka_hub_publish(h, packet(i, i == 1)), 0);
		assert_int_equal(take(fast), i);
	}
	/* One too many: everything queued is worthless without the rest. */
	assert_int_equal(ka_hub_publish(h, packet(4, false)), 1);
	assert_int_equal(take(fast), 4);
	assert_true(ka_hub_starved(slow));
	assert_false(ka_hub_starved(fast));
	assert_int_equal(take(slow), -1);
	assert_int_equal(ka_hub_publish(h, packet(5, false)), 1);
	assert_int_equal(take(slow), -1);
	assert_int_equal(ka_hub_publish(h, packet(6, true)), 0);
	assert_int_equal(take(slow), 6);
	/* 5 was not taken in time: the key made it needless. */
	assert_int_equal(take(fast), 6);
	assert_int_equal(take(fast), -1);
	ka_hub_unsubscribe(slow);
	ka_hub_unsubscribe(fast);
	ka_hub_free(h);
}

static void test_key_packet_replaces_what_is_queued(void **state)
{
	struct ka_hub *h;
	struct ka_hub_sub *s;
	struct ka_packet *old = packet(1, true);
	struct ka_packet *witness = ka_packet_ref(old);

	(void)state;
	assert_int_equal(ka_hub_new(&h), 0);
	assert_int_equal(ka_hub_subscribe(h, DEPTH, (struct ka_wake){0}, &s), 0);
	ka_hub_publish(h, old);
	ka_hub_publish(h, packet(2, false));
	assert_false(ka_ref_only(&witness->ref));
	ka_hub_publish(h, packet(3, true));
	assert_true(ka_ref_only(&witness->ref));
	assert_int_equal(take(s), 3);
	assert_int_equal(take(s), -1);
	ka_packet_unref(&witness);
	ka_hub_unsubscribe(s);
	ka_hub_free(h);
}

static void test_restart_forgets_and_waits_for_a_key(void **state)
{
	struct ka_hub *h;
	struct ka_hub_sub *s;

	(void)state;
	assert_int_equal(ka_hub_new(&h), 0);
	assert_int_equal(ka_hub_subscribe(h, DEPTH, (struct ka_wake){0}, &s), 0);
	ka_hub_publish(h, packet(1, true));
	ka_hub_publish(h, packet(2, false));
	ka_hub_restart(s);
	assert_true(ka_hub_starved(s));
	assert_int_equal(take(s), -1);
	assert_int_equal(ka_hub_publish(h, packet(3, false)), 1);
	assert_int_equal(take(s), -1);
	assert_int_equal(ka_hub_publish(h, packet(4, true)), 0);
	assert_int_equal(take(s), 4);
	/* Left in the queue: goes with the viewer. */
	ka_hub_publish(h, packet(5, false));
	ka_hub_unsubscribe(s);
	ka_hub_free(h);
}

struct party {
	struct ka_hub *hub;
	atomic_int at_home; /* viewers who have had enough */
	atomic_int failures;
};

struct guest {
	struct party *party;
	atomic_bool here; /* wake must not come outside */
	int pictures;
};

static void on_wake(void *arg)
{
	struct guest *g = arg;

	if (!atomic_load(&g->here))
		atomic_fetch_add(&g->party->failures, 1);
}

/* Checks what a decoder would: starts at a key, no gap until the next key. */
static void watch(struct guest *g, struct ka_hub_sub *s, unsigned int restarts)
{
	int64_t before = -1;

	for (int got = 0; got < 20;) {
		struct ka_packet *p = ka_hub_take(s);

		if (!p) {
			sched_yield();
			continue;
		}
		if (p->key != (p->pts_ms % GROUP == 0) || (!p->key && p->pts_ms != before + 1))
			atomic_fetch_add(&g->party->failures, 1);
		before = p->pts_ms;
		ka_packet_unref(&p);
		g->pictures++;
		if (++got == 10 && restarts % 2) {
			ka_hub_restart(s);
			before = -1;
		}
	}
}

static void *visit(void *arg)
{
	struct guest g = {.party = arg};

	for (unsigned int i = 0; i < VISITS; i++) {
		struct ka_hub_sub *s;

		atomic_store(&g.here, true);
		if (ka_hub_subscribe(g.party->hub, DEPTH, (struct ka_wake){on_wake, &g}, &s) < 0) {
			atomic_fetch_add(&g.party->failures, 1);
			break;
		}
		watch(&g, s, i);
		ka_hub_unsubscribe(s);
		/* From here on a wake would be one too many. */
		atomic_store(&g.here, false);
	}
	atomic_fetch_add(&g.party->at_home, 1);
	return (void *)(intptr_t)g.pictures;
}

static void test_viewers_come_and_go_while_pictures_are_published(void **state)
{
	struct party party = {0};
	pthread_t viewers[VIEWERS];

	(void)state;
	assert_int_equal(ka_hub_new(&party.hub), 0);
	for (int i = 0; i < VIEWERS; i++)
		assert_int_equal(pthread_create(&viewers[i], NULL, visit, &party), 0);
	for (int64_t pts = 0; atomic_load(&party.at_home) < VIEWERS; pts++) {
		ka_hub_publish(party.hub, packet(pts, pts % GROUP == 0));
		sched_yield();
	}
	for (int i = 0; i < VIEWERS; i++) {
		void *pictures;

		pthread_join(viewers[i], &pictures);
		assert_true((intptr_t)pictures >= 20 * VISITS);
	}
	assert_int_equal(party.failures, 0);
	assert_int_equal(ka_hub_count(party.hub), 0);
	ka_hub_free(party.hub);
}

static void publish_as(struct ka_hub *h, unsigned int rendition, int64_t pts, bool key)
{
	struct ka_packet *p = packet(pts, key);

	p->rendition = (uint8_t)rendition;
	ka_hub_publish(h, p);
}

static void test_renditions_change_at_a_key_packet_and_without_a_gap(void **state)
{
	struct ka_hub *h;
	struct ka_hub_sub *s;
	int wakes = 0;

	(void)state;
	assert_int_equal(ka_hub_new(&h), 0);
	assert_int_equal(ka_hub_subscribe(h, DEPTH, (struct ka_wake){count_wake, &wakes}, &s), 0);
	publish_as(h, 1, 1, true);
	assert_int_equal(take(s), -1);
	publish_as(h, 0, 2, true);
	assert_int_equal(take(s), 2);
	ka_hub_set_rendition(s, 1);
	publish_as(h, 0, 3, false);
	publish_as(h, 1, 4, false);
	assert_int_equal(take(s), 3);
	assert_int_equal(take(s), -1);
	publish_as(h, 0, 5, false);
	publish_as(h, 1, 6, true);
	publish_as(h, 0, 7, true);
	publish_as(h, 1, 8, false);
	assert_int_equal(take(s), 6);
	assert_int_equal(take(s), 8);
	assert_int_equal(take(s), -1);
	/* Changed back before anything came of it. */
	ka_hub_set_rendition(s, 0);
	ka_hub_set_rendition(s, 1);
	publish_as(h, 0, 9, true);
	publish_as(h, 1, 10, false);
	assert_int_equal(take(s), 10);
	/* A starved viewer waits for the one it wants. */
	ka_hub_restart(s);
	ka_hub_set_rendition(s, 0);
	publish_as(h, 1, 11, true);
	assert_int_equal(take(s), -1);
	publish_as(h, 0, 12, true);
	assert_int_equal(take(s), 12);
	ka_hub_unsubscribe(s);
	ka_hub_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renditions_change_at_a_key_packet_and_without_a_gap),
		cmocka_unit_test(test_new_viewer_starts_at_a_key_packet),
		cmocka_unit_test(test_overflow_costs_that_viewer_alone_up_to_the_next_key),
		cmocka_unit_test(test_key_packet_replaces_what_is_queued),
		cmocka_unit_test(test_restart_forgets_and_waits_for_a_key),
		cmocka_unit_test(test_viewers_come_and_go_while_pictures_are_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
