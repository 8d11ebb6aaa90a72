/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/reception_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"

#define DEMAND(what)                                                                                                   \
	do {                                                                                                           \
		if (!(what)) {                                                                                         \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);                             \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* The one so many before must be a second ago. */
static void note(int64_t *ring, unsigned int size, unsigned int *n, int64_t now)
{
	int64_t *at = &ring[*n % size];

	DEMAND(*n < size || now - *at >= KA_SEC(1));
	*at = now;
	++*n;
}

void reception_model_init(struct reception_model *m, int64_t blank_us)
{
	*m = (struct reception_model){.now = KA_SEC(1000)};
	ka_reception_init(&m->fsm, blank_us);
}

static void open_it(struct reception_model *m)
{
	DEMAND(m->source == MODEL_CLOSED);
	note(m->opens, RECEPTION_MODEL_OPENS, &m->n_opens, m->now);
	m->source = m->open_result < 0 ? MODEL_CLOSED : MODEL_STOPPED;
	ka_reception_tell(&m->fsm, m->open_result < 0 ? KA_RECEPTION_OPEN_FAILED : KA_RECEPTION_OPENED, m->open_result,
			  m->now);
}

static void start_it(struct reception_model *m)
{
	DEMAND(m->source == MODEL_STOPPED && m->fsm.want == KA_RECEPTION_WATCH);
	note(m->starts, RECEPTION_MODEL_STARTS, &m->n_starts, m->now);
	if (m->start_result < 0) {
		ka_reception_tell(&m->fsm, KA_RECEPTION_START_FAILED, m->start_result, m->now);
		return;
	}
	m->source = MODEL_RUNNING;
	m->checked_as = m->checks;
	ka_reception_tell(&m->fsm, KA_RECEPTION_STARTED, m->checks, m->now);
}

static void check_it(struct reception_model *m)
{
	DEMAND(m->source == MODEL_RUNNING && m->checked_as);
	note(m->checked, RECEPTION_MODEL_CHECKS, &m->n_checks, m->now);
	if (m->changed)
		ka_reception_tell(&m->fsm, KA_RECEPTION_CHANGED, 0, m->now);
	m->changed = false;
}

static bool act(struct reception_model *m)
{
	switch (ka_reception_next(&m->fsm, m->now)) {
	case KA_RECEPTION_WAIT:
		return false;
	case KA_RECEPTION_OPEN:
		open_it(m);
		break;
	case KA_RECEPTION_START:
		start_it(m);
		break;
	case KA_RECEPTION_CHECK:
		check_it(m);
		break;
	case KA_RECEPTION_STOP:
		DEMAND(m->source == MODEL_RUNNING);
		m->source = MODEL_STOPPED;
		m->n_stops++;
		break;
	case KA_RECEPTION_CLOSE:
		DEMAND(m->source != MODEL_CLOSED);
		m->source = MODEL_CLOSED;
		m->n_closes++;
		break;
	}
	return true;
}

static void demand_sense(const struct reception_model *m)
{
	const struct ka_reception *f = &m->fsm;
	bool live = f->state == KA_RECEPTION_STREAMING;
	int64_t due = ka_reception_due(f);

	DEMAND(ka_reception_is_open(f) == (m->source != MODEL_CLOSED));
	DEMAND(ka_reception_is_running(f) == (m->source == MODEL_RUNNING));
	/* No waiting in circles, and no waiting for ever while somebody watches. */
	DEMAND(due > m->now);
	DEMAND(f->want == KA_RECEPTION_REST ? due == INT64_MAX
					    : f->want == KA_RECEPTION_VISIT || due - m->now <= KA_SEC(10));
	if (f->want == KA_RECEPTION_WATCH) {
		DEMAND(f->state != KA_RECEPTION_IDLE && live == (f->cause == 0));
		DEMAND(!live || m->source == MODEL_RUNNING);
	} else {
		DEMAND(f->state == KA_RECEPTION_IDLE && f->cause == 0 && m->source == MODEL_CLOSED);
	}
	DEMAND(f->cause <= 0 && ka_reception_name(f->state)[0]);
}

void reception_model_run(struct reception_model *m)
{
	unsigned int actions = 0;

	/* Stop or close, open, start, and one more try when the source is quick. */
	while (act(m)) {
		m->states |= 1u << m->fsm.state;
		DEMAND(++actions <= 4);
	}
	m->states |= 1u << m->fsm.state;
	demand_sense(m);
}

void reception_model_want(struct reception_model *m, enum ka_reception_want want)
{
	ka_reception_want(&m->fsm, want, m->now);
	reception_model_run(m);
}

void reception_model_tell(struct reception_model *m, enum ka_reception_event event, int code)
{
	ka_reception_tell(&m->fsm, event, code, m->now);
	reception_model_run(m);
}

void reception_model_pass(struct reception_model *m, int64_t us)
{
	int64_t end = m->now + us;

	while (ka_reception_due(&m->fsm) <= end) {
		m->now = KA_MAX(m->now, ka_reception_due(&m->fsm));
		reception_model_run(m);
	}
	m->now = end;
	reception_model_run(m);
}

void reception_model_recover(struct reception_model *m)
{
	int64_t end = m->now + KA_SEC(5);

	m->open_result = m->start_result = m->checks = 0;
	m->changed = false;
	reception_model_want(m, KA_RECEPTION_WATCH);
	while (m->source != MODEL_RUNNING && m->now < end)
		reception_model_pass(m, KA_MS(10));
	DEMAND(m->source == MODEL_RUNNING);
	reception_model_tell(m, KA_RECEPTION_PICTURE, 0);
	DEMAND(m->fsm.state == KA_RECEPTION_STREAMING && m->fsm.cause == 0);
}

static const int results[] = {0,
			      0,
			      -KA_E_NO_DEVICE,
			      -KA_E_NO_CABLE,
			      -KA_E_NO_SIGNAL,
			      -KA_E_NO_SYNC,
			      -KA_E_OUT_OF_RANGE,
			      -KA_E_FORMAT,
			      -EBUSY,
			      -EIO,
			      -ENODEV,
			      -ENOMEM,
			      -ENOSPC,
			      -EACCES,
			      -EINVAL,
			      -ENXIO};

void reception_model_step(struct reception_model *m, uint8_t what, uint8_t how)
{
	int result = results[how % KA_ARRAY_LEN(results)];

	switch (what % 16) {
	case 0:
		reception_model_want(m, (enum ka_reception_want)(how % 3));
		break;
	case 1:
		m->open_result = result;
		break;
	case 2:
		m->start_result = result;
		break;
	case 3:
		m->checks = how % 3;
		break;
	case 4:
		m->changed = how % 2;
		break;
	case 5: /* late, as after a call that blocked */
		m->now += how * KA_MS(40);
		if (how % 2)
			ka_reception_excuse(&m->fsm, how * KA_MS(40));
		reception_model_run(m);
		break;
	case 6:
		ka_reception_hurry(&m->fsm, m->now);
		reception_model_run(m);
		break;
	case 7:
	case 8:
		reception_model_pass(m, how * KA_MS(1));
		break;
	case 9:
		reception_model_pass(m, how * KA_MS(50));
		break;
	default:
		reception_model_tell(m, KA_RECEPTION_PICTURE + (enum ka_reception_event)(what % 16 - 10),
				     result ? result : -EIO);
		break;
	}
}
