/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notices that addresses of this machine or its default routes come and go (rtnetlink). Many changes in a row are one:
 * they count when nothing more has come for settle_ms, or after ten times that. Owner: the loop's thread.
 */
#ifndef KA_NETWATCH_H
#define KA_NETWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/attr.h"

struct ka_netwatch;

int ka_netwatch_new(struct ka_netwatch **out, uv_loop_t *uv, unsigned int settle_ms, void (*changed)(void *arg),
		    void *arg) KA_MUST_USE;
/* Handles close themselves on the loop. NULL is fine. */
void ka_netwatch_free(struct ka_netwatch *w);
/* True when the messages tell of an address or a default route. Pure. data: aligned for struct nlmsghdr. */
bool ka_netwatch_matters(const void *data, size_t len);

#endif
