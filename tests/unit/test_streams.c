/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream for each codec in use, and what becomes of the viewers of an encoder that fails. */
#include "tests/check/check.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/enc_vpx.h"
#include "capture/streams.h"
#include "tests/fake/capture_rig.h"

static atomic_uint opened;

static int check_any(const struct ka_encoder_cfg *cfg, struct ka_errbuf *eb)
{
	(void)cfg;
	(void)eb;
	return 0;
}

static int open_broken(struct ka_encoder **out, const struct ka_encoder_cfg *cfg)
{
	(void)cfg;
	*out = NULL;
	atomic_fetch_add(&opened, 1);
	return -EIO;
}

static void close_broken(struct ka_encoder *e)
{
	(void)e;
}

static const struct ka_encoder_ops broken = {
	.name = "broken", .codec = KA_CODEC_VP8, .check = check_any, .open = open_broken, .close = close_broken};
static const struct ka_encoder_ops *const list[] = {&broken, &ka_enc_vp8, &ka_enc_vp9, NULL};

struct rig {
	struct ka_wishes *wishes;
	struct ka_cap_state *state;
	struct ka_hub *hub;
	struct ka_codecs *codecs;
	struct ka_streams *streams;
	struct ka_hub_sub *sub;
	sem_t news;
};

static void post(void *arg)
{
	sem_post(arg);
}

static void open_rig(struct rig *r)
{
	struct ka_stage_encode_cfg cfg = {.settings = {.preset = "ultrafast", .tune = "", .fps = 30},
					  .slate_fps = 10,
					  .device = "",
					  .geometry = {320, 240}};
	struct ka_errbuf eb;

	memset(r, 0, sizeof(*r));
	sem_init(&r->news, 0, 0);
	assert_int_equal(ka_wishes_new(&r->wishes), 0);
	assert_int_equal(ka_cap_state_new(&r->state, cfg.geometry), 0);
	assert_int_equal(ka_hub_new(&r->hub), 0);
	assert_int_equal(ka_codecs_new(&r->codecs, list, "vp8, vp9", &cfg.settings, &eb), 0);
	cfg.wishes = r->wishes;
	cfg.state = r->state;
	cfg.hub = r->hub;
	cfg.codecs = r->codecs;
	assert_int_equal(ka_streams_new(&r->streams, &cfg), 0);
	/* A slate needs no source. */
	ka_cap_state_set_cause(r->state, -KA_E_NO_CABLE, "", 0);
	assert_int_equal(ka_hub_subscribe(r->hub, 8, (struct ka_wake){post, &r->news}, &r->sub), 0);
}

static void close_rig(struct rig *r)
{
	ka_streams_stop(r->streams);
	ka_streams_join(r->streams);
	assert_int_equal(ka_streams_need(r->streams, 0), -ECANCELED);
	ka_hub_unsubscribe(r->sub);
	ka_streams_free(r->streams);
	ka_codecs_free(r->codecs);
	ka_hub_free(r->hub);
	ka_cap_state_free(r->state);
	ka_wishes_free(r->wishes);
	sem_destroy(&r->news);
}

static struct ka_packet *must_take(struct rig *r)
{
	struct timespec deadline;
	struct ka_packet *p;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 30;
	while (!(p = ka_hub_take(r->sub)))
		assert_int_equal(sem_timedwait(&r->news, &deadline), 0);
	return p;
}

/* The encoder that is preferred fails at each try: the next one for the codec takes over. */
static void test_next_encoder_takes_over(void **state)
{
	struct ka_video_wish wish = {.codec = KA_CODEC_VP8};
	unsigned int rendition = ka_rendition(KA_CODEC_VP8, false);
	struct ka_wish_entry entry = {.rendition = rendition};
	struct ka_packet *p;
	struct rig r;

	(void)state;
	open_rig(&r);
	atomic_store(&opened, 0);
	ka_hub_set_rendition(r.sub, rendition);
	assert_int_equal(ka_streams_need(r.streams, rendition), 0);
	assert_int_equal(ka_streams_need(r.streams, rendition), 0);
	ka_wishes_add(r.wishes, &entry, &wish);
	ka_streams_wake(r.streams);
	p = must_take(&r);
	assert_true(p->key);
	assert_int_equal(p->codec, KA_CODEC_VP8);
	assert_int_equal(p->rendition, rendition);
	assert_int_equal(atomic_load(&opened), 3);
	assert_true(ka_streams_kbps(r.streams) > 0);
	ka_packet_unref(&p);
	ka_wishes_remove(r.wishes, &entry);
	close_rig(&r);
}

static void test_no_stream_without_an_encoder(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r);
	assert_int_equal(ka_streams_need(r.streams, ka_rendition(KA_CODEC_H264, false)), -ENODEV);
	assert_int_equal(ka_streams_kbps(r.streams), 0);
	ka_streams_wake_one(r.streams, 0);
	close_rig(&r);
	ka_streams_free(NULL);
}

static unsigned int count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* The whole of it, with the real encoders: who watches what, and which threads there are. */
static void test_viewers_of_all_codecs(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	unsigned int before = count_threads();
	struct watcher w[2 * KA_CODECS];

	(void)state;
	for (unsigned int i = 0; i < 2 * KA_CODECS; i++) {
		struct ka_video_wish wish = {.codec = (enum ka_codec)(i % KA_CODECS)};
		struct ka_packet *p;

		capture_rig_watch_as(&w[i], c, &wish);
		p = capture_rig_must_take(&w[i]);
		assert_true(p->key);
		assert_int_equal(p->codec, wish.codec);
		ka_packet_unref(&p);
	}
	assert_true(count_threads() <= before + KA_CODECS * 3); /* encoders have threads of their own */
	for (unsigned int i = 0; i < 2 * KA_CODECS; i++)
		capture_rig_leave(&w[i]);
	capture_rig_finish(c);
}

/* The old codec's pictures go on until the new one's key picture. */
static void test_viewer_changes_codec_without_a_gap(void **state)
{
	static const enum ka_codec path[] = {KA_CODEC_VP9, KA_CODEC_VP9_444, KA_CODEC_VP8, KA_CODEC_H264};
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_capture *c = capture_rig_start(&cfg, NULL);
	enum ka_codec now = KA_CODEC_H264;
	struct ka_codec_list there;
	struct watcher w;

	(void)state;
	capture_rig_watch(&w, c, 0, 0);
	capture_rig_skip(&w, 2);
	for (size_t i = 0; i < KA_ARRAY_LEN(path); i++) {
		struct ka_video_wish wish = {.codec = path[i]};
		bool changed = false;

		ka_viewer_set(w.v, &wish);
		for (unsigned int n = 0; n < 10 || !changed; n++) {
			struct ka_packet *p = capture_rig_must_take(&w);

			if (p->codec != now) {
				assert_false(changed);
				assert_true(p->key);
				assert_int_equal(p->codec, path[i]);
				changed = true;
				now = p->codec;
			}
			ka_packet_unref(&p);
		}
	}
	ka_capture_codecs(c, &there);
	assert_int_equal(there.n, KA_CODECS);
	assert_int_equal(there.order[0], KA_CODEC_H264);
	capture_rig_leave(&w);
	capture_rig_finish(c);
}

static void test_forbidden_codec_changes_nothing(void **state)
{
	struct ka_capture_cfg cfg = capture_rig_card();
	struct ka_video_wish wish = {.codec = KA_CODEC_VP8};
	struct ka_capture *c;
	struct ka_viewer *v;
	struct watcher w;

	(void)state;
	cfg.codecs = "h264, vp9";
	c = capture_rig_start(&cfg, NULL);
	assert_int_equal(ka_viewer_new(&v, c, &wish, (struct ka_wake){0}), -ENODEV);
	capture_rig_watch(&w, c, 0, 0);
	capture_rig_skip(&w, 2);
	ka_viewer_set(w.v, &wish);
	for (unsigned int n = 0; n < 20; n++) {
		struct ka_packet *p = capture_rig_must_take(&w);

		assert_int_equal(p->codec, KA_CODEC_H264);
		assert_false(p->key);
		ka_packet_unref(&p);
	}
	capture_rig_leave(&w);
	capture_rig_finish(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_encoder_takes_over),
		cmocka_unit_test(test_no_stream_without_an_encoder),
		cmocka_unit_test(test_viewers_of_all_codecs),
		cmocka_unit_test(test_viewer_changes_codec_without_a_gap),
		cmocka_unit_test(test_forbidden_codec_changes_nothing),
	};

	ka_log_init(2, KA_LOG_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
