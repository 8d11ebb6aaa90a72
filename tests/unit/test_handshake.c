/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions until a key is agreed upon, or not. */
#include "tests/fake/session_check.h"

#include <sodium.h>
#include <sys/socket.h>

static void answer_signed_id(struct session_rig *r, const uint8_t *pk, size_t pk_len, const uint8_t *sealed,
			     size_t sealed_len)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__PublicKey key = RD__PUBLIC_KEY__INIT;
	uint8_t a[128];
	uint8_t b[128];

	memcpy(a, pk, pk_len);
	memcpy(b, sealed, sealed_len);
	key.asymmetric_value = (ProtobufCBinaryData){.len = pk_len, .data = a};
	key.symmetric_value = (ProtobufCBinaryData){.len = sealed_len, .data = b};
	msg.union_case = RD__MESSAGE__UNION_PUBLIC_KEY;
	msg.public_key = &key;
	assert_true(client_send(&r->client, &msg));
}

static void test_garbage_in_the_handshake_aborts(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	assert_non_null(client_next(&r->client)); /* SignedId */
	assert_true(client_send_raw(&r->client, "\x0c\xff\xff\xff", 4));
	assert_null(client_next(&r->client));
	assert_ends_outside(r);
}

static void test_large_frame_before_login_aborts(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	assert_true(client_take_hash(&r->client));
	/* 64 KiB and one byte announced: not a byte of it is awaited. */
	assert_true(client_send_raw(&r->client, "\x06\x00\x04", 3));
	assert_null(client_next(&r->client));
	assert_ends_outside(r);
}

static void test_public_keys_of_wrong_lengths_abort(void **state)
{
	static const size_t lengths[][2] = {{31, 48}, {33, 48}, {1, 48}, {32, 0}, {32, 47}, {32, 49}, {64, 48}};
	static const uint8_t zero[128];

	for (size_t i = 0; i < KA_ARRAY_LEN(lengths); i++) {
		struct session_rig *r = *state;

		assert_int_equal(session_rig_start(r, KA_PATH_PUNCHED, true), 0);
		assert_non_null(client_next(&r->client));
		answer_signed_id(r, zero, lengths[i][0], zero, lengths[i][1]);
		assert_null(client_next(&r->client)); /* above all no Hash in the clear */
		assert_ends_outside(r);
		close_rig(state);
		assert_int_equal(open_rig(state), 0);
	}
}

static void test_sealed_key_that_does_not_open_aborts(void **state)
{
	struct session_rig *r = *state;
	uint8_t pk[32];
	uint8_t sk[32];
	uint8_t sealed[48];

	r->cfg.encryption = KA_RD_ENCRYPT_OPTIONAL; /* no excuse */
	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	assert_non_null(client_next(&r->client));
	crypto_box_keypair(pk, sk);
	randombytes_buf(sealed, sizeof(sealed));
	answer_signed_id(r, pk, sizeof(pk), sealed, sizeof(sealed));
	assert_null(client_next(&r->client));
	assert_ends_outside(r);
}

static void test_keyless_controller_is_refused_in_words_when_encryption_is_required(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	/* Such a controller speaks before it has read anything. */
	assert_true(client_send_raw(&r->client, "\x00", 1));
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_SIGNED_ID);
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_LOGIN_RESPONSE);
	assert_non_null(strstr(m->login_response->error, "encrypted"));
	assert_ends_outside(r);
}

static void test_keyless_controller_goes_on_when_encryption_is_optional(void **state)
{
	struct session_rig *r = *state;

	r->cfg.encryption = KA_RD_ENCRYPT_OPTIONAL;
	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	assert_true(client_send_raw(&r->client, "\x00", 1));
	assert_non_null(client_next(&r->client));
	assert_true(client_take_hash(&r->client));
	assert_false(ka_session_pk_rejected(r->session));
}

static void test_empty_public_key_says_that_our_key_is_unknown(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	assert_non_null(client_next(&r->client));
	assert_true(client_send_raw(&r->client, "\x08\x22\x00", 3));
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->client.msg->union_case, RD__MESSAGE__UNION_LOGIN_RESPONSE);
	assert_true(ka_session_pk_rejected(r->session));
	hang_up_outside(r);
}

static void test_keys_are_exchanged_and_everything_after_is_sealed(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_RELAY, true), 0);
	assert_true(session_rig_exchange_keys(r));
	assert_true(client_take_hash(&r->client));
	assert_true(client_send_login(&r->client, RIG_ID, RIG_PASSWORD, NULL));
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->client.msg->login_response->union_case, RD__LOGIN_RESPONSE__UNION_PEER_INFO);
	/* One frame in the clear is one too many. */
	r->client.sealed = false;
	assert_true(client_send_raw(&r->client,
				    "\x4c"
				    "0123456789abcdefghi",
				    20));
	assert_true(session_rig_wait_end(r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_garbage_in_the_handshake_aborts),
		RIG(test_large_frame_before_login_aborts),
		RIG(test_public_keys_of_wrong_lengths_abort),
		RIG(test_sealed_key_that_does_not_open_aborts),
		RIG(test_keyless_controller_is_refused_in_words_when_encryption_is_required),
		RIG(test_keyless_controller_goes_on_when_encryption_is_optional),
		RIG(test_empty_public_key_says_that_our_key_is_unknown),
		RIG(test_keys_are_exchanged_and_everything_after_is_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
