/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which codec a controller gets: by what it can, prefers, and what there is; at login and later. */
#include "tests/fake/session_check.h"

#include <errno.h>

#include "rustdesk/session/codec.h"

enum { AUTO, VP9, H264, H265, VP8, AV1 };

static const struct ka_codec_list all = {
	{KA_CODEC_H264, KA_CODEC_VP9, KA_CODEC_VP9_444, KA_CODEC_VP8}, KA_CODECS, (1u << KA_CODECS) - 1};

static Rd__CodecAbility i444 = {.vp9 = true};

/* abilities: h264, vp9, vp8 as bits 4, 2, 1. */
static int choose(int abilities, int prefer, bool true_colour, const struct ka_codec_list *there)
{
	Rd__SupportedDecoding d = RD__SUPPORTED_DECODING__INIT;
	struct ka_codec_ability a;
	enum ka_codec codec;
	int ret;

	rd__codec_ability__init(&i444);
	i444.vp9 = true;
	d.ability_h264 = abilities >> 2 & 1;
	d.ability_vp9 = abilities >> 1 & 1;
	d.ability_vp8 = abilities & 1;
	d.ability_av1 = d.ability_h265 = 1;
	d.prefer = prefer;
	d.i444 = &i444;
	d.prefer_chroma = true_colour;
	ka_codec_read(&a, &d);
	ret = ka_codec_choose(&a, there, &codec);
	return ret < 0 ? ret : (int)codec;
}

static void test_what_is_preferred_comes_if_it_can(void **state)
{
	(void)state;
	assert_int_equal(choose(7, AUTO, false, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, VP9, false, &all), KA_CODEC_VP9);
	assert_int_equal(choose(7, H264, false, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, VP8, false, &all), KA_CODEC_VP8);
	/* Never these. */
	assert_int_equal(choose(7, H265, false, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, AV1, false, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, 99, false, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, -1, false, &all), KA_CODEC_H264);
	/* Preferring is not decoding. */
	assert_int_equal(choose(3, H264, false, &all), KA_CODEC_VP9);
	assert_int_equal(choose(1, VP9, false, &all), KA_CODEC_VP8);
	assert_int_equal(choose(0, VP9, false, &all), -ENOENT);
}

static void test_true_colour_is_vp9_and_needs_both_sides(void **state)
{
	struct ka_codec_list no_444 = {{KA_CODEC_VP9, KA_CODEC_H264}, 2, ~0u};
	Rd__SupportedDecoding d = RD__SUPPORTED_DECODING__INIT;
	struct ka_codec_ability a;
	enum ka_codec codec;

	(void)state;
	assert_int_equal(choose(7, AUTO, true, &all), KA_CODEC_VP9_444);
	assert_int_equal(choose(7, VP9, true, &all), KA_CODEC_VP9_444);
	assert_int_equal(choose(7, AV1, true, &all), KA_CODEC_VP9_444);
	/* Who names a codec that has none means it. */
	assert_int_equal(choose(7, H264, true, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, VP8, true, &all), KA_CODEC_VP8);
	assert_int_equal(choose(5, AUTO, true, &all), KA_CODEC_H264);
	assert_int_equal(choose(7, AUTO, true, &no_444), KA_CODEC_VP9);
	/* Asked for by a client that does not say that it can. */
	d.ability_vp9 = 1;
	d.prefer_chroma = 1;
	ka_codec_read(&a, &d);
	assert_int_equal(ka_codec_choose(&a, &all, &codec), 0);
	assert_int_equal(codec, KA_CODEC_VP9);
}

static void test_order_is_the_configuration_s(void **state)
{
	struct ka_codec_list l = {{KA_CODEC_VP8, KA_CODEC_VP9}, 2, ~0u};

	(void)state;
	assert_int_equal(choose(7, AUTO, false, &l), KA_CODEC_VP8);
	assert_int_equal(choose(6, AUTO, false, &l), KA_CODEC_VP9);
	assert_int_equal(choose(7, H264, false, &l), KA_CODEC_VP8);
	assert_int_equal(choose(4, AUTO, false, &l), -ENOENT);
	/* What fails now is the last resort. */
	l.working = 1u << KA_CODEC_VP9;
	assert_int_equal(choose(7, VP8, false, &l), KA_CODEC_VP9);
	assert_int_equal(choose(1, AUTO, false, &l), KA_CODEC_VP8);
	l.working = 0;
	assert_int_equal(choose(7, AUTO, false, &l), KA_CODEC_VP8);
}

static void test_silence_means_vp9(void **state)
{
	struct ka_codec_ability a;
	enum ka_codec codec;

	(void)state;
	ka_codec_read(&a, NULL);
	assert_int_equal(ka_codec_choose(&a, &all, &codec), 0);
	assert_int_equal(codec, KA_CODEC_VP9);
}

static void test_menus_offer_what_works(void **state)
{
	struct ka_codec_list l = {{KA_CODEC_VP8, KA_CODEC_VP9_444}, 2, ~0u};
	Rd__SupportedEncoding e;
	Rd__CodecAbility c;

	(void)state;
	ka_codec_tell(&all, &e, &c);
	assert_true(e.h264 && e.vp8 && e.i444->vp9);
	assert_false(e.h265 || e.av1 || c.h264 || c.vp8 || c.av1);
	ka_codec_tell(&l, &e, &c);
	assert_true(!e.h264 && e.vp8 && c.vp9);
	l.working = 1u << KA_CODEC_VP8;
	ka_codec_tell(&l, &e, &c);
	assert_true(e.vp8 && !c.vp9);
	/* All fail: then they may as well be tried. */
	l.working = 0;
	ka_codec_tell(&l, &e, &c);
	assert_true(e.vp8 && c.vp9);
}

static void with_all(Rd__LoginRequest *l)
{
	l->option->supported_decoding->ability_vp9 = 1;
	l->option->supported_decoding->ability_vp8 = 1;
}

static void with_vp9(Rd__LoginRequest *l)
{
	with_all(l);
	l->option->supported_decoding->prefer = VP9;
}

static void without_option(Rd__LoginRequest *l)
{
	l->option = NULL;
}

static void tell(struct session_rig *r, bool h264, int prefer, bool true_colour)
{
	Rd__Misc misc = RD__MISC__INIT;
	Rd__OptionMessage o = RD__OPTION_MESSAGE__INIT;
	Rd__SupportedDecoding d = RD__SUPPORTED_DECODING__INIT;
	Rd__CodecAbility c = RD__CODEC_ABILITY__INIT;

	c.vp9 = true;
	d.ability_h264 = h264;
	d.ability_vp9 = d.ability_vp8 = 1;
	d.prefer = prefer;
	d.i444 = &c;
	d.prefer_chroma = true_colour;
	o.supported_decoding = &d;
	misc.union_case = RD__MISC__UNION_OPTION;
	misc.option = &o;
	assert_true(client_send_misc(&r->client, &misc));
}

static void assert_frame(struct session_rig *r, Rd__VideoFrame__UnionCase member, int64_t pts, bool key)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	assert_int_equal(m->video_frame->union_case, member);
	assert_int_equal(m->video_frame->h264s->n_frames, 1);
	assert_int_equal(m->video_frame->h264s->frames[0]->pts, pts);
	assert_int_equal(m->video_frame->h264s->frames[0]->key, key);
}

static void login(struct session_rig *r, void (*edit)(Rd__LoginRequest *l))
{
	assert_true(session_rig_login(r, edit));
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_preference_at_login_counts(void **state)
{
	struct session_rig *r = *state;

	login(r, with_vp9);
	assert_int_equal(fake_host_wish(&r->host).codec, KA_CODEC_VP9);
	fake_host_publish_as(&r->host, KA_CODEC_H264, 1, true);
	fake_host_publish_as(&r->host, KA_CODEC_VP9, 2, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_VP9S, 2, true);
}

static void test_client_that_says_nothing_gets_vp9(void **state)
{
	struct session_rig *r = *state;

	login(r, without_option);
	assert_int_equal(fake_host_wish(&r->host).codec, KA_CODEC_VP9);
	fake_host_publish_as(&r->host, KA_CODEC_VP9, 2, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_VP9S, 2, true);
}

/* A menu's choice: what comes goes on until the other begins. */
static void test_preference_changes_without_a_gap(void **state)
{
	struct session_rig *r = *state;

	login(r, with_all);
	fake_host_publish_as(&r->host, KA_CODEC_H264, 1, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_H264S, 1, true);
	tell(r, true, VP8, false);
	assert_true(fake_host_wait_codec(&r->host, KA_CODEC_VP8));
	fake_host_publish_as(&r->host, KA_CODEC_H264, 2, false);
	assert_frame(r, RD__VIDEO_FRAME__UNION_H264S, 2, false);
	fake_host_publish_as(&r->host, KA_CODEC_VP8, 3, false);
	fake_host_publish_as(&r->host, KA_CODEC_VP8, 4, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_VP8S, 4, true);
	fake_host_publish_as(&r->host, KA_CODEC_H264, 5, false);
	tell(r, true, AUTO, true);
	assert_true(fake_host_wait_codec(&r->host, KA_CODEC_VP9_444));
	fake_host_publish_as(&r->host, KA_CODEC_VP9_444, 6, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_VP9S, 6, true);
	/* The same again changes nothing, and nobody is told anything. */
	tell(r, true, AUTO, true);
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_publish_as(&r->host, KA_CODEC_VP9_444, 7, false);
	assert_frame(r, RD__VIDEO_FRAME__UNION_VP9S, 7, false);
}

/* What the client cannot decode any more must not follow. */
static void test_failed_codec_stops_at_once(void **state)
{
	struct session_rig *r = *state;

	login(r, with_all);
	fake_host_publish_as(&r->host, KA_CODEC_H264, 1, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_H264S, 1, true);
	tell(r, false, AUTO, false);
	assert_true(fake_host_wait_codec(&r->host, KA_CODEC_VP9));
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_publish_as(&r->host, KA_CODEC_H264, 2, true);
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_publish_as(&r->host, KA_CODEC_VP9, 3, false);
	fake_host_publish_as(&r->host, KA_CODEC_VP9, 4, true);
	assert_frame(r, RD__VIDEO_FRAME__UNION_VP9S, 4, true);
}

static void test_encoder_that_fails_is_left_for_another(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	login(r, with_all);
	pthread_mutex_lock(&r->host.lock);
	r->host.codecs.working &= ~(1u << KA_CODEC_H264);
	pthread_mutex_unlock(&r->host.lock);
	assert_true(fake_host_wait_codec(&r->host, KA_CODEC_VP9));
	do
		m = client_next(&r->client);
	while (m && m->union_case == RD__MESSAGE__UNION_TEST_DELAY);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_SUPPORTED_ENCODING);
	assert_false(m->misc->supported_encoding->h264);
	assert_true(m->misc->supported_encoding->vp8);
	pthread_mutex_lock(&r->host.lock);
	r->host.codecs.working = (1u << KA_CODECS) - 1;
	pthread_mutex_unlock(&r->host.lock);
	assert_true(fake_host_wait_codec(&r->host, KA_CODEC_H264));
	/* When none works there is nothing better to be had. */
	pthread_mutex_lock(&r->host.lock);
	r->host.codecs.working = 0;
	pthread_mutex_unlock(&r->host.lock);
	assert_true(client_fence(&r->client) >= 0);
}

static void test_choice_that_is_not_sent_is_answered(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	r->host.codecs = (struct ka_codec_list){{KA_CODEC_H264}, 1, 1u << KA_CODEC_H264};
	login(r, with_all);
	tell(r, true, VP9, false);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MESSAGE_BOX);
	assert_string_equal(m->message_box->title, "Codec");
	assert_int_equal(fake_host_wish(&r->host).codec, KA_CODEC_H264);
	/* Not again for the same. */
	tell(r, true, VP9, false);
	assert_int_equal(client_fence(&r->client), 0);
	/* Nothing is left: in words. */
	tell(r, false, AUTO, false);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CLOSE_REASON);
	assert_string_equal(m->misc->close_reason,
			    "Decoding failed in this client, and this device sends nothing else");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_preferred_comes_if_it_can),
		cmocka_unit_test(test_true_colour_is_vp9_and_needs_both_sides),
		cmocka_unit_test(test_order_is_the_configuration_s),
		cmocka_unit_test(test_silence_means_vp9),
		cmocka_unit_test(test_menus_offer_what_works),
		cmocka_unit_test_setup_teardown(test_preference_at_login_counts, open_rig, close_rig),
		cmocka_unit_test_setup_teardown(test_client_that_says_nothing_gets_vp9, open_rig, close_rig),
		cmocka_unit_test_setup_teardown(test_preference_changes_without_a_gap, open_rig, close_rig),
		cmocka_unit_test_setup_teardown(test_failed_codec_stops_at_once, open_rig, close_rig),
		cmocka_unit_test_setup_teardown(test_encoder_that_fails_is_left_for_another, open_rig, close_rig),
		cmocka_unit_test_setup_teardown(test_choice_that_is_not_sent_is_answered, open_rig, close_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
