/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions up to the login: Hash, refusals, and that nothing else is reachable. */
#include "tests/fake/session_check.h"

static void test_hash_then_what_a_kvm_does_not_give(void **state)
{
	static const Rd__PermissionInfo__Permission order[] = {
		RD__PERMISSION_INFO__PERMISSION__CLIPBOARD,   RD__PERMISSION_INFO__PERMISSION__AUDIO,
		RD__PERMISSION_INFO__PERMISSION__FILE,	      RD__PERMISSION_INFO__PERMISSION__RESTART,
		RD__PERMISSION_INFO__PERMISSION__BLOCK_INPUT, RD__PERMISSION_INFO__PERMISSION__PRIVACY_MODE,
	};
	struct session_rig *r = *state;
	const Rd__Message *m;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_HASH);
	assert_string_equal(m->hash->salt, RIG_SALT);
	assert_int_equal(strlen(m->hash->challenge), 6);
	assert_int_equal(r->client.probes, 0);
	for (size_t i = 0; i < KA_ARRAY_LEN(order); i++) {
		m = client_next(&r->client);
		assert_non_null(m);
		assert_int_equal(m->union_case, RD__MESSAGE__UNION_MISC);
		assert_int_equal(m->misc->union_case, RD__MISC__UNION_PERMISSION_INFO);
		assert_int_equal(m->misc->permission_info->permission, order[i]);
		assert_false(m->misc->permission_info->enabled);
	}
	/* Delays are measured from the start on, also before login. */
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(r->client.probes, 1);
}

static void test_challenges_differ(void **state)
{
	struct session_rig *r = *state;
	char first[16];

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	memcpy(first, r->client.challenge, sizeof(first));
	close_rig(state);
	assert_int_equal(open_rig(state), 0);
	r = *state;
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	assert_string_not_equal(first, r->client.challenge);
}

/* Static storage: what an edit points to must live while the message is packed. */
static Rd__FileTransfer file_transfer = RD__FILE_TRANSFER__INIT;
static Rd__PortForward port_forward = RD__PORT_FORWARD__INIT;
static Rd__ViewCamera view_camera = RD__VIEW_CAMERA__INIT;
static Rd__Terminal terminal = RD__TERMINAL__INIT;

static void ask_files(Rd__LoginRequest *l)
{
	l->union_case = RD__LOGIN_REQUEST__UNION_FILE_TRANSFER;
	l->file_transfer = &file_transfer;
}

static void ask_tunnel(Rd__LoginRequest *l)
{
	l->union_case = RD__LOGIN_REQUEST__UNION_PORT_FORWARD;
	l->port_forward = &port_forward;
}

static void ask_camera(Rd__LoginRequest *l)
{
	l->union_case = RD__LOGIN_REQUEST__UNION_VIEW_CAMERA;
	l->view_camera = &view_camera;
}

static void ask_terminal(Rd__LoginRequest *l)
{
	l->union_case = RD__LOGIN_REQUEST__UNION_TERMINAL;
	l->terminal = &terminal;
}

static void no_password(Rd__LoginRequest *l)
{
	l->password.len = 0;
}

static void no_h264(Rd__LoginRequest *l)
{
	l->option->supported_decoding->ability_h264 = 0;
}

static void no_option(Rd__LoginRequest *l)
{
	l->option = NULL;
}

static void test_other_kinds_of_sessions_are_refused(void **state)
{
	static const struct {
		void (*edit)(Rd__LoginRequest *l);
		const char *error;
	} kinds[] = {
		{ask_files, "No permission of file transfer"},
		{ask_tunnel, "No permission of IP tunneling"},
		{ask_camera, "No permission of viewing camera"},
		{ask_terminal, "No permission of terminal"},
	};

	for (size_t i = 0; i < KA_ARRAY_LEN(kinds); i++) {
		struct session_rig *r = *state;

		assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
		assert_true(client_take_hash(&r->client));
		assert_true(client_send_login(&r->client, RIG_ID, RIG_PASSWORD, kinds[i].edit));
		assert_login_error(r, kinds[i].error);
		hang_up_outside(r);
		close_rig(state);
		assert_int_equal(open_rig(state), 0);
	}
}

static void check_name(void **state, const char *username, bool ours)
{
	struct session_rig *r = *state;

	r->cfg.encryption = KA_RD_ENCRYPT_OPTIONAL;
	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, false), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, username, "guess", NULL));
	assert_login_error(r, ours ? "Wrong Password" : "Offline");
	if (!ours)
		hang_up_outside(r);
	close_rig(state);
	assert_int_equal(open_rig(state), 0);
}

static void test_session_meant_for_another_id_is_offline(void **state)
{
	check_name(state, "", false);
	check_name(state, "12345678", false);
	check_name(state, "1234567890", false);
	check_name(state, "192.168.1.50", false);
	check_name(state, RIG_ID, true);
	check_name(state, RIG_ID "@hbbs.example.com", true);
}

static void test_empty_password_is_met_with_silence(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	for (int i = 0; i < 20; i++)
		assert_true(client_send_login(&r->client, "kvm:21118", "", no_password));
	assert_int_equal(client_fence(&r->client), 0);
	/* It is no failure either. */
	assert_true(client_send_login(&r->client, "kvm:21118", RIG_PASSWORD, NULL));
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->client.msg->login_response->union_case, RD__LOGIN_RESPONSE__UNION_PEER_INFO);
}

static void test_wrong_password_keeps_the_stream_and_its_challenge(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	for (int i = 0; i < 3; i++) {
		assert_true(client_send_login(&r->client, "kvm", "guess", NULL));
		assert_login_error(r, "Wrong Password");
	}
	assert_int_equal(ka_gate_controllers(r->gate), 0);
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->client.msg->login_response->union_case, RD__LOGIN_RESPONSE__UNION_PEER_INFO);
	assert_int_equal(ka_gate_controllers(r->gate), 1);
	/* A second login changes nothing. */
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_true(client_send_login(&r->client, "kvm", "guess", NULL));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(ka_gate_controllers(r->gate), 1);
}

static char another_id[] = "111222333";

static void as_another(Rd__LoginRequest *l)
{
	l->my_id = another_id;
}

/* Neither the id nor the kind of session may change between two tries, not even with the right password. */
static void test_another_request_than_the_first_is_not_allowed(void **state)
{
	static void (*const edits[])(Rd__LoginRequest *) = {as_another, ask_files, ask_terminal};

	for (size_t i = 0; i < KA_ARRAY_LEN(edits); i++) {
		struct session_rig *r = *state;

		assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
		assert_true(client_take_hash(&r->client));
		assert_true(client_send_login(&r->client, "kvm", "guess", NULL));
		assert_login_error(r, "Wrong Password");
		assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, edits[i]));
		assert_login_error(r, "Connection not allowed");
		hang_up_outside(r);
		close_rig(state);
		assert_int_equal(open_rig(state), 0);
	}
}

static void test_guessing_is_stopped(void **state)
{
	struct session_rig *r = *state;
	int wrong = 0;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	do {
		assert_true(wrong < 20);
		assert_true(client_send_login(&r->client, "kvm", "guess", NULL));
		assert_non_null(client_next(&r->client));
	} while (!strcmp(r->client.msg->login_response->error, "Wrong Password") && ++wrong);
	assert_string_equal(r->client.msg->login_response->error, "Please try 1 minute later");
	assert_true(wrong >= 7);
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_login_error(r, "Please try 1 minute later");
}

static void test_controller_that_decodes_nothing_of_ours_is_told_so(void **state)
{
	static void (*const edits[])(Rd__LoginRequest *) = {no_h264, no_option};

	for (size_t i = 0; i < KA_ARRAY_LEN(edits); i++) {
		struct session_rig *r = *state;

		r->host.codecs = (struct ka_codec_list){{KA_CODEC_H264}, 1, 1u << KA_CODEC_H264};
		assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
		assert_true(client_take_hash(&r->client));
		assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, edits[i]));
		assert_non_null(client_next(&r->client));
		assert_non_null(strstr(r->client.msg->login_response->error, "decode"));
		close(r->client.fd);
		r->client.fd = -1;
		assert_true(session_rig_wait_end(r));
		assert_int_equal(ka_gate_controllers(r->gate), 0);
		assert_int_equal(fake_host_count(&r->host, &r->host.watched), 0);
		close_rig(state);
		assert_int_equal(open_rig(state), 0);
	}
}

static void test_nothing_but_login_is_reachable_before_login(void **state)
{
	/* Move, left down, wheel, key down, text, refresh, capture of display 0, option, query, voice call,
	 * screenshot, and what only devices say: Hash, LoginResponse, VideoFrame. */
	static const char early[] =
		"20520610800f18b808 1052020809 18520408031801 207a06080120264801 147a03320141 149a01025001 "
		"249a0106f201031a0100 1c9a01043a02581e 189a0103aa0200 14ba01021001 18ea0103120178 144a030a0178 "
		"1c420512030a0178 1032025200";
	struct session_rig *r = *state;
	uint8_t wire[512];
	size_t n = hex_bytes(wire, sizeof(wire), early);

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_raw(&r->client, wire, n));
	assert_true(client_send_login(&r->client, "kvm", "guess", NULL));
	assert_true(client_send_raw(&r->client, wire, n));
	assert_login_error(r, "Wrong Password");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.n_inputs), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.watched), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.keys_requested), 0);
}

static void test_close_reason_before_login_ends_at_once(void **state)
{
	struct session_rig *r = *state;
	Rd__Misc misc = RD__MISC__INIT;
	char none[] = "";

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	misc.union_case = RD__MISC__UNION_CLOSE_REASON;
	misc.close_reason = none;
	assert_true(client_send_misc(&r->client, &misc));
	assert_ends_outside(r);
}

/* Restarts the rig with a profile for a password of its own beside the rig's. */
static void rig_with_access(struct session_rig *r, const struct ka_rd_access *access)
{
	struct ka_gate_cfg gate = {.password = "",
				   .salt = RIG_SALT,
				   .access = access,
				   .n_access = 1,
				   .permissions = r->cfg.permissions,
				   .max_controllers = 8};

	ka_gate_free(r->gate);
	assert_int_equal(ka_gate_new(&r->gate, &gate), 0);
	r->cfg.access = access;
	r->cfg.n_access = 1;
}

static void test_view_only_profile_is_told_and_cannot_touch_anything(void **state)
{
	/* Move, left down, wheel, key down, text. */
	static const char input[] = "20520610800f18b808 1052020809 18520408031801 207a06080120264801 147a03320141";
	struct ka_rd_access guest = {.name = "guest", .permissions = KA_RD_MAY_RECORD};
	struct session_rig *r = *state;
	uint8_t wire[256];
	size_t n = hex_bytes(wire, sizeof(wire), "9a01043a026001");
	char text[2 * KA_RD_H1_LEN + 1];
	const Rd__Message *m;

	ka_rd_hash_password(text, RIG_PASSWORD, RIG_SALT);
	assert_int_equal(hex_bytes(guest.h1, sizeof(guest.h1), text), 32);
	rig_with_access(r, &guest);
	assert_true(session_rig_login(r, NULL));
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_PERMISSION_INFO);
	assert_int_equal(m->misc->permission_info->permission, RD__PERMISSION_INFO__PERMISSION__KEYBOARD);
	assert_false(m->misc->permission_info->enabled);
	assert_int_equal(client_fence(&r->client), 0);
	fake_host_publish(&r->host, 1, true, 1280, 720, 100);
	assert_int_equal(client_next(&r->client)->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
	/* The client's own idea of not being view-only changes nothing. */
	assert_true(client_send_payload(&r->client, wire, n));
	n = hex_bytes(wire, sizeof(wire), input);
	assert_true(client_send_raw(&r->client, wire, n));
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.n_inputs), 0);
}

static void test_what_nobody_may_is_said_before_login(void **state)
{
	struct ka_rd_access guest = {.name = "guest", .permissions = 0};
	struct session_rig *r = *state;
	int first = -1;
	int n = 0;

	r->cfg.permissions = 0;
	rig_with_access(r, &guest);
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_int_equal(client_next(&r->client)->union_case, RD__MESSAGE__UNION_HASH);
	for (; n < 8; n++) {
		const Rd__Message *m = client_next(&r->client);

		assert_int_equal(m->misc->union_case, RD__MISC__UNION_PERMISSION_INFO);
		first = n ? first : (int)m->misc->permission_info->permission;
	}
	assert_int_equal(first, RD__PERMISSION_INFO__PERMISSION__KEYBOARD);
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_address_that_is_not_on_the_list_gets_no_hash(void **state)
{
	struct session_rig *r = *state;

	r->cfg.allow_addresses = "192.168.0.0/16, 2001:db8::/32";
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_login_error(r, "Your ip is blocked by the peer");
	/* Still nothing else is heard. */
	assert_true(client_send_login(&r->client, RIG_ID, RIG_PASSWORD, NULL));
	assert_ends_outside(r);
	close_rig(state);
	assert_int_equal(open_rig(state), 0);
	r = *state;
	r->cfg.allow_addresses = "192.168.0.0/16, 203.0.113.0/24";
	assert_true(session_rig_login(r, NULL));
}

static void test_id_that_is_not_on_the_list_is_blocked(void **state)
{
	struct session_rig *r = *state;
	struct ka_gate_cfg gate = {
		.password = RIG_PASSWORD, .salt = RIG_SALT, .max_controllers = 8, .allow_ids = "111111111"};

	ka_gate_free(r->gate);
	assert_int_equal(ka_gate_new(&r->gate, &gate), 0);
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, RIG_ID, RIG_PASSWORD, NULL));
	assert_login_error(r, "Your ID is blocked by the peer");
	hang_up_outside(r);
}

static void test_last_place_taken(void **state)
{
	struct session_rig *r = *state;
	struct ka_gate_cfg gate = {.password = RIG_PASSWORD, .salt = RIG_SALT, .max_controllers = 0};

	ka_gate_free(r->gate);
	assert_int_equal(ka_gate_new(&r->gate, &gate), 0);
	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, "kvm", RIG_PASSWORD, NULL));
	assert_login_error(r, "All places on this device are taken");
	hang_up_outside(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_hash_then_what_a_kvm_does_not_give),
		RIG(test_challenges_differ),
		RIG(test_other_kinds_of_sessions_are_refused),
		RIG(test_session_meant_for_another_id_is_offline),
		RIG(test_empty_password_is_met_with_silence),
		RIG(test_wrong_password_keeps_the_stream_and_its_challenge),
		RIG(test_another_request_than_the_first_is_not_allowed),
		RIG(test_guessing_is_stopped),
		RIG(test_controller_that_decodes_nothing_of_ours_is_told_so),
		RIG(test_nothing_but_login_is_reachable_before_login),
		RIG(test_close_reason_before_login_ends_at_once),
		RIG(test_view_only_profile_is_told_and_cannot_touch_anything),
		RIG(test_what_nobody_may_is_said_before_login),
		RIG(test_address_that_is_not_on_the_list_gets_no_hash),
		RIG(test_id_that_is_not_on_the_list_is_blocked),
		RIG(test_last_place_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
