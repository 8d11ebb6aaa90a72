/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/work_map.h"

#include <errno.h>
#include <string.h>

static size_t count_blocks(const struct ka_work_map *m)
{
	return (size_t)m->cols * m->rows;
}

int ka_work_map_init(struct ka_work_map *m, uint32_t width, uint32_t height)
{
	*m = (struct ka_work_map){.cols = ka_frame_blocks(width), .rows = ka_frame_blocks(height)};
	m->state = malloc(count_blocks(m));
	m->chosen = malloc(count_blocks(m));
	if (!m->state || !m->chosen)
		return -ENOMEM;
	memset(m->state, KA_WORK_STALE, count_blocks(m));
	return 0;
}

void ka_work_map_fini(struct ka_work_map *m)
{
	free(m->state);
	free(m->chosen);
	*m = (struct ka_work_map){0};
}

void ka_work_map_note(struct ka_work_map *m, const struct ka_encode_ask *ask)
{
	/* Without a map: a picture that stands still is the one that was refined before. */
	bool any = !ask->changed && !(ask->refine && m->refined);

	m->refined = ask->refine;
	if (ask->key || any) {
		memset(m->state, KA_WORK_STALE, count_blocks(m));
		return;
	}
	for (size_t i = 0; ask->changed && i < count_blocks(m); i++) {
		if (ask->changed[i])
			m->state[i] = KA_WORK_STALE;
	}
}

size_t ka_work_map_choose(struct ka_work_map *m, enum ka_work kind, size_t most)
{
	size_t n = count_blocks(m);
	size_t at = m->next;
	size_t chosen = 0;

	memset(m->chosen, 0, n);
	for (size_t i = 0; i < n && chosen < most; i++) {
		if (m->state[at] == kind) {
			m->chosen[at] = 1;
			chosen++;
		}
		at = at + 1 == n ? 0 : at + 1;
	}
	m->next = at;
	return chosen;
}

void ka_work_map_set_chosen(struct ka_work_map *m, enum ka_work kind)
{
	for (size_t i = 0; i < count_blocks(m); i++) {
		if (m->chosen[i])
			m->state[i] = (uint8_t)kind;
	}
}

size_t ka_work_map_count(const struct ka_work_map *m, enum ka_work kind)
{
	size_t n = 0;

	for (size_t i = 0; i < count_blocks(m); i++)
		n += m->state[i] >= kind;
	return n;
}
