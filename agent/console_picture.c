/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/console_picture.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"

json_t *ka_console_word(const char *s)
{
	char escaped[512];

	if (ka_utf8_valid(s, strlen(s)))
		return json_string(s);
	return json_string(ka_log_escape(escaped, sizeof(escaped), s, strlen(s)));
}

/* How long the last pictures took, from the driver to the kernel's socket; without a stage that none has passed. */
static json_t *describe_stages(const struct ka_console *c, size_t display)
{
	json_t *o = json_object();

	for (enum ka_stage i = 0; i < KA_STAGES; i++) {
		struct ka_percentiles p = {0};
		json_t *stage;

		c->port.stage(c->port.ctx, display, i, &p);
		if (!p.count)
			continue;
		stage = json_pack("{s:I, s:I, s:I, s:I}", "pictures", (json_int_t)p.count, "p50_us",
				  (json_int_t)p.p50_us, "p95_us", (json_int_t)p.p95_us, "p99_us", (json_int_t)p.p99_us);
		if (json_object_set_new(o, ka_stage_name(i), stage) < 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *describe_picture(const struct ka_console *c, size_t display)
{
	struct ka_signal signal = {0};
	uint32_t kbps = 0;
	const char *state = "live";

	c->port.signal(c->port.ctx, display, &signal, &kbps);
	if (!signal.watched)
		state = "idle";
	else if (signal.cause)
		state = "slate";
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:f, s:I, s:o}", "name",
			 ka_console_word(c->facts.displays[display]), "state", state, "cause",
			 ka_console_word(signal.watched && signal.cause ? ka_err_str(signal.cause) : ""), "width",
			 (json_int_t)signal.geometry.width, "height", (json_int_t)signal.geometry.height, "source_fps",
			 (double)signal.source_fps_mhz / 1000, "kbps", (json_int_t)kbps, "stages",
			 describe_stages(c, display));
}

json_t *ka_console_displays(const struct ka_console *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->facts.n_displays; i++) {
		if (json_array_append_new(list, describe_picture(c, i)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *ka_console_codecs(const struct ka_console *c)
{
	struct ka_codec_list l = {0};
	json_t *list = json_object();

	c->port.codecs(c->port.ctx, &l);
	for (size_t i = 0; i < l.n; i++) {
		json_t *works = json_boolean(l.working >> l.order[i] & 1);

		if (json_object_set_new(list, ka_codec_name(l.order[i]), works) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
