/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a source is opened, started and closed, and what is shown meanwhile: one way after another, then at random. */
#include "tests/check/check.h"

#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "tests/fake/dice.h"
#include "tests/fake/reception_model.h"

#define FRAME_US (KA_SEC(1) / 60)

static int set_up(void **state)
{
	struct reception_model *m = malloc(sizeof(*m));

	assert_non_null(m);
	reception_model_init(m, KA_SEC(5));
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void expect(const struct reception_model *m, enum ka_reception_state state, int cause)
{
	if (m->fsm.state != state || m->fsm.cause != cause)
		fail_msg("%s, %s", ka_reception_name(m->fsm.state), ka_err_str(m->fsm.cause));
}

static void frames(struct reception_model *m, enum ka_reception_event event, unsigned int n)
{
	while (n--) {
		reception_model_tell(m, event, 0);
		reception_model_pass(m, FRAME_US);
	}
}

static void go_live(struct reception_model *m)
{
	reception_model_want(m, KA_RECEPTION_WATCH);
	assert_int_equal(m->source, MODEL_RUNNING);
	expect(m, KA_RECEPTION_LOCKING, -EINPROGRESS);
	frames(m, KA_RECEPTION_PICTURE, 1);
	expect(m, KA_RECEPTION_STREAMING, 0);
}

static void test_way_to_a_picture_and_back_to_rest(void **state)
{
	struct reception_model *m = *state;

	reception_model_run(m);
	assert_int_equal(ka_reception_due(&m->fsm), INT64_MAX);
	go_live(m);
	reception_model_want(m, KA_RECEPTION_REST);
	expect(m, KA_RECEPTION_IDLE, 0);
	assert_int_equal(m->source, MODEL_CLOSED);
	assert_int_equal(m->n_opens, 1);
	reception_model_pass(m, KA_SEC(100));
	assert_int_equal(m->n_opens, 1);
}

static void test_visit_opens_once_and_closes(void **state)
{
	struct reception_model *m = *state;

	m->open_result = -KA_E_NO_DEVICE;
	reception_model_want(m, KA_RECEPTION_VISIT);
	expect(m, KA_RECEPTION_IDLE, 0);
	reception_model_pass(m, KA_SEC(20));
	assert_in_range(m->n_opens, 20, 60);
	m->open_result = 0;
	reception_model_pass(m, KA_SEC(1));
	assert_int_equal(m->n_closes, 1);
	reception_model_want(m, KA_RECEPTION_REST);
	reception_model_pass(m, KA_SEC(20));
	assert_int_equal(m->n_closes, 1);
	assert_int_equal(m->n_starts, 0);
}

static void test_missing_device_is_found_within_half_a_second(void **state)
{
	struct reception_model *m = *state;

	m->open_result = -KA_E_NO_DEVICE;
	reception_model_want(m, KA_RECEPTION_WATCH);
	expect(m, KA_RECEPTION_NO_DEVICE, -KA_E_NO_DEVICE);
	reception_model_pass(m, KA_SEC(60));
	assert_in_range(m->n_opens, 110, 125);
	m->open_result = 0;
	reception_model_pass(m, KA_MS(500));
	frames(m, KA_RECEPTION_PICTURE, 1);
	expect(m, KA_RECEPTION_STREAMING, 0);
}

static void test_device_that_cannot_be_opened_is_tried_less_and_less(void **state)
{
	struct reception_model *m = *state;

	m->open_result = -EACCES;
	reception_model_want(m, KA_RECEPTION_WATCH);
	expect(m, KA_RECEPTION_FAILED, -EACCES);
	reception_model_pass(m, KA_SEC(60));
	assert_in_range(m->n_opens, 15, 20);
	/* A new viewer is worth a try. */
	reception_model_want(m, KA_RECEPTION_REST);
	reception_model_want(m, KA_RECEPTION_WATCH);
	assert_in_range(m->n_opens, 16, 21);
}

static void test_every_cause_has_its_state_and_the_signal_is_found_again(void **state)
{
	static const struct {
		int code;
		enum ka_reception_state state;
	} causes[] = {
		{-KA_E_NO_CABLE, KA_RECEPTION_NO_CABLE}, {-KA_E_NO_SIGNAL, KA_RECEPTION_NO_SIGNAL},
		{-KA_E_NO_SYNC, KA_RECEPTION_NO_SYNC},	 {-KA_E_OUT_OF_RANGE, KA_RECEPTION_OUT_OF_RANGE},
		{-KA_E_FORMAT, KA_RECEPTION_UNUSABLE},
	};
	struct reception_model *m = *state;

	go_live(m);
	for (size_t i = 0; i < KA_ARRAY_LEN(causes); i++) {
		unsigned int starts;

		/* The receiver says that it has changed, and asked, it says why. */
		m->start_result = causes[i].code;
		reception_model_tell(m, KA_RECEPTION_CHANGED, 0);
		expect(m, causes[i].state, causes[i].code);
		assert_int_equal(m->source, MODEL_STOPPED);
		reception_model_pass(m, KA_SEC(10));
		starts = m->n_starts;
		reception_model_pass(m, KA_SEC(10));
		assert_in_range(m->n_starts - starts, 38, 42);
		expect(m, causes[i].state, causes[i].code);
		/* It announces the return: no waiting at all, and the cause stays until there is a picture. */
		m->start_result = 0;
		reception_model_tell(m, KA_RECEPTION_CHANGED, 0);
		assert_int_equal(m->source, MODEL_RUNNING);
		expect(m, KA_RECEPTION_LOCKING, causes[i].code);
		frames(m, KA_RECEPTION_PICTURE, 1);
		expect(m, KA_RECEPTION_STREAMING, 0);
		assert_int_equal(m->n_opens, 1);
		reception_model_pass(m, KA_SEC(1));
	}
}

static void test_short_drop_without_announcement_is_over_soon(void **state)
{
	struct reception_model *m = *state;

	go_live(m);
	m->start_result = -KA_E_NO_SYNC;
	reception_model_tell(m, KA_RECEPTION_CHANGED, 0);
	reception_model_pass(m, KA_MS(40));
	m->start_result = 0;
	reception_model_pass(m, KA_MS(20));
	assert_int_equal(m->source, MODEL_RUNNING);
}

static void test_busy_is_waited_for_then_closed(void **state)
{
	struct reception_model *m = *state;

	m->start_result = -EBUSY;
	reception_model_want(m, KA_RECEPTION_WATCH);
	expect(m, KA_RECEPTION_LOCKING, -EINPROGRESS);
	reception_model_pass(m, KA_SEC(1));
	expect(m, KA_RECEPTION_LOCKING, -EINPROGRESS);
	assert_int_equal(m->n_closes, 0);
	reception_model_pass(m, KA_SEC(2));
	expect(m, KA_RECEPTION_FAILED, -EBUSY);
	assert_in_range(m->n_closes, 1, 4);
}

static void test_stall_keeps_streaming_and_says_so(void **state)
{
	struct reception_model *m = *state;

	go_live(m);
	reception_model_pass(m, KA_SEC(2));
	expect(m, KA_RECEPTION_STALLED, -KA_E_NO_SIGNAL);
	assert_int_equal(m->n_stops, 1);
	assert_non_null(m->fsm.detail);
	/* It streams nearly all the time, so the next picture is seen at once. */
	reception_model_pass(m, KA_SEC(1));
	assert_int_equal(m->source, MODEL_RUNNING);
	frames(m, KA_RECEPTION_PICTURE, 1);
	expect(m, KA_RECEPTION_STREAMING, 0);
	/* For long: now and then closed as well, in case the device is stuck. */
	reception_model_pass(m, KA_SEC(120));
	assert_in_range(m->n_closes, 3, 5);
	assert_in_range(m->n_starts, 16, 20);
}

static void test_slow_first_picture_is_waited_for(void **state)
{
	struct reception_model *m = *state;

	reception_model_want(m, KA_RECEPTION_WATCH);
	for (int i = 0; i < 20 && m->fsm.cause; i++) {
		unsigned int starts = m->n_starts;

		/* Three seconds after each start. */
		reception_model_pass(m, KA_SEC(3));
		if (m->n_starts == starts)
			frames(m, KA_RECEPTION_PICTURE, 1);
	}
	expect(m, KA_RECEPTION_STREAMING, 0);
}

static void test_first_error_is_quiet_the_second_closes(void **state)
{
	struct reception_model *m = *state;

	go_live(m);
	reception_model_tell(m, KA_RECEPTION_ERROR, -EIO);
	expect(m, KA_RECEPTION_LOCKING, -EINPROGRESS);
	assert_int_equal(m->source, MODEL_RUNNING);
	assert_int_equal(m->n_closes, 0);
	reception_model_tell(m, KA_RECEPTION_ERROR, -EIO);
	expect(m, KA_RECEPTION_FAILED, -EIO);
	assert_int_equal(m->n_closes, 1);
	reception_model_pass(m, KA_MS(300));
	frames(m, KA_RECEPTION_PICTURE, 1);
	expect(m, KA_RECEPTION_STREAMING, 0);
	/* Unplugged: closed at once. */
	m->open_result = -KA_E_NO_DEVICE;
	reception_model_tell(m, KA_RECEPTION_ERROR, -ENODEV);
	expect(m, KA_RECEPTION_OPENING, -EINPROGRESS);
	assert_int_equal(m->source, MODEL_CLOSED);
	reception_model_pass(m, KA_MS(300));
	expect(m, KA_RECEPTION_NO_DEVICE, -KA_E_NO_DEVICE);
}

static void test_wake_ups_for_nothing_are_an_error_when_many(void **state)
{
	struct reception_model *m = *state;

	go_live(m);
	for (int i = 0; i < 51; i++)
		reception_model_tell(m, KA_RECEPTION_EMPTY, 0);
	assert_int_equal(m->n_stops, 1);
	for (int i = 0; i < 51; i++)
		reception_model_tell(m, KA_RECEPTION_EMPTY, 0);
	assert_int_equal(m->n_closes, 1);
	/* Broken pictures at the rate of whole ones are a stall. */
	reception_model_pass(m, KA_SEC(1));
	frames(m, KA_RECEPTION_PICTURE, 1);
	frames(m, KA_RECEPTION_BROKEN, 110);
	assert_int_equal(m->n_stops, 1);
	expect(m, KA_RECEPTION_STREAMING, 0);
	frames(m, KA_RECEPTION_BROKEN, 20);
	expect(m, KA_RECEPTION_STALLED, -KA_E_NO_SIGNAL);
	assert_non_null(strstr(m->fsm.detail, "broken"));
}

static void test_one_colour_is_a_cause_after_a_while(void **state)
{
	struct reception_model *m = *state;

	go_live(m);
	frames(m, KA_RECEPTION_UNIFORM, 300);
	expect(m, KA_RECEPTION_STREAMING, 0);
	frames(m, KA_RECEPTION_UNIFORM, 3);
	expect(m, KA_RECEPTION_BLANK, -KA_E_BLANK);
	frames(m, KA_RECEPTION_UNIFORM, 60 * 60);
	expect(m, KA_RECEPTION_BLANK, -KA_E_BLANK);
	assert_int_equal(m->n_stops, 0);
	/* Live with the first that is not. */
	reception_model_tell(m, KA_RECEPTION_PICTURE, 0);
	expect(m, KA_RECEPTION_STREAMING, 0);
	frames(m, KA_RECEPTION_UNIFORM, 299);
	expect(m, KA_RECEPTION_STREAMING, 0);
	reception_model_init(m, 0);
	go_live(m);
	frames(m, KA_RECEPTION_UNIFORM, 60 * 60);
	expect(m, KA_RECEPTION_STREAMING, 0);
}

static void test_silent_receiver_is_asked(void **state)
{
	struct reception_model *m = *state;

	m->checks = 1;
	go_live(m);
	frames(m, KA_RECEPTION_PICTURE, 600);
	assert_int_equal(m->n_checks, 0);
	m->changed = true;
	m->start_result = -KA_E_NO_CABLE;
	reception_model_pass(m, KA_MS(260));
	expect(m, KA_RECEPTION_NO_CABLE, -KA_E_NO_CABLE);
	/* One that never announces anything is asked while pictures come, too. */
	m->start_result = 0;
	m->checks = 2;
	reception_model_pass(m, KA_MS(300));
	frames(m, KA_RECEPTION_PICTURE, 600);
	assert_in_range(m->n_checks, 9, 12);
}

static void test_flapping_is_bounded(void **state)
{
	struct reception_model *m = *state;

	go_live(m);
	for (int i = 0; i < 20 * 60; i++) {
		m->start_result = i % 2 ? -KA_E_NO_SYNC : 0;
		reception_model_tell(m, KA_RECEPTION_CHANGED, 0);
		reception_model_pass(m, KA_MS(25));
		if (m->source == MODEL_RUNNING)
			reception_model_tell(m, KA_RECEPTION_PICTURE, 0);
		reception_model_pass(m, KA_MS(25));
	}
	assert_in_range(m->n_starts, 300, 10 * 60 + 4);
	assert_int_equal(m->n_opens, 1);
}

static void test_viewers_that_come_and_go_open_no_more_often(void **state)
{
	struct reception_model *m = *state;

	for (int i = 0; i < 2000; i++) {
		reception_model_want(m, KA_RECEPTION_WATCH);
		reception_model_pass(m, KA_MS(1));
		reception_model_want(m, i % 3 ? KA_RECEPTION_REST : KA_RECEPTION_VISIT);
		ka_reception_hurry(&m->fsm, m->now);
		reception_model_pass(m, KA_MS(1));
	}
	assert_in_range(m->n_opens, 30, 41);
}

static void test_anything_at_random(void **state)
{
	unsigned int all = 0;

	(void)state;
	for (uint32_t run = 1; run <= 200; run++) {
		struct reception_model m;
		uint32_t seed = run;

		reception_model_init(&m, run % 2 ? KA_MS(500) : 0);
		for (int i = 0; i < 2000; i++)
			reception_model_step(&m, (uint8_t)dice(&seed), (uint8_t)dice(&seed));
		all |= m.states;
		reception_model_recover(&m);
	}
	/* Each state was seen. */
	assert_int_equal(all, (1u << KA_RECEPTION_STATES) - 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_way_to_a_picture_and_back_to_rest),
		T(test_visit_opens_once_and_closes),
		T(test_missing_device_is_found_within_half_a_second),
		T(test_device_that_cannot_be_opened_is_tried_less_and_less),
		T(test_every_cause_has_its_state_and_the_signal_is_found_again),
		T(test_short_drop_without_announcement_is_over_soon),
		T(test_busy_is_waited_for_then_closed),
		T(test_stall_keeps_streaming_and_says_so),
		T(test_slow_first_picture_is_waited_for),
		T(test_first_error_is_quiet_the_second_closes),
		T(test_wake_ups_for_nothing_are_an_error_when_many),
		T(test_one_colour_is_a_cause_after_a_while),
		T(test_silent_receiver_is_asked),
		T(test_flapping_is_bounded),
		T(test_viewers_that_come_and_go_open_no_more_often),
		T(test_anything_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
