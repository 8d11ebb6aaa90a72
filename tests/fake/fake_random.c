/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/fake_random.h"

#include <sodium.h>
#include <string.h>

static uint64_t state;

/* SplitMix64. */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static const char *name(void)
{
	return "seeded";
}

static uint32_t word(void)
{
	return (uint32_t)next();
}

static void fill(void *const out, const size_t size)
{
	uint8_t *p = out;

	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)next();
}

int fake_random_install(void)
{
	static randombytes_implementation seeded = {.implementation_name = name, .random = word, .buf = fill};

	return randombytes_set_implementation(&seeded);
}

void fake_random_seed(uint64_t seed)
{
	state = seed;
}
