/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/check/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/v4l2_edid.h"
#include "tests/fake/fake_v4l2.h"

#define MODES "1920x1080@60, 1280x720@60,1024x768"

struct rig {
	struct fake_v4l2 dev;
	struct ka_edid_wish wish;
	struct ka_v4l2_edid edid;
	int fd;
};

static void read_wish(struct ka_edid_wish *w, const char *edid, const char *modes)
{
	struct ka_errbuf eb = {""};

	if (ka_edid_wish_read(w, edid, modes, "kvm", &eb) < 0)
		fail_msg("%s", eb.text);
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fake_v4l2_init(&r->dev);
	r->fd = r->dev.io.open(r->dev.io.ctx, "/dev/fake");
	r->edid.wish = &r->wish;
	read_wish(&r->wish, "auto", MODES);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	r->dev.io.close(r->dev.io.ctx, r->fd);
	fake_v4l2_fini(&r->dev);
	free(r);
	return 0;
}

static struct ka_video_mode first_of_device(struct rig *r)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct ka_errbuf eb = {""};
	struct ka_edid e;

	if (ka_edid_read(&e, r->dev.edid, (size_t)128 * r->dev.edid_blocks, &eb) < 0)
		fail_msg("%s", eb.text);
	assert_true(ka_edid_modes(&e, modes) > 0);
	return modes[0];
}

static void test_set_once_and_not_again(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct rig *r = *state;

	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(r->dev.edids, 1);
	assert_int_equal(first_of_device(r).width, 1920);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 4);
	/* Each setting makes the target look again: not without need. */
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(r->dev.edids, 1);
}

static void test_choice_becomes_preferred_and_survives_reopening(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX], small = {1024, 768, 60}, none = {1000, 600, 60};
	struct rig *r = *state;

	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, r->fd, &none), -ENOENT);
	assert_int_equal(r->dev.edids, 1);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, r->fd, &small), 0);
	assert_int_equal(r->dev.edids, 2);
	assert_int_equal(first_of_device(r).width, 1024);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 4);
	assert_memory_equal(&modes[0], &small, sizeof(small));
	assert_int_equal(modes[1].width, 1920);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, r->fd, &small), 0);
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(r->dev.edids, 2);
	/* Another device in its place gets it too. */
	r->dev.edid_blocks = 0;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(first_of_device(r).width, 1024);
}

static void test_choice_while_closed_waits_for_the_next_opening(void **state)
{
	struct ka_video_mode small = {1024, 768, 60};
	struct rig *r = *state;

	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, -1, &small), 0);
	assert_int_equal(r->dev.edids, 1);
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(first_of_device(r).width, 1024);
}

static void test_kept_edid_is_listed_and_only_a_choice_changes_it(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX], hd = {1280, 720, 60};
	struct rig *r = *state;

	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	read_wish(&r->wish, "", MODES);
	r->edid = (struct ka_v4l2_edid){.wish = &r->wish};
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(r->dev.edids, 1);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 4);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, r->fd, &hd), 0);
	assert_int_equal(first_of_device(r).width, 1280);
	/* None set at all: none is invented. */
	r->edid = (struct ka_v4l2_edid){.wish = &r->wish};
	r->dev.edid_blocks = 0;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(r->dev.edids, 2);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 0);
}

static void test_modes_beyond_the_receiver_are_left_out(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	struct rig *r = *state;

	r->dev.max_clock_khz = 80000;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 3);
	assert_int_equal(modes[0].width, 1280);
	/* Nothing left: nothing set. */
	r->dev.max_clock_khz = 1000;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(r->dev.edids, 1);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 0);
}

static void test_devices_that_cannot_or_fail(void **state)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX], hd = {1280, 720, 60};
	struct rig *r = *state;

	r->dev.no_edid = true;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 0);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, r->fd, &hd), -ENOENT);
	r->dev.no_edid = false;
	r->dev.edid_blocks_max = 1;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 0);
	r->dev.edid_blocks_max = 2;
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	fake_v4l2_fail(&r->dev, VIDIOC_S_EDID, -EIO, 1);
	assert_int_equal(ka_v4l2_edid_prefer(&r->edid, &r->dev.io, r->fd, &hd), -EIO);
	assert_int_equal(ka_v4l2_edid_modes(&r->edid, modes), 4);
	assert_int_equal(modes[0].width, 1920);
}

static void test_what_the_configuration_says(void **state)
{
	static const char *const bad[] = {"1920x1080,", "1920x1080,,1280x720", "1920x1080 1280x720", "big", ""};
	char path[] = "/tmp/ka-edid-XXXXXX";
	struct ka_errbuf eb = {""};
	struct ka_edid_wish w;
	int fd = mkstemp(path);
	struct rig *r = *state;

	for (size_t i = 0; i < KA_ARRAY_LEN(bad); i++)
		assert_int_equal(ka_edid_wish_read(&w, "auto", bad[i], "kvm", &eb), -KA_E_CONFIG);
	assert_int_equal(ka_edid_wish_read(&w, "/nonexistent/edid", MODES, "kvm", &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, "/nonexistent/edid"));
	assert_int_equal(write(fd, "no edid", 7), 7);
	assert_int_equal(ka_edid_wish_read(&w, path, MODES, "kvm", &eb), -KA_E_CONFIG);
	assert_non_null(strstr(eb.text, path));
	ka_v4l2_edid_apply(&r->edid, &r->dev.io, r->fd);
	assert_int_equal(pwrite(fd, r->dev.edid, 256, 0), 256);
	read_wish(&w, path, MODES);
	assert_int_equal(w.file.len, 256);
	close(fd);
	unlink(path);
}

int main(void)
{
#define RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RIG(test_set_once_and_not_again),
		RIG(test_choice_becomes_preferred_and_survives_reopening),
		RIG(test_choice_while_closed_waits_for_the_next_opening),
		RIG(test_kept_edid_is_listed_and_only_a_choice_changes_it),
		RIG(test_modes_beyond_the_receiver_are_left_out),
		RIG(test_devices_that_cannot_or_fail),
		RIG(test_what_the_configuration_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
