/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/oom/alloc_fail.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* Names given by the linker's --wrap. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void __wrap_free(void *p);

static atomic_long countdown = -1;
static atomic_bool happened;
static atomic_long live;

static bool refuse(void)
{
	/* Below zero it never comes round again. */
	if (atomic_load(&countdown) < 0 || atomic_fetch_sub(&countdown, 1) != 0)
		return false;
	atomic_store(&happened, true);
	return true;
}

static void *count(void *p)
{
	if (p)
		atomic_fetch_add(&live, 1);
	return p;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	if (refuse())
		return NULL;
	return p ? __real_realloc(p, size) : count(__real_realloc(p, size));
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
	int err = refuse() ? ENOMEM : __real_posix_memalign(out, alignment, size);

	if (!err)
		count(*out);
	return err;
}

char *__wrap_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = __wrap_malloc(len + 1);

	if (p) {
		memcpy(p, s, len);
		p[len] = '\0';
	}
	return p;
}

char *__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}

void __wrap_free(void *p)
{
	if (p)
		atomic_fetch_sub(&live, 1);
	__real_free(p);
}

void alloc_fail_after(long n)
{
	if (n >= 0)
		atomic_store(&happened, false);
	atomic_store(&countdown, n);
}

bool alloc_fail_happened(void)
{
	return atomic_load(&happened);
}

long alloc_fail_live(void)
{
	return atomic_load(&live);
}
