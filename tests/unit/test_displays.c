/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions with several displays: which are watched, and when they start afresh. */
#include "tests/fake/displays_check.h"

static void test_all_are_listed_and_the_first_is_watched(void **state)
{
	struct session_rig *r = *state;
	const Rd__PeerInfo *p;

	fake_host_give_displays(&r->host, 3);
	fake_host_place(&r->host, 1, -1920, 40, 1920, 1080);
	assert_true(session_rig_login(r, set_version));
	p = r->client.msg->login_response->peer_info;
	assert_int_equal(p->n_displays, 3);
	assert_int_equal(p->current_display, 0);
	assert_string_equal(p->displays[0]->name, "HDMI");
	assert_string_equal(p->displays[1]->name, "HDMI-2");
	assert_int_equal(p->displays[1]->x, -1920);
	assert_int_equal(p->displays[1]->y, 40);
	assert_int_equal(p->displays[1]->width, 1920);
	assert_int_equal(p->displays[2]->x, 2560);
	assert_true(p->displays[2]->online && p->displays[2]->cursor_embedded);
	assert_int_equal(p->resolutions->resolutions[0]->width, W);
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(watching(r), 1);
	publish(r, 0, 1, true);
	assert_picture(r, 0, 1);
}

static void test_set_add_and_sub(void **state)
{
	struct session_rig *r = login(state, 4);

	assert_int_equal(shown(r, 10), 1);
	capture_set(r, LIST(1, 2));
	assert_int_equal(shown(r, 20), 2 | 4);
	capture(r, LIST(0, 3), NONE, NONE);
	assert_int_equal(shown(r, 30), 15);
	/* Only the first list that is not empty counts. */
	capture(r, LIST(0), LIST(1), LIST(2));
	assert_int_equal(shown(r, 40), 15);
	/* sub says what goes on, and starts nothing. */
	capture(r, NONE, LIST(1, 3), LIST(2));
	assert_int_equal(shown(r, 50), 2 | 8);
	capture(r, NONE, LIST(0, 3), NONE);
	assert_int_equal(shown(r, 60), 8);
	capture_set(r, LIST(2, 2, 2, 2));
	assert_int_equal(shown(r, 70), 4);
	capture(r, NONE, NONE, NONE);
	assert_int_equal(shown(r, 80), 0);
	capture_set(r, LIST(0));
	assert_int_equal(shown(r, 90), 1);
}

static void test_displays_that_are_not_there(void **state)
{
	struct session_rig *r = login(state, 2);
	static const int32_t bad[] = {2, 3, 4, 31, 32, 33, 64, -1, -32, INT32_MAX, INT32_MIN};

	capture_set(r, LIST(0, 1));
	assert_int_equal(shown(r, 1), 3);
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		capture_set(r, LIST(bad[i], bad[i]));
		capture(r, LIST(bad[i]), NONE, LIST(0));
		capture(r, NONE, LIST(bad[i]), LIST(0));
		switch_to(r, bad[i], 800, 600);
		refresh(r, bad[i]);
		query(r, bad[i]);
		assert_int_equal(client_fence(&r->client), 0);
	}
	assert_int_equal(shown(r, 2), 3);
	/* Beside good ones they are left out. */
	capture_set(r, LIST(-1, 1, 7));
	assert_int_equal(shown(r, 3), 2);
	capture(r, LIST(5, 0), NONE, NONE);
	assert_int_equal(shown(r, 4), 3);
}

static void test_switch_to_another_display(void **state)
{
	struct session_rig *r = login(state, 3);

	switch_to(r, 2, 0, 0);
	assert_switch(r, 2, 2560, 0, W, H);
	ASSERT_LIST(r, {0, 0, W, H}, {1280, 0, W, H}, {2560, 0, W, H});
	/* The others go when the client says so, which it does next. */
	assert_int_equal(shown(r, 1), 1 | 4);
	capture_set(r, LIST(2));
	assert_int_equal(shown(r, 2), 4);
	/* What is shown already brings nothing. */
	switch_to(r, 2, 0, 0);
	assert_int_equal(client_fence(&r->client), 0);
	/* Unless it is not watched. */
	capture(r, NONE, NONE, NONE);
	switch_to(r, 2, 0, 0);
	assert_switch(r, 2, 2560, 0, W, H);
	ASSERT_LIST(r, {0, 0, W, H}, {1280, 0, W, H}, {2560, 0, W, H});
	assert_int_equal(shown(r, 3), 4);
}

static void test_clients_of_old_watch_one_at_a_time(void **state)
{
	struct session_rig *r = login_as(state, 2, set_old);

	switch_to(r, 1, 0, 0);
	assert_switch(r, 1, 1280, 0, W, H);
	ASSERT_LIST(r, {0, 0, W, H}, {1280, 0, W, H});
	assert_int_equal(shown(r, 1), 2);
}

static void test_a_display_that_is_left_goes_on_for_a_moment(void **state)
{
	struct session_rig *r = login(state, 2);

	for (int i = 0; i < 200; i++)
		capture_set(r, LIST(i % 2));
	assert_int_equal(client_fence(&r->client), 0);
	/* Each was started once; the one that was left last is still captured. */
	assert_int_equal(fake_host_count(&r->host, &r->host.watched), 2);
	assert_int_equal(fake_host_count(&r->host, &r->host.unwatched), 0);
	assert_int_equal(shown(r, 1), 2);
	assert_true(fake_host_wait_unwatched(&r->host, 1));
	assert_int_equal(watching(r), 2);
}

static void test_coming_back_brings_a_key_picture(void **state)
{
	struct session_rig *r = login(state, 2);
	unsigned int asked;

	publish(r, 0, 1, true);
	assert_picture(r, 0, 1);
	asked = fake_host_count(&r->host, &r->host.keys[0]);
	capture_set(r, LIST(1));
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 0, 2, false);
	capture_set(r, LIST(0));
	assert_true(fake_host_wait_keys_on(&r->host, 0, asked + 1));
	publish(r, 0, 3, false);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 0, 4, true);
	assert_picture(r, 0, 4);
}

static void test_a_refresh_is_for_its_display(void **state)
{
	struct session_rig *r = login(state, 3);
	Rd__Misc misc = RD__MISC__INIT;
	unsigned int asked[3];

	capture_set(r, LIST(0, 1));
	assert_int_equal(shown(r, 1), 3);
	for (size_t i = 0; i < 3; i++)
		asked[i] = fake_host_count(&r->host, &r->host.keys[i]);
	refresh(r, 1);
	refresh(r, 2);
	assert_true(fake_host_wait_keys_on(&r->host, 1, asked[1] + 1));
	publish(r, 1, 3, false);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 0, 3, false);
	assert_picture(r, 0, 3);
	publish(r, 1, 4, true);
	assert_picture(r, 1, 4);
	assert_int_equal(fake_host_count(&r->host, &r->host.keys[0]), asked[0]);
	misc.union_case = RD__MISC__UNION_REFRESH_VIDEO;
	misc.refresh_video = true;
	assert_true(client_send_misc(&r->client, &misc));
	assert_true(fake_host_wait_keys_on(&r->host, 0, asked[0] + 1));
	assert_true(fake_host_wait_keys_on(&r->host, 1, asked[1] + 2));
	assert_int_equal(fake_host_count(&r->host, &r->host.keys[2]), asked[2]);
}

static void test_long_lists_and_many_of_them(void **state)
{
	struct session_rig *r = login(state, 2);
	static int32_t numbers[100000];
	Rd__Misc misc = RD__MISC__INIT;
	Rd__CaptureDisplays c = RD__CAPTURE_DISPLAYS__INIT;

	for (size_t i = 0; i < KA_ARRAY_LEN(numbers); i++)
		numbers[i] = (int32_t)i - 50000;
	misc.union_case = RD__MISC__UNION_CAPTURE_DISPLAYS;
	misc.capture_displays = &c;
	c.n_set = KA_ARRAY_LEN(numbers);
	c.set = numbers;
	assert_true(client_send_misc(&r->client, &misc));
	assert_int_equal(shown(r, 1), 3);
	for (int i = 0; i < 5000; i++)
		capture_set(r, LIST(i % 3 - 1));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.watched), 2);
	/* However often it asks: one request a picture. */
	assert_true(fake_host_count(&r->host, &r->host.keys_requested) < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_all_are_listed_and_the_first_is_watched),
		RIG(test_set_add_and_sub),
		RIG(test_displays_that_are_not_there),
		RIG(test_switch_to_another_display),
		RIG(test_clients_of_old_watch_one_at_a_time),
		RIG(test_a_display_that_is_left_goes_on_for_a_moment),
		RIG(test_coming_back_brings_a_key_picture),
		RIG(test_a_refresh_is_for_its_display),
		RIG(test_long_lists_and_many_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
