/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "capture/change.h"

#include <string.h>

#include "capture/difference.h"

/* Of a lossy block: a sample that differs by more than this counts, as do samples that differ by this much on average.
 * A quantiser's noise stays below, the faintest letters and pointers do not. */
#define LOSSY_PEAK 14u
#define LOSSY_MEAN_PERCENT 150u

/* Two words at a time: what every CPU here has as one register. Memory need not be aligned to it. */
typedef uint64_t words __attribute__((vector_size(16)));

/* n: a multiple of 16; a constant where it matters. */
static inline bool bytes_differ(const uint8_t *a, const uint8_t *b, size_t n)
{
	words differ = {0};

	for (size_t i = 0; i < n; i += sizeof(words)) {
		words x, y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		differ |= x ^ y;
	}
	return (differ[0] | differ[1]) != 0;
}

/* One row of a plane: which blocks does it concern? Without branches where blocks are whole, because which of them
 * have changed cannot be guessed. block: bytes of a whole one in it. */
static void mark_row(const uint8_t *a, const uint8_t *b, size_t bytes, size_t block, uint8_t *map)
{
	size_t whole = bytes / block;
	size_t i = 0;

	for (; block == 16 && i < whole; i++)
		map[i] |= bytes_differ(a + i * 16, b + i * 16, 16);
	for (; block == 32 && i < whole; i++)
		map[i] |= bytes_differ(a + i * 32, b + i * 32, 32);
	for (; block % 16 == 0 && i < whole; i++)
		map[i] |= bytes_differ(a + i * block, b + i * block, block);
	for (; i * block < bytes; i++)
		map[i] |= memcmp(a + i * block, b + i * block, KA_MIN(block, bytes - i * block)) != 0;
}

static uint32_t count(const uint8_t *map, uint32_t across)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < across; i++)
		n += map[i];
	return n;
}

/* One row of blocks of a plane. */
static void mark_blocks(const struct ka_frame *a, const struct ka_frame *b, unsigned int plane, uint32_t by,
			uint8_t *map)
{
	size_t bytes = ka_pixfmt_row_bytes(a->format, plane, a->width);
	size_t block = ka_pixfmt_row_bytes(a->format, plane, KA_FRAME_BLOCK);
	uint32_t rows = ka_pixfmt_rows(a->format, plane, KA_FRAME_BLOCK);
	uint32_t end = KA_MIN((by + 1) * rows, ka_pixfmt_rows(a->format, plane, a->height));
	bool differs = false;

	for (uint32_t y = by * rows; y < end; y++) {
		const uint8_t *x = ka_frame_row(a, plane, y);
		const uint8_t *z = ka_frame_row(b, plane, y);

		/* The fastest way through what stands still, but twice the work where something changes. */
		differs = differs || memcmp(x, z, bytes) != 0;
		if (differs)
			mark_row(x, z, bytes, block, map);
	}
}

uint32_t ka_change_find(const struct ka_frame *a, const struct ka_frame *b, uint8_t *map)
{
	uint32_t across = ka_frame_blocks(a->width);
	uint32_t down = ka_frame_blocks(a->height);
	uint32_t changed = 0;

	memset(map, 0, (size_t)across * down);
	for (uint32_t by = 0; by < down; by++, map += across) {
		for (unsigned int p = 0; p < ka_pixfmt_planes(a->format); p++)
			mark_blocks(a, b, p, by, map);
		changed += count(map, across);
	}
	return changed;
}

static bool differs_in(const struct ka_frame *a, const struct ka_frame *b, unsigned int plane, uint32_t bx, uint32_t by)
{
	size_t at = (size_t)bx * KA_FRAME_BLOCK;
	size_t bytes = KA_MIN((size_t)KA_FRAME_BLOCK, ka_pixfmt_row_bytes(a->format, plane, a->width) - at);
	uint32_t rows = ka_pixfmt_rows(a->format, plane, KA_FRAME_BLOCK);
	uint32_t end = KA_MIN((by + 1) * rows, ka_pixfmt_rows(a->format, plane, a->height));
	struct ka_difference d = {0};

	for (uint32_t y = by * rows; y < end; y++)
		ka_difference_add(&d, ka_frame_row(a, plane, y) + at, ka_frame_row(b, plane, y) + at, bytes);
	return ka_difference_exceeds(&d, LOSSY_PEAK, LOSSY_MEAN_PERCENT);
}

uint32_t ka_change_find_lossy(const struct ka_frame *a, const struct ka_frame *b, uint8_t *map)
{
	uint32_t across = ka_frame_blocks(a->width);
	uint32_t blocks = across * ka_frame_blocks(a->height);
	uint32_t changed = ka_change_find(a, b, map);

	if (!changed)
		return 0;
	changed = 0;
	for (uint32_t i = 0; i < blocks; i++) {
		if (!map[i])
			continue;
		map[i] = differs_in(a, b, 0, i % across, i / across) || differs_in(a, b, 1, i % across, i / across);
		changed += map[i];
	}
	return changed;
}
