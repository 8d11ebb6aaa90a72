/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/atx.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"

#define PRESSED (-1) /* in wanted */

static bool wired(const struct ka_atx *a, const char *name)
{
	return a->cfg->chip[0] && name[0];
}

static int open_line(struct ka_atx *a, void **line, const char *name, bool output)
{
	struct ka_errbuf why = {""};
	int ret;

	if (*line || !wired(a, name))
		return 0;
	ret = a->gpio->open(a->gpio->ctx, line, a->cfg->chip, name, output, a->cfg->active_low, &why);
	if (ret < 0)
		ka_log_every(WARN, KA_SEC(60), "power", "no line", "cause=\"%s\"", why.text);
	return ret;
}

/* Lines that are missing are tried again, and others told what can be pressed. */
static void open_buttons(struct ka_atx *a)
{
	unsigned int ready = 0;

	if (wired(a, a->cfg->power_line) && open_line(a, &a->power, a->cfg->power_line, true) == 0)
		ready |= 1u << KA_ATX_POWER | 1u << KA_ATX_HOLD;
	if (wired(a, a->cfg->reset_line) && open_line(a, &a->reset, a->cfg->reset_line, true) == 0)
		ready |= 1u << KA_ATX_RESET;
	atomic_store(&a->ready, ready);
}

void ka_atx_init(struct ka_atx *a, const struct ka_atx_cfg *cfg, const struct ka_gpio_ops *gpio, struct ka_wake wake)
{
	*a = (struct ka_atx){.cfg = cfg, .gpio = gpio, .wake = wake, .light = -1};
	open_buttons(a);
	(void)open_line(a, &a->led, cfg->led_line, false);
}

static void let_go(struct ka_atx *a)
{
	int ret;

	if (!a->pressed)
		return;
	ret = a->gpio->set(a->gpio->ctx, a->pressed, false);
	if (ret < 0)
		ka_log(ERROR, "power", "button stays pressed", "cause=\"%s\"", ka_err_str(ret));
	a->pressed = NULL;
	atomic_store(&a->wanted, KA_ATX_NONE);
}

void ka_atx_fini(struct ka_atx *a)
{
	if (!a->gpio)
		return;
	let_go(a);
	a->gpio->close(a->gpio->ctx, a->power);
	a->gpio->close(a->gpio->ctx, a->reset);
	a->gpio->close(a->gpio->ctx, a->led);
	a->gpio = NULL;
}

static const char *line_of(const struct ka_atx *a, enum ka_atx_action action)
{
	return action == KA_ATX_RESET ? a->cfg->reset_line : a->cfg->power_line;
}

bool ka_atx_can(const struct ka_atx *a, enum ka_atx_action action)
{
	return action != KA_ATX_NONE && wired(a, line_of(a, action));
}

int ka_atx_request(struct ka_atx *a, enum ka_atx_action action)
{
	int idle = KA_ATX_NONE;

	if (!ka_atx_can(a, action))
		return -ENOTSUP;
	if (!(atomic_load(&a->ready) >> action & 1))
		return -ENODEV;
	if (!atomic_compare_exchange_strong(&a->wanted, &idle, (int)action))
		return -EBUSY;
	ka_wake_call(&a->wake);
	return 0;
}

int ka_atx_light(const struct ka_atx *a)
{
	return atomic_load(&a->light);
}

static void press(struct ka_atx *a, enum ka_atx_action action, int64_t now_us)
{
	static const char *const words[] = {"", "power", "power, held", "reset"};
	void **line = action == KA_ATX_RESET ? &a->reset : &a->power;
	int ret = open_line(a, line, line_of(a, action), true);

	if (!ret)
		ret = a->gpio->set(a->gpio->ctx, *line, true);
	if (ret < 0) {
		ka_log(ERROR, "power", "not pressed", "button=\"%s\" cause=\"%s\"", words[action], ka_err_str(ret));
		/* The chip may have gone and come back: a new press opens it anew. */
		a->gpio->close(a->gpio->ctx, *line);
		*line = NULL;
		atomic_store(&a->wanted, KA_ATX_NONE);
		return;
	}
	atomic_store(&a->wanted, PRESSED);
	ka_log(INFO, "power", "pressed", "button=\"%s\"", words[action]);
	a->pressed = *line;
	a->until_us = now_us + KA_MS(action == KA_ATX_HOLD ? a->cfg->hold_ms : a->cfg->press_ms);
}

static void look_at_light(struct ka_atx *a)
{
	int light;

	if (!wired(a, a->cfg->led_line) || open_line(a, &a->led, a->cfg->led_line, false) < 0)
		return;
	light = a->gpio->get(a->gpio->ctx, a->led);
	if (light < 0) {
		a->gpio->close(a->gpio->ctx, a->led);
		a->led = NULL;
		light = -1;
	}
	if (atomic_exchange(&a->light, light) != light)
		ka_log(INFO, "power", "light", "on=%s", light < 0 ? "unknown" : light ? "yes" : "no");
}

int64_t ka_atx_turn(struct ka_atx *a, int64_t now_us)
{
	int wanted;

	if (a->pressed && now_us >= a->until_us)
		let_go(a);
	wanted = atomic_load(&a->wanted);
	if (wanted != KA_ATX_NONE && wanted != PRESSED)
		press(a, (enum ka_atx_action)wanted, now_us);
	open_buttons(a);
	look_at_light(a);
	return a->pressed ? a->until_us : INT64_MAX;
}
