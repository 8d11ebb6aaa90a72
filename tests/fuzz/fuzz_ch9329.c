/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Anything at all from the serial line, cut into pieces with reports and time between them: the talk goes on. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hid/ch9329_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void push(struct ka_ch9329_link *l, uint8_t what)
{
	struct ka_report_pointer p = {.buttons = what & 1, .x = (uint16_t)(what << 7), .dx = (int8_t)what};
	struct ka_report r;

	switch (what % 4) {
	case 0:
		ka_report_keyboard(&r, 0, &what, 1);
		break;
	case 1:
		ka_report_abs(&r, &p, what & 1);
		break;
	case 2:
		ka_report_rel(&r, &p, what & 1);
		break;
	default:
		ka_report_consumer(&r, what);
		break;
	}
	ka_ch9329_link_push(l, &r);
}

static void check(const struct ka_ch9329_link *l, int64_t now_us)
{
	assert(l->count <= KA_CH9329_QUEUE);
	assert(l->state == KA_CH9329_HOST || !l->count);
	assert(ka_ch9329_link_due_us(l) <= now_us + 2000000);
	assert(l->parser.len < KA_CH9329_FRAME_MAX);
}

/* Steps of: how many bytes arrive; what is pushed; time; the bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_ch9329_link l;
	struct ka_ch9329_frame out;
	int64_t now_us = 1000000;

	ka_ch9329_link_init(&l, 9600);
	while (size >= 3) {
		size_t n = data[0] < size - 3 ? data[0] : size - 3;
		uint8_t *copy = malloc(n ? n : 1);

		if (!copy)
			return 0;
		push(&l, data[1]);
		now_us += data[2] * 2000;
		if (n)
			memcpy(copy, data + 3, n);
		ka_ch9329_link_receive(&l, copy, n);
		free(copy);
		while (ka_ch9329_link_take(&l, now_us, &out))
			assert(out.len >= 6 && out.len <= KA_CH9329_FRAME_MAX);
		check(&l, now_us);
		data += 3 + n;
		size -= 3 + n;
	}
	return 0;
}
