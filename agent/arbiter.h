/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several controllers on one keyboard and pointer: whose input counts. Who typed last holds the keyboard for a short
 * time; while somebody holds a mouse button, nobody else moves the pointer, scrolls or clicks. Whatever lets go always
 * passes, so nothing is ever left pressed. Pure state and a clock; the caller serialises.
 */
#ifndef KA_ARBITER_H
#define KA_ARBITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/input.h"

struct ka_arbiter {
	int64_t hold_us; /* 0 = everything passes */
	uint32_t typist; /* source that typed last; 0 = nobody */
	int64_t typed_us;
	uint32_t dragger; /* source that holds buttons; 0 = nobody */
	uint8_t buttons;  /* that it holds */
};

void ka_arbiter_init(struct ka_arbiter *a, unsigned int hold_ms);
/* True: carry it out; false: drop it. */
bool ka_arbiter_pass(struct ka_arbiter *a, const struct ka_input *in, int64_t now_us);

#endif
