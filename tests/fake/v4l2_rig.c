/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/v4l2_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void count_home(void *arg)
{
	++*(int *)arg;
}

int v4l2_rig_set_up(void **state)
{
	struct v4l2_rig *r = calloc(1, sizeof(*r));
	struct ka_source_v4l2_cfg cfg = {.device = "/dev/fake", .wish = {.fps = 60}};

	assert_non_null(r);
	r->edid.keep = true;
	cfg.edid = &r->edid;
	fake_v4l2_init(&r->dev);
	cfg.io = &r->dev.io;
	cfg.home = (struct ka_wake){count_home, &r->homes};
	assert_int_equal(ka_source_v4l2_new(&r->src, &cfg), 0);
	*state = r;
	return 0;
}

int v4l2_rig_tear_down(void **state)
{
	struct v4l2_rig *r = *state;

	ka_source_free(r->src);
	assert_int_equal(r->dev.violations, 0);
	assert_int_equal(r->dev.maps, r->dev.unmaps);
	assert_int_equal(r->dev.opens, r->dev.closes);
	fake_v4l2_fini(&r->dev);
	free(r);
	return 0;
}

int v4l2_rig_start(struct v4l2_rig *r)
{
	return r->src->ops->start(r->src, &r->info, &r->eb);
}

void v4l2_rig_open_and_start(struct v4l2_rig *r)
{
	assert_int_equal(r->src->ops->open(r->src, &r->eb), 0);
	assert_int_equal(v4l2_rig_start(r), 0);
}

int v4l2_rig_dequeue(struct v4l2_rig *r, struct ka_frame **f)
{
	return r->src->ops->dequeue(r->src, f);
}
