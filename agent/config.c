/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "agent/config_check.h"
#include "agent/config_reader.h"
#include "agent/config_tables.h"
#include "agent/config_video.h"
#include "base/fs.h"
#include "base/str.h"

#define FILE_MAX_BYTES (256u * 1024)

static void finish_rustdesk(struct ka_config *c, const struct ka_config_raw *raw)
{
	c->id = raw->rustdesk.id;
	c->password_set = raw->rustdesk.password[0] || raw->rustdesk.password_hash[0];
	c->rustdesk = (struct ka_rd_cfg){
		.server = raw->rustdesk.server,
		.relay = raw->rustdesk.relay,
		.key = raw->rustdesk.key,
		.hostname = raw->rustdesk.hostname,
		.username = raw->rustdesk.username,
		.password = raw->rustdesk.password,
		.password_h1 = raw->rustdesk.password_hash[0] ? c->password_h1 : NULL,
		.permissions = ka_config_permission_bits(&raw->rustdesk.permissions),
		.access = c->access,
		.n_access = raw->rustdesk.n_access,
		.totp_secret = raw->rustdesk.totp_secret,
		.trusted_days = raw->rustdesk.trusted_days,
		.approval = raw->rustdesk.approval,
		.idle_s = raw->rustdesk.idle_minutes * 60,
		.allow_addresses = raw->rustdesk.allow_addresses,
		.allow_ids = raw->rustdesk.allow_ids,
		.otp_length = raw->rustdesk.otp_length,
		.otp_numeric = raw->rustdesk.otp_numeric,
		.direct = raw->rustdesk.direct,
		.direct_address = raw->rustdesk.direct_address,
		.direct_port = raw->rustdesk.direct_port,
		.serve = {.enabled = raw->rustdesk.serve.enabled,
			  .address = raw->rustdesk.serve.address,
			  .port = raw->rustdesk.serve.port,
			  .session_port = raw->rustdesk.serve.session_port,
			  .public_address = raw->rustdesk.serve.public_address,
			  .peers = c->peers,
			  .n_peers = raw->rustdesk.serve.n_peers},
		.lan_discovery = raw->rustdesk.lan_discovery,
		.lan_port = raw->rustdesk.lan_port,
		.encryption = (enum ka_rd_encryption)raw->rustdesk.encryption,
		.platform = (enum ka_rd_platform)raw->rustdesk.platform,
		.version = raw->rustdesk.version,
		.max_sessions = raw->rustdesk.max_sessions,
	};
}

static void finish(struct ka_config *c, const struct ka_config_raw *raw)
{
	c->state_dir = raw->state_dir;
	c->runtime_dir = raw->runtime_dir;
	c->control_group = raw->control_group;
	c->log.level = (enum ka_log_level)raw->log.level;
	c->hid = (struct ka_hid_cfg){
		.backend = (enum ka_hid_backend_kind)raw->hid.backend,
		.record_file = raw->hid.record_file,
		.serial_device = raw->hid.serial_device,
		.serial_baud = raw->hid.serial_baud,
		.udc = raw->hid.udc,
		.configfs = "/sys/kernel/config",
		.udc_class = "/sys/class/udc",
		.gadget = raw->hid.gadget,
		.vendor_id = (uint16_t)raw->hid.vendor_id,
		.product_id = (uint16_t)raw->hid.product_id,
		.manufacturer = raw->hid.manufacturer,
		.product = raw->hid.product,
		.serial = raw->hid.serial,
		.max_power_ma = raw->hid.max_power_ma,
		.layout = raw->hid.layout,
		.dead_keys = (enum ka_dead_keys)raw->hid.dead_keys,
		.type_interval_ms = raw->hid.type_interval_ms,
	};
	c->hold_ms = raw->hid.hold_ms;
	c->power = (struct ka_atx_cfg){
		.chip = raw->power.chip,
		.power_line = raw->power.power_line,
		.reset_line = raw->power.reset_line,
		.led_line = raw->power.led_line,
		.active_low = raw->power.active_low,
		.press_ms = raw->power.press_ms,
		.hold_ms = raw->power.hold_ms,
	};
	finish_rustdesk(c, raw);
}

static bool plain_id(const char *id)
{
	return strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == strlen(id);
}

/* Base64 of 32 bytes: 43 characters and one '='. */
static bool plain_key(const char *key)
{
	return strlen(key) == 44 && key[43] == '=' &&
	       strspn(key, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/") == 43;
}

/* What is wrong with a version, or NULL. Clients compute with it, and one they cannot read counts as very old. */
static const char *version_fault(const char *v)
{
	static const char format[] = "'version' must be three numbers, and a fourth below 10 if need be: \"1.4.9\" or "
				     "\"1.4.9-1\"";
	static const char ends[] = {'.', '.', '-', '\0'};
	unsigned int parts[4] = {0};

	for (size_t i = 0; i < KA_ARRAY_LEN(parts); i++) {
		size_t digits = strspn(v, "0123456789");

		if (!digits || digits > (i == 3 ? 1 : 3))
			return format;
		parts[i] = (unsigned int)strtoul(v, NULL, 10);
		v += digits;
		if (i >= 2 && !*v)
			break;
		if (*v != ends[i])
			return format;
		v++;
	}
	/* From there on clients name the display in what they ask, and expect it in what they get. */
	if (parts[0] * 1000000 + parts[1] * 1000 + parts[2] < 1002004)
		return "'version' must be \"1.2.4\" or later: to older devices clients speak another form of the "
		       "protocol";
	return NULL;
}

/* The passwords together; decodes the hash. */
static void check_passwords(struct ka_config_reader *r, const config_t *cfg, const struct ka_config_raw *raw,
			    uint8_t h1[static KA_RD_H1_LEN])
{
	const char *hash = raw->rustdesk.password_hash;
	char bad[64];

	if (hash[0] && ka_hex_decode(h1, KA_RD_H1_LEN, hash) < 0)
		ka_config_fail(r, config_lookup(cfg, "rustdesk.password_hash"),
			       "'password_hash' must be the 64 digits that kvmagent --hash-password prints");
	if (hash[0] && raw->rustdesk.password[0])
		ka_config_fail(r, config_lookup(cfg, "rustdesk.password"),
			       "'password' and 'password_hash' are the same thing: keep 'password_hash'");
	if (raw->rustdesk.otp_length && raw->rustdesk.otp_length < 6)
		ka_config_fail(r, config_lookup(cfg, "rustdesk.one_time_password_length"),
			       "'one_time_password_length' must be 0 (none) or 6 to 32");
	if (ka_rd_check_addresses(raw->rustdesk.allow_addresses, bad, sizeof(bad)) < 0)
		ka_config_fail(r, config_lookup(cfg, "rustdesk.allow_addresses"),
			       "'%s' in 'allow_addresses' is neither an address nor a network", bad);
	if (!hash[0] && !raw->rustdesk.password[0] && !raw->rustdesk.n_access && !raw->rustdesk.otp_length &&
	    !raw->rustdesk.approval)
		ka_config_fail(
			r, config_lookup(cfg, "rustdesk"),
			"nobody could log in: set 'password_hash', 'access', 'one_time_password_length' or 'approval'");
}

/* What no single key can tell. */
static void check_whole(struct ka_config_reader *r, const config_t *cfg, const struct ka_config_raw *raw)
{
	const char *fault = version_fault(raw->rustdesk.version);

	if (raw->rustdesk.id[0] && (strlen(raw->rustdesk.id) < 6 || !plain_id(raw->rustdesk.id)))
		ka_config_fail(r, config_lookup(cfg, "rustdesk.id"),
			       "'id' must have 6 to 16 letters, digits, '-' or '_'");
	if (raw->rustdesk.key[0] && !plain_key(raw->rustdesk.key))
		ka_config_fail(r, config_lookup(cfg, "rustdesk.key"),
			       "'key' must be the server's public key: 44 base64 characters, the content of "
			       "id_ed25519.pub beside hbbs");
	if (!ka_hid_has_speed(raw->hid.serial_baud))
		ka_config_fail(r, config_lookup(cfg, "hid.serial_baud"),
			       "'serial_baud' must be 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200");
	if (fault)
		ka_config_fail(r, config_lookup(cfg, "rustdesk.version"), "%s", fault);
}

/* libconfig's own copy of the text. */
static void wipe_password(const config_t *cfg)
{
	const char *text;

	if (config_lookup_string(cfg, "rustdesk.password", &text))
		explicit_bzero((void *)(uintptr_t)text, strlen(text));
}

int ka_config_parse(struct ka_config **out, const char *name, const char *data, struct ka_errbuf *eb)
{
	struct ka_config *c = calloc(1, sizeof(*c));
	struct ka_config_reader *r = calloc(1, sizeof(*r));
	struct ka_config_raw raw = ka_config_defaults;
	config_t cfg;
	int ret;

	config_init(&cfg);
	if (c)
		c->peers = raw.rustdesk.serve.peers = calloc(KA_RD_MAX_PEERS, sizeof(*c->peers));
	if (!c || !r || !c->peers) {
		ret = -ENOMEM;
		goto out;
	}
	raw.rustdesk.access = c->access;
	r->file = name;
	r->eb = eb;
	c->store = r;
	if (!config_read_string(&cfg, data)) {
		ka_errbuf_set(eb, "%s:%d: %s", config_error_file(&cfg) ? config_error_file(&cfg) : name,
			      config_error_line(&cfg), config_error_text(&cfg));
		ret = -KA_E_CONFIG;
		goto out;
	}
	ka_config_read_group(r, config_root_setting(&cfg), "the file", ka_config_top_keys, &raw);
	if (!r->err)
		check_passwords(r, &cfg, &raw, c->password_h1);
	if (!r->err)
		check_whole(r, &cfg, &raw);
	if (!r->err)
		ka_config_check_addresses(r, &cfg, &raw);
	if (!r->err)
		ka_config_finish_video(c, r, &cfg, &raw);
	if (!r->err)
		ka_config_check_files(r, &cfg);
	finish(c, &raw);
	ret = r->err;
out:
	wipe_password(&cfg);
	config_destroy(&cfg);
	if (ret < 0) {
		if (c)
			c->store = r;
		else
			free(r);
		ka_config_free(c);
		return ret;
	}
	*out = c;
	return 0;
}

int ka_config_load(struct ka_config **out, const char *path, struct ka_errbuf *eb)
{
	struct ka_config *c = NULL;
	struct ka_bytes text;
	int ret;

	ka_bytes_init(&text, FILE_MAX_BYTES);
	ret = ka_fs_read(path, &text);
	if (ret < 0) {
		ka_errbuf_set(eb, "%s: %s", path, ret == -KA_E_TOO_BIG ? "larger than 256 KiB" : ka_err_str(ret));
	} else if (memchr(text.data, '\0', text.len)) {
		ka_errbuf_set(eb, "%s: not a text file", path);
		ret = -KA_E_CONFIG;
	} else {
		ret = ka_config_parse(&c, path, (const char *)text.data, eb);
	}
	if (text.data)
		explicit_bzero(text.data, text.cap);
	ka_bytes_fini(&text);
	for (size_t i = 0; ret == 0 && i < c->n_displays; i++) {
		const struct ka_capture_cfg *v = &c->displays[i].video;

		if (v->source == KA_SOURCE_V4L2)
			ret = ka_capture_check_edid(v->edid, v->edid_modes, v->edid_name, eb);
	}
	if (ret < 0) {
		ka_config_free(c);
		return ret;
	}
	*out = c;
	return 0;
}

void ka_config_forget_password(struct ka_config *c)
{
	struct ka_config_reader *r = c->store;

	for (size_t i = 0; i < r->n_strings; i++) {
		if (r->strings[i] == c->rustdesk.password || r->strings[i] == c->rustdesk.totp_secret)
			explicit_bzero(r->strings[i], strlen(r->strings[i]));
	}
}

void ka_config_free(struct ka_config *c)
{
	struct ka_config_reader *r;

	if (!c)
		return;
	r = c->store;
	for (size_t i = 0; r && i < r->n_strings; i++) {
		/* Among them the password. */
		explicit_bzero(r->strings[i], strlen(r->strings[i]));
		free(r->strings[i]);
	}
	if (r)
		free(r->strings);
	free(r);
	free(c->peers);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

static void each_key(const struct ka_config_key *table, const char *prefix, void (*fn)(void *arg, const char *name),
		     void *arg)
{
	for (; table->name; table++) {
		char name[64];

		(void)!ka_str_format(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "", table->name);
		if (table->kind == KA_KEY_GROUP)
			each_key(table->keys, name, fn, arg);
		else
			fn(arg, name);
	}
}

void ka_config_each_key(void (*fn)(void *arg, const char *name), void *arg)
{
	each_key(ka_config_top_keys, "", fn, arg);
}
