/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's notices (netlink, NETLINK_KOBJECT_UEVENT) about USB device controllers: sysfs itself does not wake
 * anybody when a controller goes or comes. Owner: hid thread.
 */
#ifndef KA_UEVENT_H
#define KA_UEVENT_H

#include <stddef.h>
#include <uv.h>

#include "base/attr.h"

enum ka_uevent_action { KA_UEVENT_OTHER, KA_UEVENT_ADD, KA_UEVENT_REMOVE, KA_UEVENT_CHANGE };

struct ka_uevent;

typedef void (*ka_uevent_fn)(void *arg, enum ka_uevent_action action);

/* A message "add@/devices/...\0KEY=value\0..." of len bytes; OTHER unless it is about subsystem udc. Pure. */
enum ka_uevent_action ka_uevent_parse(const char *msg, size_t len);
/* Where netlink is not to be had (a container) it fails, and one has to look from time to time. */
int ka_uevent_new(struct ka_uevent **out, uv_loop_t *loop, ka_uevent_fn fn, void *arg) KA_MUST_USE;
/* NULL is fine. */
void ka_uevent_free(struct ka_uevent *u);

#endif
