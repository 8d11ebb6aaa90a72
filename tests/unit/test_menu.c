/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What menus offer and a KVM has not: each answer leaves the client showing the true state. */
#include "tests/fake/session_check.h"

#include <errno.h>

static void send_payload_hex(struct session_rig *r, const char *hex)
{
	uint8_t payload[128];
	size_t n = hex_bytes(payload, sizeof(payload), hex);

	assert_true(client_send_payload(&r->client, payload, n));
}

static void login(struct session_rig *r)
{
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
}

static const Rd__Message *ask(struct session_rig *r, const char *hex)
{
	const Rd__Message *m;

	send_payload_hex(r, hex);
	m = client_next(&r->client);
	assert_non_null(m);
	return m;
}

static const Rd__BackNotification *ask_back(struct session_rig *r, const char *hex)
{
	const Rd__Message *m = ask(r, hex);

	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_BACK_NOTIFICATION);
	return m->misc->back_notification;
}

static void assert_box(const Rd__Message *m, const char *word)
{
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MESSAGE_BOX);
	/* With another type its button would end the session. */
	assert_string_equal(m->message_box->msgtype, "custom-nook-nocancel-hasclose");
	assert_true(strlen(m->message_box->title) > 0);
	assert_non_null(strstr(m->message_box->text, word));
	assert_string_equal(m->message_box->link, "");
}

static void test_input_is_never_blocked(void **state)
{
	struct session_rig *r = *state;
	const Rd__BackNotification *back;

	login(r);
	back = ask_back(r, "9a 01 04 3a 02 28 02"); /* yes */
	assert_int_equal(back->union_case, RD__BACK_NOTIFICATION__UNION_BLOCK_INPUT_STATE);
	assert_int_equal(back->block_input_state, 3);
	assert_true(strlen(back->details) > 0);
	back = ask_back(r, "9a 01 04 3a 02 28 01"); /* no */
	assert_int_equal(back->union_case, RD__BACK_NOTIFICATION__UNION_BLOCK_INPUT_STATE);
	assert_int_equal(back->block_input_state, 4);
}

static void assert_no_privacy(const Rd__BackNotification *back, const char *impl_key)
{
	assert_int_equal(back->union_case, RD__BACK_NOTIFICATION__UNION_PRIVACY_MODE_STATE);
	assert_int_equal(back->privacy_mode_state, 3);
	assert_string_equal(back->impl_key, impl_key);
}

static void test_privacy_mode_is_not_supported(void **state)
{
	struct session_rig *r = *state;
	uint8_t payload[128] = {0x9a, 0x01, 0x45, 0x8a, 0x02, 0x42, 0x0a, 0x40};

	login(r);
	assert_no_privacy(ask_back(r, "9a 01 08 8a 02 05 0a 01 6b 10 01"), "k");
	assert_no_privacy(ask_back(r, "9a 01 06 8a 02 03 0a 01 6b"), "k"); /* off */
	assert_no_privacy(ask_back(r, "9a 01 03 8a 02 00"), "");
	/* As an option, on and off. */
	assert_no_privacy(ask_back(r, "9a 01 04 3a 02 20 02"), "");
	assert_no_privacy(ask_back(r, "9a 01 04 3a 02 20 01"), "");
	/* A key that is not UTF-8 would make the client refuse the answer; one of 65 bytes is none. */
	assert_no_privacy(ask_back(r, "9a 01 07 8a 02 04 0a 02 c3 28"), "");
	memset(payload + 8, 'k', 65);
	assert_true(client_send_payload(&r->client, payload, 8 + 64));
	assert_non_null(client_next(&r->client));
	assert_int_equal(strlen(r->client.msg->misc->back_notification->impl_key), 64);
	payload[2]++;
	payload[5]++;
	payload[7]++;
	assert_true(client_send_payload(&r->client, payload, 8 + 65));
	assert_non_null(client_next(&r->client));
	assert_no_privacy(r->client.msg->misc->back_notification, "");
}

static void test_elevation_is_not_needed(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	login(r);
	m = ask(r, "9a 01 03 92 01 00");
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_ELEVATION_RESPONSE);
	assert_string_equal(m->misc->elevation_response, "No need to elevate");
}

static void test_call_is_declined_in_words(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	login(r);
	m = ask(r, "ba 01 05 08 ac 02 10 01"); /* request 300, connect */
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_VOICE_CALL_RESPONSE);
	assert_false(m->voice_call_response->accepted);
	assert_true(m->voice_call_response->req_timestamp == 300);
	assert_true(m->voice_call_response->ack_timestamp > 0);
	assert_box(client_next(&r->client), "call");
	send_payload_hex(r, "ba 01 00"); /* hung up: no answer */
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_requests_without_an_answer_of_their_own_get_a_box(void **state)
{
	struct session_rig *r = *state;

	login(r);
	assert_box(ask(r, "9a 01 02 70 01"), "reset");			/* restart */
	assert_box(ask(r, "9a 01 05 aa 01 02 0a 00"), "screen");	/* switch sides */
	assert_box(ask(r, "9a 01 07 82 02 04 08 01 10 01"), "display"); /* virtual display 1, on */
	assert_box(ask(r, "9a 01 05 3a 03 98 01 02"), "draw");		/* show my cursor */
	/* Not asked for: nothing to say. */
	send_payload_hex(r, "9a 01 02 70 00");
	send_payload_hex(r, "9a 01 05 3a 03 98 01 01");
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_codec_we_do_not_send_is_answered_when_chosen(void **state)
{
	struct session_rig *r = *state;

	login(r);
	assert_box(ask(r, "9a 01 08 3a 06 52 04 10 01 20 01"), "chose"); /* prefers VP9 */
	/* The same again, with other news of the decoder; H.264; no preference. */
	send_payload_hex(r, "9a 01 08 3a 06 52 04 10 01 20 01");
	send_payload_hex(r, "9a 01 08 3a 06 52 04 10 01 20 02");
	send_payload_hex(r, "9a 01 06 3a 04 52 02 10 01");
	assert_int_equal(client_fence(&r->client), 0);
	assert_box(ask(r, "9a 01 08 3a 06 52 04 10 01 20 05"), "chose");
}

static void test_restart_presses_the_button_where_there_is_one(void **state)
{
	struct session_rig *r = *state;

	fake_host_give_restart(&r->host);
	login(r);
	send_payload_hex(r, "9a 01 02 70 01");
	send_payload_hex(r, "9a 01 02 70 00");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.restarts), 1);
	r->host.restart_result = -EBUSY;
	assert_box(ask(r, "9a 01 02 70 01"), "already");
	r->host.restart_result = -ENODEV;
	assert_box(ask(r, "9a 01 02 70 01"), "cannot be reached");
}

static void test_restart_needs_the_permission(void **state)
{
	struct session_rig *r = *state;
	struct ka_gate_cfg gate = {.password = RIG_PASSWORD,
				   .salt = RIG_SALT,
				   .permissions = KA_RD_MAY_ALL & ~KA_RD_MAY_POWER,
				   .max_controllers = 8};

	ka_gate_free(r->gate);
	assert_int_equal(ka_gate_new(&r->gate, &gate), 0);
	fake_host_give_restart(&r->host);
	assert_true(session_rig_login(r, NULL));
	/* Told so, as another password would open it. */
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->client.msg->misc->union_case, RD__MISC__UNION_PERMISSION_INFO);
	assert_int_equal(r->client.msg->misc->permission_info->permission, RD__PERMISSION_INFO__PERMISSION__RESTART);
	assert_box(ask(r, "9a 01 02 70 01"), "password");
	assert_int_equal(fake_host_count(&r->host, &r->host.restarts), 0);
}

static void with_old_choices(Rd__LoginRequest *l)
{
	l->option->supported_decoding->prefer = 1;
	l->option->show_my_cursor = RD__BOOL_OPTION__BOOL_YES;
}

/* What the client remembers from earlier sessions is no question of its user. */
static void test_remembered_choices_raise_no_box_at_login(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, with_old_choices));
	assert_int_equal(client_fence(&r->client), 0);
}

static void assert_true_size(struct session_rig *r, const Rd__Message *m)
{
	const Rd__SwitchDisplay *d;

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_SWITCH_DISPLAY);
	d = m->misc->switch_display;
	assert_int_equal(d->display, 0);
	assert_int_equal(d->width, 1280);
	assert_int_equal(d->height, 720);
	assert_int_equal(d->resolutions->n_resolutions, 1);
	/* The client forgets what it wished for when the size is the original one. */
	assert_non_null(d->original_resolution);
	assert_int_equal(d->original_resolution->width, 1280);
	assert_int_equal(d->original_resolution->height, 720);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_PEER_INFO);
}

static void test_wish_for_a_size_is_answered_with_the_true_one(void **state)
{
	struct session_rig *r = *state;

	login(r);
	assert_true_size(r, ask(r, "9a 01 09 c2 01 06 08 80 0f 10 b8 08")); /* change_resolution 1920x1080 */
	assert_true_size(r, ask(r, "9a 01 0b a2 02 08 12 06 08 80 0f 10 b8 08"));
	/* A display that we do not have. */
	send_payload_hex(r, "9a 01 05 a2 02 02 08 01");
	assert_int_equal(client_fence(&r->client), 0);
}

static const struct ka_video_mode some_modes[] = {{1920, 1080, 30}, {1920, 1080, 60}, {1024, 768, 60}, {1280, 720, 60}};

static void test_size_of_the_menu_is_asked_of_the_target(void **state)
{
	struct session_rig *r = *state;
	const Rd__SupportedResolutions *list;

	fake_host_give_modes(&r->host, some_modes, KA_ARRAY_LEN(some_modes));
	assert_true(session_rig_login(r, NULL));
	list = r->client.msg->login_response->peer_info->resolutions;
	assert_int_equal(list->n_resolutions, 3);
	assert_int_equal(list->resolutions[0]->width, 1280); /* what it is now */
	assert_int_equal(list->resolutions[1]->width, 1920);
	assert_int_equal(list->resolutions[2]->height, 768);
	assert_int_equal(client_fence(&r->client), 0);
	/* No answer: the size of the picture will say whether the target has followed. */
	send_payload_hex(r, "9a 01 09 c2 01 06 08 80 08 10 80 06");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(r->host.modes_set, 1);
	assert_memory_equal(&r->host.set_mode, &some_modes[2], sizeof(some_modes[2]));
	/* Of two with that size the one that is preferred already. */
	send_payload_hex(r, "9a 01 0b a2 02 08 12 06 08 80 0f 10 b8 08");
	assert_int_equal(client_fence(&r->client), 0);
	assert_memory_equal(&r->host.set_mode, &some_modes[0], sizeof(some_modes[0]));
	/* The size there is, and one that is not in the list: nothing is asked of anybody. */
	send_payload_hex(r, "9a 01 09 c2 01 06 08 80 0a 10 d0 05");
	assert_non_null(client_next(&r->client));
	assert_non_null(client_next(&r->client));
	send_payload_hex(r, "9a 01 09 c2 01 06 08 80 0a 10 d1 05");
	assert_non_null(client_next(&r->client));
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->host.modes_set, 2);
}

static void test_who_may_only_look_changes_no_size(void **state)
{
	struct session_rig *r = *state;
	struct ka_gate_cfg gate = {.password = RIG_PASSWORD,
				   .salt = RIG_SALT,
				   .permissions = KA_RD_MAY_ALL & ~KA_RD_MAY_KEYBOARD,
				   .max_controllers = 8};

	ka_gate_free(r->gate);
	assert_int_equal(ka_gate_new(&r->gate, &gate), 0);
	fake_host_give_modes(&r->host, some_modes, KA_ARRAY_LEN(some_modes));
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(r->client.msg->login_response->peer_info->resolutions->n_resolutions, 1);
	assert_non_null(client_next(&r->client)); /* told that it may only look */
	assert_int_equal(client_fence(&r->client), 0);
	send_payload_hex(r, "9a 01 09 c2 01 06 08 80 08 10 80 06");
	assert_true_size(r, client_next(&r->client));
	assert_int_equal(r->host.modes_set, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_input_is_never_blocked),
		RIG(test_privacy_mode_is_not_supported),
		RIG(test_elevation_is_not_needed),
		RIG(test_call_is_declined_in_words),
		RIG(test_requests_without_an_answer_of_their_own_get_a_box),
		RIG(test_restart_presses_the_button_where_there_is_one),
		RIG(test_restart_needs_the_permission),
		RIG(test_codec_we_do_not_send_is_answered_when_chosen),
		RIG(test_remembered_choices_raise_no_box_at_login),
		RIG(test_wish_for_a_size_is_answered_with_the_true_one),
		RIG(test_size_of_the_menu_is_asked_of_the_target),
		RIG(test_who_may_only_look_changes_no_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
