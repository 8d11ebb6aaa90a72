/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libsodium's random bytes from a seed, so that a fuzz input always does the same. One thread. */
#ifndef KA_FAKE_RANDOM_H
#define KA_FAKE_RANDOM_H

#include <stdint.h>

/* Before sodium_init(). */
int fake_random_install(void);
void fake_random_seed(uint64_t seed);

#endif
