/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions with several displays: what they share, the link, the desktop and the pointer; and which one is meant. */
#include "tests/fake/displays_check.h"

#include "base/bitrate.h"

static void acknowledge(struct session_rig *r)
{
	Rd__Misc misc = RD__MISC__INIT;

	misc.union_case = RD__MISC__UNION_VIDEO_RECEIVED;
	misc.video_received = true;
	assert_true(client_send_misc(&r->client, &misc));
}

static void test_displays_take_turns(void **state)
{
	struct session_rig *r = login_as(state, 3, set_acks);

	capture_set(r, LIST(0, 1, 2));
	assert_int_equal(client_fence(&r->client), 0);
	/* One picture at a time, of all displays together: the others wait, display 0's ahead of them. */
	for (int64_t pts = 1; pts <= 4; pts++)
		publish(r, 0, pts, pts == 1);
	for (int64_t pts = 1; pts <= 2; pts++)
		publish(r, 1, pts, pts == 1);
	publish(r, 2, 1, true);
	assert_picture(r, 0, 1);
	assert_int_equal(client_fence(&r->client), 0);
	acknowledge(r);
	assert_picture(r, 1, 1);
	assert_int_equal(client_fence(&r->client), 0);
	acknowledge(r);
	assert_picture(r, 2, 1);
	acknowledge(r);
	assert_picture(r, 0, 2);
	acknowledge(r);
	assert_picture(r, 1, 2);
	acknowledge(r);
	assert_picture(r, 0, 3);
	acknowledge(r);
	assert_picture(r, 0, 4);
}

static void test_the_wish_is_shared_by_size(void **state)
{
	struct session_rig *r = *state;
	uint32_t large = ka_bitrate_kbps(1920, 1080, 0);
	uint32_t small = ka_bitrate_kbps(640, 480, 0);
	Rd__Misc misc = RD__MISC__INIT;
	Rd__OptionMessage option = RD__OPTION_MESSAGE__INIT;
	uint32_t all;

	fake_host_give_displays(&r->host, 2);
	fake_host_place(&r->host, 0, 0, 0, 1920, 1080);
	fake_host_place(&r->host, 1, 1920, 0, 640, 480);
	login(state, 2);
	assert_int_equal(fake_host_wish_on(&r->host, 0).kbps, large);
	capture_set(r, LIST(0, 1));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_wish_on(&r->host, 0).kbps, large);
	assert_int_equal(fake_host_wish_on(&r->host, 1).kbps, small);
	/* What the user chose is for each. */
	option.image_quality = 2;
	option.custom_fps = 12;
	misc.union_case = RD__MISC__UNION_OPTION;
	misc.option = &option;
	assert_true(client_send_misc(&r->client, &misc));
	assert_int_equal(client_fence(&r->client), 0);
	all = ka_bitrate_kbps(1920, 1080, 50) + ka_bitrate_kbps(640, 480, 50);
	assert_int_equal(fake_host_wish_on(&r->host, 0).kbps, (uint64_t)all * large / (large + small));
	assert_int_equal(fake_host_wish_on(&r->host, 1).kbps, (uint64_t)all * small / (large + small));
	assert_int_equal(fake_host_wish_on(&r->host, 0).fps, 12);
	assert_int_equal(fake_host_wish_on(&r->host, 1).fps, 12);
}

static void test_a_new_size_moves_the_others(void **state)
{
	struct session_rig *r = login(state, 3);
	unsigned int asked;

	capture_set(r, LIST(0, 1));
	assert_int_equal(shown(r, 1), 3);
	asked = fake_host_count(&r->host, &r->host.keys[1]);
	fake_host_place(&r->host, 1, 1920, 0, W, H);
	fake_host_place(&r->host, 2, 3200, 0, W, H);
	fake_host_place(&r->host, 0, 0, 0, 1920, 1080);
	fake_host_publish_on(&r->host, 0, 3, true, 1920, 1080, 1000);
	/* The one that is watched is told of, and starts afresh; the other is in the list. A tick may have come
	 * between. */
	for (const Rd__Message *m = client_next(&r->client);; m = client_next(&r->client)) {
		assert_non_null(m);
		if (m->union_case == RD__MESSAGE__UNION_VIDEO_FRAME)
			break;
		if (m->union_case != RD__MESSAGE__UNION_PEER_INFO)
			continue;
		assert_int_equal(m->peer_info->displays[1]->x, 1920);
		assert_int_equal(m->peer_info->displays[2]->x, 3200);
	}
	assert_int_equal(r->client.msg->video_frame->display, 0);
	assert_true(fake_host_wait_keys_on(&r->host, 1, asked + 1));
	publish(r, 1, 4, false);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 1, 5, true);
	assert_picture(r, 1, 5);
}

static void test_a_display_nobody_watches_changes_in_the_list(void **state)
{
	struct session_rig *r = login(state, 2);

	fake_host_place(&r->host, 1, 1280, 0, 800, 600);
	ASSERT_LIST(r, {0, 0, W, H}, {1280, 0, 800, 600});
	assert_int_equal(watching(r), 1);
	query(r, 1);
	assert_switch(r, 1, 1280, 0, 800, 600);
	ASSERT_LIST(r, {0, 0, W, H}, {1280, 0, 800, 600});
	assert_int_equal(watching(r), 1);
}

static struct ka_input move_to(struct session_rig *r, int32_t x, int32_t y)
{
	unsigned int before = fake_host_count(&r->host, &r->host.n_inputs);
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__MouseEvent m = RD__MOUSE_EVENT__INIT;

	m.x = x;
	m.y = y;
	msg.union_case = RD__MESSAGE__UNION_MOUSE_EVENT;
	msg.mouse_event = &m;
	assert_true(client_send(&r->client, &msg));
	assert_true(fake_host_wait_inputs(&r->host, before + 1));
	return fake_host_input(&r->host, before);
}

static void assert_at(struct ka_input in, unsigned int x, unsigned int y)
{
	assert_int_equal(in.kind, KA_INPUT_MOVE_ABS);
	assert_int_equal(in.pos.x, x);
	assert_int_equal(in.pos.y, y);
}

/* Of n pixels the one with number i, counted from 0. */
static unsigned int part(unsigned int i, unsigned int n)
{
	return (i * KA_INPUT_ABS_MAX + (n - 1) / 2) / (n - 1);
}

static void test_the_pointer_spans_all_displays(void **state)
{
	struct session_rig *r = *state;

	fake_host_give_displays(&r->host, 2);
	/* Left of the first and higher. */
	fake_host_place(&r->host, 1, -1920, -80, 1920, 1080);
	assert_true(session_rig_login(r, set_version));
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 0, 1, true);
	assert_picture(r, 0, 1);
	assert_at(move_to(r, -1920, -80), 0, 0);
	assert_at(move_to(r, 0, 0), part(1920, 3200), part(80, 1080));
	assert_at(move_to(r, 1279, 719), KA_INPUT_ABS_MAX, part(799, 1080));
	assert_at(move_to(r, -1, 999), part(1919, 3200), KA_INPUT_ABS_MAX);
	assert_at(move_to(r, INT32_MIN, INT32_MAX), 0, KA_INPUT_ABS_MAX);
	assert_at(move_to(r, INT32_MAX, INT32_MIN), KA_INPUT_ABS_MAX, 0);
	/* It moves with the display. */
	fake_host_place(&r->host, 1, 1280, 0, 1280, 720);
	ASSERT_LIST(r, {0, 0, W, H}, {1280, 0, W, H});
	assert_at(move_to(r, 1280, 719), part(1280, 2560), KA_INPUT_ABS_MAX);
}

static void turn_off(struct session_rig *r, size_t display, bool off)
{
	pthread_mutex_lock(&r->host.lock);
	r->host.displays[display].off = off;
	pthread_mutex_unlock(&r->host.lock);
}

static void test_displays_that_are_off_do_not_count_for_the_pointer(void **state)
{
	struct session_rig *r = *state;

	fake_host_give_displays(&r->host, 2);
	turn_off(r, 0, true);
	login(state, 2);
	publish(r, 0, 1, true);
	assert_picture(r, 0, 1);
	assert_at(move_to(r, 1280, 0), 0, 0);
	assert_at(move_to(r, 2559, 719), KA_INPUT_ABS_MAX, KA_INPUT_ABS_MAX);
	turn_off(r, 1, true);
	query(r, 0);
	assert_switch(r, 0, 0, 0, W, H);
	assert_at(move_to(r, 1280, 0), part(1280, 2560), 0);
}

static void test_screenshots_and_modes_are_of_the_display_named(void **state)
{
	static const struct ka_video_mode modes[] = {{1280, 720, 60}, {1920, 1080, 60}};
	struct session_rig *r = *state;
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__ScreenshotRequest shot = RD__SCREENSHOT_REQUEST__INIT;
	Rd__Misc misc = RD__MISC__INIT;
	Rd__DisplayResolution named = RD__DISPLAY_RESOLUTION__INIT;
	Rd__Resolution size = RD__RESOLUTION__INIT;

	fake_host_give_modes(&r->host, modes, KA_ARRAY_LEN(modes));
	login(state, 3);
	shot.display = 2;
	msg.union_case = RD__MESSAGE__UNION_SCREENSHOT_REQUEST;
	msg.screenshot_request = &shot;
	assert_true(client_send(&r->client, &msg));
	assert_true(fake_host_wait_shots(&r->host, 1));
	assert_int_equal(r->host.shot_display, 2);
	size.width = 1920;
	size.height = 1080;
	named.display = 1;
	named.resolution = &size;
	misc.union_case = RD__MISC__UNION_CHANGE_DISPLAY_RESOLUTION;
	misc.change_display_resolution = &named;
	assert_true(client_send_misc(&r->client, &misc));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.modes_set), 1);
	assert_int_equal(r->host.set_display, 1);
	/* Without a number it is the one switched to; with the switch itself the new one. */
	switch_to(r, 2, 1920, 1080);
	assert_switch(r, 2, 2560, 0, W, H);
	assert_non_null(client_next(&r->client));
	assert_int_equal(fake_host_count(&r->host, &r->host.modes_set), 2);
	assert_int_equal(r->host.set_display, 2);
	r->host.set_display = 0;
	misc.union_case = RD__MISC__UNION_CHANGE_RESOLUTION;
	misc.change_resolution = &size;
	assert_true(client_send_misc(&r->client, &misc));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(r->host.set_display, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_displays_take_turns),
		RIG(test_the_wish_is_shared_by_size),
		RIG(test_a_new_size_moves_the_others),
		RIG(test_a_display_nobody_watches_changes_in_the_list),
		RIG(test_the_pointer_spans_all_displays),
		RIG(test_displays_that_are_off_do_not_count_for_the_pointer),
		RIG(test_screenshots_and_modes_are_of_the_display_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
