/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mouse and keys of a session: what of it reaches the target. */
#include "tests/fake/session_check.h"

enum { LEFT = 1, RIGHT = 2, MIDDLE = 4, BACK = 8, FORWARD = 16 };
enum { MOVE, DOWN, UP, WHEEL, TRACKPAD, RELATIVE };

static void login(struct session_rig *r)
{
	assert_true(session_rig_login(r, NULL));
	assert_int_equal(client_fence(&r->client), 0);
}

/* Pointer events count from the first picture on. */
static void login_and_watch(struct session_rig *r)
{
	login(r);
	fake_host_publish(&r->host, 1, true, 1280, 720, 100);
	assert_non_null(client_next(&r->client));
	assert_int_equal(r->client.msg->union_case, RD__MESSAGE__UNION_VIDEO_FRAME);
}

static void send_mouse(struct session_rig *r, int32_t mask, int32_t x, int32_t y)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__MouseEvent m = RD__MOUSE_EVENT__INIT;
	int32_t modifiers[] = {4, 29}; /* Control, Shift */

	m.mask = mask;
	m.x = x;
	m.y = y;
	if ((mask & 7) == DOWN || (mask & 7) == UP) {
		m.n_modifiers = KA_ARRAY_LEN(modifiers);
		m.modifiers = modifiers;
	}
	msg.union_case = RD__MESSAGE__UNION_MOUSE_EVENT;
	msg.mouse_event = &m;
	assert_true(client_send(&r->client, &msg));
}

static unsigned int inputs(struct session_rig *r)
{
	assert_int_equal(client_fence(&r->client), 0);
	return fake_host_count(&r->host, &r->host.n_inputs);
}

/* The one event that a mouse message makes. */
static struct ka_input after_mouse(struct session_rig *r, int32_t mask, int32_t x, int32_t y)
{
	unsigned int before = inputs(r);

	send_mouse(r, mask, x, y);
	assert_int_equal(inputs(r), before + 1);
	return fake_host_input(&r->host, before);
}

static void assert_nothing_after_mouse(struct session_rig *r, int32_t mask, int32_t x, int32_t y)
{
	unsigned int before = inputs(r);

	send_mouse(r, mask, x, y);
	assert_int_equal(inputs(r), before);
}

static void test_pointer_is_dead_until_the_first_picture(void **state)
{
	/* What a client sends to wake a desktop when no picture has come within 1.5 s. */
	struct session_rig *r = *state;

	login(r);
	assert_nothing_after_mouse(r, LEFT << 3 | UP, 0, 0);
	assert_nothing_after_mouse(r, MOVE, 0, 0);
	assert_nothing_after_mouse(r, MOVE, 3, 3);
	assert_nothing_after_mouse(r, RIGHT << 3 | DOWN, 0, 0);
	assert_nothing_after_mouse(r, RIGHT << 3 | UP, 0, 0);
	fake_host_publish(&r->host, 1, true, 1280, 720, 100);
	assert_non_null(client_next(&r->client));
	assert_int_equal(after_mouse(r, MOVE, 3, 3).kind, KA_INPUT_MOVE_ABS);
}

static void test_masks_that_mean_nothing_are_ignored(void **state)
{
	struct session_rig *r = *state;

	login_and_watch(r);
	assert_nothing_after_mouse(r, DOWN, 5, 5);			 /* no button */
	assert_nothing_after_mouse(r, (LEFT | RIGHT) << 3 | DOWN, 0, 0); /* two */
	assert_nothing_after_mouse(r, 32 << 3 | DOWN, 0, 0);
	assert_nothing_after_mouse(r, 31 << 3 | UP, 0, 0);
	assert_nothing_after_mouse(r, 6, 1, 1);
	assert_nothing_after_mouse(r, 7, 1, 1);
	assert_nothing_after_mouse(r, -1, 1, 1);
	assert_nothing_after_mouse(r, WHEEL, 0, 0);
	assert_nothing_after_mouse(r, TRACKPAD, 0, 0);
	assert_nothing_after_mouse(r, RELATIVE, 0, 0);
}

static void test_moves_are_scaled_and_clamped_to_the_picture(void **state)
{
	static const struct {
		int32_t x, y;
		uint16_t want_x, want_y;
	} moves[] = {
		{0, 0, 0, 0},
		{1279, 719, 32767, 32767},
		{1280, 720, 32767, 32767}, /* clients of a "Windows" may say so */
		{640, 360, 16396, 16406},
		{-1, -1, 0, 0},
		{INT32_MAX, INT32_MIN, 32767, 0},
		{INT32_MIN, INT32_MAX, 0, 32767},
	};
	struct session_rig *r = *state;

	login_and_watch(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(moves); i++) {
		struct ka_input in = after_mouse(r, MOVE, moves[i].x, moves[i].y);

		assert_int_equal(in.kind, KA_INPUT_MOVE_ABS);
		assert_int_equal(in.source, RIG_NUMBER);
		assert_true(in.at_us > 0);
		assert_int_equal(in.pos.x, moves[i].want_x);
		assert_int_equal(in.pos.y, moves[i].want_y);
	}
	/* During a drag the buttons are named, too. */
	assert_int_equal(after_mouse(r, LEFT << 3 | MOVE, 0, 0).kind, KA_INPUT_MOVE_ABS);
	/* The picture has changed: so has the scale. */
	fake_host_publish(&r->host, 2, true, 640, 480, 100);
	for (int i = 0; i < 3; i++)
		assert_non_null(client_next(&r->client));
	assert_int_equal(after_mouse(r, MOVE, 639, 0).pos.x, 32767);
}

static void test_buttons_do_not_move_the_pointer(void **state)
{
	static const uint8_t buttons[] = {LEFT, RIGHT, MIDDLE, BACK, FORWARD};
	static const uint8_t want[] = {KA_BUTTON_LEFT, KA_BUTTON_RIGHT, KA_BUTTON_MIDDLE, KA_BUTTON_BACK,
				       KA_BUTTON_FORWARD};
	struct session_rig *r = *state;

	login_and_watch(r);
	for (size_t i = 0; i < KA_ARRAY_LEN(buttons); i++) {
		struct ka_input in = after_mouse(r, buttons[i] << 3 | DOWN, 100, 100);

		assert_int_equal(in.kind, KA_INPUT_BUTTON);
		assert_int_equal(in.button.mask, want[i]);
		assert_true(in.button.down);
		assert_int_equal(in.button.mods, KA_MOD_LCTRL | KA_MOD_LSHIFT);
		in = after_mouse(r, buttons[i] << 3 | UP, 100, 100);
		assert_int_equal(in.button.mask, want[i]);
		assert_false(in.button.down);
		assert_int_equal(in.button.mods, 0);
	}
}

static void test_wheels_turn_the_right_way(void **state)
{
	struct session_rig *r = *state;
	struct ka_input in;

	login_and_watch(r);
	in = after_mouse(r, WHEEL, 0, 1); /* away from the user */
	assert_int_equal(in.kind, KA_INPUT_WHEEL);
	assert_int_equal(in.wheel.y, KA_WHEEL_NOTCH);
	assert_int_equal(in.wheel.x, 0);
	in = after_mouse(r, WHEEL, 0, -2);
	assert_int_equal(in.wheel.y, -2 * KA_WHEEL_NOTCH);
	in = after_mouse(r, WHEEL, 1, 0); /* left on the wire */
	assert_int_equal(in.wheel.x, -KA_WHEEL_NOTCH);
	in = after_mouse(r, TRACKPAD, 0, 1); /* lines, towards a "Linux" */
	assert_int_equal(in.wheel.y, KA_WHEEL_NOTCH);
	in = after_mouse(r, WHEEL, INT32_MIN, INT32_MAX);
	assert_int_equal(in.wheel.x, 100 * KA_WHEEL_NOTCH);
	assert_int_equal(in.wheel.y, 100 * KA_WHEEL_NOTCH);
}

static void test_trackpad_of_a_windows_counts_parts_of_a_notch(void **state)
{
	struct session_rig *r = *state;
	struct ka_input in;

	r->cfg.platform = KA_RD_WINDOWS;
	login_and_watch(r);
	in = after_mouse(r, TRACKPAD, -7, 13);
	assert_int_equal(in.wheel.x, 7);
	assert_int_equal(in.wheel.y, 13);
	in = after_mouse(r, TRACKPAD, INT32_MIN, INT32_MIN);
	assert_int_equal(in.wheel.x, 12000);
	assert_int_equal(in.wheel.y, -12000);
}

static void test_relative_moves_are_bounded(void **state)
{
	struct session_rig *r = *state;
	struct ka_input in;

	login_and_watch(r);
	in = after_mouse(r, RELATIVE, -3, 4);
	assert_int_equal(in.kind, KA_INPUT_MOVE_REL);
	assert_int_equal(in.rel.dx, -3);
	assert_int_equal(in.rel.dy, 4);
	in = after_mouse(r, RELATIVE, INT32_MIN, INT32_MAX);
	assert_int_equal(in.rel.dx, -10000);
	assert_int_equal(in.rel.dy, 10000);
}

static void test_order_of_moves_and_clicks_is_kept(void **state)
{
	struct session_rig *r = *state;
	unsigned int n;

	login_and_watch(r);
	for (int i = 0; i < 100; i++) {
		send_mouse(r, MOVE, i, 0);
		send_mouse(r, LEFT << 3 | (i % 2 ? UP : DOWN), 0, 0);
	}
	n = inputs(r);
	assert_int_equal(n, 200);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(fake_host_input(&r->host, i).kind, i % 2 ? KA_INPUT_BUTTON : KA_INPUT_MOVE_ABS);
}

static void send_key(struct session_rig *r, const char *hex)
{
	uint8_t payload[64];
	size_t n = hex_bytes(payload, sizeof(payload), hex);

	assert_true(client_send_payload(&r->client, payload, n));
}

static void test_keys_need_no_picture(void **state)
{
	struct session_rig *r = *state;
	struct ka_input in;

	login(r);
	send_key(r, "7a 06 08 01 20 26 48 01"); /* Map, X11 38 down: a */
	send_key(r, "7a 04 20 26 48 01");
	assert_int_equal(inputs(r), 2);
	in = fake_host_input(&r->host, 0);
	assert_int_equal(in.kind, KA_INPUT_KEY);
	assert_int_equal(in.source, RIG_NUMBER);
	assert_int_equal(in.key.usage, 0x04);
	assert_true(in.key.down);
	assert_false(fake_host_input(&r->host, 1).key.down);
	/* No member, an unknown one, an unknown code, numbers past any character. */
	send_key(r, "7a 02 08 01");
	send_key(r, "7a 00");
	send_key(r, "7a 06 08 01 20 00 48 01");
	send_key(r, "7a 08 08 01 20 ff ff ff ff 0f");
	send_key(r, "7a 08 08 01 28 ff ff ff ff 0f");
	assert_int_equal(inputs(r), 2);
	/* A mode of tomorrow is Legacy. */
	send_key(r, "7a 06 08 01 20 61 48 09");
	assert_int_equal(inputs(r), 3);
	assert_int_equal(fake_host_input(&r->host, 2).kind, KA_INPUT_CHAR);
}

static void send_text(struct session_rig *r, const char *text)
{
	Rd__Message msg = RD__MESSAGE__INIT;
	Rd__KeyEvent k = RD__KEY_EVENT__INIT;
	char *copy = strdup(text);

	assert_non_null(copy);
	k.union_case = RD__KEY_EVENT__UNION_SEQ;
	k.seq = copy;
	msg.union_case = RD__MESSAGE__UNION_KEY_EVENT;
	msg.key_event = &k;
	assert_true(client_send(&r->client, &msg));
	free(copy);
}

static void test_text_is_typed_once_whatever_down_says(void **state)
{
	struct session_rig *r = *state;

	login(r);
	send_text(r, "Sch\xc3\xb6n\n"); /* down = press = false, as the clipboard sends it */
	send_text(r, "");
	assert_int_equal(inputs(r), 1);
	assert_int_equal(fake_host_input(&r->host, 0).kind, KA_INPUT_TEXT);
	assert_string_equal(fake_host_input(&r->host, 0).text.utf8, "Sch\xc3\xb6n\n");
}

/* The next chat line from the device. */
static const char *told(struct session_rig *r)
{
	const Rd__Message *m;

	do
		m = client_next(&r->client);
	while (m && m->union_case != RD__MESSAGE__UNION_MISC);
	assert_non_null(m);
	assert_int_equal(m->misc->union_case, RD__MISC__UNION_CHAT_MESSAGE);
	return m->misc->chat_message->text;
}

static void test_text_is_typed_whole_or_not_at_all(void **state)
{
	struct session_rig *r = *state;
	char *text = malloc(KA_INPUT_TEXT_MAX + 2);

	assert_non_null(text);
	memset(text, 'a', KA_INPUT_TEXT_MAX + 1);
	text[KA_INPUT_TEXT_MAX + 1] = '\0';
	login(r);
	send_text(r, text);
	/* Nothing is typed, and the controller is told why. */
	assert_string_equal(told(r), "Not typed: 16385 bytes at once, 16384 can be");
	assert_int_equal(inputs(r), 0);
	text[KA_INPUT_TEXT_MAX] = '\0';
	send_text(r, text);
	assert_int_equal(inputs(r), 1);
	assert_string_equal(fake_host_input(&r->host, 0).text.utf8, text);
	send_text(r, "");
	assert_int_equal(inputs(r), 1);
	free(text);
}

static void test_text_that_is_no_text_is_passed_on_as_it_is(void **state)
{
	struct session_rig *r = *state;
	char text[9001];

	login(r);
	memset(text, 0x80, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	send_text(r, text);
	assert_int_equal(inputs(r), 1);
	assert_string_equal(fake_host_input(&r->host, 0).text.utf8, text);
}

static void test_view_only_lets_go_and_drops(void **state)
{
	struct session_rig *r = *state;

	login_and_watch(r);
	send_key(r, "7a 06 08 01 20 26 48 01");
	send_key(r, "9a 01 04 3a 02 60 02"); /* disable_keyboard: yes */
	assert_int_equal(inputs(r), 2);
	assert_int_equal(fake_host_input(&r->host, 1).kind, KA_INPUT_RELEASE);
	assert_int_equal(fake_host_input(&r->host, 1).source, RIG_NUMBER);
	send_key(r, "7a 06 08 01 20 27 48 01");
	send_text(r, "secret");
	assert_nothing_after_mouse(r, MOVE, 5, 5);
	assert_int_equal(inputs(r), 2);
	send_key(r, "9a 01 04 3a 02 60 00"); /* not set: as it is */
	assert_nothing_after_mouse(r, MOVE, 5, 5);
	send_key(r, "9a 01 04 3a 02 60 01"); /* no */
	assert_int_equal(after_mouse(r, MOVE, 5, 5).kind, KA_INPUT_MOVE_ABS);
}

static void view_only(Rd__LoginRequest *l)
{
	l->option->disable_keyboard = RD__BOOL_OPTION__BOOL_YES;
}

static void test_view_only_from_the_login_on(void **state)
{
	struct session_rig *r = *state;

	assert_true(session_rig_login(r, view_only));
	fake_host_publish(&r->host, 1, true, 1280, 720, 100);
	send_mouse(r, MOVE, 1, 1);
	send_key(r, "7a 06 08 01 20 26 48 01");
	assert_true(client_fence(&r->client) >= 0);
	for (unsigned int i = 0; i < fake_host_count(&r->host, &r->host.n_inputs); i++)
		assert_int_equal(fake_host_input(&r->host, i).kind, KA_INPUT_RELEASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(test_pointer_is_dead_until_the_first_picture),
		RIG(test_masks_that_mean_nothing_are_ignored),
		RIG(test_moves_are_scaled_and_clamped_to_the_picture),
		RIG(test_buttons_do_not_move_the_pointer),
		RIG(test_wheels_turn_the_right_way),
		RIG(test_trackpad_of_a_windows_counts_parts_of_a_notch),
		RIG(test_relative_moves_are_bounded),
		RIG(test_order_of_moves_and_clicks_is_kept),
		RIG(test_keys_need_no_picture),
		RIG(test_text_is_typed_once_whatever_down_says),
		RIG(test_text_is_typed_whole_or_not_at_all),
		RIG(test_text_that_is_no_text_is_passed_on_as_it_is),
		RIG(test_view_only_lets_go_and_drops),
		RIG(test_view_only_from_the_login_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
