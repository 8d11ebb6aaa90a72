/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Look-ups that take long: how many there may be, and who is left in peace. */
#include "tests/check/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "rustdesk/reach/resolve.h"
#include "rustdesk/wire/addr.h"

/* The name server of this program: silent until told otherwise. Names are "192.0.2.x", or unknown. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool answers;
	unsigned int asked;
} dns = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

struct found {
	struct addrinfo info;
	struct sockaddr_in in;
};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	struct found *f = calloc(1, sizeof(*f));

	(void)service;
	(void)hints;
	pthread_mutex_lock(&dns.lock);
	dns.asked++;
	pthread_cond_broadcast(&dns.change);
	while (!dns.answers)
		pthread_cond_wait(&dns.change, &dns.lock);
	pthread_mutex_unlock(&dns.lock);
	if (!f || inet_pton(AF_INET, name + 2, &f->in.sin_addr) != 1) {
		free(f);
		return EAI_NONAME;
	}
	f->in.sin_family = AF_INET;
	f->info = (struct addrinfo){
		.ai_family = AF_INET, .ai_addrlen = sizeof(f->in), .ai_addr = (struct sockaddr *)&f->in};
	*out = &f->info;
	return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
	free(info);
}

static void set_answers(bool on)
{
	pthread_mutex_lock(&dns.lock);
	dns.answers = on;
	dns.asked = 0;
	pthread_cond_broadcast(&dns.change);
	pthread_mutex_unlock(&dns.lock);
}

static void await_asked(unsigned int n)
{
	pthread_mutex_lock(&dns.lock);
	while (dns.asked < n)
		pthread_cond_wait(&dns.change, &dns.lock);
	pthread_mutex_unlock(&dns.lock);
}

struct answer {
	unsigned int n;
	int status;
	struct ka_resolve_list list;
};

static void keep(void *arg, int status, const struct ka_resolve_list *list)
{
	struct answer *a = arg;

	a->n++;
	a->status = status;
	a->list = *list;
}

static void test_no_more_threads_than_the_limit_though_nobody_waits_for_them(void **state)
{
	struct ka_resolver *names;
	struct ka_resolver *others;
	struct answer a = {0};
	struct ka_resolve *q[4];
	uv_loop_t uv;

	(void)state;
	set_answers(false);
	uv_loop_init(&uv);
	assert_int_equal(ka_resolver_new(&names, &uv, 3), 0);
	assert_int_equal(ka_resolver_new(&others, &uv, 1), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ka_resolve_new(&q[i], names, "a.192.0.2.1", 5, keep, &a), 0);
	assert_int_equal(ka_resolve_new(&q[3], names, "a.192.0.2.1", 5, keep, &a), -KA_E_LIMIT);
	/* Given up, but the threads are still there. */
	for (int i = 0; i < 3; i++)
		ka_resolve_free(q[i]);
	await_asked(3);
	assert_int_equal(ka_resolver_busy(names), 3);
	assert_int_equal(ka_resolve_new(&q[3], names, "a.192.0.2.1", 5, keep, &a), -KA_E_LIMIT);
	/* Another's are counted apart. */
	assert_int_equal(ka_resolve_new(&q[0], others, "x.192.0.2.7", 5, keep, &a), 0);
	set_answers(true);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.status, 0);
	assert_int_equal(ka_addr_port(&a.list.addrs[0]), 5);
	while (ka_resolver_busy(names))
		sched_yield();
	/* And there is room again. */
	assert_int_equal(ka_resolve_new(&q[0], names, "x.unknown", 5, keep, &a), 0);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.status, UV_EAI_NONAME);
	ka_resolver_free(names);
	ka_resolver_free(others);
	assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_threads_may_outlive_their_resolver(void **state)
{
	struct ka_resolver *names;
	struct answer a = {0};
	struct ka_resolve *q;
	uv_loop_t uv;

	(void)state;
	set_answers(false);
	uv_loop_init(&uv);
	assert_int_equal(ka_resolver_new(&names, &uv, 1), 0);
	assert_int_equal(ka_resolve_new(&q, names, "x.192.0.2.7", 5, keep, &a), 0);
	await_asked(1);
	ka_resolve_free(q);
	ka_resolver_free(names);
	uv_run(&uv, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&uv), 0);
	/* Sanitizers see the thread's last steps. */
	set_answers(true);
	assert_int_equal(a.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_more_threads_than_the_limit_though_nobody_waits_for_them),
		cmocka_unit_test(test_threads_may_outlive_their_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
