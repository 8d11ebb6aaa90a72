/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ways into this device without a server, as texts that a user pastes into a client's ID box. Any thread; asks the
 * kernel for the addresses of this machine. */
#ifndef KA_WAYS_H
#define KA_WAYS_H

#include <stddef.h>
#include <stdint.h>

#include "rustdesk/rustdesk.h"

#define KA_WAYS_TEXT 160

/* "<id>@<address>[:port]?key=<key>", encrypted: one for each address of ours that the rendezvous service listens on at
 * port. Returns how many it filled. */
size_t ka_ways_serve(char (*out)[KA_WAYS_TEXT], size_t max, const struct ka_rd_cfg *cfg,
		     const struct ka_rd_identity *identity, uint16_t port);
/* "<address>[:port]", never encrypted, likewise. */
size_t ka_ways_direct(char (*out)[KA_WAYS_TEXT], size_t max, const struct ka_rd_cfg *cfg, uint16_t port);

#endif
