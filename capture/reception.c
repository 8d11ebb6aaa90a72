/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/reception.h"

#include <errno.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"

#define OPEN_GAP_US KA_MS(100) /* between two openings, whoever asks */
#define OPEN_RETRY_MIN_US KA_MS(250)
#define OPEN_RETRY_MAX_US KA_SEC(4)
/* A device that is not there costs nothing to look for. */
#define ABSENT_RETRY_US KA_MS(500)
/* Between two starts, however often the source changes; a few at once are free. */
#define START_GAP_US KA_MS(100)
#define STARTS_AT_ONCE 4
/* For receivers that announce nothing. Soon after a change the signal is often back in a moment. */
#define SIGNAL_RETRY_MIN_US KA_MS(50)
#define SIGNAL_RETRY_MAX_US KA_MS(250)
/* Frames of the last run come back within a picture or two; longer means that another program has the device. */
#define BUSY_RETRY_US KA_MS(50)
#define BUSY_RETRIES 20
/* Some capture sticks just stop when the signal goes, and some take their time for the first picture. */
#define STALL_MIN_US KA_SEC(2)
#define STALL_MAX_US KA_SEC(8)
#define STALLS_BEFORE_CLOSE 4
/* A device in error is readable for ever and gives nothing. */
#define EMPTY_AT_ONCE 50
#define EMPTY_GAP_US (KA_SEC(1) / 240)
/* No picture for so long makes a receiver worth asking. */
#define SILENCE_US KA_MS(250)
#define CHECK_GAP_US KA_SEC(1)

#define NEVER INT64_MAX

static const struct {
	const char *name;
	int cause; /* of a failed start that leads here; 0 = none does */
} states[KA_RECEPTION_STATES] = {
	[KA_RECEPTION_IDLE] = {"idle", 0},
	[KA_RECEPTION_OPENING] = {"opening", 0},
	[KA_RECEPTION_NO_DEVICE] = {"no_device", 0},
	[KA_RECEPTION_FAILED] = {"failed", 0},
	[KA_RECEPTION_LOCKING] = {"locking", 0},
	[KA_RECEPTION_NO_CABLE] = {"no_cable", -KA_E_NO_CABLE},
	[KA_RECEPTION_NO_SIGNAL] = {"no_signal", -KA_E_NO_SIGNAL},
	[KA_RECEPTION_NO_SYNC] = {"no_sync", -KA_E_NO_SYNC},
	[KA_RECEPTION_OUT_OF_RANGE] = {"out_of_range", -KA_E_OUT_OF_RANGE},
	[KA_RECEPTION_UNUSABLE] = {"unusable", -KA_E_FORMAT},
	[KA_RECEPTION_STREAMING] = {"streaming", 0},
	[KA_RECEPTION_STALLED] = {"stalled", 0},
	[KA_RECEPTION_BLANK] = {"blank", 0},
};

const char *ka_reception_name(enum ka_reception_state state)
{
	return states[state].name;
}

bool ka_reception_is_open(const struct ka_reception *s)
{
	return s->is != KA_RECEPTION_CLOSED;
}

bool ka_reception_is_running(const struct ka_reception *s)
{
	return s->is == KA_RECEPTION_RUNNING;
}

static void forget_run(struct ka_reception *s)
{
	s->retry_us = SIGNAL_RETRY_MIN_US;
	s->pause_us = OPEN_RETRY_MIN_US;
	s->stall_us = STALL_MIN_US;
	s->busy = s->errors = s->stalls = 0;
	s->broken = false;
}

void ka_reception_init(struct ka_reception *s, int64_t blank_us)
{
	*s = (struct ka_reception){.state = KA_RECEPTION_IDLE, .due_us = NEVER, .blank_us = blank_us};
	s->opened_us = -OPEN_GAP_US;
	forget_run(s);
}

static void set_cause(struct ka_reception *s, int cause, const char *detail)
{
	s->cause = cause;
	s->detail = detail;
}

/* The picture is gone for now; what was told of a lasting trouble stays. */
static void set_waiting(struct ka_reception *s)
{
	if (!s->cause)
		set_cause(s, -EINPROGRESS, NULL);
}

static void close_until(struct ka_reception *s, int64_t due_us)
{
	s->shall = KA_RECEPTION_CLOSED;
	s->due_us = KA_MAX(due_us, s->opened_us + OPEN_GAP_US);
}

static void back_off(struct ka_reception *s, int64_t most_us, int64_t now_us)
{
	close_until(s, now_us + KA_MIN(s->pause_us, most_us));
	s->pause_us = KA_MIN(s->pause_us * 2, OPEN_RETRY_MAX_US);
}

static void restart(struct ka_reception *s, int64_t now_us)
{
	s->shall = KA_RECEPTION_STOPPED;
	s->due_us = KA_MAX(now_us, s->start_credit_us - (STARTS_AT_ONCE - 1) * START_GAP_US);
}

void ka_reception_want(struct ka_reception *s, enum ka_reception_want want, int64_t now_us)
{
	if (want == s->want)
		return;
	/* A visit that ends is no reason to wait, and no reason to forget how often it failed. */
	if (want == KA_RECEPTION_WATCH || s->want == KA_RECEPTION_WATCH) {
		forget_run(s);
		close_until(s, want == KA_RECEPTION_REST ? NEVER : now_us);
	} else {
		close_until(s, want == KA_RECEPTION_REST ? NEVER : KA_MIN(s->due_us, now_us));
	}
	s->want = want;
	s->uniform_us = 0;
	if (want == KA_RECEPTION_WATCH) {
		s->state = KA_RECEPTION_OPENING;
		set_cause(s, -EINPROGRESS, NULL);
	} else {
		s->state = KA_RECEPTION_IDLE;
		set_cause(s, 0, NULL);
	}
}

void ka_reception_hurry(struct ka_reception *s, int64_t now_us)
{
	if (s->shall == KA_RECEPTION_CLOSED && s->due_us != NEVER)
		close_until(s, now_us);
}

void ka_reception_excuse(struct ka_reception *s, int64_t us)
{
	s->picture_us += us;
	s->checked_us += us;
}

static void note_opened(struct ka_reception *s, int64_t now_us)
{
	s->is = KA_RECEPTION_STOPPED;
	if (s->want != KA_RECEPTION_WATCH) {
		s->shall = KA_RECEPTION_CLOSED;
		s->due_us = NEVER;
		s->pause_us = OPEN_RETRY_MIN_US;
		return;
	}
	s->state = KA_RECEPTION_LOCKING;
	restart(s, now_us);
}

static void note_open_failed(struct ka_reception *s, int code, int64_t now_us)
{
	bool absent = code == -KA_E_NO_DEVICE;

	s->is = KA_RECEPTION_CLOSED;
	back_off(s, absent ? ABSENT_RETRY_US : OPEN_RETRY_MAX_US, now_us);
	if (s->want != KA_RECEPTION_WATCH)
		return;
	s->state = absent ? KA_RECEPTION_NO_DEVICE : KA_RECEPTION_FAILED;
	set_cause(s, code, NULL);
}

static void note_started(struct ka_reception *s, int checks, int64_t now_us)
{
	s->is = s->shall = KA_RECEPTION_RUNNING;
	/* Begun anew it is stalled until something comes. */
	if (s->state != KA_RECEPTION_STALLED)
		s->state = KA_RECEPTION_LOCKING;
	s->picture_us = s->checked_us = now_us;
	s->checks = checks;
	s->busy = 0;
	s->uniform_us = 0;
	s->empty_credit_us = now_us;
	s->retry_us = SIGNAL_RETRY_MIN_US;
}

static enum ka_reception_state state_of(int cause)
{
	for (int i = 0; i < KA_RECEPTION_STATES; i++) {
		if (cause && states[i].cause == cause)
			return (enum ka_reception_state)i;
	}
	return KA_RECEPTION_FAILED;
}

static void note_start_failed(struct ka_reception *s, int code, int64_t now_us)
{
	if (code == -EBUSY && s->busy++ < BUSY_RETRIES) {
		restart(s, now_us + BUSY_RETRY_US);
		return;
	}
	s->state = state_of(code);
	set_cause(s, code, NULL);
	if (s->state == KA_RECEPTION_FAILED) {
		/* A device that stays busy too: closing gives back what of ours may be the reason. */
		back_off(s, OPEN_RETRY_MAX_US, now_us);
		return;
	}
	restart(s, now_us + s->retry_us);
	s->retry_us = KA_MIN(s->retry_us * 2, SIGNAL_RETRY_MAX_US);
}

static void note_picture(struct ka_reception *s, int64_t now_us)
{
	forget_run(s);
	s->picture_us = now_us;
	s->state = KA_RECEPTION_STREAMING;
	set_cause(s, 0, NULL);
}

static void note_uniform(struct ka_reception *s, int64_t now_us)
{
	if (!s->uniform_us)
		s->uniform_us = now_us;
	note_picture(s, now_us);
	if (!s->blank_us || now_us - s->uniform_us < s->blank_us)
		return;
	s->state = KA_RECEPTION_BLANK;
	set_cause(s, -KA_E_BLANK, NULL);
}

static void note_error(struct ka_reception *s, int code, int64_t now_us)
{
	if (code == -ENODEV || code == -ENXIO) {
		/* Opening will tell what is wrong. */
		s->state = KA_RECEPTION_OPENING;
		set_waiting(s);
		back_off(s, ABSENT_RETRY_US, now_us);
		return;
	}
	/* After a good run it is worth a quiet second try, and most troubles end with the stream. */
	if (!s->errors++) {
		s->state = KA_RECEPTION_LOCKING;
		set_waiting(s);
		restart(s, now_us);
		return;
	}
	s->state = KA_RECEPTION_FAILED;
	set_cause(s, code, NULL);
	back_off(s, OPEN_RETRY_MAX_US, now_us);
}

/* Wake-ups for nothing are tolerated for a while, and about as often as pictures may come. */
static void note_nothing(struct ka_reception *s, bool broken, int64_t now_us)
{
	s->broken = broken;
	s->empty_credit_us = KA_MAX(s->empty_credit_us, now_us) + EMPTY_GAP_US;
	if (s->empty_credit_us - now_us > EMPTY_AT_ONCE * EMPTY_GAP_US)
		note_error(s, -EIO, now_us);
}

static void note_changed(struct ka_reception *s, int64_t now_us)
{
	s->state = KA_RECEPTION_LOCKING;
	s->retry_us = SIGNAL_RETRY_MIN_US;
	set_waiting(s);
	restart(s, now_us);
}

void ka_reception_tell(struct ka_reception *s, enum ka_reception_event event, int code, int64_t now_us)
{
	bool run = event >= KA_RECEPTION_PICTURE && event <= KA_RECEPTION_BROKEN;

	/* News from a source that is about to be stopped or closed come too late. */
	if (event >= KA_RECEPTION_PICTURE &&
	    (s->is != s->shall || s->is < (run ? KA_RECEPTION_RUNNING : KA_RECEPTION_STOPPED)))
		return;
	switch (event) {
	case KA_RECEPTION_OPENED:
		note_opened(s, now_us);
		break;
	case KA_RECEPTION_OPEN_FAILED:
		note_open_failed(s, code, now_us);
		break;
	case KA_RECEPTION_STARTED:
		note_started(s, code, now_us);
		break;
	case KA_RECEPTION_START_FAILED:
		note_start_failed(s, code, now_us);
		break;
	case KA_RECEPTION_PICTURE:
		s->uniform_us = 0;
		note_picture(s, now_us);
		break;
	case KA_RECEPTION_UNIFORM:
		note_uniform(s, now_us);
		break;
	case KA_RECEPTION_BROKEN:
	case KA_RECEPTION_EMPTY:
		note_nothing(s, event == KA_RECEPTION_BROKEN, now_us);
		break;
	case KA_RECEPTION_CHANGED:
		note_changed(s, now_us);
		break;
	case KA_RECEPTION_ERROR:
		note_error(s, code, now_us);
		break;
	case KA_RECEPTION_REOPEN:
		s->state = KA_RECEPTION_OPENING;
		set_waiting(s);
		close_until(s, now_us);
		break;
	}
}

/* Nothing has come for long: begin anew. The cable may be out, or the device stuck. */
static void stall(struct ka_reception *s, int64_t now_us)
{
	s->state = KA_RECEPTION_STALLED;
	set_cause(s, -KA_E_NO_SIGNAL,
		  s->broken ? "The capture device sends only broken pictures."
			    : "The capture device has stopped sending pictures.");
	s->stall_us = KA_MIN(s->stall_us * 2, STALL_MAX_US);
	if (++s->stalls % STALLS_BEFORE_CLOSE == 0)
		back_off(s, OPEN_RETRY_MIN_US, now_us);
	else
		restart(s, now_us);
}

static int64_t check_due(const struct ka_reception *s)
{
	int64_t silent = KA_MAX(s->picture_us, s->checked_us) + SILENCE_US;

	if (!s->checks)
		return NEVER;
	return s->checks > 1 ? KA_MIN(silent, s->checked_us + CHECK_GAP_US) : silent;
}

static enum ka_reception_do open_or_start(struct ka_reception *s, int64_t now_us)
{
	if (now_us < s->due_us)
		return KA_RECEPTION_WAIT;
	if (s->is == KA_RECEPTION_CLOSED) {
		s->opened_us = now_us;
		return KA_RECEPTION_OPEN;
	}
	s->start_credit_us = KA_MAX(s->start_credit_us, now_us) + START_GAP_US;
	return KA_RECEPTION_START;
}

enum ka_reception_do ka_reception_next(struct ka_reception *s, int64_t now_us)
{
	if (s->is == KA_RECEPTION_RUNNING && s->shall == KA_RECEPTION_RUNNING && now_us - s->picture_us >= s->stall_us)
		stall(s, now_us);
	if (s->is != KA_RECEPTION_CLOSED && s->shall == KA_RECEPTION_CLOSED) {
		s->is = KA_RECEPTION_CLOSED;
		return KA_RECEPTION_CLOSE;
	}
	if (s->is == KA_RECEPTION_RUNNING && s->shall == KA_RECEPTION_STOPPED) {
		s->is = KA_RECEPTION_STOPPED;
		return KA_RECEPTION_STOP;
	}
	if (s->is != KA_RECEPTION_RUNNING)
		return open_or_start(s, now_us);
	if (now_us < check_due(s))
		return KA_RECEPTION_WAIT;
	s->checked_us = now_us;
	return KA_RECEPTION_CHECK;
}

int64_t ka_reception_due(const struct ka_reception *s)
{
	if (s->is != s->shall)
		return INT64_MIN;
	if (s->is == KA_RECEPTION_RUNNING)
		return KA_MIN(s->picture_us + s->stall_us, check_due(s));
	return s->due_us;
}
