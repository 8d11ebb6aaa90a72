/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A folder that behaves as the kernel's usb_gadget configfs does where it matters: mkdir() brings the attributes and
 * default groups along, rmdir() takes them away, and refuses while something made by hand is left. It replaces mkdir()
 * and rmdir() of the whole test program, libusbgx included; elsewhere they do what they always do.
 */
#ifndef KA_FAKE_CONFIGFS_H
#define KA_FAKE_CONFIGFS_H

#include <stdbool.h>

struct fake_configfs {
	char root[64];		    /* configfs itself; its usb_gadget is there */
	unsigned int hid_functions; /* device numbers left, as HIDG_MINORS limits them */
	bool bind_fails;	    /* writing a controller's name gives ENOSPC */
	bool no_hid;		    /* the kernel has no HID function */
	bool old_kernel;	    /* no attribute no_out_endpoint */
};

/* Makes the folder and puts it in force; one at a time. */
void fake_configfs_begin(struct fake_configfs *f);
/* Removes what is left. */
void fake_configfs_end(void);

#endif
