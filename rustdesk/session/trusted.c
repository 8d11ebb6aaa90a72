/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/trusted.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define DAY_S 86400

bool ka_trusted_has(const struct ka_trusted *t, const uint8_t key[static KA_TRUSTED_KEY], int64_t now_s,
		    unsigned int days)
{
	for (size_t i = 0; i < KA_TRUSTED_MAX; i++) {
		if (t->devices[i].since_s && !memcmp(t->devices[i].key, key, KA_TRUSTED_KEY))
			return now_s >= t->devices[i].since_s && now_s - t->devices[i].since_s < (int64_t)days * DAY_S;
	}
	return false;
}

void ka_trusted_add(struct ka_trusted *t, const uint8_t key[static KA_TRUSTED_KEY], const char *who, int64_t now_s)
{
	size_t at = 0;

	for (size_t i = 0; i < KA_TRUSTED_MAX; i++) {
		if (t->devices[i].since_s && !memcmp(t->devices[i].key, key, KA_TRUSTED_KEY)) {
			at = i;
			break;
		}
		if (t->devices[i].since_s < t->devices[at].since_s)
			at = i;
	}
	memcpy(t->devices[at].key, key, KA_TRUSTED_KEY);
	t->devices[at].since_s = now_s > 0 ? now_s : 1;
	ka_str_copy(t->devices[at].who, KA_TRUSTED_WHO, who);
}

static void parse_line(struct ka_trusted *t, char *line)
{
	char *since = strchr(line, ' ');
	char *who = since ? strchr(since + 1, ' ') : NULL;
	uint8_t key[KA_TRUSTED_KEY];
	uint64_t at;

	if (!who)
		return;
	*since++ = *who++ = '\0';
	if (!ka_hex_decode(key, sizeof(key), line) && !ka_str_parse_u64(since, 1, INT64_MAX, &at))
		ka_trusted_add(t, key, who, (int64_t)at);
}

void ka_trusted_parse(struct ka_trusted *t, const char *text)
{
	memset(t, 0, sizeof(*t));
	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[2 * KA_TRUSTED_KEY + KA_TRUSTED_WHO + 24];

		if (n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			parse_line(t, line);
		}
		text += n + (text[n] == '\n');
	}
}

void ka_trusted_format(const struct ka_trusted *t, char dst[static KA_TRUSTED_TEXT_MAX])
{
	size_t used = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < KA_TRUSTED_MAX; i++) {
		char key[2 * KA_TRUSTED_KEY + 1];

		if (!t->devices[i].since_s)
			continue;
		ka_hex_encode(key, t->devices[i].key, KA_TRUSTED_KEY);
		used += (size_t)snprintf(dst + used, KA_TRUSTED_TEXT_MAX - used, "%s %" PRId64 " %s\n", key,
					 t->devices[i].since_s, t->devices[i].who);
	}
}
