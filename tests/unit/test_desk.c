/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/desk.h"
#include "base/attr.h"

#define AUTO(w, h)                                                                                                     \
	{                                                                                                              \
		.width = (w), .height = (h)                                                                            \
	}
#define AT(px, py, w, h)                                                                                               \
	{                                                                                                              \
		.fixed = true, .x = (px), .y = (py), .width = (w), .height = (h)                                       \
	}

static void expect(struct ka_desk_place *p, size_t n, const int32_t (*want)[2])
{
	ka_desk_arrange(p, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p[i].x, want[i][0]);
		assert_int_equal(p[i].y, want[i][1]);
	}
}

#define EXPECT(p, ...) expect(p, KA_ARRAY_LEN(p), (const int32_t[][2]){__VA_ARGS__})

static void test_a_row_follows_the_sizes(void **state)
{
	struct ka_desk_place one[] = {AUTO(1280, 720)};
	struct ka_desk_place row[] = {AUTO(1920, 1080), AUTO(640, 480), AUTO(1280, 1024), AUTO(800, 600)};

	(void)state;
	EXPECT(one, {0, 0});
	EXPECT(row, {0, 0}, {1920, 0}, {2560, 0}, {3840, 0});
	row[0].width = 1280;
	EXPECT(row, {0, 0}, {1280, 0}, {1920, 0}, {3200, 0});
}

static void test_what_is_said_counts(void **state)
{
	struct ka_desk_place one[] = {AT(100, -50, 640, 480)};
	struct ka_desk_place mixed[] = {AUTO(1920, 1080), AT(0, 1080, 1920, 1080), AUTO(1280, 720),
					AT(-800, 0, 800, 600)};

	(void)state;
	EXPECT(one, {100, -50});
	EXPECT(mixed, {0, 0}, {0, 1080}, {1920, 1080}, {-800, 0});
}

static void test_nothing_covers_anything(void **state)
{
	/* Grown in turn: the one before on the left, one above, one that hangs to the left. */
	struct ka_desk_place right[] = {AUTO(2560, 1440), AT(1920, 0, 1920, 1080)};
	struct ka_desk_place below[] = {AUTO(1920, 1200), AT(0, 1080, 1920, 1080)};
	struct ka_desk_place left[] = {AUTO(1920, 1080), AT(-1920, 0, 2560, 1440)};
	struct ka_desk_place above[] = {AUTO(1920, 1080), AT(0, -1080, 1920, 1200)};
	struct ka_desk_place heap[] = {AT(0, 0, 640, 480), AT(0, 0, 640, 480), AT(0, 0, 640, 480), AT(0, 0, 640, 480)};

	(void)state;
	EXPECT(right, {0, 0}, {2560, 0});
	EXPECT(below, {0, 0}, {0, 1200});
	EXPECT(left, {0, 0}, {-2560, 0});
	EXPECT(above, {0, 0}, {0, -1200});
	/* Whatever is said, it comes to an end. */
	ka_desk_arrange(heap, KA_ARRAY_LEN(heap));
	assert_int_equal(heap[1].y, 480);
}

static void test_far_corners(void **state)
{
	struct ka_desk_place far[] = {AT(-32767, 32767, 4096, 2304), AT(32767, -32767, 4096, 2304), AUTO(4096, 2304),
				      AUTO(4096, 2304)};

	(void)state;
	EXPECT(far, {-32767, 32767}, {32767, -32767}, {36863, -32767}, {40959, -32767});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_row_follows_the_sizes),
		cmocka_unit_test(test_what_is_said_counts),
		cmocka_unit_test(test_nothing_covers_anything),
		cmocka_unit_test(test_far_corners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
