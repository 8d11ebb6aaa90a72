/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The target's front panel: its power and reset buttons pressed, and its power light read, through GPIO lines.
 * One press at a time; a line is let go on every way out. A board or a line that is not there is no reason to end: it
 * is said in the log, and tried again with the next press.
 *
 * Owner: the thread that made it. Requests come from any thread and only leave a wish and wake the owner.
 */
#ifndef KA_ATX_H
#define KA_ATX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/gpio.h"
#include "base/attr.h"
#include "base/wake.h"

enum ka_atx_action {
	KA_ATX_NONE,
	KA_ATX_POWER, /* a short press: on, or the operating system is asked to shut down */
	KA_ATX_HOLD,  /* a long one: off, at once */
	KA_ATX_RESET,
};

struct ka_atx_cfg {
	const char *chip;	/* "" = no board */
	const char *power_line; /* "" = not wired; so the others */
	const char *reset_line;
	const char *led_line;
	bool active_low;
	unsigned int press_ms, hold_ms;
};

struct ka_atx {
	const struct ka_atx_cfg *cfg;
	const struct ka_gpio_ops *gpio;
	struct ka_wake wake;
	void *power, *reset, *led; /* lines; NULL = not open */
	void *pressed;		   /* one of them; NULL = none */
	int64_t until_us;
	_Atomic(int) wanted; /* enum ka_atx_action, or that a button is pressed now; any thread */
	_Atomic(int) light;  /* 1 on, 0 off, -1 unknown; any thread */
	atomic_uint ready;   /* bits by enum ka_atx_action: the line is open; any thread */
};

/* Opens what it can and says what it cannot. cfg and gpio outlive it. */
void ka_atx_init(struct ka_atx *a, const struct ka_atx_cfg *cfg, const struct ka_gpio_ops *gpio, struct ka_wake wake);
/* Lets go and closes. Zeroed memory is fine. */
void ka_atx_fini(struct ka_atx *a);

/* Any thread. Whether it is wired at all. */
bool ka_atx_can(const struct ka_atx *a, enum ka_atx_action action);
/* Any thread. -ENOTSUP when not wired, -ENODEV while its line cannot be had, -EBUSY while another press is under way.
 */
int ka_atx_request(struct ka_atx *a, enum ka_atx_action action) KA_MUST_USE;
/* Any thread. The target's power light: 1 on, 0 off, -1 unknown or not wired. */
int ka_atx_light(const struct ka_atx *a);

/* Owner, after a wake, when the time it gave has come, and once a second for the light. Does what is due; returns when
 * it wants to be called again, INT64_MAX = not before the next wake. */
int64_t ka_atx_turn(struct ka_atx *a, int64_t now_us) KA_MUST_USE;

#endif
