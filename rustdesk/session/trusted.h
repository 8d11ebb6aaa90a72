/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Controllers that need no second factor. Of what makes one up (hardware id, id, name, platform) only a hash is kept:
 * the hardware id is as good as a code, so the file must not tell it. As text, one line each:
 *
 *   <64 hex digits> <seconds of the epoch> <who, escaped>
 *
 * Bounded: the oldest is forgotten. Pure; one owner.
 */
#ifndef KA_TRUSTED_H
#define KA_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KA_TRUSTED_MAX 64
#define KA_TRUSTED_KEY 32
#define KA_TRUSTED_WHO 48
#define KA_TRUSTED_TEXT_MAX (KA_TRUSTED_MAX * (2 * KA_TRUSTED_KEY + KA_TRUSTED_WHO + 24) + 1)

struct ka_trusted {
	struct {
		uint8_t key[KA_TRUSTED_KEY];
		int64_t since_s; /* 0 = free */
		char who[KA_TRUSTED_WHO];
	} devices[KA_TRUSTED_MAX];
};

/* Trusted, for at most so many days? Days 0: never. */
bool ka_trusted_has(const struct ka_trusted *t, const uint8_t key[static KA_TRUSTED_KEY], int64_t now_s,
		    unsigned int days);
void ka_trusted_add(struct ka_trusted *t, const uint8_t key[static KA_TRUSTED_KEY], const char *who, int64_t now_s);
/* What cannot be read is left out. */
void ka_trusted_parse(struct ka_trusted *t, const char *text);
void ka_trusted_format(const struct ka_trusted *t, char dst[static KA_TRUSTED_TEXT_MAX]);

#endif
