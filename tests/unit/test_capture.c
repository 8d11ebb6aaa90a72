/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of capture/: from the configuration to the packets viewers get. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bitrate.h"
#include "base/clock.h"
#include "capture/capture_priv.h"
#include "tests/fake/fake_v4l2.h"

/* Generous: the machine may be busy with other tests. */
#define PATIENCE_MS 10000

struct watcher {
	struct ka_viewer *v;
	sem_t news;
};

static void post(void *arg)
{
	sem_post(arg);
}

static struct ka_capture_cfg card_cfg(void)
{
	return (struct ka_capture_cfg){.source = KA_SOURCE_CARD,
				       .width = 320,
				       .height = 240,
				       .fps = 60,
				       .preset = "ultrafast",
				       .slate_fps = 2};
}

static struct ka_capture_cfg v4l2_cfg(void)
{
	struct ka_capture_cfg cfg = card_cfg();

	cfg.source = KA_SOURCE_V4L2;
	cfg.device = "/dev/fake";
	cfg.width = cfg.height = 0;
	return cfg;
}

static struct ka_capture *start(const struct ka_capture_cfg *cfg, struct fake_v4l2 *dev)
{
	static const struct ka_v4l2_io nothing;
	struct ka_capture *c;
	struct ka_errbuf eb = {""};

	assert_int_equal(ka_capture_new_io(&c, cfg, dev ? &dev->io : &nothing, &eb), 0);
	assert_int_equal(ka_capture_start(c), 0);
	return c;
}

static void finish(struct ka_capture *c)
{
	ka_capture_stop(c);
	ka_capture_join(c);
	ka_capture_free(c);
}

static void watch(struct watcher *w, struct ka_capture *c, uint32_t kbps, uint32_t fps)
{
	struct ka_video_wish wish = {.kbps = kbps, .fps = fps};

	sem_init(&w->news, 0, 0);
	assert_int_equal(ka_viewer_new(&w->v, c, &wish, (struct ka_wake){post, &w->news}), 0);
}

static void leave(struct watcher *w)
{
	ka_viewer_free(w->v);
	sem_destroy(&w->news);
}

/* The next packet, or NULL after ms. */
static struct ka_packet *take(struct watcher *w, unsigned int ms)
{
	struct ka_packet *p;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!(p = ka_hub_take(ka_viewer_sub(w->v)))) {
		if (sem_timedwait(&w->news, &until) < 0 && errno == ETIMEDOUT)
			return ka_hub_take(ka_viewer_sub(w->v));
	}
	return p;
}

static struct ka_packet *must_take(struct watcher *w)
{
	struct ka_packet *p = take(w, PATIENCE_MS);

	assert_non_null(p);
	return p;
}

/* Drops packets until a key packet. */
static struct ka_packet *take_key(struct watcher *w)
{
	for (;;) {
		struct ka_packet *p = must_take(w);

		if (p->key)
			return p;
		ka_packet_unref(&p);
	}
}

static void skip_packets(struct watcher *w, unsigned int n)
{
	while (n--) {
		struct ka_packet *p = must_take(w);

		ka_packet_unref(&p);
	}
}

static void test_config_mistakes_are_told(void **state)
{
	struct ka_capture_cfg cfg;
	struct ka_capture *c;

	(void)state;
#define REFUSED(base, field, value, word)                                                                              \
	do {                                                                                                           \
		struct ka_errbuf eb = {""};                                                                            \
		cfg = base();                                                                                          \
		cfg.field = value;                                                                                     \
		assert_int_equal(ka_capture_new(&c, &cfg, &eb), -KA_E_CONFIG);                                         \
		assert_non_null(strstr(eb.text, word));                                                                \
	} while (0)
	REFUSED(card_cfg, fps, 0, "fps 0");
	REFUSED(card_cfg, fps, 121, "fps 121");
	REFUSED(card_cfg, slate_fps, 0, "slate_fps 0");
	REFUSED(card_cfg, slate_fps, 11, "slate_fps 11");
	REFUSED(card_cfg, width, 321, "321x240");
	REFUSED(card_cfg, height, 62, "320x62");
	REFUSED(card_cfg, width, 4098, "4098x240");
	REFUSED(card_cfg, preset, "warp", "warp");
	REFUSED(card_cfg, tune, "cello", "cello");
	REFUSED(card_cfg, threads, 99, "99");
	REFUSED(v4l2_cfg, device, "", "device");
	REFUSED(v4l2_cfg, device, NULL, "device");
	REFUSED(v4l2_cfg, width, 640, "640x0");
}

static void test_nothing_happens_while_nobody_watches(void **state)
{
	struct fake_v4l2 dev;
	struct ka_capture_cfg cfg = v4l2_cfg();
	struct ka_capture_stats st;
	struct ka_signal sig;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	c = start(&cfg, &dev);
	ka_capture_signal(c, &sig);
	assert_false(sig.watched);
	watch(&w, c, 0, 0);
	ka_packet_unref(&(struct ka_packet *){take_key(&w)});
	ka_capture_signal(c, &sig);
	assert_true(sig.watched);
	leave(&w);
	/* The device is closed soon after. */
	for (int64_t end = ka_clock_us() + PATIENCE_MS * 1000; ka_clock_us() < end;) {
		bool closed;

		pthread_mutex_lock(&dev.lock);
		closed = dev.closes == dev.opens;
		pthread_mutex_unlock(&dev.lock);
		if (closed)
			break;
	}
	assert_int_equal(dev.opens, 1);
	assert_int_equal(dev.closes, 1);
	ka_capture_stats(c, &st);
	assert_true(st.encoded > 0);
	finish(c);
	assert_int_equal(dev.opens, 1);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

static void test_card_packets_rise_and_begin_with_a_key(void **state)
{
	struct ka_capture_cfg cfg = card_cfg();
	struct ka_capture *c = start(&cfg, NULL);
	struct ka_capture_stats st;
	struct ka_signal sig;
	struct watcher w;
	int64_t pts = -1;
	int64_t sequence = -1;

	(void)state;
	watch(&w, c, 0, 0);
	for (int i = 0; i < 40; i++) {
		struct ka_packet *p = must_take(&w);

		assert_int_equal(p->key, i == 0);
		assert_int_equal(p->width, 320);
		assert_int_equal(p->height, 240);
		assert_true(p->pts_ms > pts);
		assert_true((int64_t)p->sequence > sequence);
		assert_true(p->encoded_us >= p->captured_us);
		pts = p->pts_ms;
		sequence = (int64_t)p->sequence;
		ka_packet_unref(&p);
	}
	ka_capture_signal(c, &sig);
	assert_int_equal(sig.cause, 0);
	assert_int_equal(sig.geometry.width, 320);
	assert_int_equal(sig.source_fps_mhz, 60000);
	ka_capture_stats(c, &st);
	assert_true(st.encoded >= 40);
	assert_true(st.captured >= 40);
	assert_int_equal(st.key_frames, 1);
	assert_true(st.bytes > 0 && st.encode_us > 0);
	leave(&w);
	finish(c);
}

static void test_joining_viewer_gets_its_key_at_once(void **state)
{
	struct ka_capture_cfg cfg = card_cfg();
	struct ka_capture *c = start(&cfg, NULL);
	struct watcher first, late;
	struct ka_packet *p;
	int64_t asked;

	(void)state;
	/* One picture a second: its key cannot wait for the next one. */
	watch(&first, c, 0, 1);
	skip_packets(&first, 1);
	for (int i = 0; i < 5; i++) {
		watch(&late, c, 0, 0);
		asked = ka_clock_us();
		p = must_take(&late);
		assert_true(p->key);
		assert_true(ka_clock_us() - asked < 600000);
		ka_packet_unref(&p);
		leave(&late);
	}
	leave(&first);
	finish(c);
}

static void test_asked_keys_are_limited(void **state)
{
	struct ka_capture_cfg cfg = card_cfg();
	struct ka_capture *c = start(&cfg, NULL);
	struct ka_capture_stats st;
	struct watcher w;
	int64_t begin;
	unsigned int keys = 0;

	(void)state;
	watch(&w, c, 0, 0);
	skip_packets(&w, 1);
	begin = ka_clock_us();
	while (ka_clock_us() - begin < 1000000) {
		struct ka_packet *p;

		ka_viewer_request_key(w.v);
		p = must_take(&w);
		keys += p->key;
		ka_packet_unref(&p);
	}
	ka_capture_stats(c, &st);
	assert_in_range(keys, 1, 4);
	leave(&w);
	finish(c);
}

static void test_rate_wishes_reach_the_encoder(void **state)
{
	struct ka_capture_cfg cfg = card_cfg();
	struct ka_capture *c = start(&cfg, NULL);
	struct ka_video_wish wish = {.kbps = 700};
	struct watcher a, b;
	struct ka_capture_stats st;

	(void)state;
	watch(&a, c, 0, 0);
	skip_packets(&a, 2);
	assert_int_equal(ka_capture_kbps(c), ka_bitrate_kbps(320, 240, 0));
	watch(&b, c, 500, 0);
	skip_packets(&b, 3);
	assert_int_equal(ka_capture_kbps(c), 500);
	ka_viewer_set(a.v, &wish);
	skip_packets(&b, 8);
	assert_int_equal(ka_capture_kbps(c), 700);
	/* No new encoder for that: key pictures only for the two who joined. */
	ka_capture_stats(c, &st);
	assert_in_range(st.key_frames, 2, 2);
	leave(&a);
	leave(&b);
	finish(c);
}

static void test_viewers_come_and_go(void **state)
{
	struct ka_capture_cfg cfg = card_cfg();
	struct ka_capture *c = start(&cfg, NULL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct watcher w[8];

		for (int k = 0; k < 8; k++)
			watch(&w[k], c, 0, 0);
		for (int k = 0; k < 8; k++) {
			struct ka_packet *p = must_take(&w[k]);

			assert_true(p->key);
			ka_packet_unref(&p);
			leave(&w[k]);
		}
	}
	finish(c);
}

static void test_start_and_stop_many_times(void **state)
{
	struct ka_capture_cfg cfg = card_cfg();

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct ka_capture *c = start(&cfg, NULL);
		struct watcher w;

		if (i % 3 == 0) {
			finish(c);
			continue;
		}
		watch(&w, c, 0, 0);
		if (i % 3 == 1)
			skip_packets(&w, 1 + (unsigned int)i % 4);
		/* Stopping with a viewer still there. */
		ka_capture_stop(c);
		ka_capture_join(c);
		leave(&w);
		ka_capture_free(c);
	}
}

static void test_missing_device_shows_a_slate_then_live(void **state)
{
	struct ka_capture_cfg cfg = v4l2_cfg();
	struct fake_v4l2 dev;
	struct ka_signal sig;
	struct ka_capture *c;
	struct watcher w;
	struct ka_packet *p;

	(void)state;
	fake_v4l2_init(&dev);
	dev.absent = true;
	c = start(&cfg, &dev);
	watch(&w, c, 0, 0);
	p = must_take(&w);
	assert_true(p->key);
	assert_int_equal(p->width, 1280);
	assert_int_equal(p->height, 720);
	ka_packet_unref(&p);
	ka_capture_signal(c, &sig);
	assert_int_equal(sig.cause, -KA_E_NO_DEVICE);
	skip_packets(&w, 3); /* and it goes on */
	pthread_mutex_lock(&dev.lock);
	dev.absent = false;
	pthread_mutex_unlock(&dev.lock);
	do {
		fake_v4l2_fill(&dev, 100, UINT32_MAX, 0);
		ka_packet_unref(&p);
		p = take(&w, 20);
	} while (!p || p->width != 640);
	assert_true(p->key);
	ka_packet_unref(&p);
	ka_capture_signal(c, &sig);
	assert_int_equal(sig.cause, 0);
	assert_int_equal(sig.geometry.width, 640);
	leave(&w);
	finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

/* Feeds pictures until a packet with the wanted width has come, a key one if it is new. */
static void feed_until(struct fake_v4l2 *dev, struct watcher *w, struct ka_capture *c, uint32_t width, int cause)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (ka_clock_us() < end) {
		struct ka_packet *p;
		struct ka_signal sig;
		bool there;

		fake_v4l2_fill(dev, 100, UINT32_MAX, 0);
		p = take(w, 20);
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
	struct ka_capture_cfg cfg = v4l2_cfg();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	c = start(&cfg, &dev);
	watch(&w, c, 0, 0);
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
	leave(&w);
	finish(c);
	assert_int_equal(dev.violations, 0);
	assert_int_equal(dev.maps, dev.unmaps);
	fake_v4l2_fini(&dev);
}

static void test_stalled_device_is_restarted(void **state)
{
	struct ka_capture_cfg cfg = v4l2_cfg();
	struct fake_v4l2 dev;
	struct ka_signal sig;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	c = start(&cfg, &dev);
	watch(&w, c, 0, 0);
	feed_until(&dev, &w, c, 640, 0);
	for (int64_t end = ka_clock_us() + PATIENCE_MS * 1000; ka_clock_us() < end;) {
		struct ka_packet *p = take(&w, 100);

		ka_packet_unref(&p);
		ka_capture_signal(c, &sig);
		if (sig.cause)
			break;
	}
	assert_int_equal(sig.cause, -KA_E_NO_SIGNAL);
	feed_until(&dev, &w, c, 640, 0);
	assert_true(dev.streamons >= 2);
	leave(&w);
	finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

static void test_device_without_orphans_restarts(void **state)
{
	struct ka_capture_cfg cfg = v4l2_cfg();
	struct fake_v4l2 dev;
	struct ka_capture *c;
	struct watcher w;

	(void)state;
	fake_v4l2_init(&dev);
	dev.keeps_mapped = true; /* NV12 passes uncopied: the last frame is still held when the source changes */
	c = start(&cfg, &dev);
	watch(&w, c, 0, 0);
	feed_until(&dev, &w, c, 640, 0);
	fake_v4l2_change(&dev, 1024, 768, 0);
	feed_until(&dev, &w, c, 1024, 0);
	leave(&w);
	finish(c);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_mistakes_are_told),
		cmocka_unit_test(test_nothing_happens_while_nobody_watches),
		cmocka_unit_test(test_card_packets_rise_and_begin_with_a_key),
		cmocka_unit_test(test_joining_viewer_gets_its_key_at_once),
		cmocka_unit_test(test_asked_keys_are_limited),
		cmocka_unit_test(test_rate_wishes_reach_the_encoder),
		cmocka_unit_test(test_viewers_come_and_go),
		cmocka_unit_test(test_start_and_stop_many_times),
		cmocka_unit_test(test_missing_device_shows_a_slate_then_live),
		cmocka_unit_test(test_signal_goes_comes_and_changes),
		cmocka_unit_test(test_stalled_device_is_restarted),
		cmocka_unit_test(test_device_without_orphans_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
