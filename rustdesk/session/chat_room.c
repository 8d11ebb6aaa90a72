/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/session/chat_room.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mailbox.h"

struct ka_chat_seat {
	struct ka_chat_room *room;
	struct ka_mailbox *lines;
	uint32_t number; /* of the session */
};

struct ka_chat_room {
	pthread_mutex_t lock; /* guards seats; only the lock of a seat's mailbox is taken inside */
	struct ka_chat_seat *seats[KA_CHAT_SEATS];
};

int ka_chat_room_new(struct ka_chat_room **out)
{
	struct ka_chat_room *room = calloc(1, sizeof(*room));

	if (!room)
		return -ENOMEM;
	pthread_mutex_init(&room->lock, NULL);
	*out = room;
	return 0;
}

void ka_chat_room_free(struct ka_chat_room *room)
{
	if (!room)
		return;
	pthread_mutex_destroy(&room->lock);
	free(room);
}

/* Puts `put` in place of the first `find`; false when there is none. */
static bool swap_seat(struct ka_chat_room *room, const struct ka_chat_seat *find, struct ka_chat_seat *put)
{
	bool found = false;

	pthread_mutex_lock(&room->lock);
	for (size_t i = 0; i < KA_CHAT_SEATS && !found; i++) {
		found = room->seats[i] == find;
		if (found)
			room->seats[i] = put;
	}
	pthread_mutex_unlock(&room->lock);
	return found;
}

static void free_seat(struct ka_chat_seat *seat)
{
	if (!seat)
		return;
	ka_mailbox_free(seat->lines);
	free(seat);
}

int ka_chat_room_join(struct ka_chat_room *room, uint32_t number, struct ka_wake wake, struct ka_chat_seat **out)
{
	struct ka_mailbox_cfg cfg = {
		.item_size = sizeof(struct ka_chat_line),
		.capacity = KA_CHAT_QUEUE,
		.policy = KA_MAILBOX_DROP_OLDEST,
		.wake = wake,
	};
	struct ka_chat_seat *seat = calloc(1, sizeof(*seat));
	int ret = -ENOMEM;

	if (!seat)
		goto fail;
	seat->room = room;
	seat->number = number;
	ret = ka_mailbox_new(&seat->lines, &cfg);
	if (ret < 0)
		goto fail;
	if (!swap_seat(room, NULL, seat)) {
		ret = -KA_E_LIMIT;
		goto fail;
	}
	*out = seat;
	return 0;
fail:
	free_seat(seat);
	return ret;
}

void ka_chat_room_leave(struct ka_chat_seat *seat)
{
	if (!seat)
		return;
	swap_seat(seat->room, seat, NULL);
	free_seat(seat);
}

void ka_chat_room_say(struct ka_chat_seat *seat, struct ka_chat_line *line)
{
	struct ka_chat_room *room = seat->room;

	pthread_mutex_lock(&room->lock);
	for (size_t i = 0; i < KA_CHAT_SEATS; i++) {
		if (room->seats[i] && room->seats[i] != seat)
			ka_mailbox_put(room->seats[i]->lines, line);
	}
	pthread_mutex_unlock(&room->lock);
}

void ka_chat_room_tell(struct ka_chat_room *room, uint32_t number, struct ka_chat_line *line)
{
	pthread_mutex_lock(&room->lock);
	for (size_t i = 0; i < KA_CHAT_SEATS; i++) {
		if (room->seats[i] && room->seats[i]->number == number)
			ka_mailbox_put(room->seats[i]->lines, line);
	}
	pthread_mutex_unlock(&room->lock);
}

bool ka_chat_room_hear(struct ka_chat_seat *seat, struct ka_chat_line *line)
{
	return ka_mailbox_take(seat->lines, line);
}
