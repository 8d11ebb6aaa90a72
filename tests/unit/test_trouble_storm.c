/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Anything at all from a device, by chance: viewers get pictures, the device is left in peace, and it is live again. */
#include "tests/check/check.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "tests/fake/dice.h"
#include "tests/fake/trouble_rig.h"

static void misbehave(struct trouble *r, uint32_t what, uint32_t how)
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
		trouble_put(r, &r->dev.absent, how % 3 == 0);
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

static void expect_slates_or_pictures(struct trouble *r, uint32_t *seed)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	for (int n = 0; n < 2;) {
		struct ka_packet *p = capture_rig_take(&r->w, 2);

		if (!p)
			misbehave(r, dice(seed) % 12, dice(seed));
		n += p != NULL;
		ka_packet_unref(&p);
		assert_true(ka_clock_us() < end);
	}
}

static void storm(struct trouble *r, uint32_t seed)
{
	int64_t begin = ka_clock_us();

	for (int i = 0; i < 1500; i++) {
		uint32_t how = dice(&seed);
		struct ka_packet *p;

		misbehave(r, dice(&seed) % 12, how);
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
	trouble_await_cause(r, 0, 90);
	trouble_expect_back(r, 800);
	assert_true(trouble_get(r, &r->dev.opens) <= 12 + (unsigned int)((ka_clock_us() - begin) / KA_MS(100)));
}

static void test_storms(void **state)
{
	struct trouble *r = *state;
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	cfg.slate_fps = 10;
	trouble_start(r, &cfg);
	trouble_go_live(r);
	for (uint32_t seed = 1; seed <= 2; seed++)
		storm(r, seed);
}

static void test_storms_of_a_stick(void **state)
{
	struct trouble *r = *state;

	r->dev.keeps_mapped = true;
	trouble_start_stick(r);
	trouble_go_live(r);
	for (uint32_t seed = 11; seed <= 12; seed++)
		storm(r, seed);
}

#define T(name) cmocka_unit_test_setup_teardown(name, trouble_set_up, trouble_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_storms),
		T(test_storms_of_a_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
