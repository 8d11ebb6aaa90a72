/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/ways.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* What clients assume when no port is given. */
#define USUAL_SERVE_PORT 21116
#define USUAL_DIRECT_PORT 21118

struct list {
	char (*out)[KA_WAYS_TEXT];
	size_t n, max;
	uint16_t port, usual_port;
	const char *before, *after;
};

static void add_host(struct list *l, const char *host, size_t host_len)
{
	bool bare_v6 = memchr(host, ':', host_len) && host[0] != '[';
	char port[8] = "";

	if (l->n == l->max)
		return;
	if (l->port != l->usual_port)
		snprintf(port, sizeof(port), ":%u", l->port);
	snprintf(l->out[l->n++], KA_WAYS_TEXT, "%s%s%.*s%s%s%s", l->before, bare_v6 ? "[" : "", (int)host_len, host,
		 bare_v6 ? "]" : "", port, l->after);
}

/* IPv4: clients take those most easily. */
static void add_own(struct list *l, const struct ifaddrs *all, bool loopback)
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		char text[INET_ADDRSTRLEN];

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP) ||
		    !(i->ifa_flags & IFF_LOOPBACK) == loopback)
			continue;
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, text,
			  sizeof(text));
		add_host(l, text, strlen(text));
	}
}

static bool is_any(const char *host, size_t len)
{
	return !len || (len == 7 && !strncmp(host, "0.0.0.0", 7)) || (len == 2 && !strncmp(host, "::", 2));
}

/* listen: as in the configuration, empty or a list. Loopback comes last: it serves this machine only. */
static void add_listening(struct list *l, const char *listen)
{
	const char *start = listen;
	struct ifaddrs *all;

	do {
		listen += strspn(listen, ", \t");
		size_t len = strcspn(listen, ", \t");

		if (!len && listen > start)
			break;
		if (!is_any(listen, len)) {
			add_host(l, listen, len);
		} else if (getifaddrs(&all) == 0) {
			add_own(l, all, false);
			add_own(l, all, true);
			freeifaddrs(all);
		}
		listen += len;
	} while (*listen);
}

size_t ka_ways_serve(char (*out)[KA_WAYS_TEXT], size_t max, const struct ka_rd_cfg *cfg,
		     const struct ka_rd_identity *identity, uint16_t port)
{
	char key[KA_RD_KEY_TEXT];
	char before[KA_RD_ID_MAX + 2];
	char after[KA_RD_KEY_TEXT + 8];
	struct list l = {out, 0, max, port, USUAL_SERVE_PORT, before, after};

	ka_rd_serve_key(key, identity);
	snprintf(before, sizeof(before), "%s@", identity->id);
	snprintf(after, sizeof(after), "?key=%s", key);
	add_listening(&l, cfg->serve.address);
	return l.n;
}

size_t ka_ways_direct(char (*out)[KA_WAYS_TEXT], size_t max, const struct ka_rd_cfg *cfg, uint16_t port)
{
	struct list l = {out, 0, max, port, USUAL_DIRECT_PORT, "", ""};

	add_listening(&l, cfg->direct_address);
	return l.n;
}
