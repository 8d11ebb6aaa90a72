/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/banner.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct shown {
	uint16_t port;
	uint16_t usual_port; /* not worth printing */
	const char *before, *after;
};

static void print_host(const struct shown *s, const char *host)
{
	if (s->port == s->usual_port)
		printf("    %s%s%s\n", s->before, host, s->after);
	else
		printf("    %s%s:%u%s\n", s->before, host, s->port, s->after);
}

static bool is_any(const char *address)
{
	return !address[0] || !strcmp(address, "0.0.0.0") || !strcmp(address, "::");
}

/* The address listened on, or every IPv4 address of the machine: clients take those most easily. */
static void print_addresses(const char *address, const struct shown *s)
{
	struct ifaddrs *list;

	if (!is_any(address)) {
		print_host(s, address);
		return;
	}
	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		char text[INET_ADDRSTRLEN];

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !(i->ifa_flags & IFF_UP))
			continue;
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, text,
			  sizeof(text));
		print_host(s, text);
	}
	freeifaddrs(list);
}

static void print_serve(const struct ka_rd_cfg *rd, const struct ka_rd_identity *identity, uint16_t port)
{
	char key[KA_RD_KEY_TEXT];
	char before[KA_RD_ID_MAX + 2];
	char after[KA_RD_KEY_TEXT + 8];
	const struct shown s = {port, 21116, before, after};

	ka_rd_serve_key(key, identity);
	snprintf(before, sizeof(before), "%s@", identity->id);
	snprintf(after, sizeof(after), "?key=%s", key);
	printf("  Encrypted, without any server: paste one of these into the client's ID box and press Connect:\n");
	print_addresses(rd->serve.address, &s);
	printf("\n");
}

static void print_direct(const struct ka_rd_cfg *rd, uint16_t port)
{
	const struct shown s = {port, 21118, "", ""};

	printf("  Direct access: type one of these into the client's ID box and press Connect:\n");
	print_addresses(rd->direct_address, &s);
	printf("  Direct sessions are NOT encrypted by the stock protocol: everything, the keys you type included,\n"
	       "  crosses the network in the clear. Use them on a network you trust only.\n\n");
}

void ka_banner_print(const struct ka_config *cfg, const struct ka_rd_identity *identity,
		     const struct ka_rd_status *status)
{
	const struct ka_rd_cfg *rd = &cfg->rustdesk;

	printf("\nkvmagent %s\n\n  ID:            %s\n", KA_VERSION, identity->id);
	if (cfg->password_set)
		printf("  Password:      the one set in the configuration\n");
	if (rd->server[0])
		printf("  Server:        %s (enter the ID in a client that uses the same server; encrypted)\n",
		       rd->server);
	printf("\n");
	if (status->serve_port)
		print_serve(rd, identity, status->serve_port);
	if (status->direct_port)
		print_direct(rd, status->direct_port);
	if (!status->direct_port && !status->serve_port && !rd->server[0])
		printf("  Nobody can connect: set 'server', or enable 'serve' or 'direct' in section 'rustdesk'.\n\n");
	if (cfg->hid.backend == KA_HID_RECORD)
		printf("  Keys and mouse are recorded, not sent: %s\n\n",
		       cfg->hid.record_file[0] ? cfg->hid.record_file : "in the log");
	printf("  Ctrl-C stops.\n\n");
	fflush(stdout);
}

void ka_banner_otp(const char *otp)
{
	if (!otp[0])
		return;
	printf("  One-time password: %s   (a new one after each session)\n\n", otp);
	fflush(stdout);
}
