/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The controllers that are in hear each other's chat lines, and what the device has to tell one of them. A seat is a
 * bounded box of lines on their way to one of them: when it is full, its oldest line is dropped, so nobody's flood
 * grows memory. The room outlives its seats.
 */
#ifndef KA_CHAT_ROOM_H
#define KA_CHAT_ROOM_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/wake.h"
#include "rustdesk/session/chat_text.h"

#define KA_CHAT_SEATS 32
#define KA_CHAT_QUEUE 16 /* lines waiting for one controller */

struct ka_chat_line {
	char text[KA_CHAT_LINE_SIZE];
};

struct ka_chat_room;
struct ka_chat_seat;

int ka_chat_room_new(struct ka_chat_room **out) KA_MUST_USE;
void ka_chat_room_free(struct ka_chat_room *room);
/* Any thread. number: of the session. wake: called on any thread when there is something to hear, until leave.
 * -KA_E_LIMIT: no seat left. */
int ka_chat_room_join(struct ka_chat_room *room, uint32_t number, struct ka_wake wake,
		      struct ka_chat_seat **out) KA_MUST_USE;
/* Any thread. NULL is fine. */
void ka_chat_room_leave(struct ka_chat_seat *seat);
/* Any thread. To everybody but this seat. */
void ka_chat_room_say(struct ka_chat_seat *seat, struct ka_chat_line *line);
/* Any thread. From the device to one session, when it has a seat. */
void ka_chat_room_tell(struct ka_chat_room *room, uint32_t number, struct ka_chat_line *line);
/* The seat's owner. False when there is nothing. */
bool ka_chat_room_hear(struct ka_chat_seat *seat, struct ka_chat_line *line) KA_MUST_USE;

#endif
