/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our .proto files against bytes as stock endpoints write them, both ways. */
#include "tests/check/check.h"

#include "proto/message.pb-c.h"
#include "proto/rendezvous.pb-c.h"
#include "rustdesk/wire/pb.h"

#define BOX_PK "7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13"
#define CLIENT_PK "0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20"
#define SYMMETRIC "7e23d90f0c455a0e3e633d6e800f8e6b4717555154619a58b13291dcb98cafaa18a9cc1a883aab54386e39de02b2a5b7"
#define HASH "4a2a0a206162636465666768696a6b6d6e707172737475767778797a323334353637383912066b336d397a78"
#define PEER_ADDR "431af1ac682486ae4abf"

struct decoder {
	struct ka_pb pb;
	uint8_t data[1024];
};

static int open_decoder(void **state)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return -1;
	ka_pb_init(&d->pb, 65536);
	*state = d;
	return 0;
}

static int close_decoder(void **state)
{
	struct decoder *d = *state;

	ka_pb_fini(&d->pb);
	free(d);
	return 0;
}

static ProtobufCMessage *decode(void **state, const ProtobufCMessageDescriptor *type, const char *hex)
{
	struct decoder *d = *state;
	size_t n = hex_bytes(d->data, sizeof(d->data), hex);
	ProtobufCMessage *m = ka_pb_decode(&d->pb, type, d->data, n);

	assert_non_null(m);
	return m;
}

static void assert_packs(const ProtobufCMessage *m, const char *hex)
{
	uint8_t data[1024];

	assert_true(protobuf_c_message_get_packed_size(m) <= sizeof(data));
	assert_hex(data, protobuf_c_message_pack(m, data), hex);
}

/* Decodes, and writes the same bytes again. */
static const Rd__Message *both_ways(void **state, const char *hex)
{
	ProtobufCMessage *m = decode(state, &rd__message__descriptor, hex);

	assert_packs(m, hex);
	return (const Rd__Message *)m;
}

static const Rdv__Envelope *both_ways_rdv(void **state, const char *hex)
{
	ProtobufCMessage *m = decode(state, &rdv__envelope__descriptor, hex);

	assert_packs(m, hex);
	return (const Rdv__Envelope *)m;
}

/* In proto3 zeros are left out, but in a union the member itself must still be there. */
static void test_zero_members_of_unions_are_kept(void **state)
{
	const Rd__Message *m;
	const Rdv__Envelope *e;

	m = both_ways(state, "9a 01 03 f8 01 00");
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_REFRESH_VIDEO_DISPLAY);
	assert_int_equal(m->misc->refresh_video_display, 0);
	m = both_ways(state, "9a 01 03 aa 02 00");
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_MESSAGE_QUERY);
	assert_int_equal(m->misc->message_query->switch_display, 0);
	m = both_ways(state, "52 00");
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_MOUSE_EVENT);
	assert_int_equal(m->mouse_event->mask, 0);
	m = both_ways(state, "9a 01 02 32 00");
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_PERMISSION_INFO);
	assert_int_equal(m->misc->permission_info->permission, RD__PERMISSION_INFO__PERMISSION__KEYBOARD);
	assert_false(m->misc->permission_info->enabled);
	m = both_ways(state, "9a 01 02 4a 00");
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CLOSE_REASON);
	assert_string_equal(m->misc->close_reason, "");
	m = both_ways(state, "7a 02 20 00");
	assert_int_equal(m->key_event->union_case, RD__KEY_EVENT__UNION_CHR);
	e = both_ways_rdv(state, "82 01 00");
	assert_int_equal(e->union_case, RDV__ENVELOPE__UNION_REGISTER_PK_RESPONSE);
	assert_int_equal(e->register_pk_response->result, RDV__REGISTER_PK_RESPONSE__RESULT__OK);
}

static void test_empty_message_is_no_bytes(void **state)
{
	const Rd__Message *m = both_ways(state, "");

	assert_int_equal(m->union_case, RD__MESSAGE__UNION__NOT_SET);
	m = both_ways(state, "9a 01 00");
	assert_int_equal(m->misc->union_case, RD__MISC__UNION__NOT_SET);
}

static void test_handshake_messages(void **state)
{
	const Rd__Message *m = both_ways(state, "22 00");

	assert_int_equal(m->union_case, RD__MESSAGE__UNION_PUBLIC_KEY);
	assert_int_equal(m->public_key->asymmetric_value.len, 0);
	m = both_ways(state, "22 54 0a 20" CLIENT_PK "12 30" SYMMETRIC);
	assert_hex(m->public_key->asymmetric_value.data, m->public_key->asymmetric_value.len, CLIENT_PK);
	assert_hex(m->public_key->symmetric_value.data, m->public_key->symmetric_value.len, SYMMETRIC);
	m = both_ways(state, "1a 04 0a 02 ab cd");
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_SIGNED_ID);
	assert_hex(m->signed_id->id.data, m->signed_id->id.len, "ab cd");
	ProtobufCMessage *id = decode(state, &rd__id_pk__descriptor, "0a 09 313233343536373839 12 20" BOX_PK);

	assert_packs(id, "0a 09 313233343536373839 12 20" BOX_PK);
	assert_string_equal(((Rd__IdPk *)id)->id, "123456789");
}

static void test_hash_and_login_messages(void **state)
{
	const Rd__Message *m = both_ways(state, HASH);
	const Rd__LoginRequest *r;

	assert_string_equal(m->hash->salt, "abcdefghijkmnpqrstuvwxyz23456789");
	assert_string_equal(m->hash->challenge, "k3m9zx");
	/* username, password, my_id, my_name, option{h264}, session, version, platform */
	m = both_ways(state,
		      "3a 24 0a 01 31 12 02 aa bb 22 01 32 2a 01 33 32 04 52 02 10 01 50 ac 02 5a 05 31 2e 34 2e 39 "
		      "6a 05 4c 69 6e 75 78");
	r = m->login_request;
	assert_string_equal(r->username, "1");
	assert_hex(r->password.data, r->password.len, "aabb");
	assert_string_equal(r->my_id, "2");
	assert_string_equal(r->my_name, "3");
	assert_int_equal(r->option->supported_decoding->ability_h264, 1);
	assert_true(r->session_id == 300);
	assert_string_equal(r->version, "1.4.9");
	assert_string_equal(r->my_platform, "Linux");
	assert_int_equal(r->union_case, RD__LOGIN_REQUEST__UNION__NOT_SET);
	/* The kinds we refuse; an empty one is one as well. */
	m = both_ways(state, "3a 02 3a 00");
	assert_int_equal(m->login_request->union_case, RD__LOGIN_REQUEST__UNION_FILE_TRANSFER);
	m = both_ways(state, "3a 02 42 00");
	assert_int_equal(m->login_request->union_case, RD__LOGIN_REQUEST__UNION_PORT_FORWARD);
	m = both_ways(state, "3a 02 7a 00");
	assert_int_equal(m->login_request->union_case, RD__LOGIN_REQUEST__UNION_VIEW_CAMERA);
	m = both_ways(state, "3a 03 82 01 00");
	assert_int_equal(m->login_request->union_case, RD__LOGIN_REQUEST__UNION_TERMINAL);
	m = both_ways(state, "42 09 0a 07 4f 66 66 6c 69 6e 65");
	assert_int_equal(m->login_response->union_case, RD__LOGIN_RESPONSE__UNION_ERROR);
	assert_string_equal(m->login_response->error, "Offline");
}

static void test_fields_of_a_newer_peer_are_skipped(void **state)
{
	/* os_login 12, hwid 14, avatar 17 of a LoginRequest, and a message number of tomorrow. */
	const Rd__Message *m = (const Rd__Message *)decode(
		state, &rd__message__descriptor,
		"3a 14 0a 01 31 62 04 0a 02 61 62 72 02 aabb 8a 01 02 61 62 48 01 fa 7f 01 78");

	assert_int_equal(m->union_case, RD__MESSAGE__UNION_LOGIN_REQUEST);
	assert_string_equal(m->login_request->username, "1");
	assert_true(m->login_request->video_ack_required);
}

static void test_input_messages(void **state)
{
	const Rd__Message *m = both_ways(state, "52 06 10 80 0f 18 b8 08");

	assert_int_equal(m->mouse_event->mask, 0);
	assert_int_equal(m->mouse_event->x, 960);
	assert_int_equal(m->mouse_event->y, 540);
	m = both_ways(state, "52 02 08 09");
	assert_int_equal(m->mouse_event->mask, 9);
	m = both_ways(state, "52 04 08 03 18 01");
	assert_int_equal(m->mouse_event->mask, 3);
	assert_int_equal(m->mouse_event->y, -1);
	/* Modifiers come packed, and count the same unpacked. */
	m = both_ways(state, "52 06 08 09 22 02 04 1d");
	assert_int_equal(m->mouse_event->n_modifiers, 2);
	assert_int_equal(m->mouse_event->modifiers[1], 29);
	m = (const Rd__Message *)decode(state, &rd__message__descriptor, "52 06 08 09 20 04 20 1d");
	assert_int_equal(m->mouse_event->n_modifiers, 2);
	assert_int_equal(m->mouse_event->modifiers[0], 4);
	m = both_ways(state, "7a 06 08 01 20 26 48 01");
	assert_true(m->key_event->down);
	assert_int_equal(m->key_event->union_case, RD__KEY_EVENT__UNION_CHR);
	assert_int_equal(m->key_event->chr, 38);
	assert_int_equal(m->key_event->mode, 1);
	m = both_ways(state, "7a 08 10 01 18 05 42 02 01 04");
	assert_int_equal(m->key_event->union_case, RD__KEY_EVENT__UNION_CONTROL_KEY);
	assert_int_equal(m->key_event->control_key, 5);
	/* A control key of tomorrow is kept as a number. */
	m = both_ways(state, "7a 03 18 e8 07");
	assert_int_equal(m->key_event->control_key, 1000);
}

static void test_video_and_delay_messages(void **state)
{
	const Rd__Message *m = both_ways(state, "2a 00");

	assert_int_equal(m->union_case, RD__MESSAGE__UNION_TEST_DELAY);
	m = both_ways(state, "2a 09 08 05 10 01 18 10 20 e8 07");
	assert_true(m->test_delay->from_client);
	assert_int_equal(m->test_delay->target_bitrate, 1000);
	m = both_ways(state, "32 0d 52 0b 0a 09 0a 03 00 00 01 10 01 18 21");
	assert_int_equal(m->video_frame->union_case, RD__VIDEO_FRAME__UNION_H264S);
	assert_int_equal(m->video_frame->h264s->n_frames, 1);
	assert_true(m->video_frame->h264s->frames[0]->key);
	assert_true(m->video_frame->h264s->frames[0]->pts == 33);
}

static void test_menu_messages(void **state)
{
	const Rd__Message *m = (const Rd__Message *)decode(state, &rd__message__descriptor, "9a 01 05 f2 01 02 1a 00");

	/* A packed list of nothing is a list of nothing; a list with display 0 is not. */
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CAPTURE_DISPLAYS);
	assert_int_equal(m->misc->capture_displays->n_set, 0);
	m = both_ways(state, "9a 01 06 f2 01 03 1a 01 00");
	assert_int_equal(m->misc->capture_displays->n_set, 1);
	assert_int_equal(m->misc->capture_displays->set[0], 0);
	m = both_ways(state, "9a 01 07 3a 05 30 80 64 58 1e");
	assert_int_equal(m->misc->option->custom_image_quality, 12800);
	assert_int_equal(m->misc->option->custom_fps, 30);
	m = both_ways(state, "9a 01 0a 2a 08 20 80 0a 28 d0 05 30 01");
	assert_int_equal(m->misc->switch_display->width, 1280);
	assert_int_equal(m->misc->switch_display->height, 720);
	assert_true(m->misc->switch_display->cursor_embedded);
	m = both_ways(state, "9a 01 08 6a 06 10 03 1a 02 6e 6f");
	assert_int_equal(m->misc->back_notification->union_case, RD__BACK_NOTIFICATION__UNION_BLOCK_INPUT_STATE);
	assert_string_equal(m->misc->back_notification->details, "no");
}

static void test_registration_messages(void **state)
{
	const Rdv__Envelope *e = both_ways_rdv(state, "32 0d 0a 09 313233343536373839 10 03");

	assert_string_equal(e->register_peer->id, "123456789");
	assert_int_equal(e->register_peer->serial, 3);
	e = both_ways_rdv(state, "3a 00");
	assert_int_equal(e->union_case, RDV__ENVELOPE__UNION_REGISTER_PEER_RESPONSE);
	assert_false(e->register_peer_response->request_pk);
	e = both_ways_rdv(state, "3a 02 10 01");
	assert_true(e->register_peer_response->request_pk);
	e = both_ways_rdv(state, "82 01 02 08 02");
	assert_int_equal(e->register_pk_response->result, RDV__REGISTER_PK_RESPONSE__RESULT__UUID_MISMATCH);
	e = both_ways_rdv(state, "");
	assert_int_equal(e->union_case, RDV__ENVELOPE__UNION__NOT_SET);
}

static void test_signalling_messages(void **state)
{
	const Rdv__Envelope *e =
		both_ways_rdv(state, "52 38 0a 0a" PEER_ADDR
				     "12 09 313233343536373839 1a 16 686262732e6578616d706c652e636f6d3a3231313137 "
				     "20 01 2a 05 312e342e35");

	assert_hex(e->punch_hole_sent->socket_addr.data, e->punch_hole_sent->socket_addr.len, PEER_ADDR);
	assert_string_equal(e->punch_hole_sent->id, "123456789");
	assert_string_equal(e->punch_hole_sent->relay_server, "hbbs.example.com:21117");
	assert_int_equal(e->punch_hole_sent->nat_type, RDV__NAT_TYPE__NAT_ASYMMETRIC);
	assert_string_equal(e->punch_hole_sent->version, "1.4.5");
	e = both_ways_rdv(state,
			  "6a 42 0a 0a" PEER_ADDR "12 0a a1f6f2ac682472fe6b88 1a 16 "
			  "686262732e6578616d706c652e636f6d3a3231313137 22 09 313233343536373839 2a 05 312e342e35");
	assert_hex(e->local_addr->local_addr.data, e->local_addr->local_addr.len, "a1f6f2ac682472fe6b88");
	e = both_ways_rdv(state, "9a 01 13 0a 0a" PEER_ADDR "3a 05 312e342e35");
	assert_int_equal(e->relay_response->union_case, RDV__RELAY_RESPONSE__UNION__NOT_SET);
	assert_string_equal(e->relay_response->version, "1.4.5");
	e = both_ways_rdv(state,
			  "b2 01 36 0a 04 706f6e67 12 11 61613a62623a63633a64643a65653a6666 1a 09 313233343536373839 "
			  "22 04 726f6f74 2a 03 6b766d 32 05 4c696e7578");
	assert_string_equal(e->peer_discovery->cmd, "pong");
	assert_string_equal(e->peer_discovery->mac, "aa:bb:cc:dd:ee:ff");
	assert_string_equal(e->peer_discovery->platform, "Linux");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zero_members_of_unions_are_kept, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_empty_message_is_no_bytes, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_handshake_messages, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_hash_and_login_messages, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_fields_of_a_newer_peer_are_skipped, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_input_messages, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_video_and_delay_messages, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_menu_messages, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_registration_messages, open_decoder, close_decoder),
		cmocka_unit_test_setup_teardown(test_signalling_messages, open_decoder, close_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
