/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of sessions with several displays share: what a controller asks, and what it must get. */
#ifndef KA_DISPLAYS_CHECK_H
#define KA_DISPLAYS_CHECK_H

#include "tests/fake/session_check.h"

#define W 1280
#define H 720

static inline void set_version(Rd__LoginRequest *l)
{
	static char version[] = "1.4.9";

	l->version = version;
}

static inline void set_acks(Rd__LoginRequest *l)
{
	set_version(l);
	l->video_ack_required = true;
}

static inline void set_old(Rd__LoginRequest *l)
{
	static char version[] = "1.2.3";

	l->version = version;
}

static inline struct session_rig *login_as(void **state, size_t displays, void (*edit)(Rd__LoginRequest *l))
{
	struct session_rig *r = *state;

	if (r->host.n_displays != displays)
		fake_host_give_displays(&r->host, displays);
	assert_true(session_rig_login(r, edit));
	assert_int_equal(client_fence(&r->client), 0);
	return r;
}

static inline struct session_rig *login(void **state, size_t displays)
{
	return login_as(state, displays, set_version);
}

static inline void publish(struct session_rig *r, size_t display, int64_t pts, bool key)
{
	fake_host_publish_on(&r->host, display, pts, key, W, H, 1000);
}

static inline void assert_picture(struct session_rig *r, int32_t display, int64_t pts)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	assert_int_equal(m->video_frame->display, display);
	assert_true(m->video_frame->h264s->frames[0]->pts == pts);
}

static inline void assert_list(struct session_rig *r, size_t n, const int32_t (*want)[4])
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_PEER_INFO);
	assert_int_equal(m->peer_info->n_displays, n);
	for (size_t i = 0; i < n; i++) {
		const Rd__DisplayInfo *d = m->peer_info->displays[i];
		const int32_t got[4] = {d->x, d->y, d->width, d->height};

		assert_memory_equal(got, want[i], sizeof(got));
		assert_true(d->online);
	}
}

#define ASSERT_LIST(r, ...)                                                                                            \
	assert_list(r, sizeof((const int32_t[][4]){__VA_ARGS__}) / sizeof(int32_t[4]),                                 \
		    (const int32_t[][4]){__VA_ARGS__})

static inline void assert_switch(struct session_rig *r, int32_t display, int32_t x, int32_t y, int32_t width,
				 int32_t height)
{
	const Rd__Message *m = client_next(&r->client);
	const Rd__SwitchDisplay *s;

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_SWITCH_DISPLAY);
	s = m->misc->switch_display;
	assert_int_equal(s->display, display);
	assert_int_equal(s->x, x);
	assert_int_equal(s->y, y);
	assert_int_equal(s->width, width);
	assert_int_equal(s->height, height);
}

struct list {
	size_t n;
	int32_t of[8];
};

#define NONE                                                                                                           \
	(struct list)                                                                                                  \
	{                                                                                                              \
		0                                                                                                      \
	}
#define LIST(...)                                                                                                      \
	(struct list)                                                                                                  \
	{                                                                                                              \
		sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t),                                                    \
		{                                                                                                      \
			__VA_ARGS__                                                                                    \
		}                                                                                                      \
	}

static inline void capture(struct session_rig *r, struct list add, struct list sub, struct list set)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__CaptureDisplays c = RD__CAPTURE_DISPLAYS__INIT;

	c.n_add = add.n;
	c.add = add.of;
	c.n_sub = sub.n;
	c.sub = sub.of;
	c.n_set = set.n;
	c.set = set.of;
	misc.union_case = RD__MISC__UNION_CAPTURE_DISPLAYS;
	misc.capture_displays = &c;
	assert_true(client_send_misc(&r->client, &misc));
}

static inline void capture_set(struct session_rig *r, struct list set)
{
	capture(r, NONE, NONE, set);
}

static inline void switch_to(struct session_rig *r, int32_t display, int32_t width, int32_t height)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__SwitchDisplay s = RD__SWITCH_DISPLAY__INIT;

	s.display = display;
	s.width = width;
	s.height = height;
	misc.union_case = RD__MISC__UNION_SWITCH_DISPLAY;
	misc.switch_display = &s;
	assert_true(client_send_misc(&r->client, &misc));
}

static inline void refresh(struct session_rig *r, int32_t display)
{
	Rd__Misc misc = RD__MISC__INIT;

	misc.union_case = RD__MISC__UNION_REFRESH_VIDEO_DISPLAY;
	misc.refresh_video_display = display;
	assert_true(client_send_misc(&r->client, &misc));
}

static inline void query(struct session_rig *r, int32_t display)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__MessageQuery q = RD__MESSAGE_QUERY__INIT;

	q.switch_display = display;
	misc.union_case = RD__MISC__UNION_MESSAGE_QUERY;
	misc.message_query = &q;
	assert_true(client_send_misc(&r->client, &misc));
}

/* As bits; what goes on for the moment of grace counts. */
static inline unsigned int watching(struct session_rig *r)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < KA_HOST_DISPLAYS_MAX; i++)
		bits |= fake_host_count(&r->host, &r->host.watching[i]) << i;
	return bits;
}

/* Which displays pictures come of up to the answer to a question asked now, as bits. */
static inline unsigned int read_up_to_answer(struct session_rig *r)
{
	const Rd__Message *m;
	unsigned int bits = 0;

	assert_true(client_send_payload(&r->client, "\x2a\x02\x10\x01", 4));
	for (m = client_next(&r->client); m && m->union_case == RD__MESSAGE__UNION_VIDEO_FRAME;
	     m = client_next(&r->client))
		bits |= 1u << m->video_frame->display;
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_TEST_DELAY);
	return bits;
}

/* Which displays the controller gets pictures of, as bits. */
static inline unsigned int shown(struct session_rig *r, int64_t pts)
{
	unsigned int bits;

	assert_int_equal(client_fence(&r->client), 0);
	for (size_t i = 0; i < r->host.n_displays; i++)
		publish(r, i, pts, true);
	/* The first answer may overtake the pictures, the second does not. */
	bits = read_up_to_answer(r);
	return bits | read_up_to_answer(r);
}

#endif
