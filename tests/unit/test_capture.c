/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole of capture/ on the test card: from the configuration to the packets viewers get. */
#include <errno.h>
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
	REFUSED(capture_rig_card, fps, 0, "fps 0");
	REFUSED(capture_rig_card, fps, 121, "fps 121");
	REFUSED(capture_rig_card, slate_fps, 0, "slate_fps 0");
	REFUSED(capture_rig_card, slate_fps, 11, "slate_fps 11");
	REFUSED(capture_rig_card, width, 321, "321x240");
	REFUSED(capture_rig_card, height, 62, "320x62");
	REFUSED(capture_rig_card, width, 4098, "4098x240");
	REFUSED(capture_rig_card, preset, "warp", "warp");
	REFUSED(capture_rig_card, tune, "cello", "cello");
	REFUSED(capture_rig_card, threads, 99, "99");
	REFUSED(capture_rig_v4l2, device, "", "device");
	REFUSED(capture_rig_v4l2, device, NULL, "device");
	REFUSED(capture_rig_v4l2, width, 640, "640x0");
}

static void test_nothing_happens_while_nobody_watches(void **state)
{
	struct fake_v4l2 dev;
	struct ka_capture_cfg cfg = capture_rig_v4l2();
	struct ka_capture_stats st;
	struct ka_signal sig;
	struct ka_capture *c;
	struct watcher w;
	unsigned int opens;

	(void)state;
	fake_v4l2_init(&dev);
	c = capture_rig_start(&cfg, &dev);
	ka_capture_signal(c, &sig);
	assert_false(sig.watched);
	capture_rig_watch(&w, c, 0, 0);
	capture_rig_skip(&w, 1);
	ka_capture_signal(c, &sig);
	assert_true(sig.watched);
	capture_rig_leave(&w);
	/* The device is closed soon after. */
	for (int64_t end = ka_clock_us() + PATIENCE_MS * 1000; ka_clock_us() < end;) {
		bool closed; /* also by the look at its modes at the start */

		pthread_mutex_lock(&dev.lock);
		closed = dev.closes == dev.opens;
		pthread_mutex_unlock(&dev.lock);
		if (closed)
			break;
	}
	assert_true(dev.opens >= 1 && dev.opens <= 2);
	assert_int_equal(dev.closes, dev.opens);
	ka_capture_stats(c, &st);
	assert_true(st.encoded > 0);
	opens = dev.opens;
	capture_rig_finish(c);
	assert_int_equal(dev.opens, opens);
	assert_int_equal(dev.violations, 0);
	fake_v4l2_fini(&dev);
}

static bool rises(const struct ka_stamps *at)
{
	return at->captured_us <= at->dequeued_us && at->dequeued_us <= at->prepared_us &&
	       at->prepared_us <= at->begun_us && at->begun_us <= at->encoded_us;
}

static void test_card_packets_rise_and_begin_with_a_key(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct ka_capture_stats st;
	struct ka_signal sig;
	struct watcher w;
	int64_t pts = -1;
	int64_t sequence = -1;
	struct ka_percentiles delays;
	unsigned int stamped = 0;

	(void)state;
	capture_rig_watch(&w, c, 0, 0);
	for (int i = 0; i < 40; i++) {
		struct ka_packet *p = capture_rig_must_take(&w);

		assert_int_equal(p->key, i == 0);
		assert_int_equal(p->width, 320);
		assert_int_equal(p->height, 240);
		assert_true(p->pts_ms > pts);
		assert_true((int64_t)p->sequence > sequence);
		assert_true(p->encoded_us >= p->captured_us);
		assert_true(p->stamps.captured_us == 0 || rises(&p->stamps));
		stamped += p->stamps.captured_us > 0;
		pts = p->pts_ms;
		sequence = (int64_t)p->sequence;
		ka_packet_unref(&p);
	}
	/* All but those shown again for the newcomer. */
	assert_true(stamped >= 30);
	ka_capture_stage(c, KA_STAGE_ENCODE, &delays);
	assert_true(delays.count >= stamped && delays.p50_us > 0);
	ka_capture_signal(c, &sig);
	assert_int_equal(sig.cause, 0);
	assert_int_equal(sig.geometry.width, 320);
	assert_int_equal(sig.source_fps_mhz, 60000);
	ka_capture_stats(c, &st);
	assert_true(st.encoded >= 40);
	assert_true(st.captured >= 40);
	assert_int_equal(st.key_frames, 1);
	assert_true(st.bytes > 0 && st.encode_us > 0);
	capture_rig_leave(&w);
	capture_rig_finish(c);
}

static void test_joining_viewer_gets_its_key_at_once(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct watcher first, late;
	struct ka_packet *p;
	int64_t asked, fastest = INT64_MAX;

	(void)state;
	/* One picture a second: its key cannot wait for the next one. */
	capture_rig_watch(&first, c, 0, 1);
	capture_rig_skip(&first, 1);
	for (int i = 0; i < 5; i++) {
		capture_rig_watch(&late, c, 0, 0);
		asked = ka_clock_us();
		p = capture_rig_must_take(&late);
		assert_true(p->key);
		fastest = KA_MIN(fastest, ka_clock_us() - asked);
		ka_packet_unref(&p);
		capture_rig_leave(&late);
	}
	/* Nor for the repeat of a still, which comes four times a second. */
	assert_true(fastest < 150000);
	capture_rig_leave(&first);
	capture_rig_finish(c);
}

#define NEWCOMERS 6

/* That many come at once; key pictures that `first` sees until all have theirs, or -1 when it took too long to say. */
static int keys_of_a_crowd(struct ka_capture *c, struct watcher *first)
{
	struct watcher crowd[NEWCOMERS];
	struct ka_packet *p;
	int64_t begin = ka_clock_us();
	int64_t took;
	int keys = 0;

	for (size_t i = 0; i < NEWCOMERS; i++)
		capture_rig_watch(&crowd[i], c, 0, 0);
	took = ka_clock_us() - begin;
	for (size_t i = 0; i < NEWCOMERS; i++) {
		p = capture_rig_must_take(&crowd[i]);
		assert_true(p->key);
		ka_packet_unref(&p);
	}
	for (size_t i = 0; i < NEWCOMERS; i++)
		capture_rig_leave(&crowd[i]);
	while ((p = capture_rig_take(first, 50))) {
		keys += p->key;
		ka_packet_unref(&p);
	}
	return took < 5000 ? keys : -1;
}

static void test_crowd_of_newcomers_costs_one_key_picture(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct watcher first;
	int keys = -1;

	(void)state;
	/* One picture a second: in between, only what the newcomers cause. */
	capture_rig_watch(&first, c, 0, 1);
	capture_rig_skip(&first, 1);
	for (int i = 0; i < 50 && keys < 0; i++)
		keys = keys_of_a_crowd(c, &first);
	/* One more when the encoder was at work just then. */
	assert_in_range(keys, 1, 2);
	capture_rig_leave(&first);
	capture_rig_finish(c);
}

static void test_asked_keys_are_limited(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct ka_capture_stats st;
	struct watcher w;
	int64_t begin;
	unsigned int keys = 0;

	(void)state;
	capture_rig_watch(&w, c, 0, 0);
	capture_rig_skip(&w, 1);
	begin = ka_clock_us();
	while (ka_clock_us() - begin < 1000000) {
		struct ka_packet *p;

		ka_viewer_request_key(w.v);
		p = capture_rig_must_take(&w);
		keys += p->key;
		ka_packet_unref(&p);
	}
	ka_capture_stats(c, &st);
	assert_in_range(keys, 1, 4);
	capture_rig_leave(&w);
	capture_rig_finish(c);
}

static void test_rate_wishes_reach_the_encoder(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	struct ka_video_wish wish = {.kbps = 700};
	struct watcher a, b;
	struct ka_capture_stats st;

	(void)state;
	capture_rig_watch(&a, c, 0, 0);
	capture_rig_skip(&a, 2);
	assert_int_equal(ka_capture_kbps(c), ka_bitrate_kbps(320, 240, 0));
	capture_rig_watch(&b, c, 500, 0);
	capture_rig_skip(&b, 3);
	assert_int_equal(ka_capture_kbps(c), 500);
	ka_viewer_set(a.v, &wish);
	capture_rig_skip(&b, 8);
	assert_int_equal(ka_capture_kbps(c), 700);
	/* No new encoder for that: key pictures only for the two who joined. */
	ka_capture_stats(c, &st);
	assert_in_range(st.key_frames, 2, 2);
	capture_rig_leave(&a);
	capture_rig_leave(&b);
	capture_rig_finish(c);
}

/* Of the first viewer's first picture, at 400 kbit/s. */
static size_t first_size(bool narrow)
{
	struct ka_video_wish wish = {.kbps = 400, .narrow = narrow};
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c;
	struct ka_packet *p;
	struct watcher w;
	size_t size;

	cfg.card_noise = 100;
	c = capture_rig_start(&cfg, NULL);
	capture_rig_watch_as(&w, c, &wish);
	p = capture_rig_must_take(&w);
	assert_true(p->key);
	size = p->size;
	ka_packet_unref(&p);
	capture_rig_leave(&w);
	capture_rig_finish(c);
	return size;
}

static void test_key_picture_is_small_on_a_narrow_link(void **state)
{
	(void)state;
	/* 250 ms of it. */
	assert_true(first_size(true) <= 400 * 250 / 8);
	assert_true(first_size(false) > 400 * 250 / 8);
}

static void test_viewers_come_and_go(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct watcher w[8];

		for (int k = 0; k < 8; k++)
			capture_rig_watch(&w[k], c, 0, 0);
		for (int k = 0; k < 8; k++) {
			struct ka_packet *p = capture_rig_must_take(&w[k]);

			assert_true(p->key);
			ka_packet_unref(&p);
			capture_rig_leave(&w[k]);
		}
	}
	capture_rig_finish(c);
}

static void test_start_and_stop_many_times(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct ka_capture *c = capture_rig_start(&cfg, NULL);
		struct watcher w;

		if (i % 3 == 0) {
			capture_rig_finish(c);
			continue;
		}
		capture_rig_watch(&w, c, 0, 0);
		if (i % 3 == 1)
			capture_rig_skip(&w, 1 + (unsigned int)i % 4);
		/* Stopping with a viewer still there. */
		ka_capture_stop(c);
		ka_capture_join(c);
		capture_rig_leave(&w);
		ka_capture_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_mistakes_are_told),
		cmocka_unit_test(test_nothing_happens_while_nobody_watches),
		cmocka_unit_test(test_card_packets_rise_and_begin_with_a_key),
		cmocka_unit_test(test_joining_viewer_gets_its_key_at_once),
		cmocka_unit_test(test_crowd_of_newcomers_costs_one_key_picture),
		cmocka_unit_test(test_asked_keys_are_limited),
		cmocka_unit_test(test_rate_wishes_reach_the_encoder),
		cmocka_unit_test(test_key_picture_is_small_on_a_narrow_link),
		cmocka_unit_test(test_viewers_come_and_go),
		cmocka_unit_test(test_start_and_stop_many_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
