/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures and buffers of a V4L2 source on a scripted device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/v4l2_rig.h"

static void test_dequeue_nothing_there_gives_nothing(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f = (struct ka_frame *)1;

	v4l2_rig_open_and_start(r);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
		assert_null(f);
	}
}

static void test_dequeue_broken_pictures_go_back(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 1, 0, 0));
	assert_true(fake_v4l2_fill(&r->dev, 2, 640 * 480 * 3 / 2 - 1, 0));
	assert_true(fake_v4l2_fill(&r->dev, 3, UINT32_MAX, V4L2_BUF_FLAG_ERROR));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_null(f);
	assert_int_equal(r->src->captured, 3);
	assert_int_equal(r->src->dropped, 3);
	assert_int_equal(fake_v4l2_queued(&r->dev), 5);
	assert_true(fake_v4l2_fill(&r->dev, 4, 640 * 480 * 3 / 2, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_non_null(f);
	assert_int_equal(f->planes[0].data[0], 4);
	ka_frame_unref(&f);
}

static void test_dequeue_wrong_index_is_an_error(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *held, *f;

	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &held), 0);
	/* One that is lent out already, then one that never was. */
	assert_true(fake_v4l2_fill(&r->dev, 2, UINT32_MAX, 0));
	r->dev.wrong_index = (uint32_t)-1;
	assert_int_equal(v4l2_rig_dequeue(r, &f), -EIO);
	assert_null(f);
	assert_int_equal(held->planes[0].data[0], 1);
	ka_frame_unref(&held);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	r->dev.wrong_index = 77;
	assert_int_equal(v4l2_rig_dequeue(r, &f), -EIO);
	assert_null(f);
}

static void test_dequeue_errors_are_told(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	v4l2_rig_open_and_start(r);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EIO, 1);
	assert_int_equal(v4l2_rig_dequeue(r, &f), -EIO);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -ENODEV, 1);
	assert_int_equal(v4l2_rig_dequeue(r, &f), -ENODEV);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EAGAIN, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_null(f);
}

static void test_dequeue_newest_wins(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	v4l2_rig_open_and_start(r);
	for (uint8_t i = 1; i <= 4; i++)
		assert_true(fake_v4l2_fill(&r->dev, i, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->planes[0].data[0], 4);
	assert_int_equal(f->sequence, 4);
	assert_int_equal(r->src->dropped, 3);
	/* All but the one lent out are with the driver again. */
	assert_int_equal(fake_v4l2_queued(&r->dev), 4);
	ka_frame_unref(&f);
	assert_true(r->homes > 0);
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), 5);
}

static void test_dequeue_all_lent_out_waits(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *held[5];
	struct ka_frame *f;

	v4l2_rig_open_and_start(r);
	for (uint8_t i = 0; i < 5; i++) {
		assert_true(fake_v4l2_fill(&r->dev, i, UINT32_MAX, 0));
		assert_int_equal(v4l2_rig_dequeue(r, &held[i]), 0);
	}
	assert_false(fake_v4l2_fill(&r->dev, 9, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_null(f);
	for (uint8_t i = 0; i < 5; i++) {
		assert_int_equal(held[i]->planes[1].data[0], i);
		ka_frame_unref(&held[i]);
	}
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), 5);
}

static void test_stop_frames_outlive_it(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *old, *f;

	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 42, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &old), 0);
	r->src->ops->stop(r->src);
	assert_int_equal(fake_v4l2_mapped(&r->dev), 5);
	assert_int_equal(old->planes[0].data[640 * 480 - 1], 42);
	/* A new run beside it. */
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 43, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->planes[0].data[0], 43);
	assert_int_equal(old->planes[1].data[0], 42);
	ka_frame_unref(&old);
	assert_int_equal(fake_v4l2_mapped(&r->dev), 10);
	r->src->ops->dequeue(r->src, &old);
	assert_int_equal(fake_v4l2_mapped(&r->dev), 5);
	ka_frame_unref(&f);
}

static void test_start_again_without_orphans_waits_for_frames(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	r->dev.keeps_mapped = true;
	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 42, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	r->src->ops->stop(r->src);
	for (int i = 0; i < 3; i++)
		assert_int_equal(v4l2_rig_start(r), -EBUSY);
	assert_int_equal(f->planes[0].data[0], 42);
	ka_frame_unref(&f);
	assert_int_equal(v4l2_rig_start(r), 0);
}

static void test_start_hoarded_frames_are_limited(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f[2];

	v4l2_rig_open_and_start(r);
	for (int i = 0; i < 2; i++) {
		assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
		assert_int_equal(v4l2_rig_dequeue(r, &f[i]), 0);
		r->src->ops->stop(r->src);
		assert_int_equal(v4l2_rig_start(r), i ? -EBUSY : 0);
	}
	ka_frame_unref(&f[0]);
	assert_int_equal(v4l2_rig_start(r), 0);
	ka_frame_unref(&f[1]);
}

static void test_odd_size_is_cropped(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	r->dev.width = 641;
	r->dev.height = 481;
	r->dev.pad = 7;
	v4l2_rig_open_and_start(r);
	assert_int_equal(r->info.width, 640);
	assert_int_equal(r->info.height, 480);
	assert_true(fake_v4l2_fill(&r->dev, 5, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->width, 640);
	assert_int_equal(f->height, 480);
	assert_int_equal(f->planes[0].stride, 648);
	assert_ptr_equal(f->planes[1].data, f->planes[0].data + 648 * 481);
	ka_frame_unref(&f);
}

static void test_planes_in_memory_of_their_own(void **state)
{
	static const uint32_t two[] = {V4L2_PIX_FMT_NV12M, 0};
	static const uint32_t three[] = {V4L2_PIX_FMT_YUV420M, 0};
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	r->dev.mplane = true;
	r->dev.pad = 64;
	r->dev.formats = two;
	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 9, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->format, KA_PIX_NV12);
	assert_int_equal(f->planes[1].stride, 704);
	assert_int_equal(f->planes[1].data[704 * 239 + 639], 9);
	ka_frame_unref(&f);
	/* The second memory plane is too short. */
	assert_true(fake_v4l2_fill(&r->dev, 9, 704 * 240 - 65, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_null(f);
	r->src->ops->stop(r->src);
	r->dev.formats = three;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 8, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->format, KA_PIX_I420);
	assert_int_equal(f->planes[2].data[352 * 239 + 319], 8);
	ka_frame_unref(&f);
}

static void test_colour_is_read(void **state)
{
	static const uint32_t jpeg[] = {V4L2_PIX_FMT_MJPEG, 0};
	struct v4l2_rig *r = *state;
	uint8_t data[200] = {0xff, 0xd8};
	struct ka_frame *f;

	r->dev.colorspace = V4L2_COLORSPACE_REC709;
	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->colour.matrix, KA_MATRIX_BT709);
	assert_int_equal(f->colour.range, KA_RANGE_LIMITED);
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
	r->dev.ycbcr_enc = V4L2_YCBCR_ENC_601;
	r->dev.quantization = V4L2_QUANTIZATION_FULL_RANGE;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->colour.matrix, KA_MATRIX_BT601);
	assert_int_equal(f->colour.range, KA_RANGE_FULL);
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
	r->dev.formats = jpeg;
	r->dev.quantization = V4L2_QUANTIZATION_LIM_RANGE;
	assert_int_equal(v4l2_rig_start(r), 0);
	/* Some sticks send a few bytes when they have nothing. */
	assert_true(fake_v4l2_fill_data(&r->dev, data, 40));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_null(f);
	assert_true(fake_v4l2_fill_data(&r->dev, data, sizeof(data)));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->planes[0].size, sizeof(data));
	assert_int_equal(f->colour.range, KA_RANGE_FULL);
	ka_frame_unref(&f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, v4l2_rig_set_up, v4l2_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_dequeue_nothing_there_gives_nothing),
		T(test_dequeue_broken_pictures_go_back),
		T(test_dequeue_wrong_index_is_an_error),
		T(test_dequeue_errors_are_told),
		T(test_dequeue_newest_wins),
		T(test_dequeue_all_lent_out_waits),
		T(test_stop_frames_outlive_it),
		T(test_start_again_without_orphans_waits_for_frames),
		T(test_start_hoarded_frames_are_limited),
		T(test_odd_size_is_cropped),
		T(test_planes_in_memory_of_their_own),
		T(test_colour_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
