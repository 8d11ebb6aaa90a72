/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors below 512 the process has open: to find those that were left behind. Those that libuv opens once
 * for all loops are there from the first call on. */
#ifndef KA_OPEN_FDS_H
#define KA_OPEN_FDS_H

unsigned int open_fds(void);

#endif
