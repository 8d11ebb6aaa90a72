/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/trouble_rig.h"

#include "tests/check/check.h"

#include <pthread.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"

static const uint32_t yuyv[] = {V4L2_PIX_FMT_YUYV, 0};

void trouble_start(struct trouble *r, const struct ka_capture_cfg *cfg)
{
	r->c = capture_rig_start(cfg, &r->dev);
	capture_rig_watch(&r->w, r->c, 0, 0);
}

int trouble_set_up(void **state)
{
	struct trouble *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fake_v4l2_init(&r->dev);
	r->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(r->log >= 0);
	ka_log_init(r->log, KA_LOG_INFO);
	*state = r;
	return 0;
}

int trouble_tear_down(void **state)
{
	struct trouble *r = *state;

	if (r->c) {
		capture_rig_leave(&r->w);
		capture_rig_finish(r->c);
	}
	ka_log_init(STDERR_FILENO, KA_LOG_WARN);
	close(r->log);
	assert_int_equal(r->dev.violations, 0);
	assert_int_equal(r->dev.maps, r->dev.unmaps);
	assert_int_equal(r->dev.opens, r->dev.closes);
	fake_v4l2_fini(&r->dev);
	free(r);
	return 0;
}

int trouble_cause_of(struct trouble *r)
{
	struct ka_signal sig;

	ka_capture_signal(r->c, &sig);
	return sig.cause;
}

unsigned int trouble_get(struct trouble *r, const unsigned int *what)
{
	unsigned int n;

	pthread_mutex_lock(&r->dev.lock);
	n = *what;
	pthread_mutex_unlock(&r->dev.lock);
	return n;
}

void trouble_put(struct trouble *r, bool *what, bool value)
{
	pthread_mutex_lock(&r->dev.lock);
	*what = value;
	pthread_mutex_unlock(&r->dev.lock);
}

void trouble_await_cause(struct trouble *r, int cause, int byte)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (trouble_cause_of(r) != cause) {
		struct ka_packet *p;

		if (byte >= 0)
			fake_v4l2_fill(&r->dev, (uint8_t)byte, UINT32_MAX, 0);
		p = capture_rig_take(&r->w, 10);
		ka_packet_unref(&p);
		if (ka_clock_us() > end)
			fail_msg("not %d but %d", cause, trouble_cause_of(r));
	}
}

void trouble_expect_slates(struct trouble *r)
{
	struct ka_packet *p;

	while ((p = capture_rig_take(&r->w, 0))) /* old ones */
		ka_packet_unref(&p);
	capture_rig_skip(&r->w, 2);
}

/* Whether a picture filled at or after this time is seen, before the stream is begun anew. */
static bool await_picture(struct trouble *r, uint32_t width, int64_t filled, unsigned int streamons)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;

	while (trouble_get(r, &r->dev.streamons) == streamons) {
		struct ka_packet *p = capture_rig_take(&r->w, 10);
		bool seen = p && p->width == width && p->captured_us >= filled && trouble_cause_of(r) == 0;

		ka_packet_unref(&p);
		if (seen)
			return true;
		assert_true(ka_clock_us() < end);
	}
	return false;
}

unsigned int trouble_pictures_until_seen(struct trouble *r, uint32_t width)
{
	int64_t end = ka_clock_us() + PATIENCE_MS * 1000;
	unsigned int n = 0;

	for (;;) {
		unsigned int streamons = trouble_get(r, &r->dev.streamons);
		int64_t now = ka_clock_us();

		if (!fake_v4l2_fill(&r->dev, 77, UINT32_MAX, 0)) {
			struct ka_packet *p = capture_rig_take(&r->w, 1);

			ka_packet_unref(&p);
			assert_true(now < end);
			continue;
		}
		n++;
		if (await_picture(r, width, now, streamons))
			return n;
	}
}

void trouble_go_live(struct trouble *r)
{
	(void)trouble_pictures_until_seen(r, 640);
}

void trouble_expect_back(struct trouble *r, uint32_t width)
{
	assert_in_range(trouble_pictures_until_seen(r, width), 1, 2);
}

void trouble_start_stick(struct trouble *r)
{
	struct ka_capture_cfg cfg = capture_rig_v4l2();

	r->dev.no_timings = true;
	r->dev.formats = yuyv;
	cfg.blank_s = 1;
	trouble_start(r, &cfg);
}

unsigned int trouble_log_lines(struct trouble *r)
{
	static char text[1 << 20];
	ssize_t n = pread(r->log, text, sizeof(text), 0);
	unsigned int lines = 0;

	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}
