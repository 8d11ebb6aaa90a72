/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/registration.h"

#include <stdio.h>
#include <string.h>

#include "rustdesk/reach/rendezvous_msg.h"

void ka_registration_init(struct ka_registration *r, const struct ka_registration_timing *timing)
{
	*r = (struct ka_registration){.timing = *timing, .need_pk = true, .pk_sent_us = INT64_MIN / 2};
}

/* Nothing is pending: when the next message goes out, at `at` or as soon as a RegisterPk may. */
static void plan(struct ka_registration *r, int64_t now_us, int64_t at_us)
{
	r->pending = false;
	r->due_us = r->need_pk ? KA_MAX(now_us, r->pk_sent_us + r->timing.pk_gap_us) : at_us;
}

static bool may_rebind(const struct ka_registration *r, int64_t now_us)
{
	return r->fails >= r->timing.max_fails && (r->alternatives || now_us >= r->looked_up_us + r->timing.rebind_us);
}

static enum ka_registration_action send_next(struct ka_registration *r, int64_t now_us)
{
	r->pending = true;
	r->sent_pk = r->need_pk;
	r->sent_us = now_us;
	if (!r->sent_pk)
		return KA_REG_DO_PEER;
	r->pk_sent_us = now_us;
	return KA_REG_DO_PK;
}

enum ka_registration_action ka_registration_poll(struct ka_registration *r, int64_t now_us)
{
	if (r->looking)
		return KA_REG_DO_NOTHING;
	if (!r->open) {
		if (now_us < r->lookup_due_us)
			return KA_REG_DO_NOTHING;
		r->looking = true;
		r->looked_up_us = now_us;
		return KA_REG_DO_RESOLVE;
	}
	if (r->pending) {
		if (now_us < r->sent_us + r->timing.timeout_us)
			return KA_REG_DO_NOTHING;
		r->pending = false;
		r->fails++;
		r->due_us = now_us;
		if (r->fails >= r->timing.max_fails && r->state != KA_REG_CLOSED && r->state != KA_REG_NO_ROUTE)
			r->state = KA_REG_SILENT;
		if (may_rebind(r, now_us)) {
			r->looking = true;
			if (!r->alternatives)
				r->looked_up_us = now_us;
			return KA_REG_DO_RESOLVE;
		}
	}
	if (now_us < r->due_us)
		return KA_REG_DO_NOTHING;
	return send_next(r, now_us);
}

int64_t ka_registration_next_us(const struct ka_registration *r)
{
	if (r->looking)
		return INT64_MAX;
	if (!r->open)
		return r->lookup_due_us;
	return r->pending ? r->sent_us + r->timing.timeout_us : r->due_us;
}

void ka_registration_opened(struct ka_registration *r, int64_t now_us, unsigned int alternatives)
{
	r->looking = false;
	r->open = true;
	r->pending = false;
	r->fails = 0;
	r->alternatives = alternatives;
	r->due_us = now_us;
	if (r->state == KA_REG_LOOKUP || r->state == KA_REG_NO_NAME || r->state == KA_REG_NO_ROUTE)
		r->state = KA_REG_ASKING;
}

void ka_registration_lookup_failed(struct ka_registration *r, int64_t now_us)
{
	r->looking = false;
	r->alternatives = 0;
	r->fails = 0;
	r->state = KA_REG_NO_NAME;
	r->lookup_due_us = now_us + r->timing.lookup_us;
	r->due_us = now_us;
}

void ka_registration_no_route(struct ka_registration *r, int64_t now_us)
{
	ka_registration_lookup_failed(r, now_us);
	r->state = KA_REG_NO_ROUTE;
}

void ka_registration_moved(struct ka_registration *r, int64_t now_us)
{
	r->lookup_due_us = now_us;
	if (!r->open)
		return;
	/* A new address is a good reason to be asked for the key again soon. */
	r->pk_sent_us = INT64_MIN / 2;
	r->open = false;
	r->pending = false;
	r->fails = 0;
	r->alternatives = 0;
	r->state = KA_REG_LOOKUP;
}

void ka_registration_hurry(struct ka_registration *r, int64_t now_us)
{
	if (!r->open)
		r->lookup_due_us = now_us;
	else if (!r->pending && !r->need_pk)
		r->due_us = now_us;
}

bool ka_registration_failing(const struct ka_registration *r)
{
	switch (r->state) {
	case KA_REG_NO_NAME:
	case KA_REG_REFUSED:
		return true;
	case KA_REG_NO_ROUTE:
		return !r->alternatives;
	case KA_REG_SILENT:
	case KA_REG_CLOSED:
		return !r->open || (!r->alternatives && r->fails);
	default:
		return false;
	}
}

void ka_registration_unreachable(struct ka_registration *r, int64_t now_us, bool no_route)
{
	if (!r->pending)
		return;
	r->state = no_route ? KA_REG_NO_ROUTE : KA_REG_CLOSED;
	if (!r->alternatives)
		return;
	/* No use in waiting: the next poll goes on with the next address. */
	r->fails = r->timing.max_fails;
	r->sent_us = now_us - r->timing.timeout_us;
}

bool ka_registration_on_peer_response(struct ka_registration *r, int64_t now_us, bool request_pk)
{
	if (!r->pending || r->sent_pk)
		return false;
	r->fails = 0;
	r->alternatives = 0;
	if (request_pk) {
		r->need_pk = true;
	} else {
		r->state = KA_REG_OK;
		r->refusals = 0;
		r->confirmed_us = now_us;
	}
	plan(r, now_us, now_us + r->timing.interval_us);
	return true;
}

static int64_t back_off(const struct ka_registration *r)
{
	int64_t pause = r->timing.refused_us;

	if (r->result == KA_RDV_NOT_DEPLOYED)
		return r->timing.undeployed_us;
	for (unsigned int i = 1; i < r->refusals && pause < r->timing.refused_max_us; i++)
		pause *= 2;
	return KA_MIN(pause, r->timing.refused_max_us);
}

bool ka_registration_on_pk_response(struct ka_registration *r, int64_t now_us, int result)
{
	if (!r->pending || !r->sent_pk)
		return false;
	r->fails = 0;
	r->alternatives = 0;
	r->pending = false;
	if (result == KA_RDV_OK) {
		r->need_pk = false;
		r->due_us = now_us;
		return true;
	}
	r->state = KA_REG_REFUSED;
	r->result = result;
	r->refusals++;
	r->due_us = now_us + back_off(r);
	return true;
}

void ka_registration_pk_rejected(struct ka_registration *r, int64_t now_us)
{
	if (r->need_pk)
		return;
	r->need_pk = true;
	if (r->open && !r->pending)
		plan(r, now_us, r->due_us);
}

bool ka_registration_confirmed(const struct ka_registration *r, int64_t now_us)
{
	return r->state == KA_REG_OK && r->confirmed_us && now_us - r->confirmed_us < r->timing.stale_us;
}

static const char *refusal_words(int result)
{
	switch (result) {
	case KA_RDV_UUID_MISMATCH:
		return "this ID belongs to another device there (UUID_MISMATCH)";
	case KA_RDV_ID_EXISTS:
		return "this ID is taken there (ID_EXISTS)";
	case KA_RDV_TOO_FREQUENT:
		return "too many registrations, waiting (TOO_FREQUENT)";
	case KA_RDV_INVALID_ID_FORMAT:
		return "it does not accept IDs like ours (INVALID_ID_FORMAT)";
	case KA_RDV_NOT_SUPPORT:
		return "it does not take registrations (NOT_SUPPORT)";
	case KA_RDV_SERVER_ERROR:
		return "it has an error of its own (SERVER_ERROR)";
	case KA_RDV_NOT_DEPLOYED:
		return "this device is not deployed there (NOT_DEPLOYED)";
	default:
		return "for a reason unknown to us";
	}
}

void ka_registration_words(const struct ka_registration *r, const char *server, char *dst, size_t dst_size)
{
	/* What matters comes first: long names are cut. */
	switch (r->state) {
	case KA_REG_LOOKUP:
		snprintf(dst, dst_size, "looking up %s", server);
		return;
	case KA_REG_NO_NAME:
		snprintf(dst, dst_size, "the name of server %s cannot be resolved", server);
		return;
	case KA_REG_ASKING:
		snprintf(dst, dst_size, "registering with %s", server);
		return;
	case KA_REG_OK:
		snprintf(dst, dst_size, "registered with %s", server);
		return;
	case KA_REG_SILENT:
		snprintf(dst, dst_size, "no answer from server %s", server);
		return;
	case KA_REG_CLOSED:
		snprintf(dst, dst_size, "unreachable: no server listens at %s", server);
		return;
	case KA_REG_NO_ROUTE:
		snprintf(dst, dst_size, "no way to server %s: the network is down or has no route", server);
		return;
	case KA_REG_REFUSED:
		snprintf(dst, dst_size, "refused: %s", refusal_words(r->result));
		return;
	}
}
