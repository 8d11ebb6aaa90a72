/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rendezvous server by name that is found again after it has moved to another address. */
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/fake_hbbs.h"

/* What the name means to this program's name server. */
static struct {
	atomic_int family; /* of loopback; 0 = unknown */
	atomic_uint asked;
} dns;

struct found {
	struct addrinfo info;
	struct sockaddr_storage addr;
};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int family = atomic_load(&dns.family);
	struct found *f;

	(void)service;
	(void)hints;
	atomic_fetch_add(&dns.asked, 1);
	if (!family || strcmp(name, "hbbs.test"))
		return EAI_NONAME;
	f = calloc(1, sizeof(*f));
	if (!f)
		return EAI_MEMORY;
	if (family == AF_INET6)
		((struct sockaddr_in6 *)&f->addr)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&f->addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->addr.ss_family = (sa_family_t)family;
	f->info.ai_family = family;
	f->info.ai_addr = (struct sockaddr *)&f->addr;
	f->info.ai_addrlen = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	*out = &f->info;
	return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
	free(info);
}

static bool not_registered(struct fake_bench *b)
{
	return !fake_registered(b);
}

static sa_family_t last_family(const struct fake_bench *b)
{
	return b->heard[b->n_heard - 1].from.ss_family;
}

static void test_server_that_moved_is_looked_up_and_gets_a_new_socket(void **state)
{
	struct fake_bench b;

	(void)state;
	atomic_store(&dns.family, AF_INET);
	fake_bench_init(&b, "hbbs.test");
	fake_bench_start(&b);
	assert_true(fake_run_until(&b, fake_registered, 3000));
	assert_int_equal(last_family(&b), AF_INET);
	/* Nothing says so but its silence. */
	fake_close_server(&b);
	b.family = AF_INET6;
	fake_open_server(&b);
	assert_true(fake_run_until(&b, not_registered, 5000));
	atomic_store(&dns.family, AF_INET6);
	assert_true(fake_run_until(&b, fake_registered, 5000));
	assert_int_equal(last_family(&b), AF_INET6);
	assert_in_range(atomic_load(&dns.asked), 2, 100);
	fake_bench_fini(&b);
}

static void test_name_that_becomes_known_is_noticed(void **state)
{
	struct fake_bench b;

	(void)state;
	atomic_store(&dns.family, 0);
	fake_bench_init(&b, "hbbs.test");
	fake_bench_start(&b);
	assert_true(fake_wait_words(&b, "the name of server hbbs.test"));
	atomic_store(&dns.family, AF_INET);
	/* Looked up every five seconds. */
	assert_true(fake_run_until(&b, fake_registered, 15000));
	fake_bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_that_moved_is_looked_up_and_gets_a_new_socket),
		cmocka_unit_test(test_name_that_becomes_known_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
