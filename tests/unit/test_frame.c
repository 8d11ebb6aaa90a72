/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include "base/err.h"
#include "base/frame.h"

static const enum ka_pixfmt raw_formats[] = {
	KA_PIX_I420, KA_PIX_I422, KA_PIX_I444, KA_PIX_NV12,  KA_PIX_NV21,  KA_PIX_NV16, KA_PIX_NV61,
	KA_PIX_NV24, KA_PIX_NV42, KA_PIX_GREY, KA_PIX_YUYV,  KA_PIX_YVYU,  KA_PIX_UYVY, KA_PIX_VYUY,
	KA_PIX_RGBX, KA_PIX_BGRX, KA_PIX_XRGB, KA_PIX_RGB24, KA_PIX_BGR24, KA_PIX_XBGR,
};

/* A description whose planes fit exactly: no padding anywhere, the last row ends with the memory. */
static struct ka_frame describe(enum ka_pixfmt format, uint32_t width, uint32_t height, uint8_t *memory)
{
	struct ka_frame d = {.format = format, .width = width, .height = height};

	for (unsigned int i = 0; i < ka_pixfmt_planes(format); i++) {
		d.planes[i].stride = ka_pixfmt_row_bytes(format, i, width);
		d.planes[i].size = d.planes[i].stride * ka_pixfmt_rows(format, i, height);
		d.planes[i].data = memory;
	}
	return d;
}

static int try(const struct ka_frame *d)
{
	struct ka_frame *f = NULL;
	int ret = ka_frame_new(&f, d);

	if (!ret)
		ka_frame_unref(&f);
	else
		assert_null(f);
	return ret;
}

static void test_planes_that_do_not_fit_are_refused(void **state)
{
	uint8_t memory[1];

	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(raw_formats); k++) {
		for (unsigned int i = 0; i < ka_pixfmt_planes(raw_formats[k]); i++) {
			struct ka_frame good = describe(raw_formats[k], 101, 77, memory);
			struct ka_frame d = good;

			assert_int_equal(try(&d), 0);
			d.planes[i].size--;
			assert_int_equal(try(&d), -KA_E_FORMAT);
			d = good;
			d.planes[i].stride--;
			assert_int_equal(try(&d), -KA_E_FORMAT);
			d = good;
			d.planes[i].stride++; /* the rows grow beyond the memory */
			assert_int_equal(try(&d), -KA_E_FORMAT);
			d = good;
			d.planes[i].data = NULL;
			assert_int_equal(try(&d), -KA_E_FORMAT);
			d = good;
			d.planes[i].size = 0;
			assert_int_equal(try(&d), -KA_E_FORMAT);
		}
	}
}

static void test_strides_that_would_overflow_are_refused(void **state)
{
	static const size_t strides[] = {
		0, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 / KA_MAX_HEIGHT + 1, SIZE_MAX / 76 + 1, (size_t)1 << 63,
	};
	uint8_t memory[1];

	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(raw_formats); k++) {
		for (size_t i = 0; i < KA_ARRAY_LEN(strides); i++) {
			struct ka_frame d = describe(raw_formats[k], 100, 77, memory);

			d.planes[0].stride = strides[i];
			d.planes[0].size = SIZE_MAX;
			assert_int_equal(try(&d), -KA_E_FORMAT);
		}
	}
}

static void test_sizes_outside_the_limits_are_refused(void **state)
{
	static const uint32_t bad[][2] = {
		{0, 0},
		{0, 100},
		{100, 0},
		{KA_MIN_WIDTH - 1, 100},
		{100, KA_MIN_HEIGHT - 1},
		{KA_MAX_WIDTH + 1, 100},
		{100, KA_MAX_HEIGHT + 1},
		{UINT32_MAX, UINT32_MAX},
		{100, UINT32_MAX},
		{0x10000, 0x10000},
	};
	uint8_t memory[1];

	(void)state;
	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++) {
		struct ka_frame *f = NULL;
		struct ka_frame d = describe(KA_PIX_NV12, bad[i][0], bad[i][1], memory);

		d.planes[0].size = d.planes[1].size = SIZE_MAX;
		assert_int_equal(try(&d), -KA_E_FORMAT);
		assert_int_equal(ka_frame_alloc(&f, KA_PIX_NV12, bad[i][0], bad[i][1]), -KA_E_FORMAT);
		assert_null(f);
	}
	struct ka_frame edge = describe(KA_PIX_I420, KA_MAX_WIDTH, KA_MAX_HEIGHT, memory);

	assert_int_equal(try(&edge), 0);
	edge = describe(KA_PIX_I420, KA_MIN_WIDTH, KA_MIN_HEIGHT, memory);
	assert_int_equal(try(&edge), 0);
}

static void test_no_format_is_refused(void **state)
{
	struct ka_frame d = {.format = KA_PIX_NONE, .width = 100, .height = 100};
	struct ka_frame *f = NULL;

	(void)state;
	assert_int_equal(try(&d), -KA_E_FORMAT);
	assert_int_equal(ka_frame_alloc(&f, KA_PIX_NONE, 100, 100), -KA_E_FORMAT);
	assert_int_equal(ka_frame_alloc(&f, KA_PIX_MJPEG, 100, 100), -KA_E_FORMAT);
	assert_null(f);
}

static void test_mjpeg_needs_bytes_only(void **state)
{
	uint8_t memory[10];
	struct ka_frame d = {.format = KA_PIX_MJPEG, .width = 640, .height = 480};

	(void)state;
	assert_int_equal(try(&d), -KA_E_FORMAT);
	d.planes[0].data = memory;
	d.planes[0].size = sizeof(memory);
	assert_int_equal(try(&d), 0);
}

static void test_shapes_with_odd_sizes(void **state)
{
	static const struct {
		enum ka_pixfmt format;
		unsigned int planes;
		size_t row[3];
		uint32_t rows[3];
	} want[] = {
		{KA_PIX_NONE, 0, {0}, {0}},
		{KA_PIX_I420, 3, {101, 51, 51}, {77, 39, 39}},
		{KA_PIX_NV12, 2, {101, 102}, {77, 39}},
		{KA_PIX_NV16, 2, {101, 102}, {77, 77}},
		{KA_PIX_I422, 3, {101, 51, 51}, {77, 77, 77}},
		{KA_PIX_I444, 3, {101, 101, 101}, {77, 77, 77}},
		{KA_PIX_NV21, 2, {101, 102}, {77, 39}},
		{KA_PIX_NV61, 2, {101, 102}, {77, 77}},
		{KA_PIX_NV24, 2, {101, 202}, {77, 77}},
		{KA_PIX_NV42, 2, {101, 202}, {77, 77}},
		{KA_PIX_GREY, 1, {101}, {77}},
		{KA_PIX_YUYV, 1, {204}, {77}},
		{KA_PIX_UYVY, 1, {204}, {77}},
		{KA_PIX_RGB24, 1, {303}, {77}},
		{KA_PIX_BGR24, 1, {303}, {77}},
		{KA_PIX_YVYU, 1, {204}, {77}},
		{KA_PIX_VYUY, 1, {204}, {77}},
		{KA_PIX_RGBX, 1, {404}, {77}},
		{KA_PIX_BGRX, 1, {404}, {77}},
		{KA_PIX_XRGB, 1, {404}, {77}},
		{KA_PIX_XBGR, 1, {404}, {77}},
	};

	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(want); k++) {
		assert_int_equal(ka_pixfmt_planes(want[k].format), want[k].planes);
		assert_true(strlen(ka_pixfmt_name(want[k].format)) > 0);
		for (unsigned int i = 0; i < want[k].planes; i++) {
			assert_int_equal(ka_pixfmt_row_bytes(want[k].format, i, 101), want[k].row[i]);
			assert_int_equal(ka_pixfmt_rows(want[k].format, i, 77), want[k].rows[i]);
		}
	}
}

static void test_own_frames_hold_every_byte_they_promise(void **state)
{
	static const uint32_t sizes[][2] = {{64, 64}, {65, 67}, {1366, 768}, {101, 99}};

	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(raw_formats); k++) {
		for (size_t s = 0; s < KA_ARRAY_LEN(sizes); s++) {
			struct ka_frame *f;

			assert_int_equal(ka_frame_alloc(&f, raw_formats[k], sizes[s][0], sizes[s][1]), 0);
			for (unsigned int i = 0; i < ka_pixfmt_planes(raw_formats[k]); i++) {
				assert_int_equal(f->planes[i].stride % 64, 0);
				assert_int_equal((uintptr_t)f->planes[i].data % 64, 0);
				/* A sanitizer sees a byte too many, the reading below a plane on top of another. */
				memset(f->planes[i].data, (int)i + 1, f->planes[i].size);
			}
			for (unsigned int i = 0; i < ka_pixfmt_planes(raw_formats[k]); i++) {
				assert_int_equal(f->planes[i].data[0], i + 1);
				assert_int_equal(f->planes[i].data[f->planes[i].size - 1], i + 1);
			}
			ka_frame_unref(&f);
		}
	}
}

static void count_release(void *cookie)
{
	++*(int *)cookie;
}

static void test_planes_are_copied_without_padding(void **state)
{
	(void)state;
	for (size_t k = 0; k < KA_ARRAY_LEN(raw_formats); k++) {
		struct ka_frame *from, *to;

		assert_int_equal(ka_frame_alloc(&from, raw_formats[k], 101, 77), 0);
		assert_int_equal(ka_frame_alloc(&to, raw_formats[k], 101, 77), 0);
		for (size_t at = 0; at < from->bufs[0]->size; at++)
			from->bufs[0]->data[at] = (uint8_t)(at % 251);
		memset(to->bufs[0]->data, 255, to->bufs[0]->size);
		for (unsigned int i = 0; i < ka_pixfmt_planes(raw_formats[k]); i++) {
			size_t bytes = ka_pixfmt_row_bytes(raw_formats[k], i, 101);

			ka_frame_copy_plane(to, from, i);
			for (uint32_t y = 0; y < ka_pixfmt_rows(raw_formats[k], i, 77); y++) {
				const uint8_t *row = to->planes[i].data + y * to->planes[i].stride;

				assert_memory_equal(row, from->planes[i].data + y * from->planes[i].stride, bytes);
				for (size_t x = bytes; x < to->planes[i].stride; x++)
					assert_int_equal(row[x], 255);
			}
		}
		ka_frame_unref(&from);
		ka_frame_unref(&to);
	}
}

static void test_buffers_are_taken_over_on_success_only(void **state)
{
	uint8_t memory[64 * 64 * 2];
	struct ka_frame d = describe(KA_PIX_YUYV, 64, 64, memory);
	struct ka_frame *f = NULL;
	int released = 0;

	(void)state;
	assert_int_equal(ka_buf_wrap(&d.bufs[0], memory, sizeof(memory), count_release, &released), 0);
	d.planes[0].size = 1;
	assert_int_equal(ka_frame_new(&f, &d), -KA_E_FORMAT);
	assert_int_equal(released, 0);
	d.planes[0].size = sizeof(memory);
	assert_int_equal(ka_frame_new(&f, &d), 0);
	struct ka_frame *second = ka_frame_ref(f);

	ka_frame_unref(&f);
	assert_null(f);
	assert_int_equal(released, 0);
	ka_frame_unref(&second);
	assert_int_equal(released, 1);
	ka_frame_unref(&second);
}

static void test_writable_only_while_alone(void **state)
{
	struct ka_frame *f;
	struct ka_frame *second;
	struct ka_buf *memory;

	(void)state;
	assert_int_equal(ka_frame_alloc(&f, KA_PIX_I420, 64, 64), 0);
	assert_true(ka_frame_writable(f));
	second = ka_frame_ref(f);
	assert_false(ka_frame_writable(f));
	ka_frame_unref(&second);
	memory = ka_buf_ref(f->bufs[0]);
	assert_false(ka_frame_writable(f));
	ka_buf_unref(&memory);
	assert_true(ka_frame_writable(f));
	ka_frame_unref(&f);
}

static void test_stamps_fit_the_blocks_and_go_with_the_frame(void **state)
{
	struct ka_frame *own, *f;
	struct ka_frame d;
	struct ka_buf *stamps;

	(void)state;
	assert_int_equal(ka_frame_alloc(&own, KA_PIX_GREY, 98, 64), 0);
	d = *own;
	/* 7 x 4 blocks. */
	assert_int_equal(ka_buf_new(&stamps, 28 * sizeof(uint64_t) - 1), 0);
	d.stamps = stamps;
	assert_int_equal(ka_frame_new(&f, &d), -KA_E_FORMAT);
	ka_buf_unref(&stamps);
	assert_int_equal(ka_buf_new(&stamps, 28 * sizeof(uint64_t)), 0);
	d.bufs[0] = ka_buf_ref(own->bufs[0]);
	d.stamps = ka_buf_ref(stamps);
	assert_int_equal(ka_frame_new(&f, &d), 0);
	assert_false(ka_ref_only(&stamps->ref));
	ka_frame_unref(&f);
	assert_true(ka_ref_only(&stamps->ref));
	ka_buf_unref(&stamps);
	ka_frame_unref(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_planes_that_do_not_fit_are_refused),
		cmocka_unit_test(test_strides_that_would_overflow_are_refused),
		cmocka_unit_test(test_sizes_outside_the_limits_are_refused),
		cmocka_unit_test(test_no_format_is_refused),
		cmocka_unit_test(test_mjpeg_needs_bytes_only),
		cmocka_unit_test(test_shapes_with_odd_sizes),
		cmocka_unit_test(test_own_frames_hold_every_byte_they_promise),
		cmocka_unit_test(test_planes_are_copied_without_padding),
		cmocka_unit_test(test_buffers_are_taken_over_on_success_only),
		cmocka_unit_test(test_writable_only_while_alone),
		cmocka_unit_test(test_stamps_fit_the_blocks_and_go_with_the_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
