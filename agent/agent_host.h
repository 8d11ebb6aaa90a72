/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Implements rustdesk/host.h over capture and hid: the only place that knows all three. Any thread. */
#ifndef KA_AGENT_HOST_H
#define KA_AGENT_HOST_H

#include <pthread.h>

#include "agent/arbiter.h"
#include "agent/atx.h"
#include "agent/config.h"
#include "agent/console.h"
#include "capture/capture.h"
#include "hid/hid.h"
#include "rustdesk/host.h"

/* One display of the target. */
struct ka_agent_display {
	struct ka_capture *capture;		/* NULL = not built yet */
	const struct ka_config_display *config; /* not owned */
};

struct ka_agent_parts {
	struct ka_agent_display displays[KA_HOST_DISPLAYS_MAX];
	size_t n_displays;
	struct ka_hid *hid;
	const struct ka_console *console; /* not owned; usable once sessions exist; NULL = none */
	pthread_mutex_t lock;		  /* guards the arbiter */
	struct ka_arbiter arbiter;
	struct ka_atx atx;
};

/* parts outlive the host; zeroed before the first call but for displays, hid, console and atx. hold_ms: as in
 * arbiter.h.
 */
void ka_agent_host_init(struct ka_host *out, struct ka_agent_parts *parts, unsigned int hold_ms);
/* What all displays have in common, in the order of the first; any thread. */
void ka_agent_codecs(const struct ka_agent_parts *parts, struct ka_codec_list *out);
/* Lets go of all that a session holds. */
void ka_agent_host_release(struct ka_agent_parts *parts, uint32_t session);
/* Zeroed parts are fine. */
void ka_agent_host_fini(struct ka_agent_parts *parts);

#endif
