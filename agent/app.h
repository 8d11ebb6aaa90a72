/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole agent: builds the parts from a configuration snapshot, starts them in order, stops them in reverse. Owner:
 * the main thread.
 */
#ifndef KA_APP_H
#define KA_APP_H

#include <stdbool.h>

#include "agent/config.h"
#include "base/attr.h"

struct ka_app;

struct ka_app_options {
	bool banner;  /* print id, addresses, one-time password and how to connect on stdout */
	int ready_fd; /* -1, or where one line of JSON goes once everything runs; closed then */
};

/* cfg outlives the app. */
int ka_app_new(struct ka_app **out, const struct ka_config *cfg, struct ka_errbuf *eb) KA_MUST_USE;
int ka_app_start(struct ka_app *a, const struct ka_app_options *options, struct ka_errbuf *eb) KA_MUST_USE;
/* Returns after SIGINT, SIGTERM, SIGHUP or SIGQUIT, with everything stopped and all keys released; negative when a part
 * that nothing works without has failed. */
int ka_app_run(struct ka_app *a) KA_MUST_USE;
void ka_app_free(struct ka_app *a);

#endif
