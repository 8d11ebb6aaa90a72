/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing an EDID: a base block of version 1.3 and one CTA-861 extension, which is what makes a target speak HDMI. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "capture/edid_priv.h"

#define HDMI14_MAX_KHZ 340000u
#define PIXELS_PER_100_MM 378u /* 96 dpi: what desktops take for unscaled */

void ka_edid_detailed_timing(struct ka_video_timing *out, const struct ka_video_mode *mode)
{
	ka_video_timing_make(out, mode);
	/* CTA stretches its slow modes by a front porch for which there is no room here. */
	if (out->h_front > 1023)
		ka_video_timing_make_reduced(out, mode);
}

void ka_edid_put_timing(uint8_t d[static KA_EDID_DTD], const struct ka_video_timing *t, uint16_t w_mm, uint16_t h_mm)
{
	uint32_t clock = t->clock_khz / 10;
	uint32_t h_blank = (uint32_t)t->h_front + t->h_sync + t->h_back;
	uint32_t v_blank = (uint32_t)t->v_front + t->v_sync + t->v_back;

	d[0] = (uint8_t)clock;
	d[1] = (uint8_t)(clock >> 8);
	d[2] = (uint8_t)t->width;
	d[3] = (uint8_t)h_blank;
	d[4] = (uint8_t)((t->width >> 8) << 4 | h_blank >> 8);
	d[5] = (uint8_t)t->height;
	d[6] = (uint8_t)v_blank;
	d[7] = (uint8_t)((t->height >> 8) << 4 | v_blank >> 8);
	d[8] = (uint8_t)t->h_front;
	d[9] = (uint8_t)t->h_sync;
	d[10] = (uint8_t)((t->v_front & 15) << 4 | (t->v_sync & 15));
	d[11] = (uint8_t)((t->h_front >> 8) << 6 | (t->h_sync >> 8 & 3) << 4 | (t->v_front >> 4 & 3) << 2 |
			  (t->v_sync >> 4 & 3));
	d[12] = (uint8_t)w_mm;
	d[13] = (uint8_t)h_mm;
	d[14] = (uint8_t)((w_mm >> 8) << 4 | h_mm >> 8);
	d[15] = 0;
	d[16] = 0;
	d[17] = (uint8_t)(0x18 | (t->v_positive ? 4 : 0) | (t->h_positive ? 2 : 0));
}

static void put_name(uint8_t *d, const char *name)
{
	size_t n = strlen(name);

	memset(d, ' ', KA_EDID_DTD);
	memset(d, 0, 5);
	d[3] = 0xfc;
	if (n > KA_EDID_NAME_MAX)
		n = KA_EDID_NAME_MAX;
	for (size_t i = 0; i < n; i++)
		d[5 + i] = name[i] >= ' ' && name[i] <= '~' ? (uint8_t)name[i] : '?';
	if (n < KA_EDID_NAME_MAX)
		d[5 + n] = '\n';
}

struct limits {
	uint32_t min_hz, max_hz, min_line_khz, max_line_khz, max_clock_khz;
};

static void widen(struct limits *l, const struct ka_video_timing *t)
{
	uint32_t line = t->clock_khz / (uint32_t)(t->width + t->h_front + t->h_sync + t->h_back);

	if (t->hz < l->min_hz)
		l->min_hz = t->hz;
	if (t->hz > l->max_hz)
		l->max_hz = t->hz;
	if (line < l->min_line_khz)
		l->min_line_khz = line;
	if (line + 1 > l->max_line_khz)
		l->max_line_khz = line + 1;
	if (t->clock_khz > l->max_clock_khz)
		l->max_clock_khz = t->clock_khz;
}

static void put_limits(uint8_t *d, const struct limits *l)
{
	memset(d, ' ', KA_EDID_DTD);
	memset(d, 0, 5);
	d[3] = 0xfd;
	d[5] = (uint8_t)(l->min_hz - 1);
	d[6] = (uint8_t)(l->max_hz + 1);
	d[7] = (uint8_t)l->min_line_khz;
	d[8] = (uint8_t)l->max_line_khz;
	d[9] = (uint8_t)((l->max_clock_khz + 9999) / 10000);
	d[10] = 0;
	d[11] = '\n';
}

/* The two-byte code of a DMT mode; false when it has none. */
static bool standard_code(uint8_t code[static 2], const struct ka_video_timing *t)
{
	for (uint8_t i = 0; t->standard && i < 4; i++) {
		if ((uint32_t)t->width * ka_edid_ratios[i][1] == (uint32_t)t->height * ka_edid_ratios[i][0]) {
			code[0] = (uint8_t)(t->width / 8 - 31);
			code[1] = (uint8_t)(i << 6 | (t->hz - 60));
			return true;
		}
	}
	return false;
}

static void put_base(uint8_t *b, const struct ka_video_timing *first, uint16_t w_mm, uint16_t h_mm)
{
	/* From the vendor's number on: "KVM", product 1, serial 1, week 1 of 2026, version 1.3, digital; size in cm;
	 * gamma 2.2; RGB, sRGB, the first timing is preferred; the primaries of sRGB. */
	static const uint8_t fixed[27] = {0x2e, 0xcd, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 1,
					  36,	1,    3,    0x80, 0,	0,    120,  0x0e, 0xee,
					  0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};

	memcpy(b, ka_edid_header, sizeof(ka_edid_header));
	memcpy(b + 8, fixed, sizeof(fixed));
	b[21] = (uint8_t)(w_mm / 10 > 255 ? 255 : w_mm / 10);
	b[22] = (uint8_t)(h_mm / 10 > 255 ? 255 : h_mm / 10);
	b[35] = 1 << 5; /* 640x480, which every monitor has */
	memset(b + KA_EDID_STANDARD_AT, 1, 2 * (size_t)KA_EDID_STANDARD_COUNT);
	ka_edid_put_timing(b + KA_EDID_DTD_AT, first, w_mm, h_mm);
	b[KA_EDID_EXTENSIONS_AT] = 1;
}

/* Writes data blocks from b[4] on; returns where they end. */
static size_t put_cta(uint8_t *b, const uint8_t *vics, size_t n_vics, bool audio, uint32_t max_khz)
{
	/* Stereo LPCM at 32, 44.1 and 48 kHz of 16 bits; front left and right. */
	static const uint8_t sound[] = {KA_EDID_CTA_AUDIO << 5 | 3,    0x09, 0x07, 0x01,
					KA_EDID_CTA_SPEAKERS << 5 | 3, 1,    0,	   0};
	uint32_t hdmi_khz = max_khz < HDMI14_MAX_KHZ ? max_khz : HDMI14_MAX_KHZ;
	uint8_t hdmi[] = {KA_EDID_CTA_VENDOR << 5 | 7,	      0x03, 0x0c, 0x00, 0x10, 0x00, 0,
			  (uint8_t)((hdmi_khz + 4999) / 5000)};
	uint8_t forum[] = {KA_EDID_CTA_VENDOR << 5 | 7,	       0xd8, 0x5d, 0xc4, 1,
			   (uint8_t)((max_khz + 4999) / 5000), 0x80, 0};
	/* The target may choose the range of RGB, and says which: the receiver reports it. Nothing is cropped. */
	static const uint8_t capability[] = {7 << 5 | 2, 0, 0x4a};
	size_t at = 4;

	b[0] = KA_EDID_CTA;
	b[1] = 3;
	b[3] = (uint8_t)(0x81 | (audio ? 0x40 : 0)); /* not overscanned; one native timing, the first */
	if (n_vics) {
		b[at] = (uint8_t)(KA_EDID_CTA_VIDEO << 5 | n_vics);
		memcpy(&b[at + 1], vics, n_vics);
		at += 1 + n_vics;
	}
	if (audio) {
		memcpy(&b[at], sound, sizeof(sound));
		at += sizeof(sound);
	}
	memcpy(&b[at], capability, sizeof(capability));
	at += sizeof(capability);
	memcpy(&b[at], hdmi, sizeof(hdmi));
	at += sizeof(hdmi);
	if (max_khz > HDMI14_MAX_KHZ) {
		memcpy(&b[at], forum, sizeof(forum));
		at += sizeof(forum);
	}
	b[2] = (uint8_t)at;
	return at;
}

struct plan {
	uint8_t vics[31];
	size_t n_vics, n_standard;
	struct ka_video_timing detailed[8]; /* those that no code says, but for the first */
	size_t n_detailed;
	struct limits limits;
};

/* Where a mode is to stand. */
static int place(struct plan *p, uint8_t *base, const struct ka_video_mode *mode, bool first)
{
	struct ka_video_timing t;
	uint8_t code[2];
	bool established = false;

	ka_video_timing_make(&t, mode);
	widen(&p->limits, &t);
	for (size_t i = 0; t.hz == 60 && i < KA_ARRAY_LEN(ka_edid_established); i++) {
		if (ka_edid_established[i].width != t.width || ka_edid_established[i].height != t.height)
			continue;
		base[ka_edid_established[i].at] |= (uint8_t)(1 << ka_edid_established[i].bit);
		established = true;
	}
	if (t.vic) {
		if (p->n_vics == sizeof(p->vics))
			return -E2BIG;
		p->vics[p->n_vics++] = t.vic;
		return 0;
	}
	if (established)
		return 0;
	if (standard_code(code, &t) && p->n_standard < KA_EDID_STANDARD_COUNT) {
		memcpy(&base[KA_EDID_STANDARD_AT + 2 * p->n_standard++], code, sizeof(code));
		return 0;
	}
	if (first)
		return 0;
	if (p->n_detailed == KA_ARRAY_LEN(p->detailed))
		return -E2BIG;
	p->detailed[p->n_detailed++] = t;
	return 0;
}

/* Sizes have 12 bits, the clock 16 of 10 kHz, and the limits 8 of kHz. */
static bool fits(const struct ka_video_mode *mode)
{
	struct ka_video_timing t;

	ka_edid_detailed_timing(&t, mode);
	return t.width < 4096 && t.height < 4096 && t.clock_khz / 10 <= UINT16_MAX &&
	       t.clock_khz / (uint32_t)(t.width + t.h_front + t.h_sync + t.h_back) < UINT8_MAX;
}

int ka_edid_compose(struct ka_edid *out, const struct ka_video_mode *modes, size_t n, const char *name, bool audio,
		    struct ka_errbuf *eb)
{
	struct plan p = {.limits = {UINT32_MAX, 0, UINT32_MAX, 0, 0}};
	struct ka_edid e = {.len = (size_t)2 * KA_EDID_BLOCK};
	const struct ka_video_mode vga = {640, 480, 60};
	uint8_t *base = e.data, *cta = e.data + KA_EDID_BLOCK, *rest;
	struct ka_video_timing t;
	uint16_t w_mm, h_mm;
	int ret = 0;
	size_t at;

	if (!n) {
		ka_errbuf_set(eb, "no modes");
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		if (fits(&modes[i]))
			continue;
		ka_errbuf_set(eb, "%ux%u@%u is more than an EDID can name", modes[i].width, modes[i].height,
			      modes[i].hz);
		return -EINVAL;
	}
	w_mm = (uint16_t)(modes[0].width * 100u / PIXELS_PER_100_MM);
	h_mm = (uint16_t)(modes[0].height * 100u / PIXELS_PER_100_MM);
	ka_edid_detailed_timing(&t, &modes[0]);
	put_base(base, &t, w_mm, h_mm);
	widen(&p.limits, &t);
	for (size_t i = 0; !ret && i < n; i++)
		ret = place(&p, base, &modes[i], i == 0);
	ka_video_timing_make(&t, &vga);
	widen(&p.limits, &t);
	/* Timings go before descriptors; the last place stays a dummy when there is no second timing. */
	base[KA_EDID_DTD_AT + 3 * KA_EDID_DTD + 3] = 0x10;
	rest = base + KA_EDID_DTD_AT + KA_EDID_DTD;
	if (p.n_detailed) {
		ka_edid_put_timing(rest, &p.detailed[0], w_mm, h_mm);
		rest += KA_EDID_DTD;
	}
	put_name(rest, name);
	put_limits(rest + KA_EDID_DTD, &p.limits);
	at = put_cta(cta, p.vics, p.n_vics, audio, p.limits.max_clock_khz);
	for (size_t i = 1; !ret && i < p.n_detailed; i++, at += KA_EDID_DTD) {
		if (at + KA_EDID_DTD >= KA_EDID_BLOCK)
			ret = -E2BIG;
		else
			ka_edid_put_timing(&cta[at], &p.detailed[i], w_mm, h_mm);
	}
	if (ret < 0) {
		ka_errbuf_set(eb, "too many modes for one EDID: keep about twelve");
		return ret;
	}
	ka_edid_seal(base);
	ka_edid_seal(cta);
	*out = e;
	return 0;
}
