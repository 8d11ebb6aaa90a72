/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/banner.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void print_address(const struct sockaddr *addr, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	if (addr->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)addr)->sin_addr, text, sizeof(text));
		if (port == 21118)
			printf("    %s\n", text);
		else
			printf("    %s:%u\n", text, port);
	}
}

/* Every IPv4 address of the machine; clients take those most easily. */
static void print_addresses(uint16_t port)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (i->ifa_addr && (i->ifa_flags & IFF_UP))
			print_address(i->ifa_addr, port);
	}
	freeifaddrs(list);
}

static void print_direct(const struct ka_rd_cfg *rd, uint16_t port)
{
	printf("  Direct access: type one of these into the client's ID box and press Connect:\n");
	if (rd->direct_address[0] && strcmp(rd->direct_address, "0.0.0.0") && strcmp(rd->direct_address, "::"))
		printf("    %s:%u\n", rd->direct_address, port);
	else
		print_addresses(port);
	printf("  Direct sessions are NOT encrypted by the stock protocol: everything, the keys you type included,\n"
	       "  crosses the network in the clear. Use them on a network you trust, or use a server.\n\n");
}

void ka_banner_print(const struct ka_config *cfg, const struct ka_rd_identity *identity, uint16_t direct_port)
{
	const struct ka_rd_cfg *rd = &cfg->rustdesk;

	printf("\nkvmagent %s\n\n  ID:            %s\n", KA_VERSION, identity->id);
	if (rd->password[0])
		printf("  Password:      the one set in the configuration\n");
	if (rd->server[0])
		printf("  Server:        %s (enter the ID in a client that uses the same server; encrypted)\n",
		       rd->server);
	printf("\n");
	if (direct_port)
		print_direct(rd, direct_port);
	if (!direct_port && !rd->server[0])
		printf("  Nobody can connect: set 'server' or enable 'direct' in section 'rustdesk'.\n\n");
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
