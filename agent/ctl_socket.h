/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of the control socket: made in place of one that a dead agent left, never in place of a living one's; open
 * to its owner, root and one group; and who is at the other end of a connection. Blocks briefly (files, group look-up).
 */
#ifndef KA_CTL_SOCKET_H
#define KA_CTL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/attr.h"
#include "base/err.h"

struct ka_ctl_socket {
	int fd;	  /* bound, not listening yet; -1 once somebody took it over */
	int lock; /* the folder, locked as long as the socket is ours */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "" = not made */
	bool has_group;
	gid_t group;
};

/* group: "" = none; one that does not exist is none either. eb says what is wrong and what to do. On failure nothing
 * is left to close. */
int ka_ctl_socket_open(struct ka_ctl_socket *s, const char *dir, const char *group, struct ka_errbuf *eb) KA_MUST_USE;
/* Takes the file away. Never opened, closed already: fine when s was zeroed by open or close. */
void ka_ctl_socket_close(struct ka_ctl_socket *s);
/* Who is connected at fd: 0 when they may command, -EPERM when not; *uid as far as known. */
int ka_ctl_socket_peer(const struct ka_ctl_socket *s, int fd, uid_t *uid) KA_MUST_USE;

#endif
