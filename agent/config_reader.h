/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checked reading of a libconfig group against a table of keys: ranges, words, unknown keys with the nearest valid one,
 * and file:line in every message. The first error stays. Pure but for memory.
 */
#ifndef KA_CONFIG_READER_H
#define KA_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libconfig.h>

#include "base/attr.h"
#include "base/err.h"

enum ka_key_kind {
	KA_KEY_STRING, /* field: const char * ; min, max: length in bytes */
	KA_KEY_UINT,   /* field: unsigned int; min, max: value */
	KA_KEY_INT,    /* field: int32_t; min, max: value */
	KA_KEY_UINT16, /* field: uint16_t; min, max: value */
	KA_KEY_BOOL,   /* field: bool */
	KA_KEY_WORD,   /* field: int; words: terminated list, value = index */
	KA_KEY_GROUP,  /* keys: table of the group, over the same struct */
	KA_KEY_LIST,   /* of groups in ( ): read takes each; field: what it fills; max: elements */
};

struct ka_config_reader;

/* One key of a group. The table is also what the documentation is checked against. */
struct ka_config_key {
	const char *name;
	enum ka_key_kind kind;
	size_t offset; /* of the field in the struct the table describes */
	int64_t min, max;
	const char *const *words;
	const struct ka_config_key *keys;
	void (*read)(struct ka_config_reader *r, const config_setting_t *element, const struct ka_config_key *keys,
		     void *field);
};

struct ka_config_reader {
	const char *file;
	struct ka_errbuf *eb;
	char **strings; /* owned copies */
	size_t n_strings;
	int err; /* first error, 0 so far */
};

/* Reads the group into base, which holds the defaults. table ends with a NULL name. */
void ka_config_read_group(struct ka_config_reader *r, const config_setting_t *group, const char *group_name,
			  const struct ka_config_key *table, void *base);
/* An error at a setting's line (NULL: the file as a whole), unless there is one already. */
void ka_config_fail(struct ka_config_reader *r, const config_setting_t *at, const char *fmt, ...) KA_PRINTF(3, 4);
/* A copy that lives as long as the snapshot; NULL without memory, noted as the error. */
const char *ka_config_keep(struct ka_config_reader *r, const char *text);

#endif
