/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/allow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/str.h"
#include "rustdesk/wire/addr.h"

#define SEPARATORS ", \t\r\n"
#define ENTRY_MAX 64

/* IPv4 as v4-mapped. */
struct net {
	uint8_t ip[16];
	unsigned int bits;
};

/* The next entry into dst, cut at its size; NULL at the end. */
static const char *next_entry(const char *at, char *dst, size_t size)
{
	size_t n;

	at += strspn(at, SEPARATORS);
	n = strcspn(at, SEPARATORS);
	if (!n)
		return NULL;
	memset(dst, 0, size);
	memcpy(dst, at, n < size ? n : size - 1);
	/* What does not fit is no address and no id. */
	if (n >= size)
		dst[0] = '?';
	return at + n;
}

static bool parse_net(struct net *net, char *entry)
{
	char *slash = strchr(entry, '/');
	uint64_t bits = 0;
	unsigned int most;

	if (slash)
		*slash = '\0';
	memset(net, 0, sizeof(*net));
	if (inet_pton(AF_INET, entry, net->ip + 12) == 1) {
		net->ip[10] = net->ip[11] = 0xff;
		most = 32;
	} else if (inet_pton(AF_INET6, entry, net->ip) == 1) {
		most = 128;
	} else {
		return false;
	}
	if (slash && ka_str_parse_u64(slash + 1, 0, most, &bits) < 0)
		return false;
	net->bits = 128 - most + (slash ? (unsigned int)bits : most);
	return true;
}

static bool read_ip(uint8_t ip[static 16], const struct sockaddr_storage *from)
{
	memset(ip, 0, 16);
	if (from->ss_family == AF_INET6) {
		memcpy(ip, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
		return true;
	}
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	return from->ss_family == AF_INET;
}

static bool inside(const struct net *net, const uint8_t ip[static 16])
{
	unsigned int bytes = net->bits / 8;
	uint8_t mask = (uint8_t)(0xff00u >> net->bits % 8);

	return !memcmp(net->ip, ip, bytes) && (bytes == 16 || !((net->ip[bytes] ^ ip[bytes]) & mask));
}

static bool is_empty(const char *list)
{
	return !list || !list[strspn(list, SEPARATORS)];
}

/* Everybody, or everybody with IPv4. */
static bool is_all(const struct net *net)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !net->bits || (net->bits == 96 && !memcmp(net->ip, mapped, sizeof(mapped)));
}

bool ka_allow_address(const char *list, const struct sockaddr_storage *from, bool claimed)
{
	char entry[ENTRY_MAX];
	uint8_t ip[16];
	struct net net;

	if (is_empty(list))
		return true;
	if (!read_ip(ip, from))
		return false;
	claimed = claimed && ka_addr_is_own(from);
	while ((list = next_entry(list, entry, sizeof(entry)))) {
		if (!strcmp(entry, "0.0.0.0"))
			return true;
		if (parse_net(&net, entry) && inside(&net, ip) && (!claimed || is_all(&net)))
			return true;
	}
	return false;
}

bool ka_allow_id(const char *list, const char *id)
{
	size_t n = strcspn(id, "@");
	char entry[ENTRY_MAX];

	if (is_empty(list))
		return true;
	while ((list = next_entry(list, entry, sizeof(entry)))) {
		if (strlen(entry) == n && !memcmp(entry, id, n))
			return true;
	}
	return false;
}

int ka_allow_check_addresses(const char *list, char *bad, size_t bad_size)
{
	char entry[ENTRY_MAX];
	struct net net;

	while ((list = next_entry(list, entry, sizeof(entry)))) {
		ka_str_copy(bad, bad_size, entry);
		if (!parse_net(&net, entry))
			return -EINVAL;
	}
	return 0;
}
