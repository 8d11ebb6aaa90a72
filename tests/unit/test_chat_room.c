/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines from one seat to all others, within bounds, from any thread. */
#include "tests/check/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/err.h"
#include "rustdesk/session/chat_room.h"

static void count_wake(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

/* Seats are numbered as they come. */
static atomic_uint next_number = 1;

static struct ka_chat_seat *join(struct ka_chat_room *room, atomic_uint *wakes)
{
	struct ka_wake wake = {.fn = wakes ? count_wake : NULL, .arg = wakes};
	struct ka_chat_seat *seat = NULL;

	assert_int_equal(ka_chat_room_join(room, atomic_fetch_add(&next_number, 1), wake, &seat), 0);
	return seat;
}

static void say(struct ka_chat_seat *seat, int number)
{
	struct ka_chat_line line = {""};

	snprintf(line.text, sizeof(line.text), "line %d", number);
	ka_chat_room_say(seat, &line);
}

static void assert_hears(struct ka_chat_seat *seat, const char *text)
{
	struct ka_chat_line line;

	assert_true(ka_chat_room_hear(seat, &line));
	assert_string_equal(line.text, text);
}

static void test_line_goes_to_all_others(void **state)
{
	struct ka_chat_line line;
	struct ka_chat_room *room;
	struct ka_chat_seat *a;
	struct ka_chat_seat *b;
	struct ka_chat_seat *c;
	atomic_uint wakes = 0;

	(void)state;
	assert_int_equal(ka_chat_room_new(&room), 0);
	a = join(room, &wakes);
	say(a, 1); /* nobody there */
	b = join(room, &wakes);
	c = join(room, NULL);
	assert_int_equal(wakes, 0);
	assert_false(ka_chat_room_hear(b, &line));
	say(a, 2);
	say(b, 3);
	assert_int_equal(wakes, 2);
	assert_hears(c, "line 2");
	assert_hears(c, "line 3");
	assert_hears(a, "line 3");
	assert_hears(b, "line 2");
	assert_false(ka_chat_room_hear(a, &line) || ka_chat_room_hear(b, &line) || ka_chat_room_hear(c, &line));
	ka_chat_room_leave(b);
	say(a, 4);
	assert_int_equal(wakes, 2);
	assert_hears(c, "line 4");
	ka_chat_room_leave(a);
	ka_chat_room_leave(c);
	ka_chat_room_leave(NULL);
	ka_chat_room_free(room);
	ka_chat_room_free(NULL);
}

static void test_flood_costs_the_oldest_lines(void **state)
{
	struct ka_chat_line line;
	struct ka_chat_room *room;
	struct ka_chat_seat *a;
	struct ka_chat_seat *b;
	char want[32];

	(void)state;
	assert_int_equal(ka_chat_room_new(&room), 0);
	a = join(room, NULL);
	b = join(room, NULL);
	for (int i = 0; i < 1000; i++)
		say(a, i);
	for (int i = 1000 - KA_CHAT_QUEUE; i < 1000; i++) {
		snprintf(want, sizeof(want), "line %d", i);
		assert_hears(b, want);
	}
	assert_false(ka_chat_room_hear(b, &line));
	ka_chat_room_leave(a);
	ka_chat_room_leave(b);
	ka_chat_room_free(room);
}

static void test_seats_are_limited_and_free_again(void **state)
{
	struct ka_chat_seat *seats[KA_CHAT_SEATS];
	struct ka_chat_seat *one_more = NULL;
	struct ka_chat_room *room;

	(void)state;
	assert_int_equal(ka_chat_room_new(&room), 0);
	for (int i = 0; i < KA_CHAT_SEATS; i++)
		seats[i] = join(room, NULL);
	assert_int_equal(ka_chat_room_join(room, 99, (struct ka_wake){0}, &one_more), -KA_E_LIMIT);
	assert_null(one_more);
	ka_chat_room_leave(seats[5]);
	seats[5] = join(room, NULL);
	say(seats[0], 7);
	assert_hears(seats[5], "line 7");
	for (int i = 0; i < KA_CHAT_SEATS; i++)
		ka_chat_room_leave(seats[i]);
	ka_chat_room_free(room);
}

static void *come_talk_and_go(void *arg)
{
	for (int i = 0; i < 200; i++) {
		struct ka_chat_line line;
		atomic_uint wakes = 0;
		struct ka_chat_seat *seat = join(arg, &wakes);

		for (int k = 0; k < 5; k++)
			say(seat, k);
		while (ka_chat_room_hear(seat, &line))
			assert_int_equal(strncmp(line.text, "line ", 5), 0);
		/* After leaving no wake may come: its counter is gone. */
		ka_chat_room_leave(seat);
	}
	return NULL;
}

static void test_threads_come_talk_and_go(void **state)
{
	struct ka_chat_room *room;
	pthread_t threads[4];

	(void)state;
	assert_int_equal(ka_chat_room_new(&room), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_talk_and_go, room), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ka_chat_room_free(room);
}

static void test_device_tells_one_session_only(void **state)
{
	struct ka_chat_line line = {"left out"};
	struct ka_chat_room *room;
	struct ka_chat_seat *a, *b;
	atomic_uint wakes = 0;
	uint32_t first = atomic_load(&next_number);

	(void)state;
	assert_int_equal(ka_chat_room_new(&room), 0);
	a = join(room, NULL);
	b = join(room, &wakes);
	ka_chat_room_tell(room, first + 1, &line);
	ka_chat_room_tell(room, first + 2, &line);
	assert_int_equal(atomic_load(&wakes), 1);
	assert_hears(b, "left out");
	assert_false(ka_chat_room_hear(a, &line));
	assert_false(ka_chat_room_hear(b, &line));
	ka_chat_room_leave(a);
	ka_chat_room_leave(b);
	ka_chat_room_free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_goes_to_all_others),
		cmocka_unit_test(test_flood_costs_the_oldest_lines),
		cmocka_unit_test(test_seats_are_limited_and_free_again),
		cmocka_unit_test(test_threads_come_talk_and_go),
		cmocka_unit_test(test_device_tells_one_session_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
