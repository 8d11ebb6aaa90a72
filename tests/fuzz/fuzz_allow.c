/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a list of who may come. First line: an id; the rest: the list. Nobody comes by a list that is not empty
 * and has no entry that names him. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rustdesk/session/allow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1)
		a.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
		a.ss_family = AF_INET6;
	return a;
}

static void check_addresses(const char *list)
{
	static const char *const from[] = {"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "0.0.0.0", "::"};
	char bad[64];
	int ret = ka_allow_check_addresses(list, bad, sizeof(bad));

	if (ret < 0)
		demand(*bad && strlen(bad) < sizeof(bad));
	for (size_t i = 0; i < KA_ARRAY_LEN(from); i++) {
		struct sockaddr_storage a = address(from[i]);

		/* Without a digit and without "::" there is no address in it. */
		if (ka_allow_address(list, &a, i & 1))
			demand(!list[strspn(list, ", \t\r\n")] || strpbrk(list, "0123456789:"));
	}
	/* IPv4 is the same in either family. */
	struct sockaddr_storage in4 = address(from[0]);
	struct sockaddr_storage mapped = address(from[1]);

	demand(ka_allow_address(list, &in4, false) == ka_allow_address(list, &mapped, false));
}

static void check_id(const char *list, char *id)
{
	bool allowed = ka_allow_id(list, id);
	char *at = strchr(id, '@');

	if (at)
		*at = '\0';
	demand(ka_allow_id(list, id) == allowed);
	if (allowed && *id)
		demand(!list[strspn(list, ", \t\r\n")] || strstr(list, id) || strstr(list, "0.0.0.0"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *list;

	demand(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	list = strchr(text, '\n');
	if (list) {
		*list++ = '\0';
		check_addresses(list);
		check_id(list, text);
	}
	free(text);
	return 0;
}
