/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What other threads may know of a session, and how they let it in. */
#include "rustdesk/session/session_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

void ka_listing_init(struct ka_session *s)
{
	pthread_mutex_init(&s->listing.lock, NULL);
}

void ka_listing_fini(struct ka_session *s)
{
	pthread_mutex_destroy(&s->listing.lock);
}

void ka_listing_show(struct ka_session *s, bool waiting)
{
	struct ka_rd_session info = {
		.number = s->cfg.number,
		.path = ka_path_name(s->in.path),
		.since_s = ka_clock_wall_us() / KA_SEC(1),
		.encrypted = ka_conn_sealed(s->conn),
		.waiting = waiting,
	};

	KA_OWNER(s);
	ka_str_copy(info.id, sizeof(info.id), s->peer_id);
	ka_str_copy(info.name, sizeof(info.name), s->peer_name);
	ka_str_copy(info.address, sizeof(info.address), s->peer_text);
	if (!waiting)
		ka_str_copy(info.profile, sizeof(info.profile), s->pass.profile);
	pthread_mutex_lock(&s->listing.lock);
	s->listing.info = info;
	s->listing.shown = true;
	pthread_mutex_unlock(&s->listing.lock);
}

bool ka_session_info(struct ka_session *s, struct ka_rd_session *out)
{
	bool shown;

	pthread_mutex_lock(&s->listing.lock);
	shown = s->listing.shown && !atomic_load(&s->ended);
	*out = s->listing.info;
	pthread_mutex_unlock(&s->listing.lock);
	return shown;
}

void ka_session_approve(struct ka_session *s)
{
	atomic_store(&s->approved, true);
	ka_loop_wake(&s->loop);
}
