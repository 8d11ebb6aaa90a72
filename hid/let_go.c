/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done when nobody is left to do it: no thread, no loop, no state. */
#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "hid/ch9329.h"
#include "hid/gadget_tree.h"
#include "hid/hid.h"
#include "hid/tty.h"

/* The chip stays plugged in and goes on holding what it was told last. */
static int let_go_of_chip(const struct ka_hid_cfg *cfg)
{
	struct ka_report rest[KA_CH9329_REST];
	int fd = ka_tty_open(cfg->serial_device, cfg->serial_baud);
	int ret = fd < 0 ? fd : 0;

	ka_ch9329_rest(rest);
	for (size_t i = 0; !ret && i < KA_CH9329_REST; i++) {
		struct ka_ch9329_frame f;

		/* Far less than the line's buffer takes at once. */
		if (ka_ch9329_from_report(&f, &rest[i]) && write(fd, f.data, f.len) != f.len)
			ret = -EIO;
	}
	if (!ret && tcdrain(fd) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

int ka_hid_let_go(const struct ka_hid_cfg *cfg)
{
	int ret = 0;

	if (cfg->backend == KA_HID_GADGET)
		ret = ka_gadget_tree_remove(cfg);
	else if (cfg->backend == KA_HID_CH9329)
		ret = let_go_of_chip(cfg);
	return ret == -ENOENT ? 0 : ret;
}
