/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a mangled address: what was decoded must survive being written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "rustdesk/wire/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_storage a;
	struct sockaddr_storage b;
	uint8_t out[KA_ADDR_BYTES];
	char text[KA_ADDR_TEXT];
	uint32_t stamp = 0;
	size_t len;

	if (ka_addr_decode(&a, data, size) < 0)
		return 0;
	for (size_t i = 0; i < size && i < 4; i++)
		stamp = stamp << 8 | data[i];
	ka_addr_text(text, &a);
	len = ka_addr_encode(out, &a, stamp);
	if (ka_addr_decode(&b, out, len) < 0 || ka_addr_port(&a) != ka_addr_port(&b))
		abort();
	/* ::a.b.c.d comes back as a.b.c.d, which is another host to the eye */
	if (a.ss_family == b.ss_family && !ka_addr_same_host(&a, &b))
		abort();
	return 0;
}
