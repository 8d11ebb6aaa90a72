/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that runs out on demand. The program is linked with --wrap for the allocators, so this covers our own code,
 * not the insides of shared libraries (libuv aborts when it cannot grow its table of descriptors). Any thread.
 */
#ifndef KA_ALLOC_FAIL_H
#define KA_ALLOC_FAIL_H

#include <stdbool.h>

/* From now on the allocation after n more fails, and that one alone; n < 0: none does. */
void alloc_fail_after(long n);
/* Whether it has happened since such a call with n >= 0. */
bool alloc_fail_happened(void);
/* Blocks handed out and not given back. */
long alloc_fail_live(void);

#endif
