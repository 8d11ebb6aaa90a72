/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of capture/ on a scripted device: signals and devices that come and go. */
#include <errno.h>
#include <sched.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bitrate.h"
#include "base/clock.h"
#include "tests/fake/capture_rig.h"

static void test_missing_device_shows_a_slate_then_live(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_signal sig;
	struct ka_capture *c;
	struct watcher w;
	struct ka_packet *p;

	(void)state;
	fake_v4l2_init(&dev);
	dev.absent = true;
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	p = capture_rig_must_take(&w);
	assert_true(p->key);
	assert_int_equal(p->width, 1280);
	assert_int_equal(p->height, 720);
	ka_packet_unref(&p);
	ka_capture_signal(c, &sig);
	assert_int_equal(sig.cause, -KA_E_NO_DEVICE);
	capture_rig_skip(&w, 3); /* and it goes on */
	pthread_mutex_lock(&dev.lock);
	dev.absent = false;
	pthread_mutex_unlock(&dev.lock);
	do {
		fake_v4l2_fill(&dev, 100, UINT32_MAX, 0);
		ka_packet_unref(&p);
		p = capture_rig_take(&w, 20);
	} while (!p || p->width != 640);
	assert_true(p->key);
	ka_packet_unref(&p);
	ka_capture_signal(c, &sig);
	assert_int_equal(sig.cause, 0);
	assert_int_equal(sig.geometry.width, 640);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

/* Feeds pictures until a packet of this width has come while the cause is this one. */
static void feed_until(struct fake_v4l2 *dev, struct watcher *w, struct ka_capture *c, uint32_t width, int cause)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (ka_clock_us() < end) {
		struct ka_packet *p;
		struct ka_signal sig;
		bool there;

		fake_v4l2_fill(dev, 100, UINT32_MAX, 0);
		p = capture_rig_take(w, 20);
		ka_capture_signal(c, &sig);
		there = p && p->width == width && sig.cause == cause;
		ka_packet_unref(&p);
		if (there)
			return;
	}
	fail_msg("no picture of width %u with cause %d", width, cause);
}

static void test_signal_goes_comes_and_changes(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	feed_until(&dev, &w, c, 640, 0);
	fake_v4l2_change(&dev, 0, 0, -ENOLINK);
	feed_until(&dev, &w, c, 640, -KA_E_NO_CABLE);
	fake_v4l2_change(&dev, 1280, 720, 0);
	feed_until(&dev, &w, c, 1280, 0);
	fake_v4l2_change(&dev, 800, 600, 0);
	feed_until(&dev, &w, c, 800, 0);
	fake_v4l2_fail(&dev, VIDIOC_DQBUF, -EIO, 1);
	feed_until(&dev, &w, c, 800, 0);
	/* Readable for ever and nothing in it: closed and opened again, twice. */
	fake_v4l2_fail(&dev, VIDIOC_DQBUF, -EAGAIN, 120);
	feed_until(&dev, &w, c, 800, 0);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(dev.violations, 0);
	assert_int_equal(dev.maps, dev.unmaps);
	fake_v4l2_fini(&dev);
}

static void test_stalled_device_is_restarted(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_signal sig;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	feed_until(&dev, &w, c, 640, 0);
	for (int64_t end = ka_clock_us() + PATIENCE_MS * 1000; ka_clock_us() < end;) {
		struct ka_packet *p = capture_rig_take(&w, 100);

		ka_packet_unref(&p);
		ka_capture_signal(c, &sig);
		if (sig.cause)
			break;
	}
	assert_int_equal(sig.cause, -KA_E_NO_SIGNAL);
	feed_until(&dev, &w, c, 640, 0);
	assert_true(dev.streamons >= 2);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

static void test_device_without_orphans_restarts(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	dev.keeps_mapped = true; /* NV12 passes uncopied: the last frame is still held when the source changes */
	c = capture_rig_start(&cfg, &dev);
	capture_rig_watch(&w, c, 0, 0);
	feed_until(&dev, &w, c, 640, 0);
	fake_v4l2_change(&dev, 1024, 768, 0);
	feed_until(&dev, &w, c, 1024, 0);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

static unsigned int count(struct fake_v4l2 *dev, const unsigned int *what)
{
	unsigned int n;

	pthread_mutex_lock(&dev->lock);
	n = *what;
	pthread_mutex_unlock(&dev->lock);
	return n;
}

static void wait_count(struct fake_v4l2 *dev, const unsigned int *what, unsigned int n)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (count(dev, what) < n && ka_clock_us() < end)
		sched_yield();
	assert_int_equal(count(dev, what), n);
}

static void test_target_finds_a_monitor_that_nobody_watches(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX], hd = {1280, 720, 60}, none = {1000, 700, 60};
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;

	(void)state;
	fake_v4l2_init(&dev);
	cfg.edid = "auto";
	cfg.edid_modes = "800x600, 1280x720";
	cfg.edid_name = "kvm";
	dev.absent = true;
	c = capture_rig_start(&cfg, &dev);
	assert_int_equal(ka_capture_prefer(c, &hd), -ENOENT);
	/* Plugged in later. */
	pthread_mutex_lock(&dev.lock);
	dev.absent = false;
	pthread_mutex_unlock(&dev.lock);
	wait_count(&dev, &dev.edids, 1);
	wait_count(&dev, &dev.closes, 1);
	assert_int_equal(ka_capture_modes(c, modes), 3);
	assert_int_equal(modes[0].width, 800);
	/* A choice opens it once more. */
	assert_int_equal(ka_capture_prefer(c, &none), -ENOENT);
	assert_int_equal(ka_capture_prefer(c, &hd), 0);
	wait_count(&dev, &dev.edids, 2);
	wait_count(&dev, &dev.closes, 2);
	assert_int_equal(ka_capture_modes(c, modes), 3);
	assert_int_equal(modes[0].width, 1280);
	assert_int_equal(ka_capture_prefer(c, &hd), 0);
	capture_rig_finish(c);
	assert_int_equal(dev.opens, 2);
	assert_int_equal(dev.streamons, 0);
	fake_v4l2_fini(&dev);
}

static void test_mode_chosen_on_a_busy_device_reopens_it(void **state)
{
	struct ka_video_mode hd = {1280, 720, 60};
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;
	unsigned int opens;

	(void)state;
	fake_v4l2_init(&dev);
	dev.edid_busy = true;
	cfg.edid = "auto";
	cfg.edid_modes = "800x600, 1280x720";
	cfg.edid_name = "kvm";
	c = capture_rig_start(&cfg, &dev);
	wait_count(&dev, &dev.edids, 1);
	capture_rig_watch(&w, c, 0, 0);
	feed_until(&dev, &w, c, 640, 0);
	opens = count(&dev, &dev.opens);
	assert_int_equal(ka_capture_prefer(c, &hd), 0);
	wait_count(&dev, &dev.edids, 2);
	feed_until(&dev, &w, c, 640, 0);
	assert_int_equal(count(&dev, &dev.opens), opens + 1);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_device_shows_a_slate_then_live),
		cmocka_unit_test(test_signal_goes_comes_and_changes),
		cmocka_unit_test(test_stalled_device_is_restarted),
		cmocka_unit_test(test_device_without_orphans_restarts),
		cmocka_unit_test(test_target_finds_a_monitor_that_nobody_watches),
		cmocka_unit_test(test_mode_chosen_on_a_busy_device_reopens_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
