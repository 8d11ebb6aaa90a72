/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/gpio.h"

#include <errno.h>
#include <gpiod.h>
#include <limits.h>

#include "base/str.h"

#define CONSUMER "kvmagent"

static struct gpiod_line *find_line(struct gpiod_chip *chip, const char *name)
{
	uint64_t number;

	if (ka_str_parse_u64(name, 0, UINT_MAX, &number) == 0)
		return gpiod_chip_get_line(chip, (unsigned int)number);
	return gpiod_chip_find_line(chip, name);
}

static int open_line(void *ctx, void **out, const char *chip_name, const char *name, bool output, bool active_low,
		     struct ka_errbuf *eb)
{
	int flags = active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
	struct gpiod_chip *chip;
	struct gpiod_line *line;
	int ret;

	(void)ctx;
	errno = 0;
	chip = gpiod_chip_open_lookup(chip_name);
	if (!chip) {
		ret = errno ? -errno : -ENODEV;
		ka_errbuf_set(eb, "GPIO chip %s cannot be opened: %s", chip_name, ka_err_str(ret));
		return ret;
	}
	errno = 0;
	line = find_line(chip, name);
	if (!line) {
		ret = errno ? -errno : -ENOENT;
		ka_errbuf_set(eb, "GPIO chip %s has no line %s: %s", chip_name, name, ka_err_str(ret));
	} else if ((output ? gpiod_line_request_output_flags(line, CONSUMER, flags, 0)
			   : gpiod_line_request_input_flags(line, CONSUMER, flags)) < 0) {
		ret = -errno;
		ka_errbuf_set(eb, "line %s of GPIO chip %s cannot be had: %s", name, chip_name, ka_err_str(ret));
	} else {
		*out = line;
		return 0;
	}
	gpiod_chip_close(chip);
	return ret;
}

static int set_line(void *ctx, void *line, bool active)
{
	(void)ctx;
	return gpiod_line_set_value(line, active) < 0 ? -errno : 0;
}

static int get_line(void *ctx, void *line)
{
	int value = gpiod_line_get_value(line);

	(void)ctx;
	return value < 0 ? -errno : value;
}

/* Each line was opened with a chip of its own. */
static void close_line(void *ctx, void *line)
{
	(void)ctx;
	if (line)
		gpiod_line_close_chip(line);
}

const struct ka_gpio_ops ka_gpio_libgpiod = {.open = open_line, .set = set_line, .get = get_line, .close = close_line};
