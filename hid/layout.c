/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/layout.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include "base/input.h"
#include "base/log.h"
#include "hid/keyboard.h"

#define MAX_ENTRIES 1024
#define MAX_NAME 64
#define XKB_OFFSET 8 /* XKB keycode = evdev code + 8 */

struct entry {
	uint32_t cp;
	struct ka_stroke stroke;
	uint8_t cost;
};

struct ka_layout {
	struct entry entries[MAX_ENTRIES]; /* sorted by cp */
	unsigned int count;
	bool has_altgr;
};

/* Keys that type, most common ones first. The last three exist on some keyboards only, and hosts with other layouts
 * give them other meanings: used when nothing else types the character. */
#define FIRST_EXTRA_USAGE 0x64
static const struct {
	uint8_t usage;
	uint8_t evdev;
} keys[] = {
	{0x04, KEY_A},		{0x05, KEY_B},	       {0x06, KEY_C},	      {0x07, KEY_D},
	{0x08, KEY_E},		{0x09, KEY_F},	       {0x0a, KEY_G},	      {0x0b, KEY_H},
	{0x0c, KEY_I},		{0x0d, KEY_J},	       {0x0e, KEY_K},	      {0x0f, KEY_L},
	{0x10, KEY_M},		{0x11, KEY_N},	       {0x12, KEY_O},	      {0x13, KEY_P},
	{0x14, KEY_Q},		{0x15, KEY_R},	       {0x16, KEY_S},	      {0x17, KEY_T},
	{0x18, KEY_U},		{0x19, KEY_V},	       {0x1a, KEY_W},	      {0x1b, KEY_X},
	{0x1c, KEY_Y},		{0x1d, KEY_Z},	       {0x1e, KEY_1},	      {0x1f, KEY_2},
	{0x20, KEY_3},		{0x21, KEY_4},	       {0x22, KEY_5},	      {0x23, KEY_6},
	{0x24, KEY_7},		{0x25, KEY_8},	       {0x26, KEY_9},	      {0x27, KEY_0},
	{0x2c, KEY_SPACE},	{0x2d, KEY_MINUS},     {0x2e, KEY_EQUAL},     {0x2f, KEY_LEFTBRACE},
	{0x30, KEY_RIGHTBRACE}, {0x31, KEY_BACKSLASH}, {0x33, KEY_SEMICOLON}, {0x34, KEY_APOSTROPHE},
	{0x35, KEY_GRAVE},	{0x36, KEY_COMMA},     {0x37, KEY_DOT},	      {0x38, KEY_SLASH},
	{0x64, KEY_102ND},	{0x87, KEY_RO},	       {0x89, KEY_YEN},
};

static struct entry *lookup(struct ka_layout *l, uint32_t cp, unsigned int *at)
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

/* Keeps the cheapest stroke of each character. */
static void learn(struct ka_layout *l, uint32_t cp, uint8_t usage, uint8_t mods)
{
	struct entry e = {.cp = cp, .stroke = {.usage = usage, .mods = mods}};
	unsigned int at;
	struct entry *known = lookup(l, cp, &at);

	e.cost = (uint8_t)(__builtin_popcount(mods) + (usage >= FIRST_EXTRA_USAGE ? 4 : 0));
	if (known) {
		if (e.cost < known->cost)
			*known = e;
		return;
	}
	if (l->count == MAX_ENTRIES)
		return;
	memmove(&l->entries[at + 1], &l->entries[at], (l->count - at) * sizeof(e));
	l->entries[at] = e;
	l->count++;
}

/* Presses the modifiers as a person would and asks what each key types: needs no knowledge of XKB's modifier names. */
static int learn_level(struct ka_layout *l, struct xkb_keymap *keymap, uint8_t mods)
{
	struct xkb_state *state = xkb_state_new(keymap);

	if (!state)
		return -ENOMEM;
	if (mods & KA_MOD_LSHIFT)
		xkb_state_update_key(state, KEY_LEFTSHIFT + XKB_OFFSET, XKB_KEY_DOWN);
	if (mods & KA_MOD_RALT)
		xkb_state_update_key(state, KEY_RIGHTALT + XKB_OFFSET, XKB_KEY_DOWN);
	for (size_t i = 0; i < KA_ARRAY_LEN(keys); i++) {
		xkb_keysym_t sym = xkb_state_key_get_one_sym(state, keys[i].evdev + XKB_OFFSET);
		uint32_t cp = xkb_keysym_to_utf32(sym);

		if (cp >= 0x20 && cp != 0x7f)
			learn(l, cp, keys[i].usage, mods);
	}
	xkb_state_unref(state);
	return 0;
}

static int learn_keymap(struct ka_layout *l, struct xkb_keymap *keymap)
{
	static const uint8_t levels[] = {0, KA_MOD_LSHIFT, KA_MOD_RALT, KA_MOD_LSHIFT | KA_MOD_RALT};

	for (size_t i = 0; i < sizeof(levels); i++) {
		int ret = learn_level(l, keymap, levels[i]);

		if (ret < 0)
			return ret;
	}
	for (unsigned int i = 0; i < l->count; i++)
		l->has_altgr |= (l->entries[i].stroke.mods & KA_MOD_RALT) != 0;
	return 0;
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

static int compile(struct ka_layout *l, const char *layout, const char *variant)
{
	struct xkb_rule_names names = {.rules = "evdev", .model = "pc105", .layout = layout, .variant = variant};
	struct xkb_context *ctx = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	struct xkb_keymap *keymap;
	int ret;

	if (!ctx)
		return -ENOMEM;
	xkb_context_set_log_fn(ctx, log_xkb);
	keymap = xkb_keymap_new_from_names(ctx, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	ret = keymap ? learn_keymap(l, keymap) : -KA_E_CONFIG;
	xkb_keymap_unref(keymap);
	xkb_context_unref(ctx);
	return ret;
}

int ka_layout_new(struct ka_layout **out, const char *name, struct ka_errbuf *eb)
{
	struct ka_layout *l = NULL;
	char copy[MAX_NAME];
	const char *variant;
	int ret = -KA_E_CONFIG;

	if (strlen(name) < sizeof(copy)) {
		memcpy(copy, name, strlen(name) + 1);
		if (split_name(copy, &variant)) {
			l = calloc(1, sizeof(*l));
			ret = l ? compile(l, copy, variant) : -ENOMEM;
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

bool ka_layout_find(const struct ka_layout *l, uint32_t cp, struct ka_stroke *out)
{
	unsigned int at;
	const struct entry *e;

	if (cp == '\n' || cp == '\r' || cp == '\t') {
		*out = (struct ka_stroke){.usage = cp == '\t' ? KA_KEY_TAB : KA_KEY_RETURN};
		return true;
	}
	e = lookup((struct ka_layout *)(uintptr_t)l, cp, &at);
	if (e)
		*out = e->stroke;
	return e != NULL;
}

bool ka_layout_has_altgr(const struct ka_layout *l)
{
	return l->has_altgr;
}
