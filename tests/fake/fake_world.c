/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_world.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rustdesk/reach/netwatch.h"
#include "rustdesk/reach/resolve.h"

/* Names given by the linker's --wrap. */
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *info);
int __wrap_ka_thread_detach(const char *name, void *(*fn)(void *), void *arg);
int __wrap_ka_netwatch_new(struct ka_netwatch **out, uv_loop_t *uv, unsigned int settle_ms, void (*changed)(void *arg),
			   void *arg);

static struct fake_world *world;

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static int wait_for_ever(struct fake_world *w, int fd)
{
	int ends[2];

	if (w->n_waits == FAKE_WORLD_LEGS || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		errno = ENETDOWN;
		return -1;
	}
	/* What can only be read is never writable. */
	demand(dup3(ends[0], fd, O_CLOEXEC) == fd);
	close(ends[0]);
	w->waits[w->n_waits++] = ends[1];
	errno = EINPROGRESS;
	return -1;
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	struct fake_world *w = world;
	int which;
	int type = 0;
	socklen_t type_len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	if (type == SOCK_DGRAM)
		return __real_connect(fd, to, len);
	if (w->verdict == NOTHING)
		return wait_for_ever(w, fd);
	if (w->verdict != TO_LISTENER || to->sa_family != AF_INET) {
		errno = w->verdict == REFUSED ? ECONNREFUSED : ENETUNREACH;
		return -1;
	}
	/* One local port may be used towards both. */
	which = ((const struct sockaddr_in *)to)->sin_port != w->udp_addr.sin_port;
	w->arrivals[which]++;
	return __real_connect(fd, (const struct sockaddr *)&w->tcp_addr[which], len);
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	struct {
		struct addrinfo info;
		struct sockaddr_in addr;
	} * found;

	(void)service;
	(void)hints;
	demand(strlen(host) <= KA_RESOLVE_HOST_MAX);
	if (!world->names_known)
		return EAI_NONAME;
	found = calloc(1, sizeof(*found));
	if (!found)
		return EAI_MEMORY;
	found->addr = world->udp_addr;
	found->info = (struct addrinfo){.ai_family = AF_INET,
					.ai_socktype = SOCK_STREAM,
					.ai_addrlen = sizeof(found->addr),
					.ai_addr = (struct sockaddr *)&found->addr};
	*out = &found->info;
	return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *info)
{
	free(info);
}

/* A look-up is over at once. */
int __wrap_ka_thread_detach(const char *name, void *(*fn)(void *), void *arg)
{
	(void)name;
	fn(arg);
	return 0;
}

int __wrap_ka_netwatch_new(struct ka_netwatch **out, uv_loop_t *uv, unsigned int settle_ms, void (*changed)(void *arg),
			   void *arg)
{
	(void)uv;
	(void)settle_ms;
	*out = NULL;
	world->moved = changed;
	world->moved_arg = arg;
	return 0;
}

int fake_world_socket(int type, struct sockaddr_in *bound)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*bound);

	*bound = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	demand(fd >= 0 && bind(fd, (struct sockaddr *)bound, len) == 0);
	demand(getsockname(fd, (struct sockaddr *)bound, &len) == 0);
	demand(type != SOCK_STREAM || listen(fd, FAKE_WORLD_LEGS) == 0);
	return fd;
}

void fake_world_reset(int *fd)
{
	const struct linger at_once = {.l_onoff = 1};

	if (*fd < 0)
		return;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(*fd);
	*fd = -1;
}

static void accept_legs(struct fake_world *w, int which)
{
	int fd;

	/* Asking in vain is slow. */
	for (; w->arrivals[which]; w->arrivals[which]--) {
		fd = accept4(w->tcp[which], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		fake_world_reset(&w->legs[w->next_leg]);
		w->legs[w->next_leg] = fd;
		w->next_leg = (w->next_leg + 1) % FAKE_WORLD_LEGS;
	}
}

void fake_world_read(struct fake_world *w)
{
	uint8_t buf[2048];

	accept_legs(w, 0);
	accept_legs(w, 1);
	for (int i = 0; i < FAKE_WORLD_LEGS; i++) {
		if (w->legs[i] >= 0 && recv(w->legs[i], buf, sizeof(buf), 0) == 0)
			fake_world_reset(&w->legs[i]);
	}
}

int fake_world_dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	demand(fd >= 0);
	/* Whether anybody is there shows later, if at all. */
	(void)__real_connect(fd, (const struct sockaddr *)to, sizeof(*to));
	return fd;
}

void fake_world_init(struct fake_world *w)
{
	memset(w, 0, sizeof(*w));
	memset(w->legs, -1, sizeof(w->legs));
	w->udp = fake_world_socket(SOCK_DGRAM, &w->udp_addr);
	for (int i = 0; i < 2; i++)
		w->tcp[i] = fake_world_socket(SOCK_STREAM, &w->tcp_addr[i]);
	world = w;
}

void fake_world_fini(struct fake_world *w)
{
	for (int i = 0; i < FAKE_WORLD_LEGS; i++)
		fake_world_reset(&w->legs[i]);
	while (w->n_waits)
		close(w->waits[--w->n_waits]);
	close(w->udp);
	close(w->tcp[0]);
	close(w->tcp[1]);
	world = NULL;
}
