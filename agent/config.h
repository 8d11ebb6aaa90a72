/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration: one immutable snapshot made from /etc/kvmagent.cfg (libconfig syntax). Only agent/config*.c knows
 * libconfig; every folder is handed its own section. Strings inside the sections belong to the snapshot.
 */
#ifndef KA_CONFIG_H
#define KA_CONFIG_H

#include <stdbool.h>

#include "agent/atx.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "capture/capture.h"
#include "hid/hid.h"
#include "rustdesk/host.h"
#include "rustdesk/rustdesk.h"

struct ka_config_log {
	enum ka_log_level level;
};

/* One display of the target. */
struct ka_config_display {
	struct ka_capture_cfg video;
	const char *name; /* that controllers see */
	bool placed;	  /* its corner is at x, y of the target's desktop; else right of the one before */
	int32_t x, y;
};

struct ka_config {
	const char *state_dir;	 /* id, keys, uuid, salt */
	const char *runtime_dir; /* control socket, one-time password for the operator; "" = neither */
	const char *control_group;
	struct ka_config_log log;
	struct ka_capture_cfg video; /* the section itself: what displays have that say nothing else */
	struct ka_config_display displays[KA_HOST_DISPLAYS_MAX];
	size_t n_displays; /* at least one */
	struct ka_hid_cfg hid;
	unsigned int hold_ms; /* hid.hold_ms: see agent/arbiter.h */
	struct ka_atx_cfg power;
	struct ka_rd_cfg rustdesk;
	const char *id;		  /* wanted id; "" = generated once and kept */
	bool password_set;	  /* a permanent one, as text or hash */
	struct ka_rd_peer *peers; /* of rustdesk.serve */
	struct ka_rd_access access[KA_RD_MAX_ACCESS];
	uint8_t password_h1[KA_RD_H1_LEN];
	void *store; /* owns the strings */
};

/* Reads and checks a file. -KA_E_CONFIG with "file:line: ..." in eb for anything unknown, mistyped or out of range, and
 * for secrets in files that everybody may read; -errno when it cannot be read. */
int ka_config_load(struct ka_config **out, const char *path, struct ka_errbuf *eb) KA_MUST_USE;
/* The same from memory; name stands for the file in messages. data is terminated. */
int ka_config_parse(struct ka_config **out, const char *name, const char *data, struct ka_errbuf *eb) KA_MUST_USE;
void ka_config_free(struct ka_config *c);
/* Wipes the texts of the permanent password and the second factor, once ka_rd_new() has taken them. */
void ka_config_forget_password(struct ka_config *c);

/* Calls fn with the full name ("video.fps") of every key there is: what documentation is checked against. */
void ka_config_each_key(void (*fn)(void *arg, const char *name), void *arg);

#endif
