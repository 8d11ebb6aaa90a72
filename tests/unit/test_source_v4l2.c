/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A V4L2 source against a scripted device: what goes wrong first, then pictures. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/source_v4l2.h"
#include "tests/fake/fake_v4l2.h"

struct rig {
	struct fake_v4l2 dev;
	struct ka_source *src;
	struct ka_source_info info;
	struct ka_errbuf eb;
	int homes; /* calls of the wake */
};

static void count_home(void *arg)
{
	++*(int *)arg;
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ka_source_v4l2_cfg cfg = {.device = "/dev/fake", .wish = {.fps = 60}};

	assert_non_null(r);
	fake_v4l2_init(&r->dev);
	cfg.io = &r->dev.io;
	cfg.home = (struct ka_wake){count_home, &r->homes};
	assert_int_equal(ka_source_v4l2_new(&r->src, &cfg), 0);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	ka_source_free(r->src);
	assert_int_equal(r->dev.violations, 0);
	assert_int_equal(r->dev.maps, r->dev.unmaps);
	assert_int_equal(r->dev.opens, r->dev.closes);
	fake_v4l2_fini(&r->dev);
	free(r);
	return 0;
}

static void use_formats(struct rig *r, const uint32_t *formats)
{
	r->dev.formats = formats;
}

static int start(struct rig *r)
{
	return r->src->ops->start(r->src, &r->info, &r->eb);
}

static void open_and_start(struct rig *r)
{
	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	assert_int_equal(start(r), 0);
}

static int dequeue(struct rig *r, struct ka_frame **f)
{
	return r->src->ops->dequeue(r->src, f);
}

static void test_open_missing_device_says_so(void **state)
{
	struct rig *r = *state;

	r->dev.absent = true;
	assert_int_equal(r->src->ops->open(r->src, &r->eb), -KA_E_NO_DEVICE);
	assert_non_null(strstr(r->eb.text, "/dev/fake"));
}

static void test_open_no_video_device_closes_again(void **state)
{
	struct rig *r = *state;

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
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(causes); i++) {
		r->dev.query_error = causes[i].error;
		assert_int_equal(start(r), causes[i].cause);
	}
	r->dev.query_error = 0;
	assert_int_equal(start(r), 0);
}

static void test_start_interlaced_is_refused(void **state)
{
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.interlaced = true;
	assert_int_equal(start(r), -KA_E_OUT_OF_RANGE);
	assert_non_null(strstr(r->eb.text, "interlaced"));
	r->dev.interlaced = false;
	r->dev.field = V4L2_FIELD_INTERLACED;
	assert_int_equal(start(r), -KA_E_OUT_OF_RANGE);
	assert_non_null(strstr(r->eb.text, "interlaced"));
}

static void test_start_without_known_format_is_refused(void **state)
{
	static const uint32_t none[] = {0};
	static const uint32_t odd[] = {V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_H264, 0};
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	use_formats(r, odd);
	assert_int_equal(start(r), -KA_E_FORMAT);
	use_formats(r, none);
	assert_int_equal(start(r), -KA_E_FORMAT);
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
	f->fmt.pix.pixelformat = V4L2_PIX_FMT_GREY;
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
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(lies); i++) {
		int ret;

		r->dev.lie = lies[i];
		ret = start(r);
		assert_true(ret == -KA_E_FORMAT || ret == -KA_E_OUT_OF_RANGE);
		assert_int_equal(fake_v4l2_mapped(&r->dev), 0);
	}
	r->dev.lie = NULL;
	assert_int_equal(start(r), 0);
}

static void test_start_failing_calls_leave_nothing_behind(void **state)
{
	static const unsigned long requests[] = {VIDIOC_S_DV_TIMINGS, VIDIOC_S_FMT, VIDIOC_REQBUFS,
						 VIDIOC_QUERYBUF,     VIDIOC_QBUF,  VIDIOC_STREAMON};
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(requests); i++) {
		fake_v4l2_fail(&r->dev, requests[i], -EIO, 1);
		assert_int_equal(start(r), -EIO);
		assert_int_equal(fake_v4l2_mapped(&r->dev), 0);
		assert_int_equal(start(r), 0);
		r->src->ops->stop(r->src);
	}
}

static void test_start_single_buffer_is_refused(void **state)
{
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.max_bufs = 1;
	assert_int_equal(start(r), -ENOMEM);
	r->dev.max_bufs = 0;
	assert_int_equal(start(r), -ENOMEM);
	r->dev.max_bufs = 2;
	assert_int_equal(start(r), 0);
}

static void test_start_streamon_without_link_is_no_cable(void **state)
{
	struct rig *r = *state;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	fake_v4l2_fail(&r->dev, VIDIOC_STREAMON, -ENOLINK, 1);
	assert_int_equal(start(r), -KA_E_NO_CABLE);
}

static void test_dequeue_nothing_there_gives_nothing(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f = (struct ka_frame *)1;

	open_and_start(r);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(dequeue(r, &f), 0);
		assert_null(f);
	}
}

static void test_dequeue_broken_pictures_go_back(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f;

	open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 1, 0, 0));
	assert_true(fake_v4l2_fill(&r->dev, 2, 640 * 480 * 3 / 2 - 1, 0));
	assert_true(fake_v4l2_fill(&r->dev, 3, UINT32_MAX, V4L2_BUF_FLAG_ERROR));
	assert_int_equal(dequeue(r, &f), 0);
	assert_null(f);
	assert_int_equal(r->src->captured, 3);
	assert_int_equal(r->src->dropped, 3);
	assert_int_equal(fake_v4l2_queued(&r->dev), 5);
	assert_true(fake_v4l2_fill(&r->dev, 4, 640 * 480 * 3 / 2, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_non_null(f);
	assert_int_equal(f->planes[0].data[0], 4);
	ka_frame_unref(&f);
}

static void test_dequeue_wrong_index_is_an_error(void **state)
{
	struct rig *r = *state;
	struct ka_frame *held, *f;

	open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &held), 0);
	/* One that is lent out already, then one that never was. */
	assert_true(fake_v4l2_fill(&r->dev, 2, UINT32_MAX, 0));
	r->dev.wrong_index = (uint32_t)-1;
	assert_int_equal(dequeue(r, &f), -EIO);
	assert_null(f);
	assert_int_equal(held->planes[0].data[0], 1);
	ka_frame_unref(&held);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	r->dev.wrong_index = 77;
	assert_int_equal(dequeue(r, &f), -EIO);
	assert_null(f);
}

static void test_dequeue_errors_are_told(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f;

	open_and_start(r);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EIO, 1);
	assert_int_equal(dequeue(r, &f), -EIO);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -ENODEV, 1);
	assert_int_equal(dequeue(r, &f), -ENODEV);
	fake_v4l2_fail(&r->dev, VIDIOC_DQBUF, -EAGAIN, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(dequeue(r, &f), 0);
	assert_null(f);
}

static void test_dequeue_newest_wins(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f;

	open_and_start(r);
	for (uint8_t i = 1; i <= 4; i++)
		assert_true(fake_v4l2_fill(&r->dev, i, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->planes[0].data[0], 4);
	assert_int_equal(f->sequence, 4);
	assert_int_equal(r->src->dropped, 3);
	/* All but the one lent out are with the driver again. */
	assert_int_equal(fake_v4l2_queued(&r->dev), 4);
	ka_frame_unref(&f);
	assert_true(r->homes > 0);
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), 5);
}

static void test_dequeue_all_lent_out_waits(void **state)
{
	struct rig *r = *state;
	struct ka_frame *held[5];
	struct ka_frame *f;

	open_and_start(r);
	for (uint8_t i = 0; i < 5; i++) {
		assert_true(fake_v4l2_fill(&r->dev, i, UINT32_MAX, 0));
		assert_int_equal(dequeue(r, &held[i]), 0);
	}
	assert_false(fake_v4l2_fill(&r->dev, 9, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_null(f);
	for (uint8_t i = 0; i < 5; i++) {
		assert_int_equal(held[i]->planes[1].data[0], i);
		ka_frame_unref(&held[i]);
	}
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), 5);
}

static void test_stop_frames_outlive_it(void **state)
{
	struct rig *r = *state;
	struct ka_frame *old, *f;

	open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 42, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &old), 0);
	r->src->ops->stop(r->src);
	assert_int_equal(fake_v4l2_mapped(&r->dev), 5);
	assert_int_equal(old->planes[0].data[640 * 480 - 1], 42);
	/* A new run beside it. */
	assert_int_equal(start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 43, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
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
	struct rig *r = *state;
	struct ka_frame *f;

	r->dev.keeps_mapped = true;
	open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 42, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	r->src->ops->stop(r->src);
	for (int i = 0; i < 3; i++)
		assert_int_equal(start(r), -EBUSY);
	assert_int_equal(f->planes[0].data[0], 42);
	ka_frame_unref(&f);
	assert_int_equal(start(r), 0);
}

static void test_start_hoarded_frames_are_limited(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f[2];

	open_and_start(r);
	for (int i = 0; i < 2; i++) {
		assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
		assert_int_equal(dequeue(r, &f[i]), 0);
		r->src->ops->stop(r->src);
		assert_int_equal(start(r), i ? -EBUSY : 0);
	}
	ka_frame_unref(&f[0]);
	assert_int_equal(start(r), 0);
	ka_frame_unref(&f[1]);
}

static void test_change_restarts_with_new_size(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f;

	open_and_start(r);
	assert_int_equal(r->info.width, 640);
	assert_int_equal(r->info.fps_mhz, 60000);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	fake_v4l2_change(&r->dev, 1280, 720, 0);
	assert_int_equal(dequeue(r, &f), -KA_E_SOURCE_CHANGED);
	assert_null(f);
	r->src->ops->stop(r->src);
	assert_int_equal(start(r), 0);
	assert_int_equal(r->info.width, 1280);
	assert_int_equal(r->info.height, 720);
	assert_true(fake_v4l2_fill(&r->dev, 7, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->width, 1280);
	ka_frame_unref(&f);
}

static void test_change_while_waiting_is_noticed(void **state)
{
	struct rig *r = *state;
	struct ka_source_wait w;
	struct ka_frame *f;

	r->dev.query_error = -ENOLINK;
	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	assert_int_equal(start(r), -KA_E_NO_CABLE);
	r->src->ops->wait(r->src, &w);
	assert_int_equal(w.fd, r->dev.fd);
	assert_true(w.priority && !w.readable);
	fake_v4l2_change(&r->dev, 0, 0, 0);
	assert_int_equal(dequeue(r, &f), -KA_E_SOURCE_CHANGED);
	assert_int_equal(start(r), 0);
	r->src->ops->wait(r->src, &w);
	assert_true(w.priority && w.readable);
}

static void test_start_own_change_event_is_no_change(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f;

	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	r->dev.echoes = 1;
	assert_int_equal(start(r), 0);
	assert_int_equal(dequeue(r, &f), 0);
	r->src->ops->stop(r->src);
	/* One that never comes to rest does not keep start from ending. */
	r->dev.echoes = 1000;
	assert_int_equal(start(r), 0);
}

static void test_odd_size_is_cropped(void **state)
{
	struct rig *r = *state;
	struct ka_frame *f;

	r->dev.width = 641;
	r->dev.height = 481;
	r->dev.pad = 7;
	open_and_start(r);
	assert_int_equal(r->info.width, 640);
	assert_int_equal(r->info.height, 480);
	assert_true(fake_v4l2_fill(&r->dev, 5, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
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
	struct rig *r = *state;
	struct ka_frame *f;

	r->dev.mplane = true;
	r->dev.pad = 64;
	use_formats(r, two);
	open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 9, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->format, KA_PIX_NV12);
	assert_int_equal(f->planes[1].stride, 704);
	assert_int_equal(f->planes[1].data[704 * 239 + 639], 9);
	ka_frame_unref(&f);
	/* The second memory plane is too short. */
	assert_true(fake_v4l2_fill(&r->dev, 9, 704 * 240 - 65, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_null(f);
	r->src->ops->stop(r->src);
	use_formats(r, three);
	assert_int_equal(start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 8, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->format, KA_PIX_I420);
	assert_int_equal(f->planes[2].data[352 * 239 + 319], 8);
	ka_frame_unref(&f);
}

static void test_format_cheapest_that_is_fast_enough(void **state)
{
	static const uint32_t stick[] = {V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV, 0};
	static const uint32_t many[] = {V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_UYVY, V4L2_PIX_FMT_NV24,
					V4L2_PIX_FMT_NV12,  V4L2_PIX_FMT_YUYV, 0};
	struct rig *r = *state;

	r->dev.no_timings = true;
	use_formats(r, stick);
	open_and_start(r);
	assert_int_equal(r->dev.set_fourcc, V4L2_PIX_FMT_YUYV);
	r->src->ops->stop(r->src);
	r->dev.slow_fps = 5; /* USB 2 at 1080p */
	assert_int_equal(start(r), 0);
	assert_int_equal(r->dev.set_fourcc, V4L2_PIX_FMT_MJPEG);
	r->src->ops->stop(r->src);
	r->dev.slow_fps = 25;
	assert_int_equal(start(r), 0);
	assert_int_equal(r->dev.set_fourcc, V4L2_PIX_FMT_YUYV);
	r->src->ops->stop(r->src);
	r->dev.slow_fps = 0;
	use_formats(r, many);
	assert_int_equal(start(r), 0);
	assert_int_equal(r->dev.set_fourcc, V4L2_PIX_FMT_NV12);
}

static void test_colour_is_read(void **state)
{
	static const uint32_t jpeg[] = {V4L2_PIX_FMT_MJPEG, 0};
	struct rig *r = *state;
	uint8_t data[200] = {0xff, 0xd8};
	struct ka_frame *f;

	r->dev.colorspace = V4L2_COLORSPACE_REC709;
	open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->colour.matrix, KA_MATRIX_BT709);
	assert_int_equal(f->colour.range, KA_RANGE_LIMITED);
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
	r->dev.ycbcr_enc = V4L2_YCBCR_ENC_601;
	r->dev.quantization = V4L2_QUANTIZATION_FULL_RANGE;
	assert_int_equal(start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->colour.matrix, KA_MATRIX_BT601);
	assert_int_equal(f->colour.range, KA_RANGE_FULL);
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
	use_formats(r, jpeg);
	r->dev.quantization = V4L2_QUANTIZATION_LIM_RANGE;
	assert_int_equal(start(r), 0);
	assert_true(fake_v4l2_fill_data(&r->dev, data, sizeof(data)));
	assert_int_equal(dequeue(r, &f), 0);
	assert_int_equal(f->planes[0].size, sizeof(data));
	assert_int_equal(f->colour.range, KA_RANGE_FULL);
	ka_frame_unref(&f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		T(test_dequeue_nothing_there_gives_nothing),
		T(test_dequeue_broken_pictures_go_back),
		T(test_dequeue_wrong_index_is_an_error),
		T(test_dequeue_errors_are_told),
		T(test_dequeue_newest_wins),
		T(test_dequeue_all_lent_out_waits),
		T(test_stop_frames_outlive_it),
		T(test_start_again_without_orphans_waits_for_frames),
		T(test_start_hoarded_frames_are_limited),
		T(test_change_restarts_with_new_size),
		T(test_change_while_waiting_is_noticed),
		T(test_start_own_change_event_is_no_change),
		T(test_odd_size_is_cropped),
		T(test_planes_in_memory_of_their_own),
		T(test_format_cheapest_that_is_fast_enough),
		T(test_colour_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
