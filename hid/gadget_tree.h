/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is in configfs' usb_gadget folder besides composing: looking and removing, by plain file operations. Not by
 * libusbgx: it gives up on all of configfs when anybody's gadget has a function it does not know, and leaks for each
 * configuration it reads. Blocks; hid thread only.
 */
#ifndef KA_GADGET_TREE_H
#define KA_GADGET_TREE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "hid/hid.h"

/* -ENOENT with a sentence that says what to do when configfs or libcomposite is missing. */
int ka_gadget_tree_check(const struct ka_hid_cfg *cfg, struct ka_errbuf *eb) KA_MUST_USE;
/* -EBUSY, naming it in eb, when a gadget of another name is bound to this controller. */
int ka_gadget_tree_foreign(const struct ka_hid_cfg *cfg, const char *udc, struct ka_errbuf *eb) KA_MUST_USE;
/* True while the controller exists and our gadget is bound to it. */
bool ka_gadget_tree_bound(const struct ka_hid_cfg *cfg, const char *udc);
/* Unbinds and removes the gadget of our name, however it came to be; -ENOENT: there is none. */
int ka_gadget_tree_remove(const struct ka_hid_cfg *cfg);

#endif
