/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the menus of a client ask for, and the answers. */
#include "tests/fake/session_check.h"

#include <poll.h>

#include "base/bitrate.h"
#include "base/clock.h"

static void send_payload_hex(struct session_rig *r, const char *hex)
{
	uint8_t payload[128];
	size_t n = hex_bytes(payload, sizeof(payload), hex);

	assert_true(client_send_payload(&r->client, payload, n));
}

/* Misc{option{...}} of at most 100 bytes. */
static void send_option(struct session_rig *r, const char *hex)
{
	uint8_t option[100];
	uint8_t payload[128] = {0x9a, 0x01, 0, 0x3a};
	size_t n = hex_bytes(option, sizeof(option), hex);

	payload[2] = (uint8_t)(n + 2);
	payload[4] = (uint8_t)n;
	memcpy(payload + 5, option, n);
	assert_true(client_send_payload(&r->client, payload, n + 5));
}

static void login(struct session_rig *r)
{
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
}

static struct ka_host_wish wish_after(struct session_rig *r, const char *option)
{
	send_option(r, option);
	assert_int_equal(client_fence(&r->client), 0);
	return fake_host_wish(&r->host);
}

static void test_image_quality_becomes_bitrate(void **state)
{
	struct session_rig *r = *state;

	login(r);
	assert_int_equal(fake_host_wish(&r->host).kbps, ka_bitrate_kbps(1280, 720, 0));
	assert_int_equal(wish_after(r, "08 04").kbps, ka_bitrate_kbps(1280, 720, 150));
	assert_int_equal(wish_after(r, "08 02").kbps, ka_bitrate_kbps(1280, 720, 50));
	assert_int_equal(wish_after(r, "30 80 64").kbps, ka_bitrate_kbps(1280, 720, 100));
	/* Fields that are not there leave things as they are; nonsense as well. */
	assert_int_equal(wish_after(r, "").kbps, ka_bitrate_kbps(1280, 720, 100));
	assert_int_equal(wish_after(r, "08 63").kbps, ka_bitrate_kbps(1280, 720, 100));
	assert_int_equal(wish_after(r, "30 ff ff ff ff ff ff ff ff ff 01").kbps, ka_bitrate_kbps(1280, 720, 100));
}

static void test_frame_rates_are_capped_by_the_smaller_wish(void **state)
{
	struct session_rig *r = *state;

	login(r);
	assert_int_equal(fake_host_wish(&r->host).fps, 0);
	assert_int_equal(wish_after(r, "58 3c").fps, 60);
	assert_int_equal(wish_after(r, "58 79").fps, 60); /* 121: ignored */
	assert_int_equal(wish_after(r, "58 ff ff ff ff ff ff ff ff ff 01").fps, 60);
	send_payload_hex(r, "9a 01 03 e0 01 14"); /* auto_adjust_fps 20 */
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_wish(&r->host).fps, 20);
	assert_int_equal(wish_after(r, "58 0a").fps, 10);
	send_payload_hex(r, "9a 01 07 e0 01 ff ff ff ff 0f");
	assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(fake_host_wish(&r->host).fps, 10);
}

static void test_codec_that_failed_in_the_client_ends_it_in_words(void **state)
{
	struct session_rig *r = *state;
	const Rd__Message *m;

	login(r);
	send_option(r, "52 02 30 01"); /* AV1 only from now on */
	m = client_next(&r->client);
	assert_non_null(m);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CLOSE_REASON);
	/* The client does not come back by itself after such a word. */
	assert_non_null(strstr(m->misc->close_reason, "failed"));
	assert_true(fake_host_wait_unwatched(&r->host, 1));
}

static bool pressed(struct session_rig *r, uint16_t usage)
{
	unsigned int n = fake_host_count(&r->host, &r->host.n_inputs);

	for (unsigned int i = 0; i < n; i++) {
		struct ka_input in = fake_host_input(&r->host, i);

		if (in.kind == KA_INPUT_KEY && in.key.usage == usage && in.key.down)
			return true;
	}
	return false;
}

static bool locks_at_the_end(void **state, const char *option, const char *then)
{
	struct session_rig *r = *state;
	bool locked;

	login(r);
	send_option(r, option);
	if (then)
		send_option(r, then);
	assert_int_equal(client_fence(&r->client), 0);
	assert_false(pressed(r, 0x0f));
	/* Dropped, not said good-bye: what the user wished for counts all the more. */
	close(r->client.fd);
	r->client.fd = -1;
	assert_true(session_rig_wait_end(r));
	locked = pressed(r, 0xe3) && pressed(r, 0x0f); /* left GUI, L */
	assert_true(fake_host_input(&r->host, 0).kind == KA_INPUT_RELEASE);
	close_rig(state);
	assert_int_equal(open_rig(state), 0);
	return locked;
}

static void test_target_is_locked_at_the_end_when_the_user_chose_so(void **state)
{
	assert_true(locks_at_the_end(state, "10 02", NULL));
	assert_false(locks_at_the_end(state, "10 02", "10 01"));
	assert_false(locks_at_the_end(state, "10 63", NULL));	 /* nonsense */
	assert_false(locks_at_the_end(state, "10 02", "60 02")); /* view-only */
	assert_false(locks_at_the_end(state, "08 02", NULL));
}

static void test_messages_nobody_asked_for_are_ignored(void **state)
{
	/* Empty, Hash, LoginResponse, VideoFrame, SignedId, PublicKey, PeerInfo, chat, permission, unknown numbers. */
	static const char *const odd[] =
		{
			"",
			"4a 00",
			"42 00",
			"32 00",
			"1a 00",
			"22 00",
			"ca 01 00",
			"9a 01 00",
			"82 01 00",
			"9a 01 02 22 00",
			"9a 01 02 32 00",
			"fa 7f 01 78",
			"b2 01 02 12 00", /* SwitchSidesResponse with a login inside */
		};
	struct session_rig *r = *state;

	login(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(odd); i++)
		send_payload_hex(r, odd[i]);
	assert_int_equal(client_fence(&r->client), 0);
}

static void test_probe_is_sent_again_only_after_its_echo(void **state)
{
	struct session_rig *r = *state;

	assert_int_equal(session_rig_start(r, KA_PATH_DIRECT, false), 0);
	r->client.mute = true;
	assert_true(client_take_hash(&r->client));
	assert_int_equal(r->client.probes, 1);
	/* More than a second without an echo: no second one piles up. Slowly, because what comes before login is
	 * counted. */
	for (int64_t until = ka_clock_us() + KA_MS(1300); ka_clock_us() < until; poll(NULL, 0, 20))
		assert_int_equal(client_fence(&r->client), 0);
	assert_int_equal(r->client.probes, 1);
	/* The echo has no answer of its own; the next probe comes with the next second. */
	send_payload_hex(r, "2a 00");
	for (; r->client.probes < 2; poll(NULL, 0, 20))
		assert_int_equal(client_fence(&r->client), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_image_quality_becomes_bitrate),
		RIG(test_frame_rates_are_capped_by_the_smaller_wish),
		RIG(test_codec_that_failed_in_the_client_ends_it_in_words),
		RIG(test_target_is_locked_at_the_end_when_the_user_chose_so),
		RIG(test_messages_nobody_asked_for_are_ignored),
		RIG(test_probe_is_sent_again_only_after_its_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
