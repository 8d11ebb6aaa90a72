/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of the source as files, through the whole of capture/. */
#include "tests/fake/png_read.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/fake/capture_rig.h"

struct asked {
	struct ka_snapshot *s;
	sem_t done;
	struct ka_bytes png;
};

static void post(void *arg)
{
	sem_post(arg);
}

static int ask(struct asked *a, struct ka_capture *c, size_t max_bytes)
{
	a->s = NULL;
	sem_init(&a->done, 0, 0);
	return ka_capture_snapshot(c, max_bytes, (struct ka_wake){post, &a->done}, &a->s);
}

/* Waits for the end; gives the place back. */
static int answer(struct asked *a)
{
	struct timespec until;
	int ret;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	while ((ret = ka_snapshot_take(a->s, &a->png)) == -EAGAIN) {
		if (sem_timedwait(&a->done, &until) < 0 && errno == ETIMEDOUT)
			fail_msg("no answer");
	}
	ka_snapshot_drop(a->s);
	sem_destroy(&a->done);
	return ret;
}

static void assert_pixel(const struct png_picture *p, uint32_t x, uint32_t y, int r, int g, int b)
{
	const uint8_t *at = p->rgb + ((size_t)y * p->width + x) * 3;

	assert_in_range(at[0] + 2, r, r + 4);
	assert_in_range(at[1] + 2, g, g + 4);
	assert_in_range(at[2] + 2, b, b + 4);
}

static void test_nobody_watches(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct asked a;

	(void)state;
	assert_int_equal(ask(&a, c, 1 << 20), -ENODATA);
	capture_rig_finish(c);
}

static void test_card(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct png_picture p;
	struct watcher w;
	struct asked a;

	(void)state;
	capture_rig_watch(&w, c, 0, 0);
	/* Also before the first picture. */
	assert_int_equal(ask(&a, c, 1 << 20), 0);
	assert_int_equal(answer(&a), 0);
	p = png_read(a.png.data, a.png.len);
	assert_int_equal(p.width, 320);
	assert_int_equal(p.height, 240);
	assert_pixel(&p, 20, 60, 255, 255, 255);
	assert_pixel(&p, 60, 60, 255, 255, 0);
	assert_pixel(&p, 220, 60, 255, 0, 0);
	assert_pixel(&p, 260, 60, 0, 0, 255);
	assert_pixel(&p, 300, 60, 0, 0, 0);
	free(p.rgb);
	ka_bytes_fini(&a.png);
	/* Too big for who asked. */
	assert_int_equal(ask(&a, c, 200), 0);
	assert_int_equal(answer(&a), -KA_E_TOO_BIG);
	assert_null(a.png.data);
	capture_rig_leave(&w);
	capture_rig_finish(c);
}

static void test_slate(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct png_picture p;
	struct watcher w;
	struct asked a;
	unsigned int ink = 0;

	(void)state;
	fake_v4l2_init(&dev);
	dev.query_error = -ENOLINK;
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	assert_int_equal(ask(&a, c, 1 << 20), 0);
	assert_int_equal(answer(&a), 0);
	p = png_read(a.png.data, a.png.len);
	assert_int_equal(p.width, 1280);
	assert_int_equal(p.height, 720);
	for (size_t i = 0; i < (size_t)1280 * 720; i++)
		ink += p.rgb[3 * i] > 200;
	assert_in_range(ink, 100, 200000);
	free(p.rgb);
	ka_bytes_fini(&a.png);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

/* A driver's frame: the picture after the question, and the buffer comes back. */
static void test_driver_frame(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct png_picture p;
	struct watcher w;
	struct asked a;
	struct ka_packet *packet;

	(void)state;
	fake_v4l2_init(&dev);
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	while (!fake_v4l2_fill(&dev, 50, UINT32_MAX, 0))
		poll(NULL, 0, 1);
	packet = capture_rig_must_take(&w);
	ka_packet_unref(&packet);
	assert_int_equal(ask(&a, c, 4 << 20), 0);
	/* The one it gets is a later one: what was there before may be old. */
	while (ka_snapshot_take(a.s, &a.png) == -EAGAIN) {
		fake_v4l2_fill(&dev, 128, UINT32_MAX, 0);
		poll(NULL, 0, 5);
	}
	p = png_read(a.png.data, a.png.len);
	assert_int_equal(p.width, 640);
	assert_int_equal(p.height, 480);
	assert_pixel(&p, 333, 333, 130, 130, 130);
	ka_snapshot_drop(a.s);
	sem_destroy(&a.done);
	free(p.rgb);
	ka_bytes_fini(&a.png);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(fake_v4l2_mapped(&dev), 0);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

static void test_source_that_gives_nothing(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;
	struct asked a;
	int ret;

	(void)state;
	fake_v4l2_init(&dev);
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	assert_int_equal(ask(&a, c, 4 << 20), 0);
	/* The slate says "starting", then "no signal". */
	ret = answer(&a);
	assert_int_equal(ret, 0);
	ka_bytes_fini(&a.png);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	fake_v4l2_fini(&dev);
}

/* Asks until a place is free. */
static void ask_patiently(struct asked *a, struct ka_capture *c)
{
	int ret;

	for (int64_t until = ka_clock_us() + PATIENCE_MS * 1000; (ret = ask(a, c, 16 << 20)) == -KA_E_LIMIT;) {
		assert_true(ka_clock_us() < until);
		sem_destroy(&a->done);
		poll(NULL, 0, 1);
	}
	assert_int_equal(ret, 0);
}

static void drop(struct asked *a)
{
	ka_snapshot_drop(a->s);
	/* Nobody posts it any more. */
	sem_destroy(&a->done);
}

static void test_few_at_a_time_and_dropped_ones_make_room(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c;
	struct watcher w;
	struct asked a, b, more;

	(void)state;
	cfg.width = 1920;
	cfg.height = 1080;
	cfg.card_noise = 100;
	c = capture_rig_start(&cfg, NULL);
	capture_rig_watch(&w, c, 0, 0);
	capture_rig_skip(&w, 1);
	for (int i = 0; i < 20; i++) {
		ask_patiently(&a, c);
		ask_patiently(&b, c);
		assert_int_equal(ask(&more, c, 16 << 20), -KA_E_LIMIT);
		sem_destroy(&more.done);
		/* Dropped at any moment they end soon. */
		poll(NULL, 0, 3 * i);
		drop(&a);
		drop(&b);
	}
	ask_patiently(&a, c);
	assert_int_equal(answer(&a), 0);
	ka_bytes_fini(&a.png);
	capture_rig_leave(&w);
	capture_rig_finish(c);
}

static void test_stopped_meanwhile(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();

	(void)state;
	cfg.width = 1280;
	cfg.height = 720;
	for (int i = 0; i < 20; i++) {
		struct ka_capture *c = capture_rig_start(&cfg, NULL);
		struct watcher w;
		struct asked a, b;
		int ret;

		capture_rig_watch(&w, c, 0, 0);
		assert_int_equal(ask(&a, c, 16 << 20), 0);
		poll(NULL, 0, 2 * i);
		ka_capture_stop(c);
		ret = answer(&a);
		assert_true(ret == 0 || ret == -ECANCELED);
		ka_bytes_fini(&a.png);
		assert_true(ask(&b, c, 100) < 0);
		ka_capture_join(c);
		capture_rig_leave(&w);
		ka_capture_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_watches),
		cmocka_unit_test(test_card),
		cmocka_unit_test(test_slate),
		cmocka_unit_test(test_driver_frame),
		cmocka_unit_test(test_source_that_gives_nothing),
		cmocka_unit_test(test_few_at_a_time_and_dropped_ones_make_room),
		cmocka_unit_test(test_stopped_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
