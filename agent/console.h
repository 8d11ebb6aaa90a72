/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console: carries out one command of agent/console_table.h, for an operator on the socket or a controller in the
 * chat, and yields structured data with its text. It sees the device through a port, never blocks and keeps no state of
 * its own: any thread.
 *
 *   socket (operator) ─► words ─┐                     ┌─► data ─► JSON
 *                               ├─► ka_console_run() ─┤
 *   chat (controller) ─► line ──┘   table, port       └─► text
 */
#ifndef KA_CONSOLE_H
#define KA_CONSOLE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "agent/atx.h"
#include "agent/console_table.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "capture/capture.h"
#include "hid/hid.h"
#include "rustdesk/host.h"
#include "rustdesk/rustdesk.h"

#define KA_CONSOLE_TEXT_MAX (64u * 1024)
#define KA_CONSOLE_MAX_LINKS 16
#define KA_CONSOLE_LINK 160

/* What commands see and do. Every function: any thread, never blocks. */
struct ka_console_port {
	void *ctx;
	/* Of a display below facts.n_displays. */
	void (*codecs)(void *ctx, struct ka_codec_list *out);
	void (*signal)(void *ctx, size_t display, struct ka_signal *out, uint32_t *kbps);
	void (*stage)(void *ctx, size_t display, enum ka_stage stage, struct ka_percentiles *out);
	void (*hid)(void *ctx, struct ka_hid_state *out);
	void (*endpoint)(void *ctx, struct ka_rd_status *out);
	size_t (*sessions)(void *ctx, struct ka_rd_session *out, size_t max);
	/* 0, or -ENOENT when there is none of that number, or none that waits. */
	int (*kick)(void *ctx, uint32_t number);
	int (*approve)(void *ctx, uint32_t number);
	int (*refuse)(void *ctx, uint32_t number);
	void (*otp)(void *ctx, char *dst, size_t dst_size);
	/* The target's power light: 1 on, 0 off, -1 unknown. */
	int (*light)(void *ctx);
	/* -ENOTSUP: not wired; -EBUSY: another button is being pressed. */
	int (*press)(void *ctx, enum ka_atx_action action);
	/* Lets go of all that anybody holds. */
	void (*release)(void *ctx);
	/* Stops all texts that are being typed. */
	void (*stop_typing)(void *ctx);
	/* What to paste into a client; returns how many it filled. */
	size_t (*links)(void *ctx, bool encrypted, char (*out)[KA_CONSOLE_LINK], size_t max);
};

/* What stays as it is. Strings outlive the console. */
struct ka_console_facts {
	const char *id, *hostname, *server;
	const char *platform, *rd_version; /* that controllers are told */
	size_t n_displays;
	const char *displays[KA_HOST_DISPLAYS_MAX]; /* their names */
	unsigned int max_controllers;
	bool approval, otp; /* switched on */
};

struct ka_console {
	struct ka_console_port port;
	struct ka_console_facts facts;
};

struct ka_console_caller {
	enum ka_console_where where;
	uid_t uid;	      /* of an operator */
	uint32_t session;     /* of the chat */
	uint32_t permissions; /* of the chat; of enum ka_rd_permission */
};

enum ka_console_code { KA_CONSOLE_DONE, KA_CONSOLE_REFUSED, KA_CONSOLE_USAGE };

struct ka_console_answer {
	enum ka_console_code code;
	json_t *data;	      /* an object; with "error" unless done */
	struct ka_bytes text; /* of the same for people: lines, terminated */
};

/* Valid UTF-8 words, at least one. -ENOMEM leaves nothing to free. */
int ka_console_run(const struct ka_console *c, const struct ka_console_caller *caller, size_t n,
		   const char *const *words, struct ka_console_answer *out) KA_MUST_USE;
void ka_console_answer_fini(struct ka_console_answer *a);

/* The port `console` of rustdesk/host.h. */
void ka_console_chat(const struct ka_console *c, const struct ka_host_caller *caller, const char *line, char *answer,
		     size_t answer_size);

#endif
