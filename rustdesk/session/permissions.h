/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Permissions: what this device offers at all, what a password opens of it, and the words of the protocol for both.
 * Pure.
 */
#ifndef KA_PERMISSIONS_H
#define KA_PERMISSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/message.pb-c.h"
#include "rustdesk/rustdesk.h"

/* What this device can do on such a host; whatever is not in here is refused whatever a profile says. */
uint32_t ka_permissions_device(const struct ka_host *host);
/* Everything controllers believe to have until they are told otherwise, things a KVM never gives included. */
#define KA_PERMISSIONS_STOCK (0x70000u | KA_RD_MAY_ALL)
#define KA_PERMISSIONS_MAX 8

/* What at least one password opens of it: all that a controller that has not logged in yet should show. */
uint32_t ka_permissions_offered(const struct ka_rd_cfg *rd, const struct ka_host *host);
/* Which of the permissions that a controller believes in it has to be told to be off, in the order stock sends them.
 * Returns how many. */
size_t ka_permissions_denied(Rd__PermissionInfo__Permission out[static KA_PERMISSIONS_MAX], uint32_t believed,
			     uint32_t given);
/* Why a session of this kind is refused to somebody with these permissions, in stock's words; NULL = welcome. */
const char *ka_permissions_refuse(Rd__LoginRequest__UnionCase kind, uint32_t given);

#endif
