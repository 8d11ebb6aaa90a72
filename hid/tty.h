/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Serial lines: eight bits, no parity, no flow control, nothing interpreted. */
#ifndef KA_TTY_H
#define KA_TTY_H

#include <stdbool.h>

#include "base/attr.h"

/* Whether the kernel's interface has this speed. */
bool ka_tty_has_speed(unsigned int baud);
/* The descriptor, non-blocking and for nobody else; what had arrived before is dropped. -ENOTTY: no serial line,
 * -EINVAL: no such speed. */
int ka_tty_open(const char *path, unsigned int baud) KA_MUST_USE;

#endif
