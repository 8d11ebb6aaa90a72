/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The USB gadget in configfs: composed (by libusbgx) and bound by new, unbound and removed by free. Blocks (module
 * loading, unbinding); hid thread only.
 *
 *   <configfs>/usb_gadget/<name>/  configs/c.1/  ─► functions/hid.keyboard  hid.abs  hid.rel  hid.control
 *
 * A gadget of our name is a leftover of a killed agent and taken over. Others are never touched.
 */
#ifndef KA_GADGET_H
#define KA_GADGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "hid/hid.h"
#include "hid/report.h"

struct ka_gadget;

/* cfg outlives the gadget. Functions the controller has no endpoints for are left out from the last one on, and named
 * in the log; the keyboard is always there. Causes, with a sentence in eb: -ENOENT configfs or the HID function is
 * missing, -EBUSY another gadget holds the controller, and what the kernel says. */
int ka_gadget_new(struct ka_gadget **out, const struct ka_hid_cfg *cfg, const char *udc,
		  struct ka_errbuf *eb) KA_MUST_USE;
/* NULL is fine. All /dev/hidgN must be closed. */
void ka_gadget_free(struct ka_gadget *g);
/* False when the controller has gone or somebody else has unbound the gadget. */
bool ka_gadget_bound(const struct ka_gadget *g);
/* How many functions there are: 0..count-1 of enum ka_report_function. */
unsigned int ka_gadget_count(const struct ka_gadget *g);
/* The device node of a function, looked up in dev_dir ("/dev") by its device number. -ENOENT. */
int ka_gadget_node(const struct ka_gadget *g, unsigned int function, const char *dev_dir, char *path,
		   size_t path_size) KA_MUST_USE;

#endif
