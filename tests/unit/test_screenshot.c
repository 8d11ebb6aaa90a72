/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Take screenshot": the file, or why there is none, and what it does to the rest of the session. */
#include "tests/fake/session_check.h"

#include <errno.h>
#include <poll.h>

#include "base/bitrate.h"
#include "base/clock.h"
#include "base/err.h"

static void ask(struct session_rig *r, int32_t display, const char *sid)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__ScreenshotRequest request = RD__SCREENSHOT_REQUEST__INIT;
	char name[300];

	strncpy(name, sid, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	request.display = display;
	request.sid = name;
	msg.union_case = RD__MESSAGE__UNION_SCREENSHOT_REQUEST;
	msg.screenshot_request = &request;
	assert_true(client_send(&r->client, &msg));
}

static const Rd__ScreenshotResponse *next_response(struct session_rig *r)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_SCREENSHOT_RESPONSE);
	return m->screenshot_response;
}

static void assert_refused(struct session_rig *r, const char *sid, const char *word)
{
	const Rd__ScreenshotResponse *a = next_response(r);

	assert_string_equal(a->sid, sid);
	assert_non_null(strstr(a->msg, word));
	assert_int_equal(a->data.len, 0);
}

static void login(struct session_rig *r)
{
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_file_and_name_come_back(void **state)
{
	struct session_rig *r = *state;
	const Rd__ScreenshotResponse *a;

	login(r);
	ask(r, 0, "0c1f");
	assert_true(fake_host_wait_shots(&r->host, 1));
	/* Nothing is said before it is done. */
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_finish_shot(&r->host, 0, 5000);
	a = next_response(r);
	assert_string_equal(a->sid, "0c1f");
	assert_string_equal(a->msg, "");
	assert_int_equal(a->data.len, 5000);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(a->data.data[i], 0x5a);
	assert_true(fake_host_wait_shots_dropped(&r->host, 1));
	/* Nearly the whole output may be used. */
	assert_in_range(r->host.shot_max, 15 << 20, (16 << 20) - (200 << 10));
}

static void test_no_means_no_in_words(void **state)
{
	struct session_rig *r = *state;
	static const struct {
		int error;
		const char *word;
	} begin[] = {{-ENODATA, "nobody"}, {-KA_E_LIMIT, "again"}, {-ENOMEM, "emory"}};

	login(r);
	ask(r, 1, "a");
	assert_refused(r, "a", "one screen");
	ask(r, -1, "a");
	assert_refused(r, "a", "one screen");
	assert_int_equal(fake_host_count(&r->host, &r->host.shots), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(begin); i++) {
		pthread_mutex_lock(&r->host.lock);
		r->host.shot_error = begin[i].error;
		pthread_mutex_unlock(&r->host.lock);
		ask(r, 0, "b");
		assert_refused(r, "b", begin[i].word);
	}
	assert_int_equal(fake_host_count(&r->host, &r->host.shots_dropped), 0);
}

/* Each needs a session of its own: one a second is all a controller gets. */
static void refuse_result(struct session_rig *r, int result, size_t size, const char *word)
{
	login(r);
	ask(r, 0, "c");
	assert_true(fake_host_wait_shots(&r->host, 1));
	fake_host_finish_shot(&r->host, result, size);
	assert_refused(r, "c", word);
	assert_true(fake_host_wait_shots_dropped(&r->host, 1));
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_picture_that_does_not_come(void **state)
{
	refuse_result(*state, -ETIMEDOUT, 0, "No picture");
}

static void test_file_beyond_the_limit(void **state)
{
	refuse_result(*state, -KA_E_TOO_BIG, 0, "too big");
}

static void test_file_larger_than_the_room_left(void **state)
{
	refuse_result(*state, 0, 16 << 20, "too big");
}

static void test_host_that_cannot(void **state)
{
	struct session_rig *r = *state;

	r->host.host.snapshot = NULL;
	login(r);
	ask(r, 0, "d");
	assert_refused(r, "d", "does not take");
}

static void test_one_at_a_time_and_one_a_second(void **state)
{
	struct session_rig *r = *state;
	int64_t begin = ka_clock_us();

	login(r);
	ask(r, 0, "first");
	for (int i = 0; i < 2000; i++) {
		ask(r, 0, "more");
		assert_refused(r, "more", "already");
	}
	assert_int_equal(fake_host_count(&r->host, &r->host.shots), 1);
	fake_host_finish_shot(&r->host, 0, 10);
	assert_string_equal(next_response(r)->sid, "first");
	for (;;) {
		ask(r, 0, "second");
		if (fake_host_count(&r->host, &r->host.shots) > 1 || client_fence(&r->client) == 0)
			break;
		assert_true(ka_clock_us() - begin < KA_SEC(20));
		poll(NULL, 0, 20);
	}
	assert_true(ka_clock_us() - begin >= KA_SEC(1));
	assert_int_equal(fake_host_count(&r->host, &r->host.shots), 2);
}

static void test_names_that_must_not_be_repeated(void **state)
{
	static const char *const odd[] = {"\xff\xfe", "\xed\xa0\x80", "ab\xc3"};
	struct session_rig *r = *state;
	char longest[200];

	login(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(odd); i++) {
		ask(r, 1, odd[i]);
		assert_refused(r, "", "one screen");
	}
	memset(longest, 'x', sizeof(longest));
	longest[129] = '\0';
	ask(r, 1, longest);
	assert_refused(r, "", "one screen");
	longest[128] = '\0';
	ask(r, 1, longest);
	assert_refused(r, longest, "one screen");
}

static void test_nobody_who_is_not_in_gets_one(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	ask(r, 0, "early");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.shots), 0);
}

static void test_controller_that_leaves_meanwhile(void **state)
{
	struct session_rig *r = *state;

	login(r);
	ask(r, 0, "gone");
	assert_true(fake_host_wait_shots(&r->host, 1));
	close(r->client.fd);
	r->client.fd = -1;
	assert_true(session_rig_wait_end(r));
	assert_int_equal(fake_host_count(&r->host, &r->host.shots_dropped), 1);
	/* Done too late: there is nobody to wake. */
	fake_host_finish_shot(&r->host, 0, 100);
}

static void test_good_bye_meanwhile(void **state)
{
	struct session_rig *r = *state;

	login(r);
	ask(r, 0, "bye");
	assert_true(fake_host_wait_shots(&r->host, 1));
	ka_session_stop(r->session, "The test says so");
	assert_true(fake_host_wait_shots_dropped(&r->host, 1));
	assert_true(client_wait_eof(&r->client));
	assert_true(session_rig_wait_end(r));
	assert_int_equal(fake_host_count(&r->host, &r->host.shots_dropped), 1);
}

/* As large as it may be, and not read: questions are answered behind it, and it does not end the session. */
static void test_largest_file_leaves_room_for_answers(void **state)
{
	struct session_rig *r = *state;

	login(r);
	ask(r, 0, "largest");
	assert_true(fake_host_wait_shots(&r->host, 1));
	fake_host_finish_shot(&r->host, 0, r->host.shot_max);
	assert_true(fake_host_wait_shots_dropped(&r->host, 1));
	for (int i = 0; i < 500; i++)
		ask(r, 1, "more");
	assert_int_equal(next_response(r)->data.len, r->host.shot_max);
	for (int i = 0; i < 500; i++)
		assert_refused(r, "more", "one screen");
}

/* 15 MB that the controller takes its time to read: pictures wait, the rate stays, and the latest picture follows. */
static void test_large_file_leaves_the_stream_as_it_was(void **state)
{
	struct session_rig *r = *state;
	uint32_t full = ka_bitrate_kbps(1280, 720, 0);
	const Rd__Message *m;
	int64_t until;

	login(r);
	fake_host_publish(&r->host, 1, true, 1280, 720, 1000);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	ask(r, 0, "large");
	assert_true(fake_host_wait_shots(&r->host, 1));
	fake_host_finish_shot(&r->host, 0, 15 << 20);
	/* Three seconds without reading, as on a link of 40 Mbit/s. */
	until = ka_clock_us() + KA_SEC(3);
	for (int64_t pts = 2; ka_clock_us() < until; pts++) {
		fake_host_publish(&r->host, pts, pts % 10 == 0, 1280, 720, 1000);
		poll(NULL, 0, 50);
	}
	assert_int_equal(fake_host_wish(&r->host).kbps, full);
	assert_false(fake_host_wish(&r->host).narrow);
	assert_int_equal(next_response(r)->data.len, 15 << 20);
	/* What was dropped is asked for anew; whatever comes starts with a key picture. */
	fake_host_publish(&r->host, 1000, true, 1280, 720, 1000);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	assert_true(m->video_frame->h264s->frames[0]->key);
	assert_int_equal(fake_host_wish(&r->host).kbps, full);
	assert_false(fake_host_wish(&r->host).narrow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_file_and_name_come_back),
		RIG(test_no_means_no_in_words),
		RIG(test_picture_that_does_not_come),
		RIG(test_file_beyond_the_limit),
		RIG(test_file_larger_than_the_room_left),
		RIG(test_host_that_cannot),
		RIG(test_one_at_a_time_and_one_a_second),
		RIG(test_names_that_must_not_be_repeated),
		RIG(test_nobody_who_is_not_in_gets_one),
		RIG(test_controller_that_leaves_meanwhile),
		RIG(test_good_bye_meanwhile),
		RIG(test_largest_file_leaves_room_for_answers),
		RIG(test_large_file_leaves_the_stream_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
