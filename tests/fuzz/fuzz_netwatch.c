/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as netlink messages, in memory of exactly their size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rustdesk/reach/netwatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	/* What came first does not lose its meaning by what follows. */
	if (size >= 4 && ka_netwatch_matters(copy, size - size / 2) && !ka_netwatch_matters(copy, size))
		abort();
	free(copy);
	return 0;
}
