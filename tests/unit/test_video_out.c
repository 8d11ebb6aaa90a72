/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of a session: where they start, what restarts them, and who is asked for a key picture. */
#include "tests/fake/session_check.h"

#include <errno.h>
#include <poll.h>

#define W 1280
#define H 720

static void publish(struct session_rig *r, int64_t pts, bool key)
{
	fake_host_publish(&r->host, pts, key, W, H, 1000);
}

/* The next message must be this picture. */
static void assert_picture(struct session_rig *r, int64_t pts, bool key)
{
	const Rd__Message *m = client_next(&r->client);
	const Rd__EncodedVideoFrame *f;

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	assert_int_equal(m->video_frame->union_case, RD__VIDEO_FRAME__UNION_H264S);
	assert_int_equal(m->video_frame->h264s->n_frames, 1);
	f = m->video_frame->h264s->frames[0];
	assert_true(f->pts == pts);
	assert_int_equal(f->key, key);
	for (size_t i = 0; i < f->data.len; i++)
		assert_int_equal(f->data.data[i], (uint8_t)pts);
}

static void assert_switch_to(struct session_rig *r, int32_t width, int32_t height)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_SWITCH_DISPLAY);
	assert_int_equal(m->misc->switch_display->display, 0);
	assert_int_equal(m->misc->switch_display->width, width);
	assert_int_equal(m->misc->switch_display->height, height);
	assert_true(m->misc->switch_display->cursor_embedded);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_PEER_INFO);
	assert_int_equal(m->peer_info->n_displays, 1);
	assert_int_equal(m->peer_info->displays[0]->width, width);
	assert_int_equal(m->peer_info->displays[0]->height, height);
}

static void test_each_sent_picture_is_told_of(void **state)
{
	struct session_rig *r = *state;
	struct ka_percentiles p;

	assert_true(session_rig_login(r, NULL));
	/* By then it watches. */
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 1, true);
	assert_picture(r, 1, true);
	assert_int_equal(client_fence(&r->client), 0);
	ka_histogram_read(&r->host.stages.of[KA_STAGE_WHOLE], &p);
	assert_int_equal(p.count, 1);
	/* More than the kernel takes at once: told of when it has all. */
	fake_host_publish(&r->host, 2, false, W, H, 8000000);
	assert_picture(r, 2, false);
	publish(r, 3, false);
	assert_picture(r, 3, false);
	assert_int_equal(client_fence(&r->client), 0);
	ka_histogram_read(&r->host.stages.of[KA_STAGE_WHOLE], &p);
	assert_int_equal(p.count, 3);
	ka_histogram_read(&r->host.stages.of[KA_STAGE_SEND], &p);
	assert_int_equal(p.count, 3);
}

static void send_misc_hex(struct session_rig *r, const char *hex)
{
	uint8_t misc[64];
	uint8_t payload[80] = {0x9a, 0x01};
	size_t n = hex_bytes(misc, sizeof(misc), hex);

	payload[2] = (uint8_t)n;
	memcpy(payload + 3, misc, n);
	assert_true(client_send_payload(&r->client, payload, n + 3));
}

static void test_peer_info_tells_of_one_display_with_the_pointer_in_it(void **state)
{
	struct session_rig *r = *state;
	const Rd__PeerInfo *p;

	assert_true(session_rig_login(r, NULL));
	p = r->client.msg->login_response->peer_info;
	assert_string_equal(p->username, "kvm");
	assert_string_equal(p->hostname, "kvm-test");
	assert_string_equal(p->platform, "Linux");
	assert_string_equal(p->version, "1.3.8");
	assert_int_equal(p->n_displays, 1);
	assert_int_equal(p->displays[0]->width, W);
	assert_int_equal(p->displays[0]->height, H);
	assert_true(p->displays[0]->online);
	assert_true(p->displays[0]->cursor_embedded);
	assert_true(p->encoding->h264 && p->encoding->vp8 && p->encoding->i444->vp9);
	assert_false(p->encoding->av1 || p->encoding->h265 || p->encoding->i444->av1 || p->encoding->i444->h264);
	assert_false(p->features->privacy_mode || p->features->terminal);
	assert_int_equal(p->resolutions->n_resolutions, 1);
}

static void test_video_starts_with_a_key_picture(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.watched), 1);
	/* The one who starves asks. */
	assert_true(fake_host_wait_keys(&r->host, 1));
	publish(r, 1, false);
	publish(r, 2, false);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 3, true);
	publish(r, 4, false);
	assert_picture(r, 3, true);
	assert_picture(r, 4, false);
}

static void test_new_size_is_announced_before_its_key_picture(void **state)
{
	struct session_rig *r = *state;
	uint32_t kbps;

	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 1, true);
	assert_picture(r, 1, true);
	kbps = fake_host_wish(&r->host).kbps;
	fake_host_publish(&r->host, 2, true, 1920, 1080, 1000);
	assert_switch_to(r, 1920, 1080);
	assert_picture(r, 2, true);
	assert_int_equal(client_fence(&r->client), 0);
	/* More pixels, more bits. */
	assert_true(fake_host_wish(&r->host).kbps > kbps);
	/* The same size again needs no words. */
	fake_host_publish(&r->host, 3, true, 1920, 1080, 1000);
	assert_picture(r, 3, true);
}

static void test_size_changed_between_login_and_first_picture(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_publish(&r->host, 1, true, 640, 480, 1000);
	assert_switch_to(r, 640, 480);
	assert_picture(r, 1, true);
}

static void check_restart(struct session_rig *r, const char *misc, bool restarts)
{
	unsigned int before = fake_host_count(&r->host, &r->host.keys_requested);

	send_misc_hex(r, misc);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 10, false);
	if (restarts) {
		assert_true(fake_host_wait_keys(&r->host, before + 1));
		/* What the client would throw away is not sent. */
		assert_int_equal(client_fence(&r->client), 0);
	} else {
		assert_picture(r, 10, false);
		assert_int_equal(fake_host_count(&r->host, &r->host.keys_requested), before);
	}
	publish(r, 11, true);
	assert_picture(r, 11, true);
}

static void test_refreshes_ask_for_a_key_picture(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 1, true);
	assert_picture(r, 1, true);
	check_restart(r, "50 01", true);	     /* refresh_video */
	check_restart(r, "f8 01 00", true);	     /* refresh_video_display 0 */
	check_restart(r, "f2 01 03 1a 01 00", true); /* capture: set 0 */
	check_restart(r, "f2 01 03 0a 01 00", true); /* capture: add 0 */
	check_restart(r, "50 00", false);
	check_restart(r, "f8 01 01", false); /* of a display we do not have */
	check_restart(r, "f2 01 03 1a 01 07", false);
	check_restart(r, "f2 01 03 12 01 07", false);
	check_restart(r, "f2 01 03 12 01 00", false); /* capture: go on with 0 */
}

static void test_capture_of_no_display_stops_and_starts_again(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	send_misc_hex(r, "f2 01 00"); /* set to none */
	assert_true(fake_host_wait_unwatched(&r->host, 1));
	send_misc_hex(r, "f2 01 03 12 01 00"); /* sub 0: starts nothing */
	send_misc_hex(r, "f2 01 00");
	/* Nobody watches: none of these may fall over. */
	send_misc_hex(r, "50 01");
	send_misc_hex(r, "60 01");
	send_misc_hex(r, "e0 01 14");
	send_misc_hex(r, "3a 02 58 1e");
	publish(r, 1, true);
	assert_int_equal(client_fence(&r->client), 0);
	send_misc_hex(r, "f2 01 03 0a 01 00"); /* add 0 */
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.watched), 2);
	publish(r, 2, true);
	assert_picture(r, 2, true);
}

static void test_questions_about_the_display_are_answered_and_followed_by_a_key_picture(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 1, true);
	assert_picture(r, 1, true);
	send_misc_hex(r, "aa 02 00"); /* MessageQuery */
	assert_switch_to(r, W, H);
	publish(r, 2, false);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 3, true);
	assert_picture(r, 3, true);
	send_misc_hex(r, "aa 02 02 08 01"); /* of another display: silence */
	send_misc_hex(r, "2a 00");	    /* SwitchDisplay to the one that is shown: the same */
	publish(r, 4, false);
	assert_picture(r, 4, false);
}

static void want_acks(Rd__LoginRequest *l)
{
	l->video_ack_required = true;
}

static void test_web_client_gets_one_picture_at_a_time(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, want_acks));
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 1, true);
	publish(r, 2, false);
	publish(r, 3, false);
	assert_picture(r, 1, true);
	assert_int_equal(client_fence(&r->client), 0);
	send_misc_hex(r, "60 01"); /* video_received */
	assert_picture(r, 2, false);
	assert_int_equal(client_fence(&r->client), 0);
	send_misc_hex(r, "60 01");
	assert_picture(r, 3, false);
}

/* Reads what is on its way up to the answer to a question asked now: pictures in a row, each the successor of `before`.
 * The last one. */
static int64_t read_run(struct session_rig *r, int64_t before)
{
	const Rd__Message *m;

	assert_true(client_send_payload(&r->client, "\x2a\x02\x10\x01", 4));
	for (m = client_next(&r->client); m && m->union_case == RD__MESSAGE__UNION_VIDEO_FRAME;
	     m = client_next(&r->client)) {
		assert_true(m->video_frame->h264s->frames[0]->pts == before + 1);
		before++;
	}
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_TEST_DELAY);
	return before;
}

static void test_slow_controller_loses_pictures_up_to_a_key(void **state)
{
	struct session_rig *r = *state;
	unsigned int asked;
	int64_t last = 0;

	/* Small buffers: the kernel takes a few pictures, then the hub drops. */
	assert_int_equal(session_rig_start_small(r, KA_PATH_DIRECT, false, 4096), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_non_null(client_next(&r->client));
	assert_true(fake_host_wait_keys(&r->host, 1));
	asked = fake_host_count(&r->host, &r->host.keys_requested);
	for (int64_t pts = 1; pts <= 100; pts++)
		fake_host_publish(&r->host, pts, pts == 1, W, H, 100000);
	/* What comes is a run without gaps; when all of it has been taken, a key picture is asked for. */
	while (fake_host_count(&r->host, &r->host.keys_requested) == asked)
		last = read_run(r, last);
	assert_true(last < 100);
	publish(r, 101, false);
	assert_int_equal(client_fence(&r->client), 0);
	publish(r, 102, true);
	assert_picture(r, 102, true);
}

/* What libuv holds and what the hub queues stands in nobody's way. */
static void test_input_is_heard_while_pictures_wait(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start_small(r, KA_PATH_DIRECT, false, 4096), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_non_null(client_next(&r->client));
	assert_true(fake_host_wait_keys(&r->host, 1));
	/* Nobody reads any of this: the first one fills the stream, the others the queue. */
	fake_host_publish(&r->host, 1, true, W, H, 1000000);
	assert_int_equal(poll(&(struct pollfd){.fd = r->client.fd, .events = POLLIN}, 1, 20000), 1);
	for (int64_t pts = 2; pts <= 4; pts++)
		publish(r, pts, false);
	for (unsigned int n = 1; n <= 10; n++) {
		/* Map mode, X11 38: a, down and up. */
		assert_true(client_send_payload(&r->client,
						n % 2 ? "\x7a\x06\x08\x01\x20\x26\x48\x01" : "\x7a\x04\x20\x26\x48\x01",
						n % 2 ? 8 : 6));
		assert_true(fake_host_wait_inputs(&r->host, n));
	}
	/* The answer to its TestDelay comes right behind the picture that was on its way, before those in the queue. */
	assert_int_equal(read_run(r, 0), 1);
	assert_picture(r, 2, false);
}

static void test_host_that_cannot_show_anything_ends_the_session(void **state)
{
	struct session_rig *r = *state;

	r->host.watch_error = -ENODEV;
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_true(client_wait_eof(&r->client));
	assert_true(session_rig_wait_end(r));
	assert_int_equal(ka_gate_controllers(r->gate), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.unwatched), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_peer_info_tells_of_one_display_with_the_pointer_in_it),
		RIG(test_video_starts_with_a_key_picture),
		RIG(test_new_size_is_announced_before_its_key_picture),
		RIG(test_size_changed_between_login_and_first_picture),
		RIG(test_refreshes_ask_for_a_key_picture),
		RIG(test_capture_of_no_display_stops_and_starts_again),
		RIG(test_questions_about_the_display_are_answered_and_followed_by_a_key_picture),
		RIG(test_web_client_gets_one_picture_at_a_time),
		RIG(test_slow_controller_loses_pictures_up_to_a_key),
		RIG(test_input_is_heard_while_pictures_wait),
		RIG(test_host_that_cannot_show_anything_ends_the_session),
		RIG(test_each_sent_picture_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
