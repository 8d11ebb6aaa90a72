/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hid/ch9329.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "base/input.h"

#define HEAD_1 0x57
#define HEAD_2 0xab
#define ADDRESS 0x00 /* every chip listens to it */
#define AROUND 6     /* bytes of a frame besides its data */
#define ABS_MAX 4095
#define SYSTEM_KEYS 1 /* report ids inside the chip, first byte of the data */
#define MEDIA_KEYS 2
#define MOUSE_REL 1
#define MOUSE_ABS 2

static uint8_t sum_of(const uint8_t *data, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum;
}

void ka_ch9329_frame(struct ka_ch9329_frame *f, enum ka_ch9329_command command, const void *data, size_t len)
{
	const uint8_t head[] = {HEAD_1, HEAD_2, ADDRESS, (uint8_t)command, (uint8_t)len};

	assert(len <= KA_CH9329_DATA_MAX);
	memcpy(f->data, head, sizeof(head));
	if (len)
		memcpy(f->data + sizeof(head), data, len);
	f->data[sizeof(head) + len] = sum_of(f->data, sizeof(head) + len);
	f->len = (uint8_t)(len + AROUND);
}

uint16_t ka_ch9329_scale(uint16_t v)
{
	uint32_t wide = KA_MIN(v, (uint16_t)KA_INPUT_ABS_MAX);

	return (uint16_t)((wide * ABS_MAX + KA_INPUT_ABS_MAX / 2) / KA_INPUT_ABS_MAX);
}

/* Consumer usages (HID Usage Tables 1.4, page 0x0c) of the 24 bits, from the lowest bit of the first byte on. */
static bool media_bit(uint16_t usage, unsigned int *bit)
{
	static const uint16_t usages[] = {
		0xe9,  /* volume up */
		0xea,  /* volume down */
		0xe2,  /* mute */
		0xcd,  /* play, pause */
		0xb5,  /* next track */
		0xb6,  /* previous track */
		0xb7,  /* stop */
		0xb8,  /* eject */
		0x18a, /* mail */
		0x221, /* search */
		0x22a, /* bookmarks */
		0x223, /* home */
		0x224, /* back */
		0x225, /* forward */
		0x226, /* stop loading */
		0x227, /* refresh */
		0x183, /* media player */
		0x194, /* file manager ("explorer") */
		0x192, /* calculator */
		0x19e, /* lock, screen saver */
		0,     /* "my computer": its usage is the file manager's, above */
		0x206, /* minimise */
		0xb2,  /* record */
		0xb4,  /* rewind */
	};

	for (unsigned int i = 0; i < KA_ARRAY_LEN(usages); i++) {
		if (usages[i] == usage) {
			*bit = i;
			return true;
		}
	}
	return false;
}

static bool from_control(struct ka_ch9329_frame *f, const struct ka_report *r)
{
	uint8_t media[4] = {MEDIA_KEYS};
	uint8_t system[2] = {SYSTEM_KEYS};
	uint16_t usage = (uint16_t)(r->data[1] | r->data[2] << 8);
	unsigned int bit;

	if (r->data[0] == 2) {
		if (r->data[1])
			system[1] = (uint8_t)(1u << (r->data[1] - 1));
		ka_ch9329_frame(f, KA_CH9329_MEDIA, system, sizeof(system));
		return true;
	}
	if (usage) {
		if (!media_bit(usage, &bit))
			return false;
		media[1 + bit / 8] = (uint8_t)(1u << bit % 8);
	}
	ka_ch9329_frame(f, KA_CH9329_MEDIA, media, sizeof(media));
	return true;
}

bool ka_ch9329_from_report(struct ka_ch9329_frame *f, const struct ka_report *r)
{
	uint16_t x = ka_ch9329_scale((uint16_t)(r->data[1] | r->data[2] << 8));
	uint16_t y = ka_ch9329_scale((uint16_t)(r->data[3] | r->data[4] << 8));
	const uint8_t abs[] = {MOUSE_ABS,	    r->data[0],	       (uint8_t)(x & 0xff), (uint8_t)(x >> 8),
			       (uint8_t)(y & 0xff), (uint8_t)(y >> 8), r->data[5]};
	const uint8_t rel[] = {MOUSE_REL, r->data[0], r->data[1], r->data[2], r->data[3]};

	switch (r->function) {
	case KA_REPORT_KEYBOARD:
		ka_ch9329_frame(f, KA_CH9329_KEYBOARD, r->data, 8);
		return true;
	case KA_REPORT_ABS:
		ka_ch9329_frame(f, KA_CH9329_ABS, abs, sizeof(abs));
		return true;
	case KA_REPORT_REL:
		ka_ch9329_frame(f, KA_CH9329_REL, rel, sizeof(rel));
		return true;
	default:
		return from_control(f, r);
	}
}

void ka_ch9329_rest(struct ka_report out[static KA_CH9329_REST])
{
	ka_report_keyboard(&out[0], 0, NULL, 0);
	ka_report_rel(&out[1], &(struct ka_report_pointer){0}, true);
	ka_report_consumer(&out[2], 0);
	ka_report_system(&out[3], 0);
}

static void skip(struct ka_ch9329_parser *p, size_t n)
{
	p->len = (uint8_t)(p->len - n);
	memmove(p->data, p->data + n, p->len);
}

/* Bytes of the frame at the front, 0 while its length has not come. */
static size_t length_of(const struct ka_ch9329_parser *p)
{
	return p->len > 4 ? (size_t)p->data[4] + AROUND : 0;
}

/* Whether what is at the front is a frame, or can still become one. */
static bool may_be_frame(const struct ka_ch9329_parser *p)
{
	size_t len = length_of(p);

	if (p->data[0] != HEAD_1 || (p->len > 1 && p->data[1] != HEAD_2) || (p->len > 3 && !(p->data[3] & 0x80)))
		return false;
	if (!len)
		return true;
	if (len > KA_CH9329_FRAME_MAX)
		return false;
	return p->len < len || sum_of(p->data, len - 1) == p->data[len - 1];
}

void ka_ch9329_feed(struct ka_ch9329_parser *p, uint8_t byte)
{
	if (p->len == sizeof(p->data))
		skip(p, 1);
	p->data[p->len++] = byte;
}

bool ka_ch9329_next(struct ka_ch9329_parser *p, struct ka_ch9329_answer *out)
{
	size_t len;

	/* A damaged frame may have swallowed the beginning of the next one. */
	while (p->len && !may_be_frame(p))
		skip(p, 1);
	len = length_of(p);
	if (!len || p->len < len)
		return false;
	out->command = p->data[3] & 0x3f;
	out->error = p->data[3] & 0x40;
	out->len = p->data[4];
	memcpy(out->data, p->data + 5, out->len);
	skip(p, len);
	return true;
}
