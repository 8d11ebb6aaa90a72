/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Implements rustdesk/host.h over capture and hid: the only place that knows all three. Any thread. */
#ifndef KA_AGENT_HOST_H
#define KA_AGENT_HOST_H

#include "capture/capture.h"
#include "hid/hid.h"
#include "rustdesk/host.h"

struct ka_agent_parts {
	struct ka_capture *capture;
	struct ka_hid *hid;
};

/* parts outlive the host. */
void ka_agent_host_init(struct ka_host *out, struct ka_agent_parts *parts);

#endif
