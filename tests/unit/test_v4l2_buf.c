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

#define BUFS 6 /* that a device with enough memory is asked for */

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
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS);
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
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS - 1);
	ka_frame_unref(&f);
	assert_true(r->homes > 0);
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS);
}

static void test_dequeue_all_lent_out_waits(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *held[BUFS];
	struct ka_frame *f;

	v4l2_rig_open_and_start(r);
	for (uint8_t i = 0; i < BUFS; i++) {
		assert_true(fake_v4l2_fill(&r->dev, i, UINT32_MAX, 0));
		assert_int_equal(v4l2_rig_dequeue(r, &held[i]), 0);
	}
	assert_false(fake_v4l2_fill(&r->dev, 9, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_null(f);
	for (uint8_t i = 0; i < BUFS; i++) {
		assert_int_equal(held[i]->planes[1].data[0], i);
		ka_frame_unref(&held[i]);
	}
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS);
}

static void test_stop_frames_outlive_it(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *old, *f;

	v4l2_rig_open_and_start(r);
	assert_true(fake_v4l2_fill(&r->dev, 42, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &old), 0);
	r->src->ops->stop(r->src);
	assert_int_equal(fake_v4l2_mapped(&r->dev), BUFS);
	assert_int_equal(old->planes[0].data[640 * 480 - 1], 42);
	/* A new run beside it. */
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 43, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->planes[0].data[0], 43);
	assert_int_equal(old->planes[1].data[0], 42);
	ka_frame_unref(&old);
	assert_int_equal(fake_v4l2_mapped(&r->dev), 2 * BUFS);
	r->src->ops->dequeue(r->src, &old);
	assert_int_equal(fake_v4l2_mapped(&r->dev), BUFS);
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

static void test_cached_buffers_where_the_driver_can(void **state)
{
	struct v4l2_rig *r = *state;
	struct ka_frame *f;

	/* Asking for them elsewhere is a violation, which the rig counts. */
	v4l2_rig_open_and_start(r);
	assert_false(r->dev.cached);
	r->src->ops->stop(r->src);
	/* A driver that takes no request for no buffers is asked for some. */
	fake_v4l2_fail(&r->dev, VIDIOC_REQBUFS, -EINVAL, 1);
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS);
	r->src->ops->stop(r->src);
	r->dev.cache_hints = true;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_true(r->dev.cached);
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS);
	assert_true(fake_v4l2_fill(&r->dev, 7, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->planes[1].data[0], 7);
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
	r->dev.refuses_cached = true;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_false(r->dev.cached);
	assert_int_equal(fake_v4l2_queued(&r->dev), BUFS);
}

static void check_range(struct v4l2_rig *r, uint32_t fourcc, uint32_t said, enum ka_range want)
{
	uint32_t only[] = {fourcc, 0};
	struct ka_frame *f;

	r->dev.formats = only;
	r->dev.quantization = said;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_true(fake_v4l2_fill(&r->dev, 1, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->colour.range, want);
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
}

static void test_range_where_the_driver_does_not_say(void **state)
{
	struct v4l2_rig *r = *state;

	r->dev.colorspace = V4L2_COLORSPACE_SRGB;
	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	check_range(r, V4L2_PIX_FMT_NV42, V4L2_QUANTIZATION_DEFAULT, KA_RANGE_LIMITED);
	check_range(r, V4L2_PIX_FMT_NV42, V4L2_QUANTIZATION_FULL_RANGE, KA_RANGE_FULL);
	check_range(r, V4L2_PIX_FMT_XBGR32, V4L2_QUANTIZATION_DEFAULT, KA_RANGE_FULL);
	check_range(r, V4L2_PIX_FMT_XBGR32, V4L2_QUANTIZATION_LIM_RANGE, KA_RANGE_LIMITED);
	check_range(r, V4L2_PIX_FMT_GREY, V4L2_QUANTIZATION_DEFAULT, KA_RANGE_FULL);
	check_range(r, V4L2_PIX_FMT_GREY, V4L2_QUANTIZATION_LIM_RANGE, KA_RANGE_LIMITED);
}

struct layout {
	uint32_t fourcc;
	enum ka_pixfmt format;
	/* Of our planes: memory plane, offset in it and stride, for 642x482 with 30 bytes of padding. */
	struct {
		unsigned int mem;
		size_t offset, stride;
	} at[3];
};

#define PW 642u
#define PH 482u
#define PS 672u /* a line of luma */
#define ONE(bytes)                                                                                                     \
	{                                                                                                              \
		{                                                                                                      \
			0, 0, PW *(bytes) + 30                                                                         \
		}                                                                                                      \
	}
#define NV                                                                                                             \
	{                                                                                                              \
		{0, 0, PS},                                                                                            \
		{                                                                                                      \
			0, PS *PH, PS                                                                                  \
		}                                                                                                      \
	}

static const struct layout layouts[] = {
	{V4L2_PIX_FMT_NV12, KA_PIX_NV12, NV},
	{V4L2_PIX_FMT_NV21, KA_PIX_NV21, NV},
	{V4L2_PIX_FMT_NV16, KA_PIX_NV16, NV},
	{V4L2_PIX_FMT_NV61, KA_PIX_NV61, NV},
	{V4L2_PIX_FMT_NV24, KA_PIX_NV24, {{0, 0, PS}, {0, PS *PH, PS * 2}}},
	{V4L2_PIX_FMT_NV42, KA_PIX_NV42, {{0, 0, PS}, {0, PS *PH, PS * 2}}},
	{V4L2_PIX_FMT_YUV420, KA_PIX_I420, {{0, 0, PS}, {0, PS *PH, PS / 2}, {0, PS *PH * 5 / 4, PS / 2}}},
	{V4L2_PIX_FMT_YVU420, KA_PIX_I420, {{0, 0, PS}, {0, PS *PH * 5 / 4, PS / 2}, {0, PS *PH, PS / 2}}},
	{V4L2_PIX_FMT_YUV422P, KA_PIX_I422, {{0, 0, PS}, {0, PS *PH, PS / 2}, {0, PS *PH * 3 / 2, PS / 2}}},
	{V4L2_PIX_FMT_GREY, KA_PIX_GREY, ONE(1)},
	{V4L2_PIX_FMT_YUYV, KA_PIX_YUYV, ONE(2)},
	{V4L2_PIX_FMT_YVYU, KA_PIX_YVYU, ONE(2)},
	{V4L2_PIX_FMT_UYVY, KA_PIX_UYVY, ONE(2)},
	{V4L2_PIX_FMT_VYUY, KA_PIX_VYUY, ONE(2)},
	{V4L2_PIX_FMT_RGB24, KA_PIX_RGB24, ONE(3)},
	{V4L2_PIX_FMT_BGR24, KA_PIX_BGR24, ONE(3)},
	{V4L2_PIX_FMT_XBGR32, KA_PIX_BGRX, ONE(4)},
	{V4L2_PIX_FMT_ABGR32, KA_PIX_BGRX, ONE(4)},
	{V4L2_PIX_FMT_BGR32, KA_PIX_BGRX, ONE(4)},
	{V4L2_PIX_FMT_RGBX32, KA_PIX_RGBX, ONE(4)},
	{V4L2_PIX_FMT_RGBA32, KA_PIX_RGBX, ONE(4)},
	{V4L2_PIX_FMT_XRGB32, KA_PIX_XRGB, ONE(4)},
	{V4L2_PIX_FMT_ARGB32, KA_PIX_XRGB, ONE(4)},
	{V4L2_PIX_FMT_RGB32, KA_PIX_XRGB, ONE(4)},
	{V4L2_PIX_FMT_BGRX32, KA_PIX_XBGR, ONE(4)},
	{V4L2_PIX_FMT_BGRA32, KA_PIX_XBGR, ONE(4)},
	/* From here on by the multi-planar API only. */
	{V4L2_PIX_FMT_NV12M, KA_PIX_NV12, {{0, 0, PS}, {1, 0, PS}}},
	{V4L2_PIX_FMT_NV21M, KA_PIX_NV21, {{0, 0, PS}, {1, 0, PS}}},
	{V4L2_PIX_FMT_NV16M, KA_PIX_NV16, {{0, 0, PS}, {1, 0, PS}}},
	{V4L2_PIX_FMT_NV61M, KA_PIX_NV61, {{0, 0, PS}, {1, 0, PS}}},
	{V4L2_PIX_FMT_YUV420M, KA_PIX_I420, {{0, 0, PS}, {1, 0, PS / 2}, {2, 0, PS / 2}}},
	{V4L2_PIX_FMT_YVU420M, KA_PIX_I420, {{0, 0, PS}, {2, 0, PS / 2}, {1, 0, PS / 2}}},
	{V4L2_PIX_FMT_YUV422M, KA_PIX_I422, {{0, 0, PS}, {1, 0, PS / 2}, {2, 0, PS / 2}}},
	{V4L2_PIX_FMT_YVU422M, KA_PIX_I422, {{0, 0, PS}, {2, 0, PS / 2}, {1, 0, PS / 2}}},
	{V4L2_PIX_FMT_YUV444M, KA_PIX_I444, {{0, 0, PS}, {1, 0, PS}, {2, 0, PS}}},
	{V4L2_PIX_FMT_YVU444M, KA_PIX_I444, {{0, 0, PS}, {2, 0, PS}, {1, 0, PS}}},
};

static void check_layout(struct v4l2_rig *r, const struct layout *l)
{
	uint32_t only[] = {l->fourcc, 0};
	struct ka_frame *f;

	r->dev.formats = only;
	assert_int_equal(v4l2_rig_start(r), 0);
	assert_int_equal(r->dev.set_fourcc, l->fourcc);
	assert_true(fake_v4l2_fill(&r->dev, 3, UINT32_MAX, 0));
	assert_int_equal(v4l2_rig_dequeue(r, &f), 0);
	assert_int_equal(f->format, l->format);
	for (unsigned int i = 0; i < ka_pixfmt_planes(f->format); i++) {
		const struct ka_plane *p = &f->planes[i];
		size_t rows = ka_pixfmt_rows(f->format, i, PH);
		bool found = false;

		/* Each memory plane is a block of its own: only the right one has it there. */
		for (unsigned int b = 0; b < FAKE_BUFS * 4; b++)
			found = found || (r->dev.bufs[b].mapped[l->at[i].mem] &&
					  p->data == r->dev.bufs[b].mem[l->at[i].mem] + l->at[i].offset);
		if (!found || p->stride != l->at[i].stride)
			fail_msg("%.4s plane %u: stride %zu", (const char *)&l->fourcc, i, p->stride);
		assert_int_equal(p->data[(rows - 1) * p->stride + ka_pixfmt_row_bytes(f->format, i, PW) - 1], 3);
	}
	ka_frame_unref(&f);
	r->src->ops->stop(r->src);
}

static void check_layouts(struct v4l2_rig *r, bool mplane)
{
	r->dev.width = PW;
	r->dev.height = PH;
	r->dev.pad = PS - PW;
	r->dev.mplane = mplane;
	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(layouts) && (mplane || layouts[i].fourcc != V4L2_PIX_FMT_NV12M); i++)
		check_layout(r, &layouts[i]);
}

static void test_planes_of_every_format(void **state)
{
	check_layouts(*state, false);
}

static void test_planes_of_every_format_multiplanar(void **state)
{
	check_layouts(*state, true);
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
		T(test_cached_buffers_where_the_driver_can),
		T(test_range_where_the_driver_does_not_say),
		T(test_planes_of_every_format),
		T(test_planes_of_every_format_multiplanar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
