/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A console over values that the test sets; remembers what was asked of it. */
#ifndef FAKE_CONSOLE_H
#define FAKE_CONSOLE_H

#include "agent/console.h"

#define FAKE_CONSOLE_SESSIONS 32

struct fake_console {
	struct ka_console console;
	struct ka_signal signals[KA_HOST_DISPLAYS_MAX];
	struct ka_codec_list codecs;
	uint32_t kbps;
	struct ka_percentiles stages[KA_STAGES];
	struct ka_hid_state hid;
	struct ka_rd_status endpoint;
	struct ka_rd_session sessions[FAKE_CONSOLE_SESSIONS];
	size_t n_sessions;
	bool links;			    /* there are some */
	uint32_t kicked, approved, refused; /* last number */
	int light;
	enum ka_atx_action pressed; /* last */
	int press_result;
	unsigned int released, typing_stopped; /* how often */
};

/* f stays where it is. */
void fake_console_init(struct fake_console *f);
void fake_console_add(struct fake_console *f, uint32_t number, const char *name, bool waiting);

#endif
