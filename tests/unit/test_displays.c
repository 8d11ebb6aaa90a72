/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions with several displays: which are watched, what is told of them, whose turn it is, and where the pointer
 * goes. */
#include "tests/fake/session_check.h"

#include "base/bitrate.h"
#include "base/clock.h"

#define W 1280
#define H 720

static void set_version(Rd__LoginRequest *l)
{
	static char version[] = "1.4.9";

	l->version = version;
}

static void set_acks(Rd__LoginRequest *l)
{
	set_version(l);
	l->video_ack_required = true;
}

static void set_old(Rd__LoginRequest *l)
{
	static char version[] = "1.2.3";

	l->version = version;
}

static struct session_rig *login_as(void **state, size_t displays, void (*edit)(Rd__LoginRequest *l))
{
	struct session_rig *r = *state;

	if (r->host.n_displays != displays)
		fake_host_give_displays(&r->host, displays);
	assert_true(session_rig_login(r, edit));
	assert_int_equal(client_fence(&r->client), 0);
	return r;
}

static struct session_rig *login(void **state, size_t displays)
{
	return login_as(state, displays, set_version);
}

static void publish(struct session_rig *r, size_t display, int64_t pts, bool key)
{
	fake_host_publish_on(&r->host, display, pts, key, W, H, 1000);
}

static void assert_picture(struct session_rig *r, int32_t display, int64_t pts)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	assert_int_equal(m->video_frame->display, display);
	assert_true(m->video_frame->h264s->frames[0]->pts == pts);
}

static void assert_list(struct session_rig *r, size_t n, const int32_t (*want)[4])
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_PEER_INFO);
	assert_int_equal(m->peer_info->n_displays, n);
	for (size_t i = 0; i < n; i++) {
		const Rd__DisplayInfo *d = m->peer_info->displays[i];
		const int32_t got[4] = {d->x, d->y, d->width, d->height};

		assert_memory_equal(got, want[i], sizeof(got));
		assert_true(d->online);
	}
}

#define ASSERT_LIST(r, ...)                                                                                            \
	assert_list(r, sizeof((const int32_t[][4]){__VA_ARGS__}) / sizeof(int32_t[4]),                                 \
		    (const int32_t[][4]){__VA_ARGS__})

static void assert_switch(struct session_rig *r, int32_t display, int32_t x, int32_t y, int32_t width, int32_t height)
{
	const Rd__Message *m = client_next(&r->client);
	const Rd__SwitchDisplay *s;

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_SWITCH_DISPLAY);
	s = m->misc->switch_display;
	assert_int_equal(s->display, display);
	assert_int_equal(s->x, x);
	assert_int_equal(s->y, y);
	assert_int_equal(s->width, width);
	assert_int_equal(s->height, height);
}

struct list {
	size_t n;
	int32_t of[8];
};

#define NONE                                                                                                           \
	(struct list)                                                                                                  \
	{                                                                                                              \
		0                                                                                                      \
	}
#define LIST(...)                                                                                                      \
	(struct list)                                                                                                  \
	{                                                                                                              \
		sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t),                                                    \
		{                                                                                                      \
			__VA_ARGS__                                                                                    \
		}                                                                                                      \
	}

static void capture(struct session_rig *r, struct list add, struct list sub, struct list set)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__CaptureDisplays c = RD__CAPTURE_DISPLAYS__INIT;

	c.n_add = add.n;
	c.add = add.of;
	c.n_sub = sub.n;
	c.sub = sub.of;
	c.n_set = set.n;
	c.set = set.of;
	misc.union_case = RD__MISC__UNION_CAPTURE_DISPLAYS;
	misc.capture_displays = &c;
	assert_true(client_send_misc(&r->client, &misc));
}

static void capture_set(struct session_rig *r, struct list set)
{
	capture(r, NONE, NONE, set);
}

static void switch_to(struct session_rig *r, int32_t display, int32_t width, int32_t height)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__SwitchDisplay s = RD__SWITCH_DISPLAY__INIT;

	s.display = display;
	s.width = width;
	s.height = height;
	misc.union_case = RD__MISC__UNION_SWITCH_DISPLAY;
	misc.switch_display = &s;
	assert_true(client_send_misc(&r->client, &misc));
}

static void refresh(struct session_rig *r, int32_t display)
{
	Rd__Misc misc = RD__MISC__INIT;

	misc.union_case = RD__MISC__UNION_REFRESH_VIDEO_DISPLAY;
	misc.refresh_video_display = display;
	assert_true(client_send_misc(&r->client, &misc));
}

static void query(struct session_rig *r, int32_t display)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__MessageQuery q = RD__MESSAGE_QUERY__INIT;

	q.switch_display = display;
	misc.union_case = RD__MISC__UNION_MESSAGE_QUERY;
	misc.message_query = &q;
	assert_true(client_send_misc(&r->client, &misc));
}

/* As bits; what goes on for the moment of grace counts. */
static unsigned int watching(struct session_rig *r)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < KA_HOST_DISPLAYS_MAX; i++)
		bits |= fake_host_count(&r->host, &r->host.watching[i]) << i;
	return bits;
}

/* Which displays pictures come of up to the answer to a question asked now, as bits. */
static unsigned int read_up_to_answer(struct session_rig *r)
{
	const Rd__Message *m;
	unsigned int bits = 0;

	assert_true(client_send_payload(&r->client, "\x2a\x02\x10\x01", 4));
	for (m = client_next(&r->client); m && m->union_case == RD__MESSAGE__UNION_VIDEO_FRAME;
	     m = client_next(&r->client))
		bits |= 1u << m->video_frame->display;
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_TEST_DELAY);
	return bits;
}

/* Which displays the controller gets pictures of, as bits. */
static unsigned int shown(struct session_rig *r, int64_t pts)
{
	unsigned int bits;

	assert_int_equal(client_fence(&r->client), 0);
	for (size_t i = 0; i < r->host.n_displays; i++)
		publish(r, i, pts, true);
	/* The first answer may overtake the pictures, the second does not. */
	bits = read_up_to_answer(r);
	return bits | read_up_to_answer(r);
}

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
		RIG(test_displays_take_turns),
		RIG(test_the_wish_is_shared_by_size),
		RIG(test_a_new_size_moves_the_others),
		RIG(test_a_display_nobody_watches_changes_in_the_list),
		RIG(test_the_pointer_spans_all_displays),
		RIG(test_displays_that_are_off_do_not_count_for_the_pointer),
		RIG(test_screenshots_and_modes_are_of_the_display_named),
		RIG(test_long_lists_and_many_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
