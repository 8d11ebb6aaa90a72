/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairs of bytes as what happens to a source and its viewers; the model says what must never be. */
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "tests/fake/reception_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reception_model m;

	if (!size)
		return 0;
	reception_model_init(&m, data[0] * KA_MS(100));
	for (size_t i = 1; i + 1 < size; i += 2)
		reception_model_step(&m, data[i], data[i + 1]);
	reception_model_recover(&m);
	return 0;
}
