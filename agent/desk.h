/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the displays are on the target's desktop, by what the configuration says and how large they are now. Pure. */
#ifndef KA_DESK_H
#define KA_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ka_desk_place {
	bool fixed;	       /* x and y are said */
	int32_t x, y;	       /* of the upper left corner, pixels */
	int32_t width, height; /* more than 0 */
};

/* One that is not fixed comes right of the one before, their upper edges in line; the first at 0, 0. One that would
 * cover part of an earlier one, because that has another size than when x and y were written down, is moved aside as
 * little as possible. */
void ka_desk_arrange(struct ka_desk_place *places, size_t n);

#endif
