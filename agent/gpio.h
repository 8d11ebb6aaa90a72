/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GPIO lines, as a table so that tests can stand in for a board. The one thread that opened a line uses it. */
#ifndef KA_GPIO_H
#define KA_GPIO_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct ka_gpio_ops {
	void *ctx;
	/* chip: name, label, number or path; name: number on the chip or name of the line. An output starts inactive.
	 * -errno with the reason in eb. */
	int (*open)(void *ctx, void **line, const char *chip, const char *name, bool output, bool active_low,
		    struct ka_errbuf *eb);
	int (*set)(void *ctx, void *line, bool active);
	int (*get)(void *ctx, void *line); /* 1 active, 0 not, -errno */
	/* NULL is fine. What an output does then is the board's affair: set it inactive before. */
	void (*close)(void *ctx, void *line);
};

/* The kernel's character devices, by libgpiod. */
extern const struct ka_gpio_ops ka_gpio_libgpiod;

#endif
