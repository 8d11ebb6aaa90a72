/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fan-out of encoded packets to viewers. Each viewer has its own short queue; when it overflows, that viewer alone
 * loses everything up to the next key packet. A new viewer starts at a key packet, and changes renditions at one.
 *
 *   encoder ── publish ──► hub ──► sub (queue ≤ depth) ── take ──► session
 */
#ifndef KA_HUB_H
#define KA_HUB_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/packet.h"
#include "base/wake.h"

struct ka_hub;
struct ka_hub_sub;

int ka_hub_new(struct ka_hub **out) KA_MUST_USE;
/* All subscribers must be gone. */
void ka_hub_free(struct ka_hub *h);
/* Any thread; consumes the reference. Returns how many viewers discard until a key packet. */
unsigned int ka_hub_publish(struct ka_hub *h, struct ka_packet *p);
/* Any thread. depth: packets queued at most. wake is called when there is something to take. */
int ka_hub_subscribe(struct ka_hub *h, unsigned int depth, struct ka_wake wake, struct ka_hub_sub **out) KA_MUST_USE;
/* Any thread; after it returns wake is not called any more. NULL is fine. */
void ka_hub_unsubscribe(struct ka_hub_sub *s);
/* The viewer's thread. The oldest queued packet (owned by the caller) or NULL. */
struct ka_packet *ka_hub_take(struct ka_hub_sub *s);
/* The viewer's thread. True while this viewer discards until a key packet: it should ask for one when it can send. */
bool ka_hub_starved(struct ka_hub_sub *s);
/* The viewer's thread. Forget what is queued and go on with the next key packet. */
void ka_hub_restart(struct ka_hub_sub *s);
/* Any thread. From this rendition's next key packet on the viewer gets it; what it has now goes on until then. It
 * starts with 0. */
void ka_hub_set_rendition(struct ka_hub_sub *s, unsigned int rendition);
/* Any thread. */
unsigned int ka_hub_count(struct ka_hub *h);

#endif
