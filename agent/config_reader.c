/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

void ka_config_fail(struct ka_config_reader *r, const config_setting_t *at, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	if (r->err)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->err = -KA_E_CONFIG;
	if (at)
		ka_errbuf_set(r->eb, "%s:%u: %s",
			      config_setting_source_file(at) ? config_setting_source_file(at) : r->file,
			      config_setting_source_line(at), text);
	else
		ka_errbuf_set(r->eb, "%s: %s", r->file, text);
}

const char *ka_config_keep(struct ka_config_reader *r, const char *text)
{
	char **strings = realloc(r->strings, (r->n_strings + 1) * sizeof(*strings));
	char *copy;

	if (strings)
		r->strings = strings;
	copy = strings ? strdup(text) : NULL;
	if (!copy) {
		if (!r->err)
			ka_errbuf_set(r->eb, "%s: no memory", r->file);
		r->err = r->err ? r->err : -ENOMEM;
		return NULL;
	}
	r->strings[r->n_strings++] = copy;
	return copy;
}

/* Least edits between two words; words are short. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[33];
	size_t n = strlen(b);

	if (strlen(a) > 32 || n > 32)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = KA_MIN(change, KA_MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

static const struct ka_config_key *find_key(const struct ka_config_key *table, const char *name)
{
	for (; table->name; table++) {
		if (!strcmp(table->name, name))
			return table;
	}
	return NULL;
}

static void fail_unknown(struct ka_config_reader *r, const config_setting_t *s, const char *group_name,
			 const struct ka_config_key *table)
{
	const char *name = config_setting_name(s);
	const char *best = NULL;
	size_t best_distance = 4;

	for (const struct ka_config_key *k = table; k->name; k++) {
		size_t d = edit_distance(name, k->name);

		if (d < best_distance) {
			best_distance = d;
			best = k->name;
		}
	}
	ka_config_fail(r, s, "unknown key '%s' in %s%s%s%s", name, group_name, best ? ": did you mean '" : "",
		       best ? best : "", best ? "'?" : "");
}

static void read_string(struct ka_config_reader *r, const config_setting_t *s, const struct ka_config_key *k,
			const char **field)
{
	const char *v = config_setting_get_string(s);
	const char *copy;

	if (!v) {
		ka_config_fail(r, s, "'%s' must be text in double quotes", k->name);
		return;
	}
	if (strlen(v) < (size_t)k->min || strlen(v) > (size_t)k->max) {
		ka_config_fail(r, s, "'%s' must have %d to %d characters", k->name, (int)k->min, (int)k->max);
		return;
	}
	copy = ka_config_keep(r, v);
	if (copy)
		*field = copy;
}

static bool read_number(struct ka_config_reader *r, const config_setting_t *s, const struct ka_config_key *k,
			int64_t *v)
{
	int type = config_setting_type(s);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		ka_config_fail(r, s, "'%s' must be a whole number", k->name);
		return false;
	}
	*v = config_setting_get_int64(s);
	/* libconfig keeps what fits 32 bits as int. */
	if (type == CONFIG_TYPE_INT)
		*v = config_setting_get_int(s);
	if (*v < k->min || *v > k->max) {
		ka_config_fail(r, s, "'%s' is %lld, but must be %lld to %lld", k->name, (long long)*v,
			       (long long)k->min, (long long)k->max);
		return false;
	}
	return true;
}

static void read_word(struct ka_config_reader *r, const config_setting_t *s, const struct ka_config_key *k, int *field)
{
	const char *v = config_setting_get_string(s);
	char all[192] = "";
	size_t used = 0;

	for (int i = 0; k->words[i]; i++) {
		if (v && !strcmp(v, k->words[i])) {
			*field = i;
			return;
		}
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s\"%s\"", i ? ", " : "", k->words[i]);
		used = KA_MIN(used, sizeof(all) - 1);
	}
	ka_config_fail(r, s, "'%s' must be one of %s", k->name, all);
}

static void read_list(struct ka_config_reader *r, const config_setting_t *s, const struct ka_config_key *k, void *field)
{
	int n = config_setting_length(s);

	if (!config_setting_is_list(s)) {
		ka_config_fail(r, s, "'%s' must be a list of groups: %s = ( { ... }, { ... } );", k->name, k->name);
		return;
	}
	if (n > k->max) {
		ka_config_fail(r, s, "'%s' has %d entries, but at most %d fit", k->name, n, (int)k->max);
		return;
	}
	for (int i = 0; i < n && !r->err; i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned int)i);

		if (!config_setting_is_group(element))
			ka_config_fail(r, element, "an entry of '%s' must be a group in { }", k->name);
		else
			k->read(r, element, k->keys, field);
	}
}

static void read_key(struct ka_config_reader *r, const config_setting_t *s, const struct ka_config_key *k, void *base)
{
	void *field = (char *)base + k->offset;
	int64_t v;

	switch (k->kind) {
	case KA_KEY_STRING:
		read_string(r, s, k, field);
		break;
	case KA_KEY_UINT:
		if (read_number(r, s, k, &v))
			*(unsigned int *)field = (unsigned int)v;
		break;
	case KA_KEY_INT:
		if (read_number(r, s, k, &v))
			*(int32_t *)field = (int32_t)v;
		break;
	case KA_KEY_UINT16:
		if (read_number(r, s, k, &v))
			*(uint16_t *)field = (uint16_t)v;
		break;
	case KA_KEY_BOOL:
		if (config_setting_type(s) != CONFIG_TYPE_BOOL)
			ka_config_fail(r, s, "'%s' must be true or false", k->name);
		else
			*(bool *)field = config_setting_get_bool(s) != 0;
		break;
	case KA_KEY_WORD:
		read_word(r, s, k, field);
		break;
	case KA_KEY_GROUP:
		if (!config_setting_is_group(s))
			ka_config_fail(r, s, "'%s' must be a group: %s = { ... };", k->name, k->name);
		else
			ka_config_read_group(r, s, k->name, k->keys, base);
		break;
	case KA_KEY_LIST:
		read_list(r, s, k, field);
		break;
	}
}

void ka_config_read_group(struct ka_config_reader *r, const config_setting_t *group, const char *group_name,
			  const struct ka_config_key *table, void *base)
{
	int n = config_setting_length(group);

	for (int i = 0; i < n && !r->err; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned int)i);
		const struct ka_config_key *k = find_key(table, config_setting_name(s));

		if (!k)
			fail_unknown(r, s, group_name, table);
		else
			read_key(r, s, k, base);
	}
}
