/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of capture/ on devices in trouble: there is always a picture, its return is seen at once, and neither the
 * device nor the log is flooded. */
#include "tests/check/check.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/fake/capture_rig.h"

static const uint32_t yuyv[] = {V4L2_PIX_FMT_YUYV, 0};

struct rig {
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;
	int log;
};

static void start_rig(struct rig *r, const struct ka_capture_cfg *cfg)
{
	r->c = capture_rig_start(cfg, &r->dev);
	capture_rig_watch(&r->w, r->c, 0, 0);
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fake_v4l2_init(&r->dev);
	r->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(r->log >= 0);
	ka_log_init(r->log, KA_LOG_INFO);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	if (r->c) {
		capture_rig_leave(&r->w);
		capture_rig_finish(r->c);
	}
	ka_log_init(STDERR_FILENO, KA_LOG_WARN);
	close(r->log);
	assert_int_equal(r->dev.violations, 0);
	assert_int_equal(r->dev.maps, r->dev.unmaps);
	assert_int_equal(r->dev.opens, r->dev.closes);
	fake_v4l2_fini(&r->dev);
	free(r);
	return 0;
}

static int cause_of(struct rig *r)
{
	struct ka_signal sig;

	ka_capture_signal(r->c, &sig);
	return sig.cause;
}

static unsigned int get(struct rig *r, const unsigned int *what)
{
	unsigned int n;

	pthread_mutex_lock(&r->dev.lock);
	n = *what;
	pthread_mutex_unlock(&r->dev.lock);
	return n;
}

static void put(struct rig *r, bool *what, bool value)
{
	pthread_mutex_lock(&r->dev.lock);
	*what = value;
	pthread_mutex_unlock(&r->dev.lock);
}

/* Packets go on while nothing or something is fed, until the cause is this one. */
static void await_cause(struct rig *r, int cause, int byte)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (cause_of(r) != cause) {
		struct ka_packet *p;

		if (byte >= 0)
			fake_v4l2_fill(&r->dev, (uint8_t)byte, UINT32_MAX, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
		if (ka_clock_us() > end)
			fail_msg("not %d but %d", cause, cause_of(r));
	}
}

/* No picture but the slate is there, and it is repeated. */
static void expect_slates(struct rig *r)
{
	struct ka_packet *p;

	while ((p = capture_rig_take(&r->w, 0))) /* old ones */
		ka_packet_unref(&p);
	capture_rig_skip(&r->w, 2);
}

/* Whether a picture filled at or after this time is seen, before the stream is begun anew. */
static bool await_picture(struct rig *r, uint32_t width, int64_t filled, unsigned int streamons)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (get(r, &r->dev.streamons) == streamons) {
		struct ka_packet *p = capture_rig_take(&r->w, 10);
		bool seen = p && p->width == width && p->captured_us >= filled && cause_of(r) == 0;

		ka_packet_unref(&p);
		if (seen)
			return true;
		assert_true(ka_clock_us() < end);
	}
	return false;
}

/* The device gives one picture as soon as it streams, and another only when it was made to begin anew. How many it took
 * until one was seen. */
static unsigned int pictures_until_seen(struct rig *r, uint32_t width)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;
	unsigned int n = 0;

	for (;;) {
		unsigned int streamons = get(r, &r->dev.streamons);
		int64_t now = ka_clock_us();

		if (!fake_v4l2_fill(&r->dev, 77, UINT32_MAX, 0)) {
			struct ka_packet *p = capture_rig_take(&r->w, 1);

			ka_packet_unref(&p);
			assert_true(now < end);
			continue;
		}
		n++;
		if (await_picture(r, width, now, streamons))
			return n;
	}
}

static void go_live(struct rig *r)
{
	(void)pictures_until_seen(r, 640);
}

static void expect_back(struct rig *r, uint32_t width)
{
	/* The second when the stream had begun just before the signal's return was announced. */
	assert_in_range(pictures_until_seen(r, width), 1, 2);
}

static void test_signal_is_back_with_its_first_picture(void **state)
{
	struct rig *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	unsigned int opens;

	start_rig(r, &cfg);
	go_live(r);
	opens = get(r, &r->dev.opens);
	for (unsigned int i = 0; i < 5; i++) {
		uint32_t width = i % 2 ? 640 : 800;

		await_cause(r, 0, 100);
		fake_v4l2_change(&r->dev, 0, 0, i % 3 ? -ENOLINK : -ENOLCK);
		await_cause(r, i % 3 ? -KA_E_NO_CABLE : -KA_E_NO_SYNC, -1);
		expect_slates(r);
		fake_v4l2_change(&r->dev, width, 600, 0);
		expect_back(r, width);
	}
	assert_int_equal(get(r, &r->dev.opens), opens);
}

static void test_unannounced_loss_is_noticed_and_so_is_the_return(void **state)
{
	struct rig *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	start_rig(r, &cfg);
	go_live(r);
	/* The bridge says nothing, and neither do pictures come. */
	pthread_mutex_lock(&r->dev.lock);
	r->dev.query_error = -ENOLINK;
	pthread_mutex_unlock(&r->dev.lock);
	await_cause(r, -KA_E_NO_CABLE, -1);
	pthread_mutex_lock(&r->dev.lock);
	r->dev.query_error = 0;
	pthread_mutex_unlock(&r->dev.lock);
	expect_back(r, 640);
	/* Another size, and it goes on filling buffers of the old one. */
	pthread_mutex_lock(&r->dev.lock);
	r->dev.width = 1024;
	pthread_mutex_unlock(&r->dev.lock);
	for (int64_t end = ka_clock_us() + PATIENCE_MS * 1000; get(r, &r->dev.streamons) < 3;) {
		struct ka_packet *p;

		fake_v4l2_fill(&r->dev, 100, 640 * 480 * 3 / 2, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
		assert_true(ka_clock_us() < end);
	}
	expect_back(r, 1024);
}

static void start_stick(struct rig *r)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	r->dev.no_timings = true;
	r->dev.formats = yuyv;
	cfg.blank_s = 1;
	start_rig(r, &cfg);
}

static void test_blank_stick_gets_a_slate_and_is_back_with_one_picture(void **state)
{
	struct rig *r = *state;
	uint8_t *picture = calloc(640 * 480, 2);
	struct ka_packet *p;
	int64_t filled;

	assert_non_null(picture);
	start_stick(r);
	/* For a second it is a picture like any other. */
	go_live(r);
	await_cause(r, -KA_E_BLANK, 16);
	expect_slates(r);
	/* Somebody types one letter. */
	picture[640 * 480] = 200;
	filled = ka_clock_us();
	assert_true(fake_v4l2_fill_data(&r->dev, picture, 640 * 480 * 2));
	for (bool seen = false; !seen;) {
		p = capture_rig_must_take(&r->w);
		seen = p->captured_us >= filled && cause_of(r) == 0;
		ka_packet_unref(&p);
	}
	assert_int_equal(get(r, &r->dev.streamons), 1);
	free(picture);
}

static void test_blank_receiver_is_believed(void **state)
{
	struct rig *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	int64_t end;

	cfg.blank_s = 1;
	start_rig(r, &cfg);
	go_live(r);
	end = ka_clock_us() + KA_MS(1500);
	while (ka_clock_us() < end) {
		struct ka_packet *p;

		fake_v4l2_fill(&r->dev, 16, UINT32_MAX, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
		assert_int_not_equal(cause_of(r), -KA_E_BLANK);
	}
}

static void test_broken_pictures_are_told_and_end_with_the_first_whole_one(void **state)
{
	static const struct {
		uint32_t used, flags;
	} kinds[] = {{0, 0}, {640, 0}, {UINT32_MAX, V4L2_BUF_FLAG_ERROR}};
	struct rig *r = *state;

	start_stick(r);
	go_live(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(kinds); i++) {
		int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

		while (cause_of(r) != -KA_E_NO_SIGNAL) {
			struct ka_packet *p;

			fake_v4l2_fill(&r->dev, 1, kinds[i].used, kinds[i].flags);
			p = capture_rig_take(&r->w, 10);
			ka_packet_unref(&p);
			assert_true(ka_clock_us() < end);
		}
		expect_slates(r);
		expect_back(r, 640);
	}
	assert_int_equal(cause_of(r), 0);
}

static void test_unplugged_and_back(void **state)
{
	struct rig *r = *state;

	start_stick(r);
	go_live(r);
	for (int i = 0; i < 2; i++) {
		await_cause(r, 0, 100);
		put(r, &r->dev.absent, true);
		fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -ENODEV, 1);
		await_cause(r, -KA_E_NO_DEVICE, -1);
		expect_slates(r);
		put(r, &r->dev.absent, false);
		expect_back(r, 640);
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
	struct rig *r = *state;

	start_stick(r);
	go_live(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(fails); i++) {
		await_cause(r, 0, 100);
		fake_v4l2_fail(&r->dev, fails[i].request, fails[i].error, 2);
		fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EIO, 2);
		await_cause(r, 0, 100);
		expect_slates(r);
		expect_back(r, 640);
	}
}

static void test_one_failing_qbuf_costs_no_buffer(void **state)
{
	struct rig *r = *state;
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	start_stick(r);
	go_live(r);
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
	assert_int_equal(get(r, &r->dev.streamons), 1);
}

struct blocker {
	unsigned long request;
	bool armed;
	sem_t stuck, go;
};

static void block(struct fake_v4l2 *f, unsigned long request)
{
	struct blocker *b = f->before_arg;

	if (request != b->request || !__atomic_exchange_n(&b->armed, false, __ATOMIC_SEQ_CST))
		return;
	sem_post(&b->stuck);
	sem_wait(&b->go);
}

/* A driver that sits in a call for long does not keep the controller from having pictures. */
static void test_slate_goes_on_while_a_call_blocks(void **state)
{
	static const unsigned long requests[] = {VIDIOC_QUERY_DV_TIMINGS, VIDIOC_REQBUFS, VIDIOC_STREAMON,
						 VIDIOC_STREAMOFF};
	struct rig *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct blocker b = {0};

	sem_init(&b.stuck, 0, 0);
	sem_init(&b.go, 0, 0);
	r->dev.before_arg = &b;
	r->dev.before = block;
	start_rig(r, &cfg);
	go_live(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(requests); i++) {
		await_cause(r, 0, 100);
		b.request = requests[i];
		__atomic_store_n(&b.armed, true, __ATOMIC_SEQ_CST);
		fake_v4l2_change(&r->dev, 0, 0, 0);
		sem_wait(&b.stuck);
		expect_slates(r);
		assert_int_equal(cause_of(r), -EINPROGRESS);
		sem_post(&b.go);
		expect_back(r, 640);
	}
	capture_rig_leave(&r->w);
	capture_rig_finish(r->c);
	r->c = NULL;
	sem_destroy(&b.stuck);
	sem_destroy(&b.go);
}

static unsigned int log_lines(struct rig *r)
{
	static char text[1 << 20];
	ssize_t n = pread(r->log, text, sizeof(text), 0);
	unsigned int lines = 0;

	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static void test_flapping_floods_neither_log_nor_device(void **state)
{
	struct rig *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	int64_t begin = ka_clock_us();
	unsigned int calls, starts;
	int64_t took;

	start_rig(r, &cfg);
	go_live(r);
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
	calls = get(r, &r->dev.calls);
	starts = get(r, &r->dev.streamons);
	assert_true(starts > 2 && starts <= (unsigned int)(took / KA_MS(100)) + 5);
	/* A picture costs five calls, a start some forty. */
	assert_true(calls < 2 * (unsigned int)(took / KA_MS(1)));
	/* Eight at once of each of half a dozen kinds, then ten a minute. */
	assert_in_range(log_lines(r), 4, 60 + took / KA_SEC(1));
	await_cause(r, -KA_E_NO_SYNC, -1);
	fake_v4l2_change(&r->dev, 0, 0, 0);
	expect_back(r, 640);
}

static void test_device_in_error_for_ever_is_left_in_peace(void **state)
{
	struct rig *r = *state;
	int64_t begin = ka_clock_us();
	unsigned int calls, opens;
	int64_t took;

	r->dev.sick = true;
	start_stick(r);
	/* Without a word from DQBUF at first, then with one. */
	await_cause(r, -EIO, -1);
	expect_slates(r);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EIO, INT32_MAX);
	while (ka_clock_us() - begin < KA_SEC(3))
		capture_rig_skip(&r->w, 1);
	took = ka_clock_us() - begin;
	calls = get(r, &r->dev.calls);
	opens = get(r, &r->dev.opens);
	assert_true(opens >= 2 && opens <= 8 + (unsigned int)(took / KA_SEC(1)));
	assert_true(calls < 1500 + (unsigned int)(took / KA_MS(2)));
	assert_in_range(log_lines(r), 2, 60);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void misbehave(struct rig *r, uint32_t what, uint32_t how)
{
	static const unsigned long requests[] = {
		VIDIOC_DQBUF, VIDIOC_QBUF,     VIDIOC_REQBUFS,	VIDIOC_STREAMON,	 VIDIOC_STREAMOFF,
		VIDIOC_S_FMT, VIDIOC_QUERYBUF, VIDIOC_QUERYCAP, VIDIOC_QUERY_DV_TIMINGS, VIDIOC_S_DV_TIMINGS};
	static const int errors[] = {-EIO,    -EAGAIN, -EINVAL, -ENODEV,  -EBUSY,
				     -ENOMEM, -ENOSPC, -EPIPE,	-ENOLINK, -ERANGE};
	static const int queries[] = {0, 0, -ENOLINK, -ENOLCK, -ERANGE, -EINVAL, -EIO, -EBUSY};
	static const uint16_t widths[] = {640, 800, 1024, 128};

	switch (what) {
	case 0:
		fake_v4l2_fail(&r->dev, requests[how % KA_ARRAY_LEN(requests)], errors[how / 16 % KA_ARRAY_LEN(errors)],
			       1 + (int)(how / 256 % 8));
		break;
	case 1:
		fake_v4l2_change(&r->dev, widths[how % 4], 480, queries[how / 4 % KA_ARRAY_LEN(queries)]);
		break;
	case 2:
		put(r, &r->dev.absent, how % 3 == 0);
		break;
	case 3:
		fake_v4l2_fill(&r->dev, 1, how % 700000, how % 4 ? 0 : V4L2_BUF_FLAG_ERROR);
		break;
	case 4:
		pthread_mutex_lock(&r->dev.lock);
		r->dev.wrong_index = how % 40;
		pthread_mutex_unlock(&r->dev.lock);
		break;
	default:
		fake_v4l2_fill(&r->dev, (uint8_t)how, UINT32_MAX, 0);
		break;
	}
}

static void expect_slates_or_pictures(struct rig *r, uint32_t *seed)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	for (int n = 0; n < 2;) {
		struct ka_packet *p = capture_rig_take(&r->w, 2);

		if (!p)
			misbehave(r, next_random(seed) % 12, next_random(seed));
		n += p != NULL;
		ka_packet_unref(&p);
		assert_true(ka_clock_us() < end);
	}
}

static void storm(struct rig *r, uint32_t seed)
{
	int64_t begin = ka_clock_us();

	for (int i = 0; i < 1500; i++) {
		uint32_t how = next_random(&seed);
		struct ka_packet *p;

		misbehave(r, next_random(&seed) % 12, how);
		p = capture_rig_take(&r->w, how % 64 ? 0 : 5);
		ka_packet_unref(&p);
		/* Whatever it is that they see, it goes on. */
		if (i % 500 == 0)
			expect_slates_or_pictures(r, &seed);
	}
	/* Mended, it is live again. */
	pthread_mutex_lock(&r->dev.lock);
	memset(r->dev.fails, 0, sizeof(r->dev.fails));
	r->dev.wrong_index = 0;
	r->dev.absent = false;
	pthread_mutex_unlock(&r->dev.lock);
	fake_v4l2_change(&r->dev, 800, 480, 0);
	await_cause(r, 0, 90);
	expect_back(r, 800);
	assert_true(get(r, &r->dev.opens) <= 12 + (unsigned int)((ka_clock_us() - begin) / KA_MS(100)));
}

static void test_storms(void **state)
{
	struct rig *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	cfg.slate_fps = 10;
	start_rig(r, &cfg);
	go_live(r);
	for (uint32_t seed = 1; seed <= 2; seed++)
		storm(r, seed);
}

static void test_storms_of_a_stick(void **state)
{
	struct rig *r = *state;

	r->dev.keeps_mapped = true;
	start_stick(r);
	go_live(r);
	for (uint32_t seed = 11; seed <= 12; seed++)
		storm(r, seed);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		T(test_device_in_error_for_ever_is_left_in_peace),
		T(test_storms),
		T(test_storms_of_a_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
