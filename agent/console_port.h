/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the console sees and does, over the living agent. Any thread once it is set up. */
#ifndef KA_CONSOLE_PORT_H
#define KA_CONSOLE_PORT_H

#include "agent/agent_host.h"
#include "agent/config.h"
#include "agent/console.h"

/* All outlive the console. */
struct ka_console_view {
	struct ka_agent_parts *parts;
	struct ka_rd *rd;
	const struct ka_config *cfg;
	const struct ka_rd_identity *identity;
	const char *hostname;
};

/* Before sessions exist. view outlives out. */
void ka_console_port_init(struct ka_console *out, struct ka_console_view *view);

#endif
