/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake/hands_bench.h"

#include <stdio.h>

#include "tests/check/check.h"

static void on_emit(void *arg, const struct ka_report *r)
{
	struct bench *b = arg;
	size_t len = strlen(b->out);

	if (r->function == KA_REPORT_KEYBOARD) {
		/* Modifiers and the keys that are there. */
		len += (size_t)snprintf(b->out + len, sizeof(b->out) - len, "k%02x", r->data[0]);
		for (unsigned int i = 2; i < 8 && r->data[i]; i++)
			len += (size_t)snprintf(b->out + len, sizeof(b->out) - len, ",%02x", r->data[i]);
		snprintf(b->out + len, sizeof(b->out) - len, " ");
		return;
	}
	snprintf(b->out + len, sizeof(b->out) - len, "%c%02x ", "?arc"[r->function],
		 r -> function == KA_REPORT_CONTROL ? r -> data[1] : r -> data[0]);
}

static void on_notice(void *arg, const struct ka_hid_notice *n)
{
	struct bench *b = arg;

	b->notice = *n;
	b->notices++;
}

void use(struct bench *b, struct ka_layout *l)
{
	ka_hands_fini(&b->h);
	ka_hands_init(&b->h,
		      &(struct ka_hands_cfg){
			      .layout = l, .type_interval_ms = 10, .emit = on_emit, .notice = on_notice, .arg = b});
}

int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(ka_layout_new(&b->us, "us", KA_DEAD_COMMON, NULL), 0);
	assert_int_equal(ka_layout_new(&b->de, "de", KA_DEAD_COMMON, NULL), 0);
	use(b, b->us);
	*state = b;
	return 0;
}

int teardown(void **state)
{
	struct bench *b = *state;

	ka_hands_fini(&b->h);
	ka_layout_free(b->us);
	ka_layout_free(b->de);
	free(b);
	return 0;
}

void assert_out(struct bench *b, const char *expected)
{
	assert_string_equal(b->out, expected);
	b->out[0] = '\0';
}

void key(struct bench *b, uint32_t source, uint16_t usage, bool down)
{
	struct ka_input e = {.kind = KA_INPUT_KEY, .source = source, .key = {.usage = usage, .down = down}};

	ka_hands_apply(&b->h, &e);
}

void key_hint(struct bench *b, uint16_t usage, bool down, enum ka_lock_hint hint)
{
	struct ka_input e = {
		.kind = KA_INPUT_KEY, .source = 1, .key = {.usage = usage, .down = down, .hint = (uint8_t)hint}};

	ka_hands_apply(&b->h, &e);
}

void chr(struct bench *b, uint32_t cp, bool down)
{
	struct ka_input e = {.kind = KA_INPUT_CHAR, .source = 1, .chr = {.cp = cp, .down = down}};

	ka_hands_apply(&b->h, &e);
}

void text(struct bench *b, uint32_t source, const char *utf8)
{
	struct ka_input e = {.kind = KA_INPUT_TEXT, .source = source, .text = {.utf8 = strdup(utf8)}};

	ka_hands_apply(&b->h, &e);
}

void button(struct bench *b, uint32_t source, uint8_t mask, bool down, uint8_t mods)
{
	struct ka_input e = {
		.kind = KA_INPUT_BUTTON, .source = source, .button = {.mask = mask, .down = down, .mods = mods}};

	ka_hands_apply(&b->h, &e);
}

void release(struct bench *b, uint32_t source)
{
	struct ka_input e = {.kind = KA_INPUT_RELEASE, .source = source};

	ka_hands_apply(&b->h, &e);
}

void type_all(struct bench *b)
{
	unsigned int ticks = 0;

	while (ka_hands_tick(&b->h))
		assert_true(++ticks < 10000);
	assert_false(ka_hands_typing(&b->h));
}
