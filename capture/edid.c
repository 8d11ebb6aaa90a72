/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading an EDID and listing its modes. */
#include "capture/edid.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/media.h"
#include "base/str.h"
#include "capture/edid_priv.h"

const uint8_t ka_edid_header[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};

const uint8_t ka_edid_ratios[4][2] = {{16, 10}, {4, 3}, {5, 4}, {16, 9}};

const struct ka_edid_established ka_edid_established[3] = {{640, 480, 35, 5}, {800, 600, 35, 0}, {1024, 768, 36, 3}};

void ka_edid_seal(uint8_t block[static KA_EDID_BLOCK])
{
	uint8_t sum = 0;

	for (size_t i = 0; i < KA_EDID_BLOCK - 1; i++)
		sum = (uint8_t)(sum + block[i]);
	block[KA_EDID_BLOCK - 1] = (uint8_t)-sum;
}

static bool sealed(const uint8_t *block)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < KA_EDID_BLOCK; i++)
		sum = (uint8_t)(sum + block[i]);
	return sum == 0;
}

/* Bytes out of text; 0 when it is not such text. */
static size_t from_text(uint8_t dst[static KA_EDID_MAX], const uint8_t *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char pair[3] = {0};

		if (!isalnum(data[i])) {
			if (!data[i] || data[i] > 0x7e)
				return 0;
			continue;
		}
		if (i + 1 >= len || n == KA_EDID_MAX)
			return 0;
		pair[0] = (char)data[i];
		pair[1] = (char)data[++i];
		if (ka_hex_decode(&dst[n], 1, pair) < 0)
			return 0;
		n++;
	}
	return n;
}

static int check(const struct ka_edid *e, struct ka_errbuf *eb)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];

	if (!e->len || e->len % KA_EDID_BLOCK || memcmp(e->data, ka_edid_header, sizeof(ka_edid_header)) != 0) {
		ka_errbuf_set(eb, "not an EDID: it has 128, 256, 384 or 512 bytes, binary or as hexadecimal text, and "
				  "begins with 00 ff ff ff ff ff ff 00");
		return -EINVAL;
	}
	for (size_t at = 0; at < e->len; at += KA_EDID_BLOCK) {
		if (!sealed(&e->data[at])) {
			ka_errbuf_set(eb, "the checksum of block %zu is wrong", at / KA_EDID_BLOCK);
			return -EINVAL;
		}
	}
	if (e->data[KA_EDID_EXTENSIONS_AT] != e->len / KA_EDID_BLOCK - 1) {
		ka_errbuf_set(eb, "it says it has %u extension blocks, but %zu follow", e->data[KA_EDID_EXTENSIONS_AT],
			      e->len / KA_EDID_BLOCK - 1);
		return -EINVAL;
	}
	if (!ka_edid_modes(e, modes)) {
		ka_errbuf_set(eb, "it has no progressive mode from 640x480 to %ux%u", KA_MAX_WIDTH, KA_MAX_HEIGHT);
		return -EINVAL;
	}
	return 0;
}

int ka_edid_read(struct ka_edid *out, const uint8_t *data, size_t len, struct ka_errbuf *eb)
{
	struct ka_edid e = {.len = 0};

	if (len >= sizeof(ka_edid_header) && !memcmp(data, ka_edid_header, sizeof(ka_edid_header))) {
		if (len <= sizeof(e.data)) {
			memcpy(e.data, data, len);
			e.len = len;
		}
	} else {
		e.len = from_text(e.data, data, len);
	}
	if (check(&e, eb) < 0)
		return -EINVAL;
	*out = e;
	return 0;
}

struct list {
	struct ka_video_mode *modes; /* KA_VIDEO_MODES_MAX */
	size_t n;
};

static void add(struct list *l, uint32_t width, uint32_t height, uint32_t hz)
{
	if (width < 640 || width > KA_MAX_WIDTH || width % 2 || height < 480 || height > KA_MAX_HEIGHT || height % 2 ||
	    hz < 23 || hz > 120 || l->n == KA_VIDEO_MODES_MAX)
		return;
	for (size_t i = 0; i < l->n; i++) {
		if (l->modes[i].width == width && l->modes[i].height == height && l->modes[i].hz == hz)
			return;
	}
	l->modes[l->n++] = (struct ka_video_mode){(uint16_t)width, (uint16_t)height, (uint16_t)hz};
}

bool ka_edid_get_timing(struct ka_video_mode *out, const uint8_t d[static KA_EDID_DTD])
{
	uint32_t clock_10khz = d[0] | (uint32_t)d[1] << 8;
	uint32_t width = d[2] | (d[4] & 0xf0u) << 4;
	uint32_t height = d[5] | (d[7] & 0xf0u) << 4;
	uint64_t total = (uint64_t)(width + (d[3] | (d[4] & 15u) << 8)) * (height + (d[6] | (d[7] & 15u) << 8));
	uint64_t hz;

	if (!clock_10khz || !width || !height || d[17] & 0x80)
		return false;
	hz = (clock_10khz * UINT64_C(10000) + total / 2) / total;
	*out = (struct ka_video_mode){(uint16_t)width, (uint16_t)height, (uint16_t)(hz > 1000 ? 1000 : hz)};
	return true;
}

static void add_detailed(struct list *l, const uint8_t *dtd)
{
	struct ka_video_mode m;

	if (ka_edid_get_timing(&m, dtd))
		add(l, m.width, m.height, m.hz);
}

static void add_standard(struct list *l, const uint8_t code[static 2])
{
	uint32_t width = (code[0] + 31u) * 8;
	const uint8_t *ratio = ka_edid_ratios[code[1] >> 6];

	if (code[0] > 1 || code[1] != 1)
		add(l, width, width * ratio[1] / ratio[0], (code[1] & 63u) + 60);
}

static void add_video_block(struct list *l, const uint8_t *codes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* The top bit marks native modes, of the first 64 codes only. */
		const struct ka_video_timing *t =
			ka_video_timing_vic(codes[i] >= 129 && codes[i] <= 192 ? codes[i] & 127 : codes[i]);

		if (t)
			add(l, t->width, t->height, t->hz);
	}
}

bool ka_edid_cta_next(const uint8_t block[static KA_EDID_BLOCK], size_t *next, size_t *at)
{
	size_t end = block[2] < KA_EDID_BLOCK ? block[2] : 0;

	*at = *next;
	if (*at >= end)
		return false;
	*next += 1 + (block[*at] & 31u);
	return *next <= end;
}

/* Where the detailed timings of a block begin and end; no room between them when it has none. */
static size_t detailed_of(const struct ka_edid *e, size_t block, size_t *end)
{
	const uint8_t *b = &e->data[block];

	if (!block) {
		*end = KA_EDID_DTD_AT + KA_EDID_DTD_COUNT * KA_EDID_DTD;
		return KA_EDID_DTD_AT;
	}
	*end = b[0] == KA_EDID_CTA && b[2] >= 4 ? block + KA_EDID_BLOCK - 1 : block;
	return block + b[2];
}

static void add_all_detailed(struct list *l, const struct ka_edid *e, size_t block)
{
	size_t end;

	for (size_t at = detailed_of(e, block, &end); at + KA_EDID_DTD <= end; at += KA_EDID_DTD)
		add_detailed(l, &e->data[at]);
}

static void add_codes(struct list *l, const uint8_t *block)
{
	size_t next = 4, at;

	while (block[0] == KA_EDID_CTA && ka_edid_cta_next(block, &next, &at)) {
		if (block[at] >> 5 == KA_EDID_CTA_VIDEO)
			add_video_block(l, &block[at + 1], block[at] & 31u);
	}
}

size_t ka_edid_modes(const struct ka_edid *e, struct ka_video_mode out[static KA_VIDEO_MODES_MAX])
{
	struct list l = {.modes = out};

	add_all_detailed(&l, e, 0);
	for (size_t block = KA_EDID_BLOCK; block < e->len; block += KA_EDID_BLOCK) {
		add_codes(&l, &e->data[block]);
		add_all_detailed(&l, e, block);
	}
	for (size_t i = 0; i < KA_EDID_STANDARD_COUNT; i++)
		add_standard(&l, &e->data[KA_EDID_STANDARD_AT + 2 * i]);
	for (size_t i = 0; i < KA_ARRAY_LEN(ka_edid_established); i++) {
		const struct ka_edid_established *m = &ka_edid_established[i];

		if (e->data[m->at] >> m->bit & 1)
			add(&l, m->width, m->height, 60);
	}
	return l.n;
}

/* Where the mode stands as a detailed timing; NULL when it does not. */
static uint8_t *find_detailed(struct ka_edid *e, const struct ka_video_mode *mode)
{
	for (size_t block = 0; block < e->len; block += KA_EDID_BLOCK) {
		size_t end;

		for (size_t at = detailed_of(e, block, &end); at + KA_EDID_DTD <= end; at += KA_EDID_DTD) {
			struct ka_video_mode m;

			if (ka_edid_get_timing(&m, &e->data[at]) && !memcmp(&m, mode, sizeof(m)))
				return &e->data[at];
		}
	}
	return NULL;
}

int ka_edid_prefer(struct ka_edid *out, const struct ka_edid *e, const struct ka_video_mode *mode)
{
	struct ka_video_mode modes[KA_VIDEO_MODES_MAX];
	size_t n = ka_edid_modes(e, modes);
	uint8_t *first, *other;
	bool known = false;

	for (size_t i = 0; i < n; i++)
		known |= !memcmp(&modes[i], mode, sizeof(*mode));
	if (!known)
		return -ENOENT;
	*out = *e;
	first = &out->data[KA_EDID_DTD_AT];
	other = find_detailed(out, mode);
	if (other) {
		uint8_t keep[KA_EDID_DTD];

		memcpy(keep, first, sizeof(keep));
		memmove(first, other, KA_EDID_DTD);
		if (other != first)
			memcpy(other, keep, sizeof(keep));
	} else {
		struct ka_video_timing t;

		ka_edid_detailed_timing(&t, mode);
		ka_edid_put_timing(first, &t, (uint16_t)(first[12] | (first[14] & 0xf0u) << 4),
				   (uint16_t)(first[13] | (first[14] & 15u) << 8));
	}
	for (size_t at = 0; at < out->len; at += KA_EDID_BLOCK)
		ka_edid_seal(&out->data[at]);
	return 0;
}
