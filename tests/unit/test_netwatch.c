/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which netlink messages count, and a socket that is opened and closed. Real changes need a network namespace: see
 * tests/integration/test_reach.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "rustdesk/reach/netwatch.h"

struct message {
	struct nlmsghdr h;
	struct rtmsg route;
};

static struct message route(uint16_t type, unsigned char dst_len, unsigned int flags)
{
	return (struct message){
		.h = {.nlmsg_len = sizeof(struct message), .nlmsg_type = type},
		.route = {.rtm_family = AF_INET, .rtm_dst_len = dst_len, .rtm_flags = flags},
	};
}

static void test_broken_messages_do_not_count(void **state)
{
	struct message m = route(RTM_NEWADDR, 0, 0);

	(void)state;
	for (size_t len = 0; len < sizeof(m); len++)
		assert_false(ka_netwatch_matters(&m, len));
	m.h.nlmsg_len = 0;
	assert_false(ka_netwatch_matters(&m, sizeof(m)));
	m.h.nlmsg_len = sizeof(m.h) - 1;
	assert_false(ka_netwatch_matters(&m, sizeof(m)));
	m.h.nlmsg_len = UINT32_MAX;
	assert_false(ka_netwatch_matters(&m, sizeof(m)));
	/* a route without its body */
	m = route(RTM_NEWROUTE, 0, 0);
	m.h.nlmsg_len = sizeof(m.h);
	assert_false(ka_netwatch_matters(&m, sizeof(m.h)));
}

static void test_addresses_and_default_routes_count(void **state)
{
	const struct message yes[] = {route(RTM_NEWADDR, 24, 0), route(RTM_DELADDR, 24, 0), route(RTM_NEWROUTE, 0, 0),
				      route(RTM_DELROUTE, 0, 0)};
	const struct message no[] = {route(RTM_NEWLINK, 0, 0), route(RTM_NEWROUTE, 24, 0),
				     route(RTM_NEWROUTE, 0, RTM_F_CLONED), route(NLMSG_DONE, 0, 0)};
	struct message both[2];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(ka_netwatch_matters(&yes[i], sizeof(yes[i])));
		assert_false(ka_netwatch_matters(&no[i], sizeof(no[i])));
		both[0] = no[i];
		both[1] = yes[i];
		assert_true(ka_netwatch_matters(both, sizeof(both)));
		assert_false(ka_netwatch_matters(both, sizeof(both) - 1));
	}
}

static void never(void *arg)
{
	(void)arg;
	fail();
}

static void test_opened_and_closed(void **state)
{
	struct ka_netwatch *w;
	uv_loop_t uv;

	(void)state;
	uv_loop_init(&uv);
	assert_int_equal(ka_netwatch_new(&w, &uv, 10000, never, NULL), 0);
	uv_run(&uv, UV_RUN_NOWAIT);
	ka_netwatch_free(w);
	ka_netwatch_free(NULL);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&uv), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_messages_do_not_count),
		cmocka_unit_test(test_addresses_and_default_routes_count),
		cmocka_unit_test(test_opened_and_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
