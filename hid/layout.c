/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "hid/keyboard.h"
#include "hid/layout_priv.h"

#define MAX_NAME 64

struct ka_layout_entry *ka_layout_lookup(struct ka_layout *l, uint32_t cp, unsigned int *at)
{
	unsigned int low = 0;
	unsigned int high = l->count;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (l->entries[mid].cp < cp)
			low = mid + 1;
		else
			high = mid;
	}
	*at = low;
	return low < l->count && l->entries[low].cp == cp ? &l->entries[low] : NULL;
}

void ka_layout_learn(struct ka_layout *l, const struct ka_layout_entry *e)
{
	unsigned int at;
	struct ka_layout_entry *known = ka_layout_lookup(l, e->cp, &at);

	if (known) {
		if (e->cost < known->cost)
			*known = *e;
		return;
	}
	if (l->count == KA_LAYOUT_ENTRIES)
		return;
	memmove(&l->entries[at + 1], &l->entries[at], (l->count - at) * sizeof(*e));
	l->entries[at] = *e;
	l->count++;
}

static bool is_word(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return *s && strspn(s, allowed) == strlen(s);
}

/* "de(nodeadkeys)" to "de" and "nodeadkeys", in place. The names become file names in XKB's folders: words only. */
static bool split_name(char *name, const char **variant)
{
	char *open = strchr(name, '(');

	*variant = "";
	if (open) {
		size_t len = strlen(open);

		if (open[len - 1] != ')')
			return false;
		open[len - 1] = '\0';
		*open = '\0';
		*variant = open + 1;
		if (!is_word(*variant))
			return false;
	}
	return is_word(name);
}

static void log_xkb(struct xkb_context *ctx, enum xkb_log_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));
static void log_xkb(struct xkb_context *ctx, enum xkb_log_level level, const char *fmt, va_list args)
{
	char text[256];
	char safe[512];
	int len = vsnprintf(text, sizeof(text), fmt, args);

	(void)ctx;
	(void)level;
	if (len > 0)
		ka_log(DEBUG, "layout", "xkb", "%s", ka_log_escape(safe, sizeof(safe), text, strcspn(text, "\n")));
}

static int compile(struct ka_layout *l, const char *layout, const char *variant, enum ka_dead_keys dead_keys)
{
	struct xkb_rule_names names = {.rules = "evdev", .model = "pc105", .layout = layout, .variant = variant};
	struct xkb_context *ctx = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	struct xkb_keymap *keymap;
	int ret;

	if (!ctx)
		return -ENOMEM;
	xkb_context_set_log_fn(ctx, log_xkb);
	keymap = xkb_keymap_new_from_names(ctx, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	ret = keymap ? ka_layout_read(l, keymap, dead_keys) : -KA_E_CONFIG;
	xkb_keymap_unref(keymap);
	xkb_context_unref(ctx);
	return ret;
}

int ka_layout_new(struct ka_layout **out, const char *name, enum ka_dead_keys dead_keys, struct ka_errbuf *eb)
{
	struct ka_layout *l = NULL;
	char copy[MAX_NAME];
	const char *variant;
	int ret = -KA_E_CONFIG;

	if (strlen(name) < sizeof(copy)) {
		memcpy(copy, name, strlen(name) + 1);
		if (split_name(copy, &variant)) {
			l = calloc(1, sizeof(*l));
			ret = l ? compile(l, copy, variant, dead_keys) : -ENOMEM;
		}
	}
	if (ret < 0) {
		char safe[2 * MAX_NAME];

		ka_errbuf_set(eb, "keyboard layout '%s': %s",
			      ka_log_escape(safe, sizeof(safe), name, KA_MIN(strlen(name), (size_t)MAX_NAME)),
			      ret == -ENOMEM ? "no memory" : "not known to XKB (package xkb-data)");
		ka_layout_free(l);
		return ret;
	}
	*out = l;
	return 0;
}

void ka_layout_free(struct ka_layout *l)
{
	free(l);
}

bool ka_layout_find(const struct ka_layout *l, uint32_t cp, struct ka_strokes *out)
{
	unsigned int at;
	const struct ka_layout_entry *e;

	if (cp == '\n' || cp == '\r' || cp == '\t') {
		*out = (struct ka_strokes){.items = {{.usage = cp == '\t' ? KA_KEY_TAB : KA_KEY_RETURN}}, .count = 1};
		return true;
	}
	e = ka_layout_lookup((struct ka_layout *)(uintptr_t)l, cp, &at);
	if (e)
		*out = e->strokes;
	return e != NULL;
}

bool ka_layout_has_altgr(const struct ka_layout *l)
{
	return l->has_altgr;
}

bool ka_layout_caps(const struct ka_layout *l, struct ka_stroke *out)
{
	*out = l->caps;
	return l->caps.usage != 0;
}

bool ka_layout_nth(const struct ka_layout *l, unsigned int i, uint32_t *cp)
{
	if (i >= l->count)
		return false;
	*cp = l->entries[i].cp;
	return true;
}
