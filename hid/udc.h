/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * USB device controllers in /sys/class/udc: finding one, following what the host does to it. Owner: hid thread.
 * The `state` attribute raises POLLPRI when it changes (Documentation/ABI/stable/sysfs-class-udc; the kernel notifies
 * in usb_gadget_set_state()).
 */
#ifndef KA_UDC_H
#define KA_UDC_H

#include <stddef.h>
#include <uv.h>

#include "base/attr.h"
#include "hid/hid.h"

#define KA_UDC_NAME 128

struct ka_udc;

struct ka_udc_events {
	void *arg;
	/* After each notice of the kernel, changed or not. */
	void (*state)(void *arg, enum ka_usb_state state);
	/* The controller has gone; nothing more follows. */
	void (*gone)(void *arg);
};

/* wanted "": the first one by name. -ENODEV: there is none. */
int ka_udc_find(const char *class_dir, const char *wanted, char *name, size_t name_size) KA_MUST_USE;
/* Words of usb_state_string(): "configured", "suspended", others. */
enum ka_usb_state ka_udc_parse_state(const char *word);
/* Asks a sleeping host to wake up, as far as controller and host allow it. */
int ka_udc_wake_host(const char *class_dir, const char *name);

/* Begins to watch; the first state event comes from the loop. */
int ka_udc_new(struct ka_udc **out, uv_loop_t *loop, const char *class_dir, const char *name,
	       const struct ka_udc_events *events) KA_MUST_USE;
/* NULL is fine. */
void ka_udc_free(struct ka_udc *u);

#endif
