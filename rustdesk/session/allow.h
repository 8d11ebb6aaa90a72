/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of who may come at all, as text separated by commas and blanks: addresses and networks ("192.0.2.7",
 * "192.168.0.0/16", "2001:db8::/32"), or ids. An empty list (or NULL) lets everybody come, and so does the entry
 * "0.0.0.0", as in stock endpoints. What cannot be read matches nobody. Pure.
 */
#ifndef KA_ALLOW_H
#define KA_ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/attr.h"

/* claimed: from is what a rendezvous server says. It is taken at its word, but for addresses that mean another machine
 * there than here (loopback, link-local, none at all): those are on no list that does not let everybody in. */
bool ka_allow_address(const char *list, const struct sockaddr_storage *from, bool claimed);
/* id may carry a server behind '@'; only what is before it counts. */
bool ka_allow_id(const char *list, const char *id);
/* 0, or -EINVAL with the first entry that is no address in bad. */
int ka_allow_check_addresses(const char *list, char *bad, size_t bad_size) KA_MUST_USE;

#endif
