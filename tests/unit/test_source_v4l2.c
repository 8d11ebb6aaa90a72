/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening, locking and settling with a scripted device: what goes wrong first. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/v4l2_rig.h"

static void test_open_missing_device_says_so(void **state)
{
	struct v4l2_rig *r = *state;

	r->dev.absent = true;
	assert_int_equal(r->src->ops->open(r->src, &r->eb), -KA_E_NO_DEVICE);
	assert_non_null(strstr(r->eb.text, "/dev/fake"));
}

static void test_open_no_video_device_closes_again(void **state)
{
	struct v4l2_rig *r = *state;

	fake_v4l2_fail(&r->dev, VIDIOC_QUERYCAP, -ENOTTY, 1);
	assert_int_equal(r->src->ops->open(r->src, &r->eb), -KA_E_NO_DEVICE);
	fake_v4l2_fail(&r->dev, VIDIOC_QUERYCAP, -EIO, 1);
	assert_int_equal(r->src->ops->open(r->src, &r->eb), -EIO);
	assert_int_equal(r->dev.closes, 2);
}

static void test_start_maps_the_cause_of_no_signal(void **state)
{
	static const struct {
		int error, cause;
	} causes[] = {{-ENOLINK, -KA_E_NO_CABLE},
		      {-ENOLCK, -KA_E_NO_SYNC},
		      {-ERANGE, -KA_E_OUT_OF_RANGE},
		      {-EINVAL, -KA_E_NO_SIGNAL},
		      {-EIO, -EIO},
		      {-ENODEV, -ENODEV}};
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(causes); i++) {
		r->dev.query_error = causes[i].error;
		assert_int_equal(v4l2_rig_start(r), causes[i].cause);
	}
	r->dev.query_error = 0;
	assert_int_equal(v4l2_rig_start(r), 0);
}

static void test_start_interlaced_is_refused(void **state)
{
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.interlaced = true;
	assert_int_equal(v4l2_rig_start(r), -KA_E_OUT_OF_RANGE);
	assert_non_null(strstr(r->eb.text, "interlaced"));
	r->dev.interlaced = false;
	r->dev.field = V4L2_FIELD_INTERLACED;
	assert_int_equal(v4l2_rig_start(r), -KA_E_OUT_OF_RANGE);
	assert_non_null(strstr(r->eb.text, "interlaced"));
}

static void test_start_without_known_format_is_refused(void **state)
{
	static const uint32_t none[] = {0};
	static const uint32_t odd[] = {V4L2_PIX_FMT_Y16, V4L2_PIX_FMT_H264, 0};
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.formats = odd;
	assert_int_equal(v4l2_rig_start(r), -KA_E_FORMAT);
	r->dev.formats = none;
	assert_int_equal(v4l2_rig_start(r), -KA_E_FORMAT);
	assert_int_equal(r->dev.maps, 0);
}

static void lie_stride(struct v4l2_format *f)
{
	f->fmt.pix.bytesperline = 639;
}

static void lie_huge_stride(struct v4l2_format *f)
{
	f->fmt.pix.bytesperline = 0x80000000;
}

static void lie_size(struct v4l2_format *f)
{
	f->fmt.pix.width = 0xffffffff;
	f->fmt.pix.height = 0xffffffff;
}

static void lie_tiny(struct v4l2_format *f)
{
	f->fmt.pix.width = 0;
	f->fmt.pix.height = 0;
}

static void lie_fourcc(struct v4l2_format *f)
{
	f->fmt.pix.pixelformat = V4L2_PIX_FMT_HSV24;
}

/* Says more rows than its buffers hold. */
static void lie_height(struct v4l2_format *f)
{
	f->fmt.pix.height = 1080;
}

static void test_start_hostile_formats_are_refused(void **state)
{
	static void (*const lies[])(struct v4l2_format *) = {lie_stride, lie_huge_stride, lie_size,
							     lie_tiny,	 lie_fourcc,	  lie_height};
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(lies); i++) {
		int ret;

		r->dev.lie = lies[i];
		ret = v4l2_rig_start(r);
		assert_true(ret == -KA_E_FORMAT || ret == -KA_E_OUT_OF_RANGE);
		assert_int_equal(fake_v4l2_mapped(&r->dev), 0);
	}
	r->dev.lie = NULL;
	assert_int_equal(v4l2_rig_start(r), 0);
}

static void test_start_failing_calls_leave_nothing_behind(void **state)
{
	static const unsigned long requests[] = {VIDIOC_S_DV_TIMINGS, VIDIOC_S_FMT, VIDIOC_REQBUFS,
						 VIDIOC_QUERYBUF,     VIDIOC_QBUF,  VIDIOC_STREAMON};
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(requests); i++) {
		fake_v4l2_fail(&r->dev, requests[i], -EIO, 1);
		assert_int_equal(v4l2_rig_start(r), -EIO);
		assert_int_equal(fake_v4l2_mapped(&r->dev), 0);
		assert_int_equal(v4l2_rig_start(r), 0);
		r->src->ops->stop(r->src);
	}
}

static void test_start_single_buffer_is_refused(void **state)
{
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.max_bufs = 1;
	assert_int_equal(v4l2_rig_start(r), -ENOMEM);
	r->dev.max_bufs = 0;
	assert_int_equal(v4l2_rig_start(r), -ENOMEM);
	r->dev.max_bufs = 2;
	assert_int_equal(v4l2_rig_start(r), 0);
}

static void test_start_streamon_without_link_is_no_cable(void **state)
{
	struct v4l2_rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	fake_v4l2_fail(&r->dev, VIDIOC_STREAMON, -ENOLINK, 1);
	assert_int_equal(v4l2_rig_start(r), -KA_E_NO_CABLE);
}

static void test_change_restarts_with_new_size(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	v4l2_rig_open_and_start(r);
	assert_int_equal(r->info.width, 640);
	assert_int_equal(r->info.fps_mhz, 60000);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	fake_v4l2_change(&r->dev, 1280, 720, 0);
	assert_int_equal(v4l2_rig_dequeue(r, &f), -KA_E_SOURCE_CHANGED);
	assert_null(f);
	r->src->ops->stop(r->src);
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_int_equal(r->info.width, 1280);
	assert_int_equal(r->info.height, 720);
	assert_true(fake_v4l2_fill(&r->dev, 7, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->width, 1280);
	ka_frame_unref(&f);
}

static void test_change_while_waiting_is_noticed(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_source_wait w;
	struct ka_frame *f;

	r->dev.query_error = -ENOLINK;
	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	assert_int_equal(v4l2_rig_start(r), -KA_E_NO_CABLE);
	r->src->ops->wait(r->src, &w);
	/* Never the device itself: to poll it for input would start read() emulation. */
	assert_true(w.fd >= 0 && w.fd != r->dev.fd);
	assert_true(w.readable && !w.priority);
	fake_v4l2_change(&r->dev, 0, 0, 0);
	assert_int_equal(v4l2_rig_dequeue(r, &f), -KA_E_SOURCE_CHANGED);
	assert_int_equal(v4l2_rig_start(r), 0);
	r->src->ops->wait(r->src, &w);
	assert_int_equal(w.fd, r->dev.fd);
	assert_true(w.priority && w.readable);
}

static void test_start_own_change_event_is_no_change(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.echoes = 1;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	r->src->ops->stop(r->src);
	/* One that never comes to rest does not keep start from ending. */
	r->dev.echoes = 1000;
	assert_int_equal(v4l2_rig_start(r), 0);
}

/* What a stream that is begun anew asks the device for. */
static void expect_begun_anew(struct v4l2_rig *r, uint32_t fourcc)
{
	r->src->ops->stop(r->src);
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_int_equal(r->dev.set_fourcc, fourcc);
}

static void test_format_cheapest_that_is_fast_enough(void **state)
{
	static const uint32_t stick[] = {V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV, 0};
	static const uint32_t many[] = {V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_UYVY, V4L2_PIX_FMT_NV24,
					V4L2_PIX_FMT_NV12,  V4L2_PIX_FMT_YUYV, 0};
	static const uint32_t grey[] = {V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_XRGB32, V4L2_PIX_FMT_XBGR32,
					0};
	struct v4l2_rig *r = *state;

	r->dev.no_timings = true;
	r->dev.formats = stick;
	v4l2_rig_open_and_start(r);
	assert_int_equal(r->dev.set_fourcc, V4L2_PIX_FMT_YUYV);
	r->dev.slow_fps = 5; /* USB 2 at 1080p */
	expect_begun_anew(r, V4L2_PIX_FMT_MJPEG);
	r->dev.slow_fps = 25;
	expect_begun_anew(r, V4L2_PIX_FMT_YUYV);
	r->dev.slow_fps = 0;
	r->dev.formats = many;
	expect_begun_anew(r, V4L2_PIX_FMT_NV12);
	r->dev.formats = grey;
	expect_begun_anew(r, V4L2_PIX_FMT_XBGR32);
	/* Colour before all, even when it has gone through JPEG. */
	r->dev.slow_fps = 5;
	expect_begun_anew(r, V4L2_PIX_FMT_MJPEG);
	r->dev.slow_fps = 0;
	r->dev.formats = grey + 3;
	expect_begun_anew(r, V4L2_PIX_FMT_XBGR32);
}

static void test_format_whose_colours_need_no_conversion(void **state)
{
	static const uint32_t full[] = {V4L2_PIX_FMT_NV24, V4L2_PIX_FMT_RGB24, 0};
	static const uint32_t half[] = {V4L2_PIX_FMT_UYVY, V4L2_PIX_FMT_RGB24, 0};
	struct v4l2_rig *r = *state;

	r->dev.formats = full;
	v4l2_rig_open_and_start(r);
	assert_int_equal(r->dev.set_fourcc, V4L2_PIX_FMT_NV24);
	/* RGB is what it is, whichever matrix YUV would have; as many bits either way. */
	r->dev.colorspace = V4L2_COLORSPACE_REC709;
	expect_begun_anew(r, V4L2_PIX_FMT_RGB24);
	/* Half as many again on the bus are not worth it. */
	r->dev.formats = half;
	expect_begun_anew(r, V4L2_PIX_FMT_UYVY);
	/* A driver that does not say beforehand is taken for one without. */
	r->dev.formats = full;
	r->dev.no_try = true;
	expect_begun_anew(r, V4L2_PIX_FMT_NV24);
}

#define T(name) cmocka_unit_test_setup_teardown(name, v4l2_rig_set_up, v4l2_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_open_missing_device_says_so),
		T(test_open_no_video_device_closes_again),
		T(test_start_maps_the_cause_of_no_signal),
		T(test_start_interlaced_is_refused),
		T(test_start_without_known_format_is_refused),
		T(test_start_hostile_formats_are_refused),
		T(test_start_failing_calls_leave_nothing_behind),
		T(test_start_single_buffer_is_refused),
		T(test_start_streamon_without_link_is_no_cable),
		T(test_change_restarts_with_new_size),
		T(test_change_while_waiting_is_noticed),
		T(test_start_own_change_event_is_no_change),
		T(test_format_cheapest_that_is_fast_enough),
		T(test_format_whose_colours_need_no_conversion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
