/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/rustdesk.h"

#include <string.h>

#include "rustdesk/reach/resolve.h"

const char *ka_rd_platform_name(enum ka_rd_platform platform)
{
	static const char *const names[] = {
		[KA_RD_LINUX] = "Linux", [KA_RD_WINDOWS] = "Windows", [KA_RD_MACOS] = "Mac OS"};

	return names[platform];
}

/* What DNS and /etc/hosts know. */
static bool plain_name(const char *host)
{
	return host[strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-")] == '\0' &&
	       *host != '-' && *host != '.' && !strstr(host, "..");
}

/* "10.0.0" and the like are no names but addresses that lack something. */
static bool looks_like_ip(const char *host)
{
	return host[strspn(host, "0123456789.")] == '\0';
}

bool ka_rd_check_endpoint(const char *text, enum ka_rd_endpoint kind)
{
	char host[KA_RESOLVE_HOST_MAX + 1];
	struct ka_resolve_list list;
	uint16_t port;

	if (kind == KA_RD_IP)
		return ka_resolve_literal(text, 1, &list);
	if (ka_resolve_split(text, 1, host, &port) < 0)
		return false;
	if (ka_resolve_literal(host, port, &list))
		return true;
	return kind == KA_RD_HOST_PORT && *text != '[' && plain_name(host) && !looks_like_ip(host);
}
