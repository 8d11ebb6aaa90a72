/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/typist.h"

#include <errno.h>
#include <string.h>
#include <uninorm.h>

#include "base/input.h"
#include "base/str.h"

void ka_typist_wipe(char *utf8)
{
	if (utf8)
		explicit_bzero(utf8, strlen(utf8));
	free(utf8);
}

int ka_typist_add(struct ka_typist *t, uint32_t source, char *utf8)
{
	size_t len = strlen(utf8);
	int ret = 0;

	if (len > KA_INPUT_TEXT_MAX)
		ret = -KA_E_TOO_BIG;
	else if (t->count == KA_TYPIST_TEXTS)
		ret = -EAGAIN;
	if (ret < 0) {
		ka_typist_wipe(utf8);
		return ret;
	}
	t->texts[t->count++] = (struct ka_typist_text){.source = source, .utf8 = utf8, .len = len};
	return 0;
}

static void drop_text(struct ka_typist *t, unsigned int i)
{
	ka_typist_wipe(t->texts[i].utf8);
	t->count--;
	memmove(&t->texts[i], &t->texts[i + 1], (t->count - i) * sizeof(t->texts[0]));
}

static void note_skipped(struct ka_typist_skipped *s, uint32_t cp)
{
	s->count++;
	for (unsigned int i = 0; i < s->named; i++) {
		if (s->codes[i] == cp)
			return;
	}
	if (s->named < KA_TYPIST_NAMED)
		s->codes[s->named++] = cp;
}

static uint32_t next_code(struct ka_typist_text *x)
{
	uint32_t cp;
	size_t n = ka_utf8_decode(x->utf8 + x->pos, x->len - x->pos, &cp);

	if (!n) {
		x->pos++;
		return 0xfffd;
	}
	x->pos += n;
	return cp;
}

/* Text from a Mac may have its accents apart from the letters: layouts have them together. */
static uint32_t next_composed(struct ka_typist_text *x)
{
	uint32_t cp = next_code(x);
	uint32_t mark;
	ucs4_t both;
	size_t n;

	while (x->pos < x->len && (n = ka_utf8_decode(x->utf8 + x->pos, x->len - x->pos, &mark)) &&
	       (both = uc_composition(cp, mark))) {
		cp = both;
		x->pos += n;
	}
	return cp;
}

enum ka_typist_step ka_typist_next(struct ka_typist *t, const struct ka_layout *layout, struct ka_strokes *strokes,
				   struct ka_typist_skipped *skipped)
{
	struct ka_typist_text *x = &t->texts[0];

	if (!t->count)
		return KA_TYPIST_IDLE;
	while (x->pos < x->len) {
		uint32_t cp = next_composed(x);
		bool second_half = x->after_cr && cp == '\n';

		x->after_cr = cp == '\r';
		if (second_half)
			continue;
		if (ka_layout_find(layout, cp, strokes))
			return KA_TYPIST_CHAR;
		note_skipped(&x->skipped, cp);
	}
	*skipped = x->skipped;
	skipped->source = x->source;
	drop_text(t, 0);
	return KA_TYPIST_DONE;
}

bool ka_typist_has(const struct ka_typist *t, uint32_t source)
{
	for (unsigned int i = 0; i < t->count; i++) {
		if (t->texts[i].source == source)
			return true;
	}
	return false;
}

unsigned int ka_typist_left(const struct ka_typist *t, uint32_t source)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < t->count; i++) {
		struct ka_typist_text copy = t->texts[i];

		while (copy.source == source && copy.pos < copy.len) {
			next_code(&copy);
			left++;
		}
	}
	return left;
}

unsigned int ka_typist_cancel(struct ka_typist *t, uint32_t source)
{
	unsigned int before = t->count;

	for (unsigned int i = t->count; i-- > 0;) {
		if (t->texts[i].source == source)
			drop_text(t, i);
	}
	return before - t->count;
}

unsigned int ka_typist_cancel_all(struct ka_typist *t)
{
	unsigned int before = t->count;

	while (t->count)
		drop_text(t, t->count - 1);
	return before;
}
