/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two ends of a TCP connection over loopback, for tests. */
#ifndef KA_TCP_PAIR_H
#define KA_TCP_PAIR_H

/* Both close-on-exec, non-blocking only fds[0]. 0 or a negative errno. buffer_bytes: of the kernel, each way; 0 = as it
 * is. */
int tcp_pair(int fds[2], int buffer_bytes);

#endif
