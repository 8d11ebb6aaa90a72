/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hid/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size: one byte too far is seen. */
	char *copy = malloc(size ? size : 1);
	enum ka_uevent_action action;

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	action = ka_uevent_parse(copy, size);
	assert(action <= KA_UEVENT_CHANGE);
	free(copy);
	return 0;
}
