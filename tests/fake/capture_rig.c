/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/capture_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void post(void *arg)
{
	sem_post(arg);
}

struct ka_capture_cfg capture_rig_card(void)
{
	return (struct ka_capture_cfg){.source = KA_SOURCE_CARD,
				       .width = 320,
				       .height = 240,
				       .fps = 60,
				       .preset = "ultrafast",
				       .slate_fps = 2};
}

struct ka_capture_cfg capture_rig_v4l2(void)
{
	struct ka_capture_cfg cfg = capture_rig_card();

	cfg.source = KA_SOURCE_V4L2;
	cfg.device = "/dev/fake";
	cfg.width = cfg.height = 0;
	return cfg;
}

struct ka_capture *capture_rig_start(const struct ka_capture_cfg *cfg, struct fake_v4l2 *dev)
{
	static const struct ka_v4l2_io nothing;
	struct ka_capture *c;
	struct ka_errbuf eb = {""};

	assert_int_equal(ka_capture_new_io(&c, cfg, dev ? &dev->io : &nothing, &eb), 0);
	assert_int_equal(ka_capture_start(c), 0);
	return c;
}

void capture_rig_finish(struct ka_capture *c)
{
	ka_capture_stop(c);
	ka_capture_join(c);
	ka_capture_free(c);
}

void capture_rig_watch(struct watcher *w, struct ka_capture *c, uint32_t kbps, uint32_t fps)
{
	capture_rig_watch_as(w, c, &(struct ka_video_wish){.kbps = kbps, .fps = fps});
}

void capture_rig_watch_as(struct watcher *w, struct ka_capture *c, const struct ka_video_wish *wish)
{
	sem_init(&w->news, 0, 0);
	assert_int_equal(ka_viewer_new(&w->v, c, wish, (struct ka_wake){post, &w->news}), 0);
}

void capture_rig_leave(struct watcher *w)
{
	ka_viewer_free(w->v);
	sem_destroy(&w->news);
}

struct ka_packet *capture_rig_take(struct watcher *w, unsigned int ms)
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

struct ka_packet *capture_rig_must_take(struct watcher *w)
{
	struct ka_packet *p = capture_rig_take(w, PATIENCE_MS);

	assert_non_null(p);
	return p;
}

void capture_rig_skip(struct watcher *w, unsigned int n)
{
	while (n--) {
		struct ka_packet *p = capture_rig_must_take(w);

		ka_packet_unref(&p);
	}
}
