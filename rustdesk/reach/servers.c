/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rustdesk/reach/servers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "rustdesk/reach/dial.h"
#include "rustdesk/reach/rendezvous.h"

struct ka_servers {
	struct ka_servers_cfg cfg;
	uv_timer_t *timer;	      /* closes and frees itself */
	struct ka_rendezvous *active; /* in use; never NULL once started */
	struct ka_rendezvous *trial;  /* or NULL */
	unsigned int active_i;
	unsigned int trial_i;
	int64_t trial_until_us;
	int64_t return_us; /* next trial of an earlier one */
};

int ka_servers_parse(struct ka_servers_list *out, const char *text, struct ka_errbuf *eb)
{
	const char *rest = text + strspn(text, " ");

	out->n = 0;
	while (*rest) {
		struct ka_server *s = &out->all[out->n];
		size_t len = strcspn(rest, ",");
		size_t used = len;

		while (used && rest[used - 1] == ' ')
			used--;
		if (out->n == KA_SERVERS_MAX) {
			ka_errbuf_set(eb, "server: more than %d are named", KA_SERVERS_MAX);
			return -KA_E_CONFIG;
		}
		if (used >= sizeof(s->text) || memchr(rest, ' ', used) ||
		    ka_str_format(s->text, sizeof(s->text), "%.*s", (int)used, rest) < 0 ||
		    ka_resolve_split(s->text, KA_HBBS_PORT, s->host, &s->port) < 0) {
			ka_errbuf_set(eb, "server \"%.*s\" is not host or host:port", (int)used, rest);
			return -KA_E_CONFIG;
		}
		out->n++;
		rest += len;
		if (*rest == ',') {
			rest++;
			rest += strspn(rest, " ");
			if (!*rest) {
				ka_errbuf_set(eb, "server \"%s\" ends with a comma", text);
				return -KA_E_CONFIG;
			}
		}
	}
	return 0;
}

static void use_address(struct ka_servers *s)
{
	s->cfg.env->server = *ka_rendezvous_address(s->active);
	if (s->cfg.env->server.ss_family)
		s->cfg.on_server(s->cfg.arg);
}

static void on_call(void *arg, struct ka_rendezvous *rz, const struct ka_rdv_call *call)
{
	struct ka_servers *s = arg;

	/* What follows goes to env->server: a call of another one would be answered to the wrong place. */
	if (rz == s->active)
		s->cfg.on_call(s->cfg.arg, call);
}

static void on_socket(void *arg, struct ka_rendezvous *rz)
{
	struct ka_servers *s = arg;

	if (rz == s->active)
		use_address(s);
}

static void judge(struct ka_servers *s);

static void on_timer(uv_timer_t *t)
{
	judge(t->data);
}

/* Judged outside of the callback: a rendezvous may go then. */
static void on_change(void *arg, struct ka_rendezvous *rz)
{
	struct ka_servers *s = arg;

	(void)rz;
	if (s->cfg.list->n > 1)
		ka_timer_once(s->timer, on_timer, 0);
}

static int make(struct ka_servers *s, struct ka_rendezvous **out, unsigned int i, bool quiet)
{
	const struct ka_rendezvous_cfg cfg = {
		.env = s->cfg.env,
		.server = &s->cfg.list->all[i],
		.on_call = on_call,
		.on_server = on_socket,
		.on_change = on_change,
		.arg = s,
		.quiet = quiet,
	};
	int ret = ka_rendezvous_new(out, &cfg);

	if (ret == 0)
		ka_rendezvous_start(*out);
	return ret;
}

static void drop_trial(struct ka_servers *s)
{
	ka_rendezvous_free(s->trial);
	s->trial = NULL;
}

static void start_trial(struct ka_servers *s, unsigned int i, int64_t now_us)
{
	int ret = make(s, &s->trial, i, true);

	/* Without memory: as if it did not answer. */
	if (ret < 0) {
		ka_log_every(WARN, KA_SEC(10), "rendezvous", "no trial", "cause=\"%s\"", ka_dial_words(ret));
		s->trial = NULL;
	}
	s->trial_i = i;
	s->trial_until_us = now_us + KA_MS((int64_t)s->cfg.env->timing.trial_ms);
}

static void set_active(struct ka_servers *s, unsigned int i)
{
	const struct ka_server *server = &s->cfg.list->all[i];

	s->active_i = i;
	ka_str_copy(s->cfg.env->host, sizeof(s->cfg.env->host), server->host);
	s->cfg.env->port = server->port;
}

static void promote(struct ka_servers *s, int64_t now_us)
{
	ka_log(WARN, "rendezvous", "server changed", "from=%s to=%s", s->cfg.list->all[s->active_i].text,
	       s->cfg.list->all[s->trial_i].text);
	ka_rendezvous_free(s->active);
	s->active = s->trial;
	s->trial = NULL;
	set_active(s, s->trial_i);
	s->return_us = now_us + KA_MS((int64_t)s->cfg.env->timing.return_ms);
	ka_rendezvous_speak_up(s->active);
	use_address(s);
}

/* The next to try after a trial of `after`; n when there is none (left in this round). */
static unsigned int choose(const struct ka_servers *s, unsigned int after, bool failing)
{
	unsigned int end = failing ? s->cfg.list->n : s->active_i;
	unsigned int i = after + (after == s->active_i);

	return i < end && i != s->active_i ? i : s->cfg.list->n;
}

/* The active one does not work: round and round the others. */
static void try_others(struct ka_servers *s, int64_t now_us)
{
	unsigned int n = s->cfg.list->n;
	unsigned int i;

	if (s->trial && !ka_rendezvous_failing(s->trial) && now_us < s->trial_until_us)
		return;
	i = s->trial ? choose(s, s->trial_i + 1, true) : choose(s, 0, true);
	drop_trial(s);
	start_trial(s, i < n ? i : choose(s, 0, true), now_us);
}

/* The active one works, but is not the first: once through those before it, now and then. */
static void try_earlier(struct ka_servers *s, int64_t now_us)
{
	unsigned int n = s->cfg.list->n;
	unsigned int i = n;

	if (s->trial) {
		if (s->trial_i < s->active_i && !ka_rendezvous_failing(s->trial) && now_us < s->trial_until_us)
			return;
		if (s->trial_i < s->active_i)
			i = choose(s, s->trial_i + 1, false);
		drop_trial(s);
		s->return_us = now_us + KA_MS((int64_t)s->cfg.env->timing.return_ms);
	} else if (s->active_i > 0 && now_us >= s->return_us) {
		i = 0;
	}
	if (i < n)
		start_trial(s, i, now_us);
}

static void judge(struct ka_servers *s)
{
	int64_t now_us = ka_clock_us();

	if (s->trial && ka_rendezvous_registered(s->trial))
		promote(s, now_us);
	if (ka_rendezvous_failing(s->active))
		try_others(s, now_us);
	else if (ka_rendezvous_registered(s->active))
		try_earlier(s, now_us);
	if (s->trial)
		ka_timer_once(s->timer, on_timer, (uint64_t)KA_MAX(s->trial_until_us - now_us, KA_MS(1)) / 1000);
	else if (s->active_i > 0)
		ka_timer_once(s->timer, on_timer, (uint64_t)KA_MAX(s->return_us - now_us, KA_MS(100)) / 1000);
}

int ka_servers_new(struct ka_servers **out, const struct ka_servers_cfg *cfg)
{
	struct ka_servers *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->timer = calloc(1, sizeof(*s->timer));
	if (!s->timer) {
		free(s);
		return -ENOMEM;
	}
	s->cfg = *cfg;
	uv_timer_init(cfg->env->uv, s->timer);
	s->timer->data = s;
	*out = s;
	return 0;
}

int ka_servers_start(struct ka_servers *s)
{
	set_active(s, 0);
	return make(s, &s->active, 0, false);
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h);
}

void ka_servers_free(struct ka_servers *s)
{
	if (!s)
		return;
	drop_trial(s);
	ka_rendezvous_free(s->active);
	uv_close((uv_handle_t *)s->timer, on_timer_closed);
	free(s);
}

void ka_servers_pk_rejected(struct ka_servers *s)
{
	if (s->active)
		ka_rendezvous_pk_rejected(s->active);
}

void ka_servers_moved(struct ka_servers *s)
{
	if (s->active)
		ka_rendezvous_moved(s->active);
	if (s->trial)
		ka_rendezvous_moved(s->trial);
}

bool ka_servers_registered(const struct ka_servers *s)
{
	return s->active && ka_rendezvous_registered(s->active);
}

void ka_servers_words(const struct ka_servers *s, char *dst, size_t dst_size)
{
	size_t used;

	if (!s->active) {
		ka_str_copy(dst, dst_size, "not started");
		return;
	}
	ka_rendezvous_words(s->active, dst, dst_size);
	used = strlen(dst);
	/* Only what fits: the state of the one in use matters more. */
	if (ka_rendezvous_failing(s->active) && s->trial)
		snprintf(dst + used, dst_size - used, "; trying %s", s->cfg.list->all[s->trial_i].text);
	else if (s->active_i > 0)
		snprintf(dst + used, dst_size - used, " (server %u of %u)", s->active_i + 1, s->cfg.list->n);
}
