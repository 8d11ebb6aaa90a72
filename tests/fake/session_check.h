/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of sessions share beside the rig: each test has one of its own as its state. */
#ifndef KA_SESSION_CHECK_H
#define KA_SESSION_CHECK_H

#include "tests/check/check.h"

#include <unistd.h>

#include "tests/fake/session_rig.h"

#define RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)

static inline int open_rig(void **state)
{
	struct session_rig *r = calloc(1, sizeof(*r));

	*state = r;
	return r ? session_rig_init(r) : -1;
}

static inline int close_rig(void **state)
{
	session_rig_fini(*state);
	free(*state);
	return 0;
}

/* The next message must be a LoginResponse with this error. */
static inline void assert_login_error(struct session_rig *r, const char *error)
{
	const Rd__Message *m = client_next(&r->client);

	assert_non_null(m);
	assert_int_equal(m->union_case, RD__MESSAGE__UNION_LOGIN_RESPONSE);
	assert_int_equal(m->login_response->union_case, RD__LOGIN_RESPONSE__UNION_ERROR);
	assert_string_equal(m->login_response->error, error);
}

static inline void assert_nobody_was_let_in(struct session_rig *r)
{
	assert_true(session_rig_wait_end(r));
	assert_int_equal(ka_gate_controllers(r->gate), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.watched), 0);
	assert_int_equal(fake_host_count(&r->host, &r->host.n_inputs), 0);
}

/* The session ends by itself, without having let anybody in. */
static inline void assert_ends_outside(struct session_rig *r)
{
	assert_true(client_wait_eof(&r->client));
	assert_nobody_was_let_in(r);
}

/* The controller hangs up on a refusal; the session would do so a second later. */
static inline void hang_up_outside(struct session_rig *r)
{
	close(r->client.fd);
	r->client.fd = -1;
	assert_nobody_was_let_in(r);
}

#endif
