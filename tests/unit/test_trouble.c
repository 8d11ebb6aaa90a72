/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of capture/ on devices in trouble: there is always a picture, its return is seen at once, and neither the
 * device nor the log is flooded. */
#include "tests/check/check.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "base/clock.h"
#include "tests/fake/trouble_rig.h"

static void test_signal_is_back_with_its_first_picture(void **state)
{
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	unsigned int opens;

	trouble_start(r, &cfg);
	trouble_go_live(r);
	opens = trouble_get(r, &r->dev.opens);
	for (unsigned int i = 0; i < 5; i++) {
		uint32_t width = i % 2 ? 640 : 800;

		trouble_await_cause(r, 0, 100);
		fake_v4l2_change(&r->dev, 0, 0, i % 3 ? -ENOLINK : -ENOLCK);
		trouble_await_cause(r, i % 3 ? -KA_E_NO_CABLE : -KA_E_NO_SYNC, -1);
		trouble_expect_slates(r);
		fake_v4l2_change(&r->dev, width, 600, 0);
		trouble_expect_back(r, width);
	}
	assert_int_equal(trouble_get(r, &r->dev.opens), opens);
}

static void test_unannounced_loss_is_noticed_and_so_is_the_return(void **state)
{
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	trouble_start(r, &cfg);
	trouble_go_live(r);
	/* The bridge says nothing, and neither do pictures come. */
	pthread_mutex_lock(&r->dev.lock);
	r->dev.query_error = -ENOLINK;
	pthread_mutex_unlock(&r->dev.lock);
	trouble_await_cause(r, -KA_E_NO_CABLE, -1);
	pthread_mutex_lock(&r->dev.lock);
	r->dev.query_error = 0;
	pthread_mutex_unlock(&r->dev.lock);
	trouble_expect_back(r, 640);
	/* Another size, and it goes on filling buffers of the old one. */
	pthread_mutex_lock(&r->dev.lock);
	r->dev.width = 1024;
	pthread_mutex_unlock(&r->dev.lock);
	for (int64_t end = ka_clock_us() + PATIENCE_MS * 1000; trouble_get(r, &r->dev.streamons) < 3;) {
		struct ka_packet *p;

		fake_v4l2_fill(&r->dev, 100, 640 * 480 * 3 / 2, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
		assert_true(ka_clock_us() < end);
	}
	trouble_expect_back(r, 1024);
}

static void test_blank_stick_gets_a_slate_and_is_back_with_one_picture(void **state)
{
	struct trouble *r = *state;
	uint8_t *picture = calloc(640 * 480, 2);
	struct ka_packet *p;
	int64_t filled;

	assert_non_null(picture);
	trouble_start_stick(r);
	/* For a second it is a picture like any other. */
	trouble_go_live(r);
	trouble_await_cause(r, -KA_E_BLANK, 16);
	trouble_expect_slates(r);
	/* Somebody types one letter. */
	picture[640 * 480] = 200;
	filled = ka_clock_us();
	assert_true(fake_v4l2_fill_data(&r->dev, picture, 640 * 480 * 2));
	for (bool seen = false; !seen;) {
		p = capture_rig_must_take(&r->w);
		seen = p->captured_us >= filled && trouble_cause_of(r) == 0;
		ka_packet_unref(&p);
	}
	assert_int_equal(trouble_get(r, &r->dev.streamons), 1);
	free(picture);
}

static void test_blank_receiver_is_believed(void **state)
{
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	int64_t end;

	cfg.blank_s = 1;
	trouble_start(r, &cfg);
	trouble_go_live(r);
	end = ka_clock_us() + KA_MS(1500);
	while (ka_clock_us() < end) {
		struct ka_packet *p;

		fake_v4l2_fill(&r->dev, 16, UINT32_MAX, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
		assert_int_not_equal(trouble_cause_of(r), -KA_E_BLANK);
	}
}

static void test_broken_pictures_are_told_and_end_with_the_first_whole_one(void **state)
{
	static const struct {
		uint32_t used, flags;
	} kinds[] = {{0, 0}, {640, 0}, {UINT32_MAX, V4L2_BUF_FLAG_ERROR}};
	struct trouble *r = *state;

	trouble_start_stick(r);
	trouble_go_live(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(kinds); i++) {
		int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

		while (trouble_cause_of(r) != -KA_E_NO_SIGNAL) {
			struct ka_packet *p;

			fake_v4l2_fill(&r->dev, 1, kinds[i].used, kinds[i].flags);
			p = capture_rig_take(&r->w, 10);
			ka_packet_unref(&p);
			assert_true(ka_clock_us() < end);
		}
		trouble_expect_slates(r);
		trouble_expect_back(r, 640);
	}
	assert_int_equal(trouble_cause_of(r), 0);
}

static void test_unplugged_and_back(void **state)
{
	struct trouble *r = *state;

	trouble_start_stick(r);
	trouble_go_live(r);
	for (int i = 0; i < 2; i++) {
		trouble_await_cause(r, 0, 100);
		trouble_put(r, &r->dev.absent, true);
		fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -ENODEV, 1);
		trouble_await_cause(r, -KA_E_NO_DEVICE, -1);
		trouble_expect_slates(r);
		trouble_put(r, &r->dev.absent, false);
		trouble_expect_back(r, 640);
	}
}

static bool may_fail(struct trouble *r)
{
	bool may = false;

	pthread_mutex_lock(&r->dev.lock);
	for (int i = 0; i < FAKE_FAILS; i++)
		may |= r->dev.fails[i].times > 0;
	pthread_mutex_unlock(&r->dev.lock);
	return may;
}

/* Pictures go on meanwhile, whichever. */
static void await_all_failed(struct trouble *r)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (may_fail(r)) {
		struct ka_packet *p = capture_rig_take(&r->w, 10);

		ka_packet_unref(&p);
		assert_true(ka_clock_us() < end);
	}
}

/* Each step of starting fails a few times. */
static void test_failing_starts_are_tried_again(void **state)
{
	static const struct {
		unsigned long request;
		int error;
	} fails[] = {
		{VIDIOC_QUERYCAP, -EIO},    {VIDIOC_S_FMT, -EBUSY},  {VIDIOC_REQBUFS, -ENOMEM},
		{VIDIOC_QUERYBUF, -EINVAL}, {VIDIOC_QBUF, -EIO},     {VIDIOC_STREAMON, -ENOSPC},
		{VIDIOC_STREAMON, -EPIPE},  {VIDIOC_STREAMON, -EIO},
	};
	struct trouble *r = *state;

	trouble_start_stick(r);
	trouble_go_live(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(fails); i++) {
		fake_v4l2_fail(&r->dev, fails[i].request, fails[i].error, 2);
		fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EIO, 2);
		await_all_failed(r);
		trouble_await_cause(r, 0, 100);
		trouble_expect_back(r, 640);
	}
}

static void test_one_failing_qbuf_costs_no_buffer(void **state)
{
	struct trouble *r = *state;
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	trouble_start_stick(r);
	trouble_go_live(r);
	for (int i = 0; i < 30;) {
		struct ka_packet *p;

		if (fake_v4l2_fill(&r->dev, 100, UINT32_MAX, 0)) {
			fake_v4l2_fail(&r->dev, VIDIOC_QBUF, -EINVAL, 1);
			i++;
		}
		p = capture_rig_take(&r->w, 20);
		ka_packet_unref(&p);
		assert_true(ka_clock_us() < end);
	}
	assert_int_equal(trouble_get(r, &r->dev.streamons), 1);
}

struct blocker {
	unsigned long request;
	bool armed;
	sem_t stuck, go;
};

static void block(struct fake_v4l2 *f, unsigned long request)
{
	struct blocker *b = f->before_arg;

	/* The request is written while it is not armed. */
	if (!__atomic_load_n(&b->armed, __ATOMIC_SEQ_CST) || request != b->request ||
	    !__atomic_exchange_n(&b->armed, false, __ATOMIC_SEQ_CST))
		return;
	sem_post(&b->stuck);
	sem_wait(&b->go);
}

/* A driver that sits in a call for long does not keep the controller from having pictures. */
static void test_slate_goes_on_while_a_call_blocks(void **state)
{
	static const unsigned long requests[] = {VIDIOC_QUERY_DV_TIMINGS, VIDIOC_REQBUFS, VIDIOC_STREAMON,
						 VIDIOC_STREAMOFF};
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct blocker b = {0};

	sem_init(&b.stuck, 0, 0);
	sem_init(&b.go, 0, 0);
	r->dev.before_arg = &b;
	r->dev.before = block;
	trouble_start(r, &cfg);
	trouble_go_live(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(requests); i++) {
		trouble_await_cause(r, 0, 100);
		b.request = requests[i];
		__atomic_store_n(&b.armed, true, __ATOMIC_SEQ_CST);
		fake_v4l2_change(&r->dev, 0, 0, 0);
		sem_wait(&b.stuck);
		trouble_expect_slates(r);
		assert_int_equal(trouble_cause_of(r), -EINPROGRESS);
		sem_post(&b.go);
		trouble_expect_back(r, 640);
	}
	capture_rig_leave(&r->w);
	capture_rig_finish(r->c);
	r->c = NULL;
	sem_destroy(&b.stuck);
	sem_destroy(&b.go);
}

/* The same while pictures come: what is seen is not just frozen, and the very same picture is back. */
static void test_slate_when_the_driver_hangs_while_live(void **state)
{
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct blocker b = {.request = VIDIOC_QBUF};
	int64_t went_on;

	sem_init(&b.stuck, 0, 0);
	sem_init(&b.go, 0, 0);
	r->dev.before_arg = &b;
	r->dev.before = block;
	trouble_start(r, &cfg);
	trouble_go_live(r);
	__atomic_store_n(&b.armed, true, __ATOMIC_SEQ_CST);
	while (sem_trywait(&b.stuck) < 0) {
		struct ka_packet *p;

		fake_v4l2_fill(&r->dev, 77, UINT32_MAX, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
	}
	trouble_await_cause(r, -ETIMEDOUT, -1);
	trouble_expect_slates(r);
	went_on = ka_clock_us();
	sem_post(&b.go);
	/* The very same picture is new to who saw the slate. */
	for (bool seen = false; !seen;) {
		struct ka_packet *p;

		fake_v4l2_fill(&r->dev, 77, UINT32_MAX, 0);
		p = capture_rig_take(&r->w, 20);
		seen = p && p->stamps.captured_us && p->encoded_us >= went_on && !trouble_cause_of(r);
		ka_packet_unref(&p);
		assert_true(ka_clock_us() - went_on < PATIENCE_MS * 1000);
	}
	assert_int_equal(trouble_get(r, &r->dev.streamons), 1);
	capture_rig_leave(&r->w);
	capture_rig_finish(r->c);
	r->c = NULL;
	sem_destroy(&b.stuck);
	sem_destroy(&b.go);
}

static void test_flapping_floods_neither_log_nor_device(void **state)
{
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	int64_t begin = ka_clock_us();
	unsigned int calls, starts;
	int64_t took;

	trouble_start(r, &cfg);
	trouble_go_live(r);
	for (int i = 0; i < 80; i++) {
		int64_t end = ka_clock_us() + KA_MS(50);

		fake_v4l2_change(&r->dev, 0, 0, i % 2 ? -ENOLCK : 0);
		while (ka_clock_us() < end) {
			struct ka_packet *p;

			fake_v4l2_fill(&r->dev, 100, UINT32_MAX, 0);
			p = capture_rig_take(&r->w, 5);
			ka_packet_unref(&p);
		}
	}
	took = ka_clock_us() - begin;
	calls = trouble_get(r, &r->dev.calls);
	starts = trouble_get(r, &r->dev.streamons);
	assert_true(starts > 2 && starts <= (unsigned int)(took / KA_MS(100)) + 5);
	/* A picture costs five calls, a start some forty. */
	assert_true(calls < 2 * (unsigned int)(took / KA_MS(1)));
	/* Eight at once of each of half a dozen kinds, then ten a minute. */
	assert_in_range(trouble_log_lines(r), 4, 60 + took / KA_SEC(1));
	trouble_await_cause(r, -KA_E_NO_SYNC, -1);
	fake_v4l2_change(&r->dev, 0, 0, 0);
	trouble_expect_back(r, 640);
}

static void test_device_in_error_for_ever_is_left_in_peace(void **state)
{
	struct trouble *r = *state;
	int64_t begin = ka_clock_us();
	unsigned int calls, opens;
	int64_t took;

	r->dev.sick = true;
	trouble_start_stick(r);
	/* Without a word from DQBUF at first, then with one. */
	trouble_await_cause(r, -EIO, -1);
	trouble_expect_slates(r);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EIO, INT32_MAX);
	while (ka_clock_us() - begin < KA_SEC(3))
		capture_rig_skip(&r->w, 1);
	took = ka_clock_us() - begin;
	calls = trouble_get(r, &r->dev.calls);
	opens = trouble_get(r, &r->dev.opens);
	assert_true(opens >= 2 && opens <= 8 + (unsigned int)(took / KA_SEC(1)));
	assert_true(calls < 1500 + (unsigned int)(took / KA_MS(2)));
	assert_in_range(trouble_log_lines(r), 2, 60);
}

#define T(name) cmocka_unit_test_setup_teardown(name, trouble_set_up, trouble_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: lines that this process has printed before count. */
		T(test_flapping_floods_neither_log_nor_device),
		T(test_signal_is_back_with_its_first_picture),
		T(test_unannounced_loss_is_noticed_and_so_is_the_return),
		T(test_blank_stick_gets_a_slate_and_is_back_with_one_picture),
		T(test_blank_receiver_is_believed),
		T(test_broken_pictures_are_told_and_end_with_the_first_whole_one),
		T(test_unplugged_and_back),
		T(test_failing_starts_are_tried_again),
		T(test_one_failing_qbuf_costs_no_buffer),
		T(test_slate_goes_on_while_a_call_blocks),
		T(test_slate_when_the_driver_hangs_while_live),
		T(test_device_in_error_for_ever_is_left_in_peace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
