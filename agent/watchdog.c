/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/watchdog.h"

#include <assert.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

/* Told so often in the time that the service manager grants: a thread may be late by a good part of it. */
#define TELLS 4

void ka_watchdog_init(struct ka_watchdog *w)
{
	uint64_t usec = 0;

	*w = (struct ka_watchdog){0};
	if (sd_watchdog_enabled(0, &usec) > 0)
		w->period_us = (int64_t)(usec / TELLS);
}

void ka_watchdog_add(struct ka_watchdog *w, const char *name, bool (*alive)(void *arg), void *arg)
{
	assert(w->n < KA_WATCHED_MAX);
	w->watched[w->n++] = (struct ka_watched){name, alive, arg};
}

static bool capture_alive(void *arg)
{
	return ka_capture_alive(arg);
}

static bool hid_alive(void *arg)
{
	return ka_hid_alive(arg);
}

static bool rd_alive(void *arg)
{
	return ka_rd_alive(arg);
}

void ka_watchdog_add_parts(struct ka_watchdog *w, struct ka_agent_parts *parts, struct ka_rd *rd)
{
	ka_watchdog_add(w, "network", rd_alive, rd);
	ka_watchdog_add(w, "hands", hid_alive, parts->hid);
	for (size_t i = 0; i < parts->n_displays; i++)
		ka_watchdog_add(w, "capture", capture_alive, parts->displays[i].capture);
}

/* All are asked each time, so that the log names all that hang. */
static bool all_alive(struct ka_watchdog *w)
{
	bool all = true;

	for (size_t i = 0; i < w->n; i++) {
		bool alive = w->watched[i].alive(w->watched[i].arg);

		if (!alive && !w->stuck[i])
			ka_log(ERROR, "watchdog", "stuck", "part=%s", w->watched[i].name);
		else if (alive && w->stuck[i])
			ka_log(WARN, "watchdog", "unstuck", "part=%s", w->watched[i].name);
		w->stuck[i] = !alive;
		all = all && alive;
	}
	return all;
}

void ka_watchdog_turn(struct ka_watchdog *w, int64_t now_us)
{
	if (!w->period_us || now_us < w->next_us)
		return;
	w->next_us = now_us + w->period_us;
	if (all_alive(w))
		sd_notify(0, "WATCHDOG=1");
}
