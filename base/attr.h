/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiler attributes and the few macros everything uses. */
#ifndef KA_ATTR_H
#define KA_ATTR_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define KA_MUST_USE __attribute__((warn_unused_result))
#define KA_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define KA_NORETURN __attribute__((noreturn))

#define KA_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define KA_MIN(a, b) ((a) < (b) ? (a) : (b))
#define KA_MAX(a, b) ((a) > (b) ? (a) : (b))
#define KA_CLAMP(v, lo, hi) ((v) < (lo) ? (lo) : (v) > (hi) ? (hi) : (v))
#define KA_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* For locals that never leave their function. */
static inline void ka_auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void ka_auto_free(void *p)
{
	free(*(void **)p);
}
#define KA_AUTO_FD __attribute__((cleanup(ka_auto_close))) int
#define KA_AUTO_FREE __attribute__((cleanup(ka_auto_free)))

#endif
