/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/banner.h"

#include <stdio.h>

#include "agent/ways.h"

#define MAX_WAYS 16

static void print_ways(char (*ways)[KA_WAYS_TEXT], size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("    %s\n", ways[i]);
}

static void print_serve(const struct ka_rd_cfg *rd, const struct ka_rd_identity *identity, uint16_t port)
{
	char ways[MAX_WAYS][KA_WAYS_TEXT];

	printf("  Encrypted, without any server: paste one of these into the client's ID box and press Connect:\n");
	print_ways(ways, ka_ways_serve(ways, MAX_WAYS, rd, identity, port));
	printf("\n");
}

static void print_direct(const struct ka_rd_cfg *rd, uint16_t port)
{
	char ways[MAX_WAYS][KA_WAYS_TEXT];

	printf("  Direct access: type one of these into the client's ID box and press Connect:\n");
	print_ways(ways, ka_ways_direct(ways, MAX_WAYS, rd, port));
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
