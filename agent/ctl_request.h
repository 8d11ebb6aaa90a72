/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and replies of agent/ctl_proto.h as bytes. Pure. */
#ifndef KA_CTL_REQUEST_H
#define KA_CTL_REQUEST_H

#include <jansson.h>

#include "agent/console.h"
#include "base/attr.h"

struct ka_ctl_request {
	size_t n; /* 1..KA_CONSOLE_MAX_WORDS */
	const char *words[KA_CONSOLE_MAX_WORDS];
	json_t *root; /* owns them */
};

/* A line without its newline. -KA_E_PEER when it is no array of words, -ENOMEM; nothing to free then. */
int ka_ctl_request_parse(struct ka_ctl_request *out, const char *line, size_t len) KA_MUST_USE;
void ka_ctl_request_fini(struct ka_ctl_request *r);

/* One line without its newline, from malloc; NULL without memory. */
char *ka_ctl_request_reply(const struct ka_console_answer *a) KA_MUST_USE;
/* Likewise for a request that never reached the console. */
char *ka_ctl_request_refusal(enum ka_console_code code, const char *error) KA_MUST_USE;

#endif
