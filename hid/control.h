/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Media keys (consumer page 0x0c) and system keys (generic desktop 0x81 power down, 0x82 sleep, 0x83 wake up). The host
 * sees one of each at a time: the one pressed last of those still held. Pure; owner: ka_hands.
 */
#ifndef KA_CONTROL_H
#define KA_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "hid/holds.h"
#include "hid/report.h"

struct ka_control {
	struct ka_holds consumer, system;
	uint16_t consumer_sent, system_sent;
};

/* Usages the descriptor does not have are ignored. */
void ka_control_consumer(struct ka_control *c, uint32_t source, uint16_t usage, bool down);
void ka_control_system(struct ka_control *c, uint32_t source, uint16_t usage, bool down);
void ka_control_release_source(struct ka_control *c, uint32_t source);
void ka_control_release_all(struct ka_control *c);
/* The next report that is due. False: none. */
bool ka_control_take(struct ka_control *c, struct ka_report *out);

#endif
